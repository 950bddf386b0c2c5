"""Cross-entropy and information gain of class labels, from a few integers that add up exactly."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from plogq.errors import TableError, check_count
from plogq.formulas.units import Unit, from_nats
from plogq.kernels.arrays import to_numpy
from plogq.kernels.exact_sum import ExactSums, Integers
from plogq.kernels.row_figures import row_figures
from plogq.score.figures.all_figures import less
from plogq.score.figures.breakdowns import entropy
from plogq.tables.row_figures import possible
from plogq.tables.sums.tally import totals


class RunningLoss(NamedTuple):
    """What two figures of `plogq.score.score` are made of, to the last bit.

    Those of several sets of rows are added field by field.

    Attributes
    ----------
    limbs
        The sum of finite losses in nats, as `ExactSums` holds it, shape (1, 8).
    labels
        How often each class was the label, shape (C,).
    impossible
        How many labels had probability 0, shape (1,).
    """

    limbs: Integers
    labels: Integers
    impossible: Integers

    @classmethod
    def of(cls, logits: Any, target: Any, classes: int, ignore: int | None = None) -> RunningLoss:
        """Return the sums of rows: logits (N, C), and class indices (N,) of any library.

        Rows whose target is `ignore` are left out.

        Raises
        ------
        ValueError, TypeError
            Wrong shape or dtype; logits that are no finite numbers; a target outside [0, C).

        Examples
        --------
        >>> found = RunningLoss.of([[0.0, 0.0], [3.0, 3.0]], [0, 1], 2)
        >>> found.cross_entropy("bit"), found.information_gain("bit")
        (1.0, 0.0)
        """
        x, y = to_numpy("preds", logits), to_numpy("target", target)
        if x.ndim != 2 or x.shape[1] != classes:
            raise ValueError(f"preds must have shape (N, {classes}), got {x.shape}")
        x = x if x.dtype == np.float64 else x.astype(np.float32, copy=False)
        if ignore is not None and y.shape == x.shape[:1]:
            x, y = x[y != ignore], y[y != ignore]
        surprisal = row_figures(x, y).surprisal
        surprisal = possible(surprisal) if len(surprisal) else surprisal
        finite = np.isfinite(surprisal)
        sums = ExactSums()
        sums.add(surprisal[finite])
        labels = np.bincount(y, minlength=classes).astype(np.int64)
        return cls(sums.limbs, labels, np.array([np.count_nonzero(~finite)]))

    @classmethod
    def none(cls, classes: int) -> RunningLoss:
        """Return the sums of no rows."""
        check_count("num_classes", classes, 2)
        return cls(ExactSums().limbs, np.zeros(classes, np.int64), np.zeros(1, np.int64))

    def plus(self, other: RunningLoss) -> RunningLoss:
        """Return the sums of these rows and others."""
        sums, more = ExactSums(), ExactSums()
        sums.limbs[:], more.limbs[:] = self.limbs, other.limbs
        sums.merge(more)
        counts = self.labels + other.labels, self.impossible + other.impossible
        return RunningLoss(sums.limbs, *counts)

    def cross_entropy(self, unit: Unit) -> float:
        """Return the mean loss of a row in `unit`; infinite where a label had probability 0."""
        return float(from_nats(self._nats(), unit))

    def information_gain(self, unit: Unit) -> float:
        """Return how much less than the label entropy that is, in `unit` per row."""
        return float(from_nats(less(entropy(self.labels.astype(np.float64)), self._nats()), unit))

    def _nats(self) -> float:
        rows = int(self.labels.sum())
        if rows == 0:
            raise TableError("no rows: there is nothing to score yet")
        if self.impossible.any():
            return math.inf
        sums = ExactSums()
        sums.limbs[:] = self.limbs
        return float(totals(sums)[0]) / rows
