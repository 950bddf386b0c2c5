"""What the measures are computed from: sampled rows, their probabilities and their labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from plogq.score.figures.decomposition import Recalibrations
from plogq.tables.arrays import Array

DIGITS = 12  # confidences that differ beyond this decimal differ by rounding alone


@dataclass(frozen=True)
class JudgedRows:
    """n rows over C classes, with what they are ranked by.

    Attributes
    ----------
    log_q
        Logarithms of the probabilities, (n, C); −inf is a class of probability 0.
    score
        Numbers in the order of the probabilities of each class, (n, C), equal where those are.
    label
        Classes (n,), or distributions (n, C).
    weight
        What each row stands for, (n,).
    bucket
        The bootstrap's bucket of each row, (n,): what is independent.
    """

    log_q: Array
    score: Array
    label: Array
    weight: Array
    bucket: Array

    @classmethod
    def of(cls, recalibrations: Recalibrations, kind: str) -> Self:
        """Return the rows that the recalibrations are fitted to, whose predictions are of a kind.

        To normalise probabilities that are given would make equal ones differ by rounding, so they
        are ranked as they are.
        """
        rows, _, weight = recalibrations.sample
        log_q = recalibrations.labelled.log_q
        score = rows.logits
        if kind == "logits" and score.shape[1] == 2:
            score = score - score[:, ::-1]
        elif kind == "logits":
            score = log_q
        return cls(log_q, score, rows.label, weight, rows.bucket)

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.log_q.shape[1])

    @cached_property
    def predicted(self) -> Array:
        """The first class of highest probability, (n,)."""
        top: Array = np.argmax(self.score, axis=1)
        return top

    @cached_property
    def confidence(self) -> Array:
        """The probability of the predicted class, (n,)."""
        q: Array = np.exp(np.take_along_axis(self.log_q, self.predicted[:, None], 1)[:, 0])
        return np.round(q, DIGITS)

    @cached_property
    def correct(self) -> Array:
        """1 or 0, or the share of the label that the predicted class has, (n,)."""
        return self.share(self.predicted)

    def share(self, classes: Array | int) -> Array:
        """Return how much of each label a class has, (n,): one class, or one for each row."""
        if self.label.ndim == 1:
            hit: Array = (self.label == classes).astype(np.float64)
            return hit
        found: Array = self.label[np.arange(len(self.label)), classes]
        return found
