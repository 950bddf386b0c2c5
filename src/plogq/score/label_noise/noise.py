"""How labels of a class come to be wrong, and how likely each one is.

References
----------
Patrini, Rozza, Menon, Nock, Qu (2017), Making deep neural networks robust to label noise: a loss
correction approach. Northcutt, Jiang, Chuang (2021), Confident learning: estimating uncertainty in
dataset labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plogq.tables.arrays import Array
from plogq.tables.sums.level import NORMAL_END

SUREST_ROWS, SUREST_SHARE = 50, 0.1  # of the rows of a class, whichever are more
ROUNDING = 1e-12  # by so much equal probabilities may differ


@dataclass(frozen=True)
class LabelNoise:
    """What the rows of each true class are labelled.

    Attributes
    ----------
    given
        The probability T of a given label by the true class, (true, given); rows sum to 1.
    """

    given: Array

    @classmethod
    def fit(cls, q: Array, label: Array, weight: Array) -> LabelNoise:
        """Return the noise that shows in the rows which the model is surest of.

        A row that is certainly of class k has the prediction T_k, so the mean prediction of the
        surest rows stands for it. One recalibration of all classes may not know that one class is
        mistaken for another; where the surest rows have that label more often than predicted, by
        more than chance would, its frequency stands instead.
        """
        given = np.eye(q.shape[1])
        predicted = q.argmax(axis=1)
        for k in range(q.shape[1]):
            rows = np.flatnonzero(predicted == k)
            if len(rows) == 0:
                continue
            sure = np.sort(q[rows, k])[::-1]
            least = sure[min(len(sure), max(SUREST_ROWS, round(SUREST_SHARE * len(sure)))) - 1]
            rows = rows[q[rows, k] >= least - ROUNDING]
            share = weight[rows] / weight[rows].sum()
            said = share @ q[rows]
            came = np.bincount(label[rows], share, len(said))
            # A count varies as Poisson's does, with its mean as its variance.
            n = len(rows)
            more = n * (came - said) > NORMAL_END * np.sqrt(n * said) + 1
            of_class = np.where(more, came, said)
            of_class[k] = max(0.0, 1 - (of_class.sum() - of_class[k]))
            given[k] = of_class / of_class.sum()
        return cls(given)

    def true_classes(self, q: Array, label: Array) -> Array:
        """Return the probability of each true class, given prediction and label, (n, C).

        q is a prediction of the label that is given: q = r T, with r that of the true class. So
        r = q T⁻¹, held to probabilities, and what is asked for is in proportion to r_k T_k,label.
        """
        r = np.maximum(q @ np.linalg.pinv(self.given), 0.0)
        joint: Array = r * self.given[:, label].T
        total = joint.sum(axis=1, keepdims=True)
        # Where no class explains the label, the most probable ones are left.
        joint = np.where(total > 0, joint, r)
        total = joint.sum(axis=1, keepdims=True)
        found: Array = joint / np.where(total > 0, total, 1.0)
        return found

    def wrong(self, q: Array, label: Array) -> Array:
        """Return the probability that each label is wrong, (n,)."""
        wrong: Array = 1 - self.true_classes(q, label)[np.arange(len(q)), label]
        return np.clip(wrong, 0.0, 1.0)
