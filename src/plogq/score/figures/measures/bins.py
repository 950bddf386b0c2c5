"""Calibration errors over bins of the confidence, and Murphy's parts of the Brier score.

References
----------
Murphy (1973), A new vector partition of the probability score. Naeini, Cooper, Hauskrecht (2015),
Obtaining well calibrated probabilities using Bayesian binning. Kull, Perelló Nieto, Kängsepp, Silva
Filho, Song, Flach (2019), Beyond temperature scaling (classwise). Stephenson, Coelho, Jolliffe
(2008), Two extra components in the Brier score decomposition.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from plogq.score.figures.measures.estimate import Estimate, average
from plogq.score.figures.measures.judged_rows import DIGITS, JudgedRows
from plogq.tables.arrays import Array

BINS = 15
MEAN_SIZE = math.sqrt(2 / math.pi)  # E|X| of a standard normal X


def equal_width(q: Array) -> Array:
    """Return the bin of each probability, (n,): k/15 < q ≤ (k + 1)/15, and 0 in the first."""
    return np.maximum(np.ceil(np.round(q * BINS, DIGITS)).astype(np.int64) - 1, 0)


def equal_mass(q: Array, weight: Array) -> Array:
    """Return the bin of each probability, (n,): by the share of weight below it, equal ones halved.

    Equal probabilities are in one bin, so bins may differ in mass where many are equal.
    """
    _, place = np.unique(q, return_inverse=True)
    mass = np.bincount(place, weight)
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    bins: Array = np.minimum((middle * BINS).astype(np.int64), BINS - 1)[place]
    return bins


def calibration_error(q: Array, hit: Array, weight: Array, bins: Array) -> Estimate:
    """Return Σ_bins |Σ w (q − hit)| / Σ w, the expected calibration error."""
    total = weight.sum()
    off = np.bincount(bins, weight * (q - hit), BINS) / total
    value = float(np.abs(off).sum())
    spread = np.bincount(bins, weight**2 * q * (1 - q), BINS)
    noise = MEAN_SIZE * float(np.sqrt(np.maximum(spread, 0.0)).sum() / total)
    return Estimate(value, np.sign(off)[bins] * (q - hit) - value, noise)


class Murphy(NamedTuple):
    """The parts of a Brier score: reliability − resolution + uncertainty + what bins hide."""

    reliability: Estimate
    resolution: Estimate
    uncertainty: Estimate
    within: float


def murphy(rows: JudgedRows) -> Murphy:
    """Return the parts of Σ_j (q_j − p_j)², each the sum over classes of that over its bins."""
    w = rows.weight
    parts = np.zeros((3, len(w)))
    squared, noise = np.zeros(len(w)), 0.0
    for j in range(rows.classes):
        q, p = np.exp(rows.log_q[:, j]), rows.share(j)
        bins = equal_width(q)
        mass = np.bincount(bins, w, BINS)
        at = np.where(mass > 0, mass, 1.0)
        off = (np.bincount(bins, w * (q - p), BINS) / at)[bins]
        of_bin = (np.bincount(bins, w * p, BINS) / at)[bins]
        base = average(p, w)
        # Each is a mean over rows of u(2v − u), with u the mean of v in the row's bin, or in all.
        parts[0] += off * (2 * (q - p) - off)
        parts[1] += of_bin * (2 * p - of_bin) - base * (2 * p - base)
        parts[2] += (p - base) ** 2
        squared += (q - p) ** 2
        noise += float((np.bincount(bins, w**2 * q * (1 - q), BINS) / at).sum() / w.sum())
    reliability, resolution, uncertainty = (
        Estimate(max(0.0, value), part - value, bias)
        for part, bias in zip(parts, (noise, noise, 0.0), strict=True)
        for value in (average(part, w),)
    )
    known = reliability.value - resolution.value + uncertainty.value
    return Murphy(reliability, resolution, uncertainty, average(squared, w) - known)


def classwise_error(rows: JudgedRows) -> Estimate:
    """Return the mean over classes of the calibration error of each class's probability."""
    total = np.zeros(len(rows.weight))
    value = noise = 0.0
    for j in range(rows.classes):
        q = np.exp(rows.log_q[:, j])
        found = calibration_error(q, rows.share(j), rows.weight, equal_width(q))
        total += found.influence
        value, noise = value + found.value, noise + found.noise
    return Estimate(value / rows.classes, total / rows.classes, noise / rows.classes)
