"""How labels of a class come to be wrong, and how likely each one is.

References
----------
Patrini, Rozza, Menon, Nock, Qu (2017), Making deep neural networks robust to label noise: a loss
correction approach. Northcutt, Jiang, Chuang (2021), Confident learning: estimating uncertainty in
dataset labels. Aitchison, Brown (1957), The lognormal distribution: the method of quantiles.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple, Self

import numpy as np

from plogq.tables.arrays import Array
from plogq.tables.sums.level import LEVEL

SUREST_ROWS, SUREST_SHARE = 50, 0.1  # of the rows of a class, whichever are more
ROUNDING = 1e-12  # by so much equal probabilities may differ
NORMAL = NormalDist()
# Shares of a class's rows, the surest first, whose normal quantiles are equally far apart.
SURER, MIDDLE, HALF = 0.02, NORMAL.cdf(NORMAL.inv_cdf(0.02) / 2), 0.5


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
        """Return the likely noise of predictions q, (n, C); see `NoiseRange`."""
        return NoiseRange.fit(q, label, weight).likely

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


class NoiseRange(NamedTuple):
    """The least noise, the likely, and the most that some rows leave possible.

    A row that is certainly of class k has the prediction T_k. No row may be certain, since classes
    overlap: then the model is surer of some rows than of others, without end, whereas noise leaves
    a doubt that all the surest rows share. What is left as doubt shrinks is the likely noise; the
    mean of the surest rows, overlap and all, is the most that it can be.

    One recalibration of all classes may not know that one class is mistaken for another. Where the
    surest rows have that label more often than predicted, by more than chance would, its frequency
    is the likely noise and the most, and what it exceeds the prediction by the least.
    """

    least: LabelNoise
    likely: LabelNoise
    most: LabelNoise

    @classmethod
    def fit(cls, q: Array, label: Array, weight: Array) -> Self:
        """Return the range of predictions q, (n, C)."""
        given = np.stack([np.eye(q.shape[1])] * 3)
        predicted = q.argmax(axis=1)
        for k in range(q.shape[1]):
            rows = np.flatnonzero(predicted == k)
            if len(rows) == 0:
                continue
            doubt = 1 - q[rows, k]
            left = least_doubt(doubt, weight[rows])
            number = min(len(rows), max(SUREST_ROWS, round(SUREST_SHARE * len(rows))))
            sure = doubt <= np.sort(doubt)[number - 1] + ROUNDING
            rows, doubt = rows[sure], doubt[sure]
            share = weight[rows] / weight[rows].sum()
            said = share @ q[rows]
            came = np.bincount(label[rows], share, len(said))
            more = _exceeds(came, said, len(rows))
            kept = _others(q[rows], doubt, share, left, k)
            given[:, k] = (
                kept + np.where(more, np.maximum(came - said, 0.0), 0.0),
                np.where(more, np.maximum(came, kept), kept),
                np.where(more, came, said),
            )
            others = np.delete(given[:, k], k, axis=1).sum(axis=1)
            given[:, k, k] = np.maximum(0.0, 1 - others)
        given /= given.sum(axis=2, keepdims=True)
        least, likely, most = map(LabelNoise, given)
        return cls(least, likely, most)


def _exceeds(came: Array, said: Array, rows: int) -> Array:
    """Return which labels, (C,), come more often than is said, by more than chance would.

    A count varies as Poisson's does, with its mean as its variance. The other classes are asked
    about together, so that none is more often by chance.
    """
    end = NORMAL.inv_cdf(1 - (1 - LEVEL) / 2 / max(1, len(said) - 1))
    found: Array = rows * (came - said) > end * np.sqrt(rows * said) + 1
    return found


def least_doubt(doubt: Array, weight: Array) -> float:
    """Return the doubt that no row is without: the lower end of doubts, (n,), as of a lognormal.

    Doubts of calibrated classes spread over orders of magnitude; noise shifts all of them. Of a
    shifted lognormal with quantiles a < b < c, equally far apart on the normal scale, the shift is
    (ac − b²) / (a + c − 2b).

    Examples
    --------
    >>> spread = np.exp(np.linspace(-9, 0, 999)) / 4
    >>> each = np.ones(999)
    >>> round(least_doubt(spread, each), 3), round(least_doubt(0.1 + spread, each), 3)
    (0.0, 0.1)
    """
    order = doubt.argsort()
    place = (np.cumsum(weight[order]) - weight[order] / 2) / weight.sum()
    a, b, c = np.interp([SURER, MIDDLE, HALF], place, doubt[order])
    if c - a <= ROUNDING:  # all rows share the whole of it
        return float(a)
    bend = (c - b) - (b - a)
    return float(np.clip(a - (b - a) ** 2 / bend, 0.0, a)) if bend > 0 else 0.0


def _others(q: Array, doubt: Array, share: Array, left: float, k: int) -> Array:
    """Return what is left for each class but k, (C,), where doubt has shrunk to `left`.

    The line of each class's probability over the doubt says how that shrinks; `left` is their sum.
    """
    mean = share @ doubt
    apart = doubt - mean
    spread = share @ apart**2
    said = share @ q
    slope = (share * apart) @ q / spread if spread > ROUNDING**2 else np.zeros(len(said))
    found = np.maximum(said - slope * (mean - left), 0.0)
    found[k] = 0.0
    total = found.sum()
    out: Array = np.minimum(found * (left / total), said) if total > 0 else found
    return out
