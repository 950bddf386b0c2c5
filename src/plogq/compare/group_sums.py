"""Rows of one class, or of one value of a column: what they cost under both models."""

from __future__ import annotations

from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import pyarrow as pa

from plogq.compare.model import Costs
from plogq.kernels.exact_sum import ExactSums
from plogq.tables.arrays import Array
from plogq.tables.sums.bootstrap import interval
from plogq.tables.sums.products import weighted_sums
from plogq.tables.sums.tally import Tally, add_weighted, amounts_nearly, nearly, regrouped, totals
from plogq.tables.sums.values import MOST_VALUES, Values

MOST_CELLS = 1 << 18  # groups times buckets, of 72 bytes each
MOST_BUCKETS = 256  # a power of two, so that as many buckets of rows go into each
FEWEST_BUCKETS = 64  # with fewer there is no interval


class GroupFigures(NamedTuple):
    """What a group costs, nats per row; the difference is over the rows possible under both."""

    rows: int
    a: float | None  # cost under A; None where the rows weigh nothing
    b: float | None  # cost under B
    difference: float | None  # cost under A less cost under B
    interval: tuple[float, float] | None  # ends of the difference's interval
    drawn: int  # buckets of rows that the interval is made of


class GroupSums:
    """Exact sums by group; and by group and bucket, for the bootstrap."""

    def __init__(self, groups: int, weighted: bool, most_cells: int = MOST_CELLS) -> None:
        fit = max(1, most_cells // max(1, groups))
        self.buckets = min(MOST_BUCKETS, 1 << (fit.bit_length() - 1))
        self._weighted = weighted
        self._allocate(groups)

    def _allocate(self, groups: int) -> None:
        cells = groups * self.buckets
        self.rows = Tally(groups, self._weighted)
        self.costs = (ExactSums(groups), ExactSums(groups))
        self.impossible = (Tally(groups, self._weighted), Tally(groups, self._weighted))
        self.both = Tally(cells, self._weighted)
        self.difference = ExactSums(cells)

    def add(
        self, group: Array, both: tuple[Costs, ...], weight: Array | None, bucket: Array
    ) -> None:
        """Add rows of the given groups and buckets."""
        a, b = both
        self.rows.add(group, weight)
        for side, sums, never in zip((a, b), self.costs, self.impossible, strict=True):
            finite = np.isfinite(side.surprisal)
            add_weighted(sums, np.where(finite, side.surprisal, 0.0), weight, group)
            never.add(group[~finite], None if weight is None else weight[~finite])
        usable = np.isfinite(a.surprisal) & np.isfinite(b.surprisal)
        cell = (group * self.buckets + bucket % self.buckets)[usable]
        weight = None if weight is None else weight[usable]
        self.both.add(cell, weight)
        add_weighted(self.difference, a.surprisal[usable] - b.surprisal[usable], weight, cell)

    def grow(self, groups: int) -> None:
        """Make room for more groups."""
        old = len(self.rows.rows)
        at, cells = np.arange(old), np.arange(old * self.buckets)
        kept = self.rows, self.costs, self.impossible, self.both, self.difference
        self._allocate(groups)
        self.rows = kept[0].regrouped(groups, at)
        self.costs = (regrouped(kept[1][0], groups, at), regrouped(kept[1][1], groups, at))
        self.impossible = (kept[2][0].regrouped(groups, at), kept[2][1].regrouped(groups, at))
        self.both = kept[3].regrouped(groups * self.buckets, cells)
        self.difference = regrouped(kept[4], groups * self.buckets, cells)

    def figures(self, weights: Array) -> list[GroupFigures]:
        """Return each group's figures; `weights` of the bootstrap are (replicates, buckets)."""
        weight, both = self.rows.amounts(), self.both.amounts(self.buckets)
        means = [
            np.where(never.amounts() > 0, np.inf, totals(sums)) / np.where(weight > 0, weight, 1)
            for sums, never in zip(self.costs, self.impossible, strict=True)
        ]
        difference = totals(self.difference, self.buckets)
        ends = self._intervals(weights)
        drawn = np.count_nonzero(self.both.rows.reshape(-1, self.buckets), axis=1)
        return [
            GroupFigures(
                int(rows),
                float(means[0][i]) if weight[i] > 0 else None,
                float(means[1][i]) if weight[i] > 0 else None,
                float(difference[i] / both[i]) if both[i] > 0 else None,
                ends[i],
                int(drawn[i]),
            )
            for i, rows in enumerate(self.rows.rows)
        ]

    def _intervals(self, weights: Array) -> list[tuple[float, float] | None]:
        groups = len(self.rows.rows)
        if not len(weights):
            return [None] * groups
        means = self.replicates(weights)
        return [interval(means[:, i]) for i in range(groups)]

    def replicates(self, weights: Array) -> Array:
        """Return each group's difference in each replicate, (replicates, groups), nats per row.

        It is NaN where a replicate draws no row, and where a group has one bucket of rows alone.
        """
        groups = len(self.rows.rows)
        if self.buckets < FEWEST_BUCKETS or not len(weights):
            return np.full((len(weights), groups), np.nan)
        each = amounts_nearly(self.both).reshape(groups, self.buckets)
        sums = nearly(self.difference).reshape(groups, self.buckets)
        drawn = weights[:, : self.buckets]
        with np.errstate(divide="ignore", invalid="ignore"):  # a replicate may draw no row
            means = weighted_sums(drawn, sums.T) / weighted_sums(drawn, each.T)
        means[:, np.count_nonzero(each, axis=1) <= 1] = np.nan
        return means


class GroupedSums(Protocol):
    """Sums by group, to which groups are added as they are found."""

    rows: Tally

    def add(
        self, group: Array, costs: tuple[Costs, ...], weight: Array | None, bucket: Array, /
    ) -> None:
        """Add rows of the given groups and buckets, with their costs under each model."""

    def grow(self, groups: int) -> None:
        """Make room for more groups."""


Sums = TypeVar("Sums", bound=GroupedSums)


class Slices(Generic[Sums]):
    """The sums of the values of one column."""

    def __init__(self, column: str, sums: Sums) -> None:
        self._values = Values(column)
        self.sums = sums

    def add(
        self,
        values: pa.DictionaryArray,
        costs: tuple[Costs, ...],
        weight: Array | None,
        bucket: Array,
    ) -> None:
        """Add a batch."""
        group = self._values.numbers(values)
        if len(self._values) > len(self.sums.rows.rows):
            self.sums.grow(min(MOST_VALUES, 2 * len(self._values)))
        self.sums.add(group, costs, weight, bucket)

    def named(self) -> list[tuple[str, int]]:
        """Return each value and the number of its group, in the order of the values."""
        return list(self._values.named())
