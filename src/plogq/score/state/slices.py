"""Figures of groups of rows that a column's values tell apart."""

from __future__ import annotations

from copy import copy
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa

from plogq.kernels.exact_sum import ExactSums
from plogq.tables.arrays import Array
from plogq.tables.row_figures import RowFigures, SummedRows
from plogq.tables.sums.tally import Tally, add_weighted, regrouped, totals
from plogq.tables.sums.values import MOST_VALUES, Values


class SliceFigures(NamedTuple):
    """The sums over a group's rows, in nats."""

    rows: int
    weight: float
    loss: float  # Σ w · surprisal
    labels: Array  # (C,) the weight of each class


class Slices:
    """The rows, the loss and the labels for each value of one column."""

    def __init__(self, column: str, classes: int, weighted: bool, soft: bool) -> None:
        self._values = Values(column)
        self._classes = classes
        self._weighted = weighted
        self._soft = soft
        self._allocate(1)

    def add(
        self, values: pa.DictionaryArray, rows: RowFigures | SummedRows, weight: Array | None
    ) -> None:
        """Add a batch."""
        group = self._values.numbers(values)
        self._make_room()
        finite = np.isfinite(rows.surprisal)
        self._rows.add(group, weight)
        self._impossible.add(group[~finite], None if weight is None else weight[~finite])
        add_weighted(self._loss, np.where(finite, rows.surprisal, 0.0), weight, group)
        cells = group[rows.events.row] * self._classes + rows.events.label
        self._labels.add(cells, rows.events.weights(weight))

    def merge(self, other: Self) -> None:
        """Add the groups of another state of the same column."""
        at = self._values.merge(other._values)
        self._make_room()
        self._add_groups(other, at)

    def figures(self) -> dict[str, SliceFigures]:
        """Return the figures of each value, in the order of the values."""
        weight = self._rows.amounts()
        loss = np.where(self._impossible.amounts() > 0, np.inf, totals(self._loss))
        labels = self._labels.amounts().reshape(-1, self._classes)
        return {
            name: SliceFigures(int(self._rows.rows[i]), float(weight[i]), float(loss[i]), labels[i])
            for name, i in self._values.named()
        }

    def _make_room(self) -> None:
        if len(self._values) > self._size:
            smaller = copy(self)
            self._allocate(min(MOST_VALUES, 2 * len(self._values)))
            self._add_groups(smaller, np.arange(smaller._size))

    def _allocate(self, size: int) -> None:
        self._size = size
        self._rows = Tally(size, self._weighted)
        self._impossible = Tally(size, self._weighted)
        self._loss = ExactSums(size)
        self._labels = Tally(size * self._classes, self._weighted or self._soft)

    def _add_groups(self, other: Self, at: Array) -> None:
        """Add the groups of another state, whose group i is group at[i] here."""
        self._rows.merge(other._rows.regrouped(self._size, at))
        self._impossible.merge(other._impossible.regrouped(self._size, at))
        self._loss.merge(regrouped(other._loss, self._size, at))
        cells = (at[:, None] * self._classes + np.arange(self._classes)).ravel()
        self._labels.merge(other._labels.regrouped(self._size * self._classes, cells))
