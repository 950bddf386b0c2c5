"""Groups of rows, told apart by the values of a column."""

from __future__ import annotations

from copy import copy
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa

from plogq.errors import TableError
from plogq.kernels.exact_sum import ExactSums
from plogq.score.state.rows import Rows, Seen
from plogq.score.state.tally import Tally, add_weighted, regrouped, totals
from plogq.score.table.numbers import Array, as_numpy

MOST_VALUES = 1_000


class SliceFigures(NamedTuple):
    """What a group's rows are made of, in nats."""

    rows: int
    weight: float
    loss: float  # Σ w · surprisal
    labels: Array  # (C,) weight of each


class Slices:
    """The rows, the loss and the labels of each value of one column."""

    def __init__(self, column: str, classes: int, weighted: bool, soft: bool) -> None:
        self._column = column
        self._classes = classes
        self._codes: dict[str | None, int] = {}
        self._weighted = weighted
        self._soft = soft
        self._allocate(1)

    def add(self, values: pa.DictionaryArray, rows: Rows | Seen, weight: Array | None) -> None:
        """Add a batch."""
        names = [None if x is None else str(x) for x in values.dictionary.to_pylist()] + [None]
        null = len(names) - 1
        codes = as_numpy(values.indices.fill_null(null))
        used = np.flatnonzero(np.bincount(codes, minlength=null + 1))
        known = np.zeros(null + 1, np.int64)
        known[used] = self._code([names[i] for i in used])
        group = known[codes]
        finite = np.isfinite(rows.surprisal)
        self._rows.add(group, weight)
        self._impossible.add(group[~finite], None if weight is None else weight[~finite])
        add_weighted(self._loss, np.where(finite, rows.surprisal, 0.0), weight, group)
        cells = group[rows.events.row] * self._classes + rows.events.label
        self._labels.add(cells, rows.events.weights(weight))

    def merge(self, other: Self) -> None:
        """Add the groups of another state of the same column."""
        self._add_groups(other, np.array(self._code(list(other._codes)), dtype=np.int64))

    def figures(self) -> dict[str, SliceFigures]:
        """Give each value's figures, by value; a string "null" beside nulls is '"null"'."""
        weight = self._rows.amounts()
        loss = np.where(self._impossible.amounts() > 0, np.inf, totals(self._loss))
        labels = self._labels.amounts().reshape(-1, self._classes)
        found: dict[str, SliceFigures] = {}
        for value, i in sorted(self._codes.items(), key=_place):
            name = "null" if value is None else value
            if value is not None and value.strip('"') == "null" and None in self._codes:
                name = f'"{value}"'
            found[name] = SliceFigures(
                int(self._rows.rows[i]), float(weight[i]), float(loss[i]), labels[i]
            )
        return found

    def _code(self, names: list[str | None]) -> list[int]:
        """Give the groups of some values, new ones for new values."""
        for name in names:
            self._codes.setdefault(name, len(self._codes))
        if len(self._codes) > MOST_VALUES:
            raise TableError(
                f"column {self._column!r} has more than {MOST_VALUES:,} different values: too many "
                "to report apart (slice by a column of groups, not of rows)"
            )
        if len(self._codes) > self._size:
            smaller = copy(self)
            self._allocate(min(MOST_VALUES, 2 * len(self._codes)))
            self._add_groups(smaller, np.arange(smaller._size))
        return [self._codes[name] for name in names]

    def _allocate(self, size: int) -> None:
        self._size = size
        self._rows = Tally(size, self._weighted)
        self._impossible = Tally(size, self._weighted)
        self._loss = ExactSums(size)
        self._labels = Tally(size * self._classes, self._weighted or self._soft)

    def _add_groups(self, other: Self, at: Array) -> None:
        """Add the groups of another, of which the i-th is group at[i] here."""
        self._rows.merge(other._rows.regrouped(self._size, at))
        self._impossible.merge(other._impossible.regrouped(self._size, at))
        self._loss.merge(regrouped(other._loss, self._size, at))
        cells = (at[:, None] * self._classes + np.arange(self._classes)).ravel()
        self._labels.merge(other._labels.regrouped(self._size * self._classes, cells))


def _place(item: tuple[str | None, int]) -> tuple[str, bool]:
    """Order by value, a missing one as "null" would be and after it; not by which came first."""
    value = item[0]
    return "null" if value is None else value, value is None
