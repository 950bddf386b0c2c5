"""The figures that have intervals, summed in buckets of rows, which the bootstrap resamples."""

from __future__ import annotations

from typing import Self

import numpy as np

from plogq.kernels.exact_sum import ExactSums
from plogq.tables.arrays import Array
from plogq.tables.batch import Batch
from plogq.tables.row_figures import RowFigures
from plogq.tables.sums.bootstrap import MOST_BUCKETS, row_buckets, value_buckets
from plogq.tables.sums.tally import Tally, add_weighted, nearly, totals

FEWEST_BUCKETS = 64
# Each bucket has a cell for each class: 8 bytes for counts, or 72 where weights are summed, too.
MOST_CELLS, MOST_SUMMED_CELLS = 1 << 22, 1 << 20


class Buckets:
    """Rows, labels and sums of each bucket of rows; together they are the whole table's."""

    def __init__(self, classes: int, weighted: bool, soft: bool, seed: int) -> None:
        fit = (MOST_SUMMED_CELLS if weighted or soft else MOST_CELLS) // classes
        self.count = min(MOST_BUCKETS, max(FEWEST_BUCKETS, 1 << (fit.bit_length() - 1)))
        self.classes = classes
        self._seed = seed
        self.rows = Tally(self.count, weighted)
        self.impossible = Tally(self.count, weighted)
        self.labels = Tally(self.count * classes, weighted or soft)
        names = ["surprisal", "entropy", "brier", "correct"]
        names += ["label_entropy", "kl"] if soft else []
        self.sums = {name: ExactSums(self.count) for name in names}

    def of(self, batch: Batch) -> Array:
        """Return the bucket of each row, (n,): by its number, or by the cluster it belongs to."""
        if batch.group is not None:
            return value_buckets(batch.group, self.count, self._seed)
        part = batch.part
        return row_buckets(part.start, len(batch.target), self.count, self._seed, part.kept)

    def most(self, batch: Batch) -> int:
        """Return a bound on how many rows of the batch may be in one bucket."""
        n = len(batch.target)
        return n if batch.group is not None else n // self.count + 2

    def add(self, bucket: Array, rows: RowFigures, weight: Array | None, finite: Array) -> None:
        """Add a batch; surprisals and divergences are summed where they are finite."""
        self.rows.add(bucket, weight)
        all_finite = finite.all()
        if not all_finite:
            never = ~finite if weight is None else ~finite & (weight > 0)
            self.impossible.add(bucket[never], None if weight is None else weight[never])
        self.labels.add(
            bucket[rows.events.row] * self.classes + rows.events.label, rows.events.weights(weight)
        )
        for name, sums in self.sums.items():
            values = getattr(rows, name)
            if name in ("surprisal", "kl") and not all_finite:
                values = np.where(finite, values, 0.0)
            add_weighted(sums, values, weight, bucket)

    def nbytes(self) -> int:
        """Return how much memory this takes, in bytes."""
        tallies = (self.rows, self.impossible, self.labels)
        return sum(tally.nbytes() for tally in tallies) + sum(
            sums.nbytes for sums in self.sums.values()
        )

    def total(self, name: str) -> float:
        """Return a sum over all buckets, rounded once."""
        return float(totals(self.sums[name], self.count)[0])

    def used(self) -> Array:
        """Return the buckets that hold rows of positive weight."""
        return np.flatnonzero(self.amounts(self.rows))

    def amounts(self, tally: Tally) -> Array:
        """Return what a tally holds of each bucket, (buckets,) or (buckets, classes)."""
        found = tally.rows.astype(np.float64) if tally.weights is None else nearly(tally.weights)
        return found.reshape(self.count, self.classes) if tally is self.labels else found

    def by_bucket(self, name: str) -> Array:
        """Return the sum of each bucket, (buckets,), to a few units in the last place."""
        return nearly(self.sums[name])

    def merge(self, other: Self) -> None:
        """Add the buckets of other rows of the same table."""
        self.rows.merge(other.rows)
        self.impossible.merge(other.impossible)
        self.labels.merge(other.labels)
        for name, sums in self.sums.items():
            sums.merge(other.sums[name])
