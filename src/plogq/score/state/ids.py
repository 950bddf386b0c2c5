"""The names of rows, and whether several rows have the same name."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa

from plogq.tables.arrays import Array
from plogq.tables.sums.hashing import lowest_rows, splitmix64

MOST = 1 << 15


class Repeated(NamedTuple):
    """Rows that share their name with others, among the rows that were looked at."""

    rows: int
    name: str  # one of them


class Ids:
    """The names of the rows whose numbers have the lowest hashes: of all rows up to 32,768.

    If every name of a larger table comes twice, about 32,768² / 2n of its n / 2 pairs are among
    these, so that it is noticed up to some hundred million rows.
    """

    def __init__(self, seed: int) -> None:
        self._seed = np.uint64(seed)
        self._limit = np.uint64(2**64 - 1)
        self._hash = np.empty(0, np.uint64)
        self._name = np.empty(0, object)

    def add(self, start: int, names: pa.Array, rows: Array | None = None) -> None:
        """Offer the names of rows from row `start` of the table on.

        `rows` are the offsets of these rows from `start`; None: they follow each other.
        """
        chosen = lowest_rows(start, len(names), rows, self._seed, self._limit)
        if len(chosen):
            texts = [
                None if x is None else str(x) for x in names.take(pa.array(chosen)).to_pylist()
            ]
            number = start + (chosen if rows is None else rows[chosen])
            hashed = splitmix64(number.astype(np.uint64), self._seed)
            self._put(hashed, np.fromiter(texts, object, len(texts)))

    def merge(self, other: Self) -> None:
        """Offer the names of other rows."""
        self._put(other._hash, other._name)

    def repeated(self) -> Repeated | None:
        """Return how many rows share a name with another; None where none does.

        Rows without a name share none.
        """
        times = Counter(name for name in self._name if name is not None)
        several = {name: count for name, count in times.items() if count > 1}
        if not several:
            return None
        return Repeated(sum(several.values()), min(several))

    def _put(self, hashed: Array, name: Array) -> None:
        self._hash = np.concatenate([self._hash, hashed])
        self._name = np.concatenate([self._name, name])
        if len(self._hash) > MOST:
            self._limit = np.partition(self._hash, MOST - 1)[MOST - 1]
            kept = self._hash <= self._limit
            self._hash, self._name = self._hash[kept], self._name[kept]
