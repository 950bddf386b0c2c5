"""Windows of like length go through the model together."""

from __future__ import annotations

from collections.abc import Sequence


def batches(lengths: Sequence[int], most: int, *, padded: bool = True) -> list[list[int]]:
    """Return which windows go together, by their places; the longest come first.

    Parameters
    ----------
    lengths
        The number of tokens of each window.
    most
        The most tokens of a batch, padding among them; a longer window is a batch of its own.
    padded
        Whether a shorter window may be filled up; otherwise those of a batch are equally long.

    Examples
    --------
    >>> batches([3, 8, 4, 1], 8)
    [[1], [2, 0], [3]]
    """
    found: list[list[int]] = []
    longest = 0
    for place in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        full = not found or (len(found[-1]) + 1) * longest > most
        if full or not (padded or lengths[place] == longest):
            found.append([])
            longest = lengths[place]
        found[-1].append(place)
    return found
