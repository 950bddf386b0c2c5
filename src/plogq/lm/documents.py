"""What every reader of token logprobs returns: documents and their tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np

from plogq.errors import TableError
from plogq.tables.arrays import Array
from plogq.tables.row_figures import LARGEST_SURPRISAL
from plogq.tables.row_sums import TOLERANCE

UNITS = ("token", "word", "character", "byte")  # parts of the text that a cost is divided by
UNKNOWN = -1
LARGEST_COUNT = 2**31  # of the tokens, characters or bytes of a text


class Documents(NamedTuple):
    """Some whole documents, d of them, in their order."""

    names: list[str]
    surprisal: Array  # (d,) nats: Σ −log q of the tokens with q > 0, rounded once
    impossible: Array  # (d,) int64: tokens with q = 0
    counts: dict[str, Array]  # by unit, (d,) int64: how many were scored, or UNKNOWN
    unscored: Array  # (d,) int64: first tokens without a logprob
    unscored_bytes: Array  # (d,) int64: bytes of those tokens
    texts: list[int | None] | None = None  # hash of each text, None where it is not known


class Tokens(NamedTuple):
    """Some scored tokens: what each costs, and a description of any of them."""

    surprisal: Array  # (n,) nats, inf where q = 0
    describe: Callable[[int], dict[str, Any]]


class Block(NamedTuple):
    """A part of the input as it streams by."""

    tokens: Tokens
    documents: Documents  # those that ended in it
    done: int  # rows or lines so far


class Remarks:
    """Warnings of how a source was read: by code, a message and a count.

    The count is 0 where the warning is about the whole source.
    """

    def __init__(self) -> None:
        self._messages: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def add(self, code: str, message: str, count: int = 1) -> None:
        """Add a warning, or add to its count; the first message of a code stands for all."""
        self._messages.setdefault(code, message)
        self._counts[code] = self._counts.get(code, 0) + count

    def message(self, code: str) -> str | None:
        """Return the message of a code."""
        return self._messages.get(code)

    def items(self) -> list[tuple[str, str, int]]:
        """Return codes, messages and counts."""
        return [(code, text, self._counts[code]) for code, text in self._messages.items()]


class Source(Protocol):
    """Token logprobs, from a table or a log."""

    origin: dict[str, Any]
    remarks: Remarks  # complete when all blocks were given
    rows: int | None

    def blocks(self) -> Iterator[Block]:
        """Stream the documents in order, each of them once."""
        ...


class Names:
    """The names of the documents seen, which show when one comes back; each takes 8 bytes."""

    def __init__(self) -> None:
        self._old = np.empty(0, np.uint64)  # sorted
        self._new: set[int] = set()

    def add(self, name: str) -> bool:
        """Add a document; return False where one of the same name was there before."""
        code = hash(name) & (2**64 - 1)
        place = int(np.searchsorted(self._old, np.uint64(code)))
        if code in self._new or (place < len(self._old) and int(self._old[place]) == code):
            return False
        self._new.add(code)
        if len(self._new) >= max(1 << 16, len(self._old)):
            fresh = np.fromiter(self._new, np.uint64, len(self._new))
            self._old = np.sort(np.concatenate([self._old, fresh]))
            self._new.clear()
        return True


def surprisals(logprobs: Array) -> Array:
    """Return −log q: 0 where rounding left log q above 0, inf where no exact sum can hold it."""
    costs: Array = np.abs(np.minimum(logprobs, 0.0))
    return np.where(costs < LARGEST_SURPRISAL, costs, np.inf)


def wrong_logprobs(logprobs: Array) -> tuple[Array, str]:
    """Return which logprobs cannot be log q in nats, (n,), and what they should be."""
    expected = "be natural logarithms of probabilities, at most 0"
    scored = logprobs[~np.isnan(logprobs)]
    if len(scored) and scored.min() >= 0:
        expected += " (these may be costs, −log q: change their sign)"
    return ~(logprobs <= TOLERANCE), expected


def came_back(where: str, name: str) -> TableError:
    """Return the error over a document that comes back after another one."""
    return TableError(
        f"{where}: document {name!r} comes back after others: all rows of a document must "
        "follow one another, and each needs a name of its own"
    )
