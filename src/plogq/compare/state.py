"""Exact sums over the pairs of rows that were seen; no order and no split changes them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plogq.compare.group_sums import GroupSums, Slices
from plogq.compare.model import Costs
from plogq.compare.pairs import Pairs
from plogq.compare.result import TIE
from plogq.kernels.exact_sum import ExactSums
from plogq.tables.arrays import Array
from plogq.tables.sums.bootstrap import MOST_BUCKETS, row_buckets, value_buckets
from plogq.tables.sums.tally import Tally, add_weighted
from plogq.tables.sums.top_k import TopK

A_WINS, B_WINS, TIED = range(3)


class Sums:
    """One model's own figures."""

    def __init__(self, weighted: bool) -> None:
        self.impossible = Tally(1, weighted)
        self.sums = {name: ExactSums() for name in Costs._fields}

    def add(self, figures: Costs, weight: Array | None) -> None:
        """Add rows."""
        never = ~np.isfinite(figures.surprisal)
        counted = never if weight is None else never & (weight > 0)
        self.impossible.add(
            np.zeros(np.count_nonzero(counted), np.int64),
            None if weight is None else weight[counted],
        )
        for name, sums in self.sums.items():
            values = getattr(figures, name)
            if name == "surprisal":
                values = np.where(never, 0.0, values)
            add_weighted(sums, values, weight)

    def cost(self, weight: float) -> float:
        """Return the cross-entropy of rows of this weight, in nats; infinite if one is."""
        impossible = float(self.impossible.amounts()[0])
        if impossible > 0:
            return math.inf
        return float(self.sums["surprisal"].values()[0]) / weight


def bucket_of(pairs: Pairs, seed: int) -> Array:
    """Return the bucket of each row, (n,) int64: rows of one group have one."""
    if pairs.group is not None:
        return value_buckets(pairs.group, MOST_BUCKETS, seed)
    return row_buckets(pairs.start, len(pairs.target), MOST_BUCKETS, seed, pairs.kept)


def name_of(pairs: Pairs, i: int) -> dict[str, Any]:
    """Return the id of a row, or else its number in A's table, by the name of that field."""
    if pairs.id is not None:
        return {"id": pairs.id[i].as_py()}
    return {"row": pairs.start + (i if pairs.kept is None else int(pairs.kept[i]))}


class State:
    """Sums over pairs of rows.

    Parameters
    ----------
    classes
        The class names.
    weighted
        Whether rows have weights.
    slices
        The columns whose values are compared apart.
    top
        How many of the rows with the largest differences to keep, each way.
    seed
        The seed of the buckets.
    """

    def __init__(
        self, classes: tuple[str, ...], weighted: bool, slices: tuple[str, ...], top: int, seed: int
    ) -> None:
        self._classes = classes
        self._seed = seed
        self.left_out = 0  # how many rows were left out for their labels
        self.weight = Tally(MOST_BUCKETS, weighted)
        self.both = Tally(MOST_BUCKETS, weighted)  # rows possible under both models
        self.difference = ExactSums(MOST_BUCKETS)
        self.accuracy = ExactSums(MOST_BUCKETS)
        self.wins = Tally(3, weighted)
        self.a, self.b = Sums(weighted), Sums(weighted)
        self.classes = GroupSums(len(classes), weighted)
        self.slices = {column: Slices(column, GroupSums(1, weighted)) for column in slices}
        self.largest = {"a": TopK(top), "b": TopK(top)}  # by who is better

    def add(self, pairs: Pairs) -> None:
        """Add a batch."""
        self.left_out += pairs.left_out
        if len(pairs.target) == 0:
            return
        (a, b), weight = pairs.costs, pairs.weight
        bucket = bucket_of(pairs, self._seed)
        self.weight.add(bucket, weight)
        self.a.add(a, weight)
        self.b.add(b, weight)
        with np.errstate(invalid="ignore"):  # inf − inf: neither is better
            difference = a.surprisal - b.surprisal
        both = np.isfinite(difference)
        of_both = None if weight is None else weight[both]
        self.both.add(bucket[both], of_both)
        add_weighted(self.difference, difference[both], of_both, bucket[both])
        add_weighted(self.accuracy, a.correct - b.correct, weight, bucket)
        winner = np.full(len(difference), TIED)
        winner[difference < -TIE], winner[difference > TIE] = A_WINS, B_WINS
        self.wins.add(winner, weight)
        self.classes.add(pairs.target, pairs.costs, weight, bucket)
        for state, values in zip(self.slices.values(), pairs.slices, strict=True):
            state.add(values, pairs.costs, weight, bucket)
        self._add_largest(pairs, np.where(winner == TIED, np.nan, difference))

    def rows(self) -> int:
        """Return the number of rows seen."""
        return int(self.weight.rows.sum())

    def _add_largest(self, pairs: Pairs, difference: Array) -> None:
        if pairs.weight is not None:
            difference = np.where(pairs.weight > 0, difference, np.nan)

        a, b = pairs.costs

        def describe(i: int) -> dict[str, Any]:
            return {
                **name_of(pairs, i),
                "label": self._classes[pairs.target[i]],
                "a": float(a.surprisal[i]),
                "b": float(b.surprisal[i]),
            }

        self.largest["a"].add(np.where(difference < 0, -difference, np.nan), describe)
        self.largest["b"].add(np.where(difference > 0, difference, np.nan), describe)
