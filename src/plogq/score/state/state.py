"""Everything a score keeps of the rows it has seen; states merge in any order and split."""

from __future__ import annotations

import math
from typing import Self

import numpy as np

from plogq.kernels.exact_sum import ExactSums
from plogq.kernels.sums import Counts, Sums, sum_rows
from plogq.score.state.buckets import Buckets
from plogq.score.state.histograms import SURPRISAL_BINS, WIDTH, surprisal_bins
from plogq.score.state.ids import Ids
from plogq.score.state.sample import Sample
from plogq.score.state.slices import Slices
from plogq.score.state.surprises import Surprises
from plogq.tables.arrays import Array
from plogq.tables.batch import Batch
from plogq.tables.row_figures import (
    Events,
    FusedRows,
    RowFigures,
    SummedRows,
    TopClasses,
    as_columns,
    check_logits,
    possible,
)
from plogq.tables.sums.tally import Tally, add_weighted

BINS = 10
# The table of which class is mistaken for which has a cell for every pair of classes: with this
# many classes, each of its sums takes 61 MiB.
MOST_CONFUSED = 1_000


class State:
    """Counts and exact sums of the rows seen so far; memory does not grow with them.

    Parameters
    ----------
    classes
        How many there are.
    weighted, soft
        Whether rows have weights; whether their labels are distributions.
    slices
        The columns whose values are reported apart.
    floor
        P: the least probability of a label in the floored cross-entropy.
    top
        How many of the most surprising rows to keep.
    seed
        The seed of the buckets, and of the sample that recalibrations are fitted to.
    of_rows
        How many rows there will be, of all states together, where that is known: see `Sample`.
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
        of_rows: int | None = None,
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
        self.left_out = 0  # how many rows were left out for their labels
        self.floor_rows = 0
        self.floor_loss = ExactSums()
        self.bins = Tally(BINS, weighted)
        self.bin_confidence = ExactSums(BINS)
        self.bin_correct = ExactSums(BINS)
        self.surprises = Surprises(top)
        self.ids = Ids(seed)
        self.surprisal_bins = Tally(SURPRISAL_BINS, weighted)
        # Impossible rows have a sample of their own: they may be few, and matter much.
        self.sample = Sample(classes, seed, of_rows=of_rows)
        self.impossible_sample = Sample(classes, seed, part=8)
        self.slices = {column: Slices(column, classes, weighted, soft) for column in slices}

    def update(self, batch: Batch, rows: RowFigures | FusedRows) -> None:
        """Add a batch and its figures."""
        self.left_out += batch.left_out
        if len(batch.target) == 0:
            return
        weight, part = batch.weight, batch.part
        bucket = self.buckets.of(batch)
        seen = self._sum_fused(batch, rows, bucket) if isinstance(rows, FusedRows) else rows
        finite = np.isfinite(seen.surprisal)
        counts = np.ones(len(finite), bool) if weight is None else weight > 0
        if not isinstance(rows, FusedRows):
            self.buckets.add(bucket, rows, weight, finite)
            self._add_events(rows, weight)
            self._add_reliability(rows, weight)
            self.surprisal_bins.add(surprisal_bins(rows.surprisal), weight)
        if self.floor is not None:
            self._add_floor(seen.events, weight, counts, self.floor)
        label = batch.target if batch.soft is None else batch.soft
        sampled = seen.logits, label, weight, seen.surprisal, bucket
        self.sample.add(part.start, finite & counts, *sampled, part.kept)
        if not finite.all():
            self.impossible_sample.add(part.start, ~finite & counts, *sampled, part.kept)
        of_target = batch.target, seen.predicted, seen.surprisal_of_target
        shown = seen.surprisal, *of_target, batch.id
        self.surprises.add(part.start, counts, *shown, part.kept)
        if batch.id is not None:
            self.ids.add(part.start, batch.id, part.kept)
        for state, values in zip(self.slices.values(), batch.slices, strict=True):
            state.add(values, seen, weight)

    def _sum_fused(self, batch: Batch, rows: FusedRows, bucket: Array) -> SummedRows:
        """Compute the figures and add them, in one pass: the same bits as in two."""
        buckets = self.buckets
        tallies = buckets.rows, buckets.labels, self.cells, self.bins, self.surprisal_bins
        sums = buckets.sums
        try:
            surprisal, apart = sum_rows(
                as_columns(rows.logits),
                batch.target,
                bucket,
                Counts(*(tally.rows for tally in tallies)),
                Sums(
                    sums["surprisal"],
                    sums["entropy"],
                    sums["brier"],
                    sums["correct"],
                    self.cell_loss,
                    self.bin_confidence,
                    self.bin_correct,
                ),
                surprisal_width=WIDTH,
                most_in_bucket=buckets.most(batch),
            )
        except ValueError:
            # Only a refused batch pays for finding out where.
            check_logits(batch, rows.column, rows.logits[:])
            raise
        predicted = TopClasses(rows.logits)
        if len(apart):
            surprisal = possible(surprisal)
            cell = batch.target[apart] * self.predicted_groups + predicted[apart]
            loss = surprisal[apart]
            self.surprisal_bins.add(surprisal_bins(loss), None)
            self._add_loss(cell, loss, None)
            never = np.isinf(loss)
            buckets.impossible.add(bucket[apart[never]], None)
            sums["surprisal"].add(loss[~never], bucket[apart[~never]])
        events = Events(slice(None), batch.target, None, surprisal)
        return SummedRows(surprisal, predicted, rows.logits, events, surprisal)

    def _add_events(self, rows: RowFigures, weight: Array | None) -> None:
        """Add the events of rows, and their loss, by label and prediction."""
        events = rows.events
        predicted = rows.predicted[events.row]
        if self.predicted_groups < self.classes:
            predicted = predicted == events.label
        cell = events.label * self.predicted_groups + predicted
        share = events.weights(weight)
        self.cells.add(cell, share)
        self._add_loss(cell, events.surprisal, share)

    def _add_loss(self, cell: Array, loss: Array, share: Array | None) -> None:
        never = np.isinf(loss)
        if never.any():
            self.cell_impossible.add(cell[never], None if share is None else share[never])
            loss = np.where(never, 0.0, loss)
        add_weighted(self.cell_loss, loss, share, cell)

    def _add_floor(self, events: Events, weight: Array | None, counts: Array, floor: float) -> None:
        most = -math.log(floor)
        add_weighted(self.floor_loss, np.minimum(events.surprisal, most), events.weights(weight))
        low = np.zeros(len(counts), bool)
        low[np.arange(len(counts))[events.row][events.surprisal > most]] = True
        self.floor_rows += int(np.count_nonzero(low & counts))

    def _add_reliability(self, rows: RowFigures, weight: Array | None) -> None:
        # Bins are (lo, hi]: a confidence of exactly 1 belongs to the last, and none is 0.
        bins = np.ceil(rows.confidence * BINS).astype(np.int64) - 1
        self.bins.add(bins, weight)
        add_weighted(self.bin_confidence, rows.confidence, weight, bins)
        add_weighted(self.bin_correct, rows.correct, weight, bins)

    def most_bytes(self) -> int:
        """Return how many bytes this takes with full samples, without slices, which may grow."""
        held = self.sample.most_bytes() + self.impossible_sample.most_bytes()
        held += self.buckets.nbytes()
        for tally in (self.cells, self.cell_impossible, self.bins):
            held += tally.nbytes()
        return held + self.cell_loss.nbytes

    def rows(self) -> int:
        """Return the number of rows seen."""
        return int(self.bins.rows.sum())

    def merge(self, other: Self) -> None:
        """Add the rows of another state, made with the same arguments."""
        for name, mine in vars(self).items():
            theirs = getattr(other, name)
            if isinstance(mine, (Tally, ExactSums, Buckets, Surprises, Ids, Sample)):
                mine.merge(theirs)
        self.left_out += other.left_out
        self.floor_rows += other.floor_rows
        for column, state in self.slices.items():
            state.merge(other.slices[column])
