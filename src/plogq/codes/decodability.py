"""Whether streams of words can be read in one way only."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

# A step of the search: the digits so far, the number of words in both readings, the surplus of the
# longer reading after and before the step, and the word that was added to the shorter reading; at
# the start it has the first words of both.
Step = tuple[int, int, str, str | None, int, int]


class Ambiguity(NamedTuple):
    """A shortest stream with two readings.

    Attributes
    ----------
    digits
        The stream.
    first, second
        Its two readings: sequences of words, by number.
    """

    digits: str
    first: tuple[int, ...]
    second: tuple[int, ...]


def is_prefix_free(words: Sequence[str]) -> bool:
    """Tell whether no word is the beginning of another: each is then known at its last digit.

    Examples
    --------
    >>> is_prefix_free(["10", "0", "110", "111"]), is_prefix_free(["0", "01"])
    (True, False)
    """
    ordered = sorted(words)  # a beginning stands right before a word that it begins
    clear = all(not after.startswith(before) for before, after in pairwise(ordered))
    return clear and ordered != [""]


def ambiguity(words: Sequence[str]) -> Ambiguity | None:
    """Find the shortest stream of words that has two readings; None if there is none.

    This is the test of Sardinas and Patterson as a search for a shortest path: two readings of one
    stream grow, one ahead of the other by some digits, until both end together.

    Examples
    --------
    >>> ambiguity(["0", "01", "10"])
    Ambiguity(digits='010', first=(0, 2), second=(1, 0))
    >>> ambiguity(["0", "01", "11"]) is None        # no prefix code, but decodable
    True

    References
    ----------
    Sardinas, Patterson (1953), A necessary and sufficient condition for the unique decomposition of
    coded messages; the search is Dijkstra's (1959).
    """
    if is_prefix_free(words):
        return None
    number: dict[str, int] = {}
    twins: list[Step] = []
    for i, word in enumerate(words):
        if word == "":
            return Ambiguity("", (), (i,))
        if word in number:
            twins.append((len(word), 2, "", None, number[word], i))
        else:
            number[word] = i
    # Keys are the digits by which one reading is ahead, and which the other must still spell.
    came_from: dict[str, tuple[str | None, int, int]] = {}
    queue = twins
    heapq.heapify(queue)
    for word in number:
        for end in range(1, len(word)):
            if word[:end] in number:
                first, second = number[word], number[word[:end]]
                heapq.heappush(queue, (len(word), 2, word[end:], None, first, second))
    begins = _beginnings(words)
    while queue:
        length, steps, ahead, before, added, second = heapq.heappop(queue)
        if ahead in came_from:
            continue
        came_from[ahead] = (before, added, second)
        if ahead == "":
            return _traced(words, came_from)
        for end in range(1, len(ahead) + 1):  # words that fit into what is ahead
            if ahead[:end] in number:
                step = (length, steps + 1, ahead[end:], ahead, number[ahead[:end]], -1)
                heapq.heappush(queue, step)
        for i in begins.get(ahead, ()):  # words that are longer than it
            more = words[i][len(ahead) :]
            heapq.heappush(queue, (length + len(more), steps + 1, more, ahead, i, -1))
    return None


def _beginnings(words: Sequence[str]) -> dict[str, list[int]]:
    """Give {digits: words that begin with them}, for digits that are also the end of a word."""
    ends = {word[i:] for word in words for i in range(1, len(word))}
    begins: dict[str, list[int]] = {}
    for i, word in enumerate(words):
        for end in range(1, len(word)):
            if word[:end] in ends:
                begins.setdefault(word[:end], []).append(i)
    return begins


def _traced(words: Sequence[str], came_from: dict[str, tuple[str | None, int, int]]) -> Ambiguity:
    """Give the stream and both readings, by following the steps back from the last one."""
    steps = []
    at: str | None = ""
    while at is not None:
        before, added, second = came_from[at]
        steps.append((added, second))
        at = before
    ahead, behind = [steps[-1][0]], [steps[-1][1]]
    for added, _ in reversed(steps[:-1]):
        behind.append(added)
        if sum(len(words[i]) for i in behind) > sum(len(words[i]) for i in ahead):
            ahead, behind = behind, ahead
    one, other = sorted((tuple(ahead), tuple(behind)))
    return Ambiguity("".join(words[i] for i in one), one, other)
