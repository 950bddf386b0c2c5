"""How labels of a class come to be wrong, and how likely each one is.

References
----------
Northcutt, Jiang, Chuang (2021), Confident learning: estimating uncertainty in dataset labels.
Patrini, Rozza, Menon, Nock, Qu (2017), Making deep neural networks robust to label noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plogq.tables.arrays import Array

ROUNDING = 1e-12  # the mean of equal probabilities may be above them by as much


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
        """Return the noise that the confident joint of Northcutt et al. finds.

        A row counts as of class k if q_k is at least the mean of q_k over the rows labelled k; of
        several such classes, as of the most probable. What is counted of each label is scaled to
        all rows of that label.
        """
        classes = q.shape[1]
        every = np.arange(len(q))
        amounts = np.bincount(label, weight, classes)
        own = np.bincount(label, weight * q[every, label], classes)
        usual = np.divide(own, amounts, out=np.full(classes, np.inf), where=amounts > 0)
        sure = np.where(q >= usual - ROUNDING, q, -1.0)
        true = sure.argmax(axis=1)
        at = np.flatnonzero(sure[every, true] >= 0)
        cells = label[at] * classes + true[at]
        joint = np.bincount(cells, weight[at], classes**2).reshape(classes, classes)
        counted = joint.sum(axis=1, keepdims=True)
        # A label of which no row is sure is taken to be right.
        joint = np.where(counted > 0, joint / np.where(counted > 0, counted, 1.0), np.eye(classes))
        joint *= amounts[:, None]
        of_true = joint.sum(axis=0)
        return cls(
            np.where(
                of_true[:, None] > 0,
                joint.T / np.where(of_true > 0, of_true, 1.0)[:, None],
                np.eye(classes),
            )
        )

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
