"""Rows of one class, or of one value of a column: what they cost under both models."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from plogq.compare.side import Figures
from plogq.errors import TableError
from plogq.kernels.exact_sum import ExactSums
from plogq.score.state.buckets import nearly
from plogq.score.state.products import weighted_sums
from plogq.score.state.resampling import interval
from plogq.score.state.tally import Tally, add_weighted, regrouped, totals
from plogq.score.table.numbers import Array, as_numpy

MOST_CELLS = 1 << 18  # of 72 bytes: of all groups and buckets
MOST_BUCKETS = 256  # a power of two, so that buckets of rows fold onto them
FEWEST_BUCKETS = 64  # with fewer there is no interval
MOST_VALUES = 1_000


class GroupFigures(NamedTuple):
    """What a group costs per row, in nats; a difference is over rows possible under both."""

    rows: int
    a: float | None  # None where the group weighs nothing
    b: float | None
    difference: float | None
    interval: tuple[float, float] | None
    drawn: int  # of how many buckets of rows that interval is made


class Groups:
    """Exact sums by group, and by group and bucket what the bootstrap resamples."""

    def __init__(self, groups: int, weighted: bool) -> None:
        fit = max(1, MOST_CELLS // max(1, groups))
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
        self, group: Array, a: Figures, b: Figures, weight: Array | None, bucket: Array
    ) -> None:
        """Add rows of the given groups and buckets."""
        self.rows.add(group, weight)
        for side, sums, never in zip((a, b), self.costs, self.impossible, strict=True):
            finite = np.isfinite(side.surprisal)
            add_weighted(sums, np.where(finite, side.surprisal, 0.0), weight, group)
            never.add(group[~finite], None if weight is None else weight[~finite])
        both = np.isfinite(a.surprisal) & np.isfinite(b.surprisal)
        cell = (group * self.buckets + bucket % self.buckets)[both]
        weight = None if weight is None else weight[both]
        self.both.add(cell, weight)
        add_weighted(self.difference, a.surprisal[both] - b.surprisal[both], weight, cell)

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
        """Give each group's figures; `weights` are those of replicates, (replicates, buckets)."""
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
        if self.buckets < FEWEST_BUCKETS or not len(weights):
            return [None] * groups
        each = (
            self.both.rows.astype(np.float64)
            if self.both.weights is None
            else nearly(self.both.weights)
        ).reshape(groups, self.buckets)
        sums = nearly(self.difference).reshape(groups, self.buckets)
        drawn = weights[:, : self.buckets]
        with np.errstate(divide="ignore", invalid="ignore"):  # a replicate may draw no row
            means = weighted_sums(drawn, sums.T) / weighted_sums(drawn, each.T)
        several = np.count_nonzero(each, axis=1) > 1
        return [interval(means[:, i]) if several[i] else None for i in range(groups)]


class Slices:
    """The groups of the values of one column."""

    def __init__(self, column: str, weighted: bool) -> None:
        self._column = column
        self._codes: dict[str | None, int] = {}
        self.groups = Groups(1, weighted)

    def add(
        self,
        values: pa.DictionaryArray,
        a: Figures,
        b: Figures,
        weight: Array | None,
        bucket: Array,
    ) -> None:
        """Add a batch."""
        names = [None if x is None else str(x) for x in values.dictionary.to_pylist()] + [None]
        codes = as_numpy(values.indices.fill_null(len(names) - 1))
        known = np.zeros(len(names), np.int64)
        for i in np.unique(codes):
            known[i] = self._codes.setdefault(names[i], len(self._codes))
        if len(self._codes) > MOST_VALUES:
            raise TableError(
                f"column {self._column!r} has more than {MOST_VALUES:,} different values: too many "
                "to report apart (slice by a column of groups, not of rows)"
            )
        if len(self._codes) > len(self.groups.rows.rows):
            self.groups.grow(min(MOST_VALUES, 2 * len(self._codes)))
        self.groups.add(known[codes], a, b, weight, bucket)

    def figures(self, weights: Array) -> dict[str, GroupFigures]:
        """Give each value's figures, by value; a string "null" beside nulls is '"null"'."""
        figures = self.groups.figures(weights)
        found = {}
        for value, i in sorted(self._codes.items(), key=lambda item: (item[0] or "null", item[1])):
            name = "null" if value is None else value
            if value is not None and value.strip('"') == "null" and None in self._codes:
                name = f'"{value}"'
            found[name] = figures[i]
        return found
