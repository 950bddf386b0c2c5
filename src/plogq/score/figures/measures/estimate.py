"""An estimate, and the interval that its influence function gives it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from plogq.score.recalibration.labelled_rows import dot
from plogq.tables.arrays import Array
from plogq.tables.sums.level import NORMAL_END


@dataclass(frozen=True)
class Estimate:
    """A measure of weighted rows, and how much each row moves it.

    The influence of a row is the derivative of the measure in the row's share of all weight
    (Hampel, 1974). Its mean is 0, and the mean of its squares over the number of rows is the
    variance of the measure.

    Attributes
    ----------
    value
        The measure.
    influence
        Of each row, (n,).
    noise
        What the measure would be in the mean if the truth were 0; 0 for one without such a bias.
    """

    value: float
    influence: Array
    noise: float = 0.0

    def interval(
        self, weight: Array, bucket: Array, most: float = math.inf
    ) -> tuple[float, float] | None:
        """Return the ends, between 0 and `most`; None where the rows tell of no spread.

        Rows of one bucket count as one. The lower end allows for what noise alone adds.
        """
        sums = np.bincount(bucket, weight * self.influence) / weight.sum()
        used = np.count_nonzero(np.bincount(bucket))
        if used < 2:
            return None
        half = NORMAL_END * math.sqrt(dot(sums, sums) * used / (used - 1))
        if half <= 1e-12:
            return None
        return max(0.0, self.value - self.noise - half), min(most, self.value + half)


def average(values: Array, weight: Array) -> float:
    """Return the mean of values (n,) under weights (n,)."""
    return float((values * weight).sum() / weight.sum())


def mean(values: Array, weight: Array) -> Estimate:
    """Return the mean of values (n,) under weights (n,), as an estimate."""
    value = average(values, weight)
    return Estimate(value, values - value)
