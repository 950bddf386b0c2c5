"""A sample of rows that no split of the table changes: those whose numbers hash to the lowest."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from plogq.tables.arrays import Array
from plogq.tables.batch import Matrix
from plogq.tables.sums.hashing import lowest_rows, splitmix64

SAMPLE_ROWS = 1 << 15
SAMPLE_NUMBERS = 1 << 22


class Sampled(NamedTuple):
    """Rows of the table, with what a recalibration needs to know about them."""

    hash: Array  # (m,) uint64
    row: Array  # (m,)
    logits: Array  # (m, C)
    label: Array  # (m,) classes, or (m, C) distributions
    weight: Array  # (m,)
    surprisal: Array  # (m,) nats, as scored
    bucket: Array  # (m,) the bootstrap's buckets

    def take(self, index: Array) -> Sampled:
        """Return some of the rows."""
        return Sampled(*(field[index] for field in self))


class Sample:
    """A sample that fits in memory: of a small table, all rows.

    With `part` = k it keeps 1/k as many. Where it is said `of_rows` how many rows there will be, it
    takes up no more than twice as many as it needs, so that a run of them, which is sent to others,
    has only its share. That is too few if fewer than half of the rows may be sampled: `is_whole`.
    """

    def __init__(self, classes: int, seed: int, part: int = 1, of_rows: int | None = None) -> None:
        self._classes = classes
        self._size = max(1, min(SAMPLE_ROWS, SAMPLE_NUMBERS // classes) // part)
        self._seed = np.uint64(seed)
        self._limit = np.uint64(2**64 - 1)
        self._bounded = of_rows is not None and of_rows > 2 * self._size
        if self._bounded:
            assert of_rows is not None
            self._limit = np.uint64(2 * self._size * 2**64 // of_rows)
        self._parts: list[Sampled] = []
        self._held = 0

    def add(
        self,
        start: int,
        keep: Array,
        logits: Array | Matrix,
        label: Array,
        weight: Array | None,
        surprisal: Array,
        bucket: Array,
        rows: Array | None = None,
    ) -> None:
        """Offer rows from row `start` of the table on, those where `keep` is true.

        `rows` are the offsets of these rows from `start`; None: they follow each other.
        """
        chosen = lowest_rows(start, len(keep), rows, self._seed, self._limit)
        chosen = chosen[keep[chosen]]
        if len(chosen):
            number = start + (chosen if rows is None else rows[chosen])
            weights = np.ones(len(chosen)) if weight is None else weight[chosen]
            self._put(
                Sampled(
                    splitmix64(number.astype(np.uint64), self._seed),
                    number,
                    logits[chosen],
                    label[chosen],
                    weights,
                    surprisal[chosen],
                    bucket[chosen],
                )
            )

    def most_bytes(self) -> int:
        """Return how much memory logits in double precision may take here, in bytes."""
        return 2 * self._size * self._classes * 8

    def is_whole(self) -> bool:
        """Tell whether these are the rows that a sample without `of_rows` would have."""
        return not self._bounded or self._held >= self._size

    def merge(self, other: Self) -> None:
        """Offer the rows of another sample."""
        for part in other._parts:
            self._put(part)

    def rows(self) -> Sampled | None:
        """Return the sampled rows in the order of the table; None where there are none."""
        if not self._parts:
            return None
        self._shrink()
        return self._parts[0].take(np.argsort(self._parts[0].row))

    def _put(self, part: Sampled) -> None:
        self._parts.append(part)
        self._held += len(part.row)
        if self._held >= 2 * self._size:
            self._shrink()

    def _shrink(self) -> None:
        whole = Sampled(*(np.concatenate(fields) for fields in zip(*self._parts, strict=True)))
        if len(whole.row) > self._size:
            # Hashes are distinct, so this keeps exactly `size` rows.
            self._limit = np.partition(whole.hash, self._size - 1)[self._size - 1]
            whole = whole.take(np.flatnonzero(whole.hash <= self._limit))
        self._parts = [whole]
        self._held = len(whole.row)
