"""Intervals that hold together: of many figures at once, none misses in `LEVEL` of all tables.

All figures come from the same replicates, so that their dependence is known. The largest of their
studentised deviations in each replicate says how many standard errors every interval must reach
(the max-T method). For one figure that is an ordinary interval of about the same level.

References
----------
Westfall, Young (1993), Resampling-based multiple testing, chapter 2.
Romano, Wolf (2005), Exact and approximate stepdown methods for multiple hypothesis testing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from plogq.tables.arrays import Array
from plogq.tables.sums.level import LEVEL

POWER = 0.8  # how often the smallest difference that can be shown is shown
POWER_END = 0.8416212335729142  # the normal distribution's quantile of POWER


class Together(NamedTuple):
    """Intervals of n figures; NaN where a figure has none."""

    low: Array  # (n,)
    high: Array  # (n,)
    smallest: Array  # (n,) the smallest true difference from 0 that is shown in POWER of all cases


def together(estimates: Array, replicates: Array) -> Together:
    """Return intervals of all figures together, (n,), of their (replicates, n).

    A figure whose replicates are not all finite has no interval; one that never varies has an
    interval of width 0.

    Examples
    --------
    >>> low, high, _ = together(np.array([1.0, 5.0]), np.array([[0.0, 5.0], [2.0, 5.0]]))
    >>> low.tolist(), high.tolist()
    ([0.0, 5.0], [2.0, 5.0])
    """
    usable = np.isfinite(replicates).all(axis=0) & np.isfinite(estimates) & (len(replicates) > 1)
    error = np.full(len(estimates), np.nan)
    deviation = replicates[:, usable] - estimates[usable]
    error[usable] = replicates[:, usable].std(axis=0, ddof=1) if usable.any() else np.nan
    varies = error[usable] > 0
    reach = 0.0
    if varies.any():
        studentised = np.abs(deviation[:, varies]) / error[usable][varies]
        reach = float(np.quantile(studentised.max(axis=1), LEVEL))
    half = reach * error
    return Together(estimates - half, estimates + half, (reach + POWER_END) * error)
