"""Everything a score keeps of the rows it has seen: a fold, mergeable, in any order and split."""

from __future__ import annotations

import math
from typing import Self

import numpy as np

from plogq.kernels.exact_sum import ExactSums
from plogq.score.batch import Batch
from plogq.score.buckets import Buckets
from plogq.score.numbers import Array
from plogq.score.rows import Rows
from plogq.score.sample import Sample
from plogq.score.slices import Slices
from plogq.score.surprises import Surprises
from plogq.score.tally import Tally, add_weighted

BINS = 10
# The table of which class is mistaken for which has a cell for every two classes: 61 MiB for
# each of its sums at this many.
MOST_CONFUSED = 1_000


class State:
    """Counts and exact sums of the rows seen so far; memory does not grow with them.

    Parameters
    ----------
    classes
        How many there are.
    weighted, soft
        Whether rows have weights, and distributions as labels.
    slices
        The columns whose values are reported apart.
    floor
        P: the least probability of a label in the floored cross-entropy.
    top
        How many of the most surprising rows to keep.
    seed
        Of the buckets, and of the sample that recalibrations are fitted on.
    """

    def __init__(
        self,
        classes: int,
        *,
        weighted: bool = False,
        soft: bool = False,
        slices: tuple[str, ...] = (),
        floor: float | None = None,
        top: int = 20,
        seed: int = 0,
    ) -> None:
        self.classes = classes
        self.soft = soft
        self.floor = floor
        # Cells are (label, predicted), or with too many classes (label, right or wrong).
        self.predicted_groups = classes if classes <= MOST_CONFUSED else 2
        cells = classes * self.predicted_groups
        self.cells = Tally(cells, weighted or soft)
        self.cell_impossible = Tally(cells, weighted or soft)
        self.cell_loss = ExactSums(cells)
        self.buckets = Buckets(classes, weighted, soft, seed)
        self.floor_rows = 0
        self.floor_loss = ExactSums()
        self.bins = Tally(BINS, weighted)
        self.bin_confidence = ExactSums(BINS)
        self.bin_correct = ExactSums(BINS)
        self.surprises = Surprises(top)
        self.sample = Sample(classes, seed)
        self.slices = {column: Slices(column, classes, weighted, soft) for column in slices}

    def update(self, batch: Batch, rows: Rows) -> None:
        """Add a batch and its figures."""
        weight = batch.weight
        finite = np.isfinite(rows.surprisal)
        counts = np.ones(len(finite), bool) if weight is None else weight > 0
        bucket = self.buckets.of(batch)
        self.buckets.add(bucket, rows, weight, finite)
        self._add_events(rows, weight, counts)
        self._add_reliability(rows, weight)
        label = batch.target if batch.soft is None else batch.soft
        self.sample.add(batch.part.start, finite & counts, rows.logits, label, weight, bucket)
        self._add_surprises(batch, rows, counts)
        for state, values in zip(self.slices.values(), batch.slices, strict=True):
            state.add(values, rows, weight)

    def _add_surprises(self, batch: Batch, rows: Rows, counts: Array) -> None:
        row = np.flatnonzero(counts)
        at = slice(None) if len(row) == len(counts) else row
        self.surprises.add(
            batch.part.start + row,
            rows.surprisal[at],
            batch.target[at],
            rows.predicted[at],
            rows.surprisal_of_target[at],
            batch.id if batch.id is None or len(row) == len(counts) else batch.id.take(row),
        )

    def _add_events(self, rows: Rows, weight: Array | None, counts: Array) -> None:
        """Add what happened; a row without weight is not among the rows that are counted."""
        events = rows.events
        predicted = rows.predicted[events.row]
        if self.predicted_groups < self.classes:
            predicted = predicted == events.label
        cell = events.label * self.predicted_groups + predicted
        share = events.weights(weight)
        self.cells.add(cell, share)
        loss = events.surprisal
        never = np.isinf(loss)
        if never.any():
            self.cell_impossible.add(cell[never], None if share is None else share[never])
            loss = np.where(never, 0.0, loss)
        add_weighted(self.cell_loss, loss, share, cell)
        if self.floor is not None:
            most = -math.log(self.floor)
            add_weighted(self.floor_loss, np.minimum(events.surprisal, most), share)
            low = np.zeros(len(counts), bool)
            low[np.arange(len(counts))[events.row][events.surprisal > most]] = True
            self.floor_rows += int(np.count_nonzero(low & counts))

    def _add_reliability(self, rows: Rows, weight: Array | None) -> None:
        # Bins are (lo, hi]: a confidence of exactly 1 belongs to the last, and none is 0.
        bins = np.ceil(rows.confidence * BINS - 1).astype(np.int64)
        self.bins.add(bins, weight)
        add_weighted(self.bin_confidence, rows.confidence, weight, bins)
        add_weighted(self.bin_correct, rows.correct, weight, bins)

    def most_bytes(self) -> int:
        """Give how much memory this takes with its sample full, without slices, which grow."""
        held = self.sample.most_bytes() + self.buckets.nbytes()
        for tally in (self.cells, self.cell_impossible, self.bins):
            held += tally.nbytes()
        return held + self.cell_loss.limbs.nbytes

    def rows(self) -> int:
        """Give the number of rows seen."""
        return int(self.bins.rows.sum())

    def merge(self, other: Self) -> None:
        """Add the rows of another state, made with the same arguments."""
        for name, mine in vars(self).items():
            theirs = getattr(other, name)
            if isinstance(mine, (Tally, ExactSums, Buckets, Surprises, Sample)):
                mine.merge(theirs)
        self.floor_rows += other.floor_rows
        for column, state in self.slices.items():
            state.merge(other.slices[column])
