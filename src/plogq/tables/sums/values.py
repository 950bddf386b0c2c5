"""The different values of a column that tells rows apart, numbered in the order they come in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from plogq.errors import TableError
from plogq.tables.arrays import Array, as_numpy

MOST_VALUES = 1_000


class Values:
    """The different values of one column, each with a number; a missing one is a value, too."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._numbers: dict[str | None, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def numbers(self, column: pa.DictionaryArray) -> Array:
        """Return the number of the value in each row, (n,) int64; new values get new numbers."""
        names, codes = coded(column)
        used = np.flatnonzero(np.bincount(codes, minlength=len(names)))
        known = np.zeros(len(names), np.int64)
        known[used] = self._number([names[i] for i in used])
        return known[codes]

    def merge(self, other: Values) -> Array:
        """Return the number that each value of another column has here, in the order of theirs."""
        return np.array(self._number(list(other._numbers)), dtype=np.int64)

    def named(self) -> list[tuple[str, int]]:
        """Return (name, number) in order of names; beside missing values, "null" is '"null"'."""
        found = []
        for value, number in sorted(self._numbers.items(), key=_place):
            name = "null" if value is None else value
            if value is not None and value.strip('"') == "null" and None in self._numbers:
                name = f'"{value}"'
            found.append((name, number))
        return found

    def _number(self, names: Sequence[str | None]) -> list[int]:
        for name in names:
            self._numbers.setdefault(name, len(self._numbers))
        if len(self._numbers) > MOST_VALUES:
            raise TableError(
                f"column {self._column!r} has more than {MOST_VALUES:,} different values: too many "
                "to report apart (slice by a column of groups, not of rows)"
            )
        return [self._numbers[name] for name in names]


def coded(column: pa.DictionaryArray) -> tuple[list[str | None], Array]:
    """Return the values as text, the last None for missing ones, and the place of each row's."""
    names = [None if x is None else str(x) for x in column.dictionary.to_pylist()] + [None]
    return names, as_numpy(column.indices.fill_null(len(names) - 1))


def _place(item: tuple[str | None, int]) -> tuple[str, bool]:
    """Return the sort key of a value, whatever came first: a missing one is right after "null"."""
    value = item[0]
    return "null" if value is None else value, value is None
