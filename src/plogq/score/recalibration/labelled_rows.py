"""What a recalibration is fitted to: predictions, and the labels that came true."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from plogq.kernels.question import Options
from plogq.kernels.rows import row_statistics, softmax_loss
from plogq.score.recalibration.like_predictions import LikePredictions, group
from plogq.tables.arrays import Array

# A class that is masked with the lowest float instead of −inf is impossible, too.
LEAST_LOG = -(2.0**64)


class LabelledRows:
    """n rows over C classes.

    Attributes
    ----------
    log_q
        z = log softmax(x), (n, C) float64; −inf is a class of probability 0.
    label
        Classes (n,), or distributions (n, C).
    weight
        (n,), with mean 1 over the rows of all folds together.
    base
        The frequency of each class in the rows to learn from, (C,), none of them 0.
    """

    def __init__(
        self,
        log_q: Array,
        label: Array,
        weight: Array,
        base: Array,
        groups: LikePredictions | None = None,
    ) -> None:
        self.log_q, self.label, self.weight, self.base = log_q, label, weight, base
        self._groups = groups

    def __len__(self) -> int:
        return len(self.log_q)

    def take(self, rows: Array, base: Array | None = None) -> LabelledRows:
        """Return some of the rows, with the base rates that go with them."""
        return LabelledRows(
            self.log_q[rows],
            self.label[rows],
            self.weight[rows],
            self.base if base is None else base,
            None if self._groups is None else self._groups.take(rows),
        )

    def of_others(self, log_q: Array, label: Array) -> LabelledRows:
        """Return other rows, each of weight 1, with these base rates and in these groups."""
        groups = self.groups().of_others(log_q)
        return LabelledRows(log_q, label, np.ones(len(label)), self.base, groups)

    def groups(self) -> LikePredictions:
        """Return the predictions in groups of like ones; found once, and kept by `take`."""
        if self._groups is None:
            self._groups = group(self.log_q)
        return self._groups

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.log_q.shape[1])

    @cached_property
    def target(self) -> Array:
        """The labels as the kernel takes them, with classes as int64."""
        return self.label.astype(np.int64, copy=False) if self.label.ndim == 1 else self.label

    @cached_property
    def possible(self) -> Array:
        """Which rows have labels of positive probability, (n,) booleans."""
        if self.label.ndim == 1:
            allowed: Array = self.log_q[np.arange(len(self)), self.label] > -np.inf
        else:
            allowed = ((self.log_q > -np.inf) | (self.label == 0)).all(axis=1)
        return allowed

    def only_possible(self) -> LabelledRows:
        """Return the rows whose labels have positive probability: scaling can mend no others."""
        return self if self.possible.all() else self.take(np.flatnonzero(self.possible))

    @cached_property
    def events(self) -> Events:
        """The labels as events: one for each row, or for each class that a soft label allows."""
        if self.label.ndim == 1:
            return Events(np.arange(len(self)), self.label, np.ones(len(self)))
        row, label = np.nonzero(self.label)
        return Events(row, label, self.label[row, label])

    def tempered(self, log2_beta: float) -> Tempered:
        """Return −log softmax(β z) of each event, and each row's entropy, with β = 2^log2_beta."""
        beta = 2.0**log2_beta
        # The kernel needs a target; class 0 serves, since only lse and entropy are used.
        s = softmax_loss(
            self.log_q,
            np.zeros(len(self), np.int64),
            Options(temperature=float(1 / beta)),
            moments=True,
            check_logits=False,
        )
        row, label, _ = self.events
        tail = np.log1p(s.rest)
        surprisal = (s.max[row] - beta * self.log_q[row, label]) + tail[row]
        return Tempered(surprisal, s.entropy, s.max + tail)


class Events(NamedTuple):
    """The row, the class, and the share of the row, of each event, (m,)."""

    row: Array
    label: Array
    share: Array


class Tempered(NamedTuple):
    """Figures of tempered predictions, in nats."""

    surprisal: Array  # of each event
    entropy: Array  # of each row
    log_sum: Array  # log Σ exp(β z) of each row


def dot(a: Array, b: Array) -> float:
    """Return Σ a b, without BLAS: its threads take longer to start than the sum takes."""
    return float(np.einsum("i,i->", a, b))


def softmax(x: Array) -> Array:
    """Return exp x / Σ exp x in double precision, (n, C), by the kernel's arithmetic."""
    s = row_statistics(x, dtype=np.float64)
    p: Array = np.exp(x - s.max[:, None])
    p /= 1 + s.rest[:, None]
    return p


def log_softmax(x: Array) -> Array:
    """Return z = x − log Σ exp x in double precision, (n, C), by the kernel's arithmetic."""
    s = row_statistics(x, dtype=np.float64)
    z: Array = x - s.max[:, None]
    z -= np.log1p(s.rest)[:, None]
    if z.dtype != np.float64 or z.min() < LEAST_LOG:
        z = np.where(z < LEAST_LOG, -np.inf, z)
    return z
