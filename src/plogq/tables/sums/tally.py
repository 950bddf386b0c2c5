"""Exact amounts by group, which merge to the same bits in any order and split of the rows."""

from __future__ import annotations

from typing import Self

import numpy as np

from plogq.kernels.exact_sum import ExactSums
from plogq.tables.arrays import Array

ALL = slice(None)


class Tally:
    """How many rows fell into each group, and how much they weigh.

    Rows are counted; weights, where rows have any, are summed exactly.
    """

    def __init__(self, groups: int, weighted: bool) -> None:
        self.rows = np.zeros(groups, np.int64)
        self.weights = ExactSums(groups) if weighted else None

    def nbytes(self) -> int:
        """Return how much memory this takes, in bytes."""
        return self.rows.nbytes + (0 if self.weights is None else self.weights.nbytes)

    def add(self, group: Array, weight: Array | None) -> None:
        """Add rows of the given groups."""
        if len(self.rows) <= 4 * len(group):
            self.rows += np.bincount(group, minlength=len(self.rows))
        else:
            np.add.at(self.rows, group, 1)
        if self.weights is not None and weight is not None:
            self.weights.add(weight, group)

    def merge(self, other: Self) -> None:
        """Add another tally of the same groups."""
        self.rows += other.rows
        if self.weights is not None and other.weights is not None:
            self.weights.merge(other.weights)

    def regrouped(self, groups: int, at: Array) -> Tally:
        """Return this tally by `groups` other groups, where group i of this one is group at[i]."""
        out = Tally(groups, self.weights is not None)
        out.rows[at] = self.rows[: len(at)]
        if self.weights is not None:
            out.weights = regrouped(self.weights, groups, at)
        return out

    def amounts(self, per: int = 1, at: Array | slice = ALL) -> Array:
        """Return the weights of groups, `per` neighbours added up; their rows if unweighted."""
        if self.weights is not None:
            return totals(self.weights, per, at)
        rows: Array = self.rows[at].reshape(-1, per).sum(axis=1)
        return rows.astype(np.float64)


def totals(sums: ExactSums, per: int = 1, at: Array | slice = ALL) -> Array:
    """Return the sums of groups, `per` neighbours added up, rounded once."""
    # Limbs are below 2³², so that 2³¹ groups can be added without a carry.
    limbs = sums.limbs[at].reshape(-1, per, sums.limbs.shape[1]).sum(axis=1)
    out = np.zeros(len(limbs))
    used = np.flatnonzero(limbs.any(axis=1))
    if len(used):
        rounded = ExactSums(len(used))
        rounded.limbs[:] = limbs[used]
        out[used] = rounded.values()
    return out


def regrouped(sums: ExactSums, groups: int, at: Array) -> ExactSums:
    """Return sums by `groups` other groups, where group i of these is group at[i] there."""
    out = ExactSums(groups)
    out.limbs[at] = sums.limbs[: len(at)]
    return out


def add_weighted(
    sums: ExactSums, values: Array, weight: Array | None, group: Array | None = None
) -> None:
    """Add values, each times its weight where there is one."""
    sums.add(values if weight is None else values * weight, group)


def amounts_nearly(tally: Tally) -> Array:
    """Return the weights of many groups as `nearly` does, or their rows if unweighted."""
    return tally.rows.astype(np.float64) if tally.weights is None else nearly(tally.weights)


def nearly(sums: ExactSums) -> Array:
    """Return many sums, to a few units in the last place: rounding each exactly would take long."""
    limbs = sums.limbs.astype(np.float64)
    places = 2.0 ** (32 * np.arange(limbs.shape[1]) - 128)
    out = np.zeros(len(limbs))
    for i in reversed(range(limbs.shape[1])):
        out += limbs[:, i] * places[i]
    return out
