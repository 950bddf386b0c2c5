"""The interval of what a recalibration will save on fresh rows."""

from __future__ import annotations

import numpy as np

from plogq.score.figures.decomposition import Recalibrations
from plogq.score.recalibration.labelled_rows import dot
from plogq.tables.sums.level import NORMAL_END


def promised(
    recalibrations: Recalibrations, chosen: int, saved: float, ends: tuple[float, float]
) -> tuple[float, float]:
    """Return the interval of what the family taken saves on fresh rows, in nats per row.

    `ends` are percentiles of what its fits, as they are, save of the `saved` in resampled rows.
    Two things are added, both in terms of u, what a parameter gains by chance:

    - The fits vary. p parameters add a variance of p v u², v being that of `refit_variance`; it
      widens each half of the interval as a normal error of its own would.
    - Fits that by chance change much vary much as well: the interval is then wide, and narrow where
      they change too little. That moves the studentised saving by u (its skewness, first term of an
      Edgeworth series); the upper end is moved. The lower is not, because a family that is taken
      for what it saves saves too much by chance.

    References
    ----------
    Stone (1977), cross-validation's optimism is that of Akaike's criterion. Bates, Hastie,
    Tibshirani (2024), Cross-validation: what does it estimate and how well does it do it?
    """
    parameters = recalibrations.fits[chosen].size(recalibrations.labelled.classes)
    folds = recalibrations.folds
    by_chance = max(0.0, _optimism(recalibrations, chosen)) / parameters
    by_chance /= (1 + folds / (folds - 1)) / 2
    own = NORMAL_END * by_chance * np.sqrt(parameters * refit_variance(folds))
    low = saved - np.hypot(saved - min(ends[0], saved), own)
    high = saved + np.hypot(max(ends[1], saved) - saved, own) + by_chance
    return float(low), float(high)


def refit_variance(folds: int) -> float:
    """Return the variance that refitting adds to a cross-fitted loss, by parameter, in u².

    Of one parameter, let W be the mean of n slopes over their standard deviation, times √n, and W_k
    a fold's part of it. To second order the cross-fitted loss is above that on fresh rows by
    (a W² + b Σ W_k²) / n, whose variance is 2 a² + (2 b² + 4 a b) / K; the variance over rows has
    K / (K − 1) of it already.

    Examples
    --------
    >>> [round(refit_variance(folds), 2) for folds in (2, 5, 10, 10**9)]
    [4.5, 1.38, 1.14, 1.0]
    """
    learnt = (folds - 1) / folds
    again = 1 / (2 * folds * learnt**2)
    a = (folds - 2) * again - 1 / learnt - 0.5
    b = 1 / learnt + again
    return 2 * a**2 + (2 * b**2 + 4 * a * b) / folds - 1 / learnt


def _optimism(recalibrations: Recalibrations, chosen: int) -> float:
    """Return by how much less a fit costs on the rows that it has learnt from, nats per row."""
    weight = recalibrations.sample.weight
    held_out = recalibrations.held_out[chosen]
    learnt = recalibrations.fits[chosen].losses(recalibrations.labelled)
    return dot(weight, held_out - learnt) / float(weight.sum())
