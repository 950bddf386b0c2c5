"""The temperature T at which x / T has the least cross-entropy, and its interval."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from plogq.score.figures.decomposition import Recalibrations
from plogq.score.recalibration.families.temperature import (
    BOUND,
    LOG2_BOUND,
    Temperature,
    excess,
    losses,
)
from plogq.score.recalibration.labelled_rows import LabelledRows, dot
from plogq.tables.arrays import Array
from plogq.tables.sums.level import NORMAL_END

PER_OCTAVE = 4  # temperatures of the curve, which reaches two octaves beyond T and 1
CHUNK_NUMBERS = 1 << 15  # numbers worked on at once: 256 KiB, to stay in the processor's cache


class TemperatureFit(NamedTuple):
    """The fit to the sampled rows whose labels are possible; savings are in nats per such row."""

    value: float
    identified: bool
    interval: tuple[float, float] | None  # None, too, where all rows are in one bucket
    saved: float  # of the mean cross-entropy, at T
    unseen: float  # the most that a temperature inside the interval could save
    curve: list[tuple[float, float]]  # what other temperatures save
    rows: int


def fit_temperature(recalibrations: Recalibrations) -> TemperatureFit | None:
    """Return the T of least cross-entropy, with its interval; None where every row is impossible.

    The interval is that of log T by the sandwich variance Var(slope) / curvature² (Huber, 1967),
    which holds for a wrong model, too. The variance of the slope is that of its sums over the
    bootstrap's buckets, which are clusters where rows come in clusters. No temperature is
    identified where the loss still falls at a bound (sharper is always better for separable rows,
    flatter for useless ones), or is so flat that the interval is wider than the bounds.
    """
    rows, possible, weight = recalibrations.sample
    at = np.flatnonzero(possible)
    if len(at) == 0:
        return None
    labelled = recalibrations.labelled.take(at)
    surprisal, weight, bucket = rows.surprisal[at], weight[at], rows.bucket[at]
    fits = [fit for fit in recalibrations.fits if isinstance(fit, Temperature)]
    log2_beta = (fits[0] if fits else Temperature.fit(labelled)).log2_beta

    def saved(at: float) -> float:
        return dot(weight, surprisal - losses(labelled, at)) / float(weight.sum())

    interval, unseen = None, 0.0
    width = _width(labelled, log2_beta, bucket) if abs(log2_beta) < LOG2_BOUND else math.inf
    identified = width < LOG2_BOUND
    if identified and np.ptp(bucket) > 0:
        interval = 2 ** (-log2_beta - width), 2 ** (-log2_beta + width)
        unseen = max(_if_right(labelled, log2_beta + end) for end in (-width, width))
    value = 2.0**-log2_beta
    curve = [(t, saved(-math.log2(t))) for t in _grid(value)]
    return TemperatureFit(value, identified, interval, saved(log2_beta), unseen, curve, len(at))


def _if_right(rows: LabelledRows, log2_beta: float) -> float:
    """Return the mean D(p ‖ q) in nats: what the predictions q waste if p, those at β, are right.

    With p = softmax(β z) and z = log q: D(p ‖ q) = −H(p) − Σ p z, and Σ p β z = lse(β z) − H(p).
    """
    at = rows.tempered(log2_beta)
    divergence = -at.entropy - (at.log_sum - at.entropy) / 2**log2_beta
    return dot(rows.weight, divergence) / float(rows.weight.sum())


def _width(rows: LabelledRows, log2_beta: float, bucket: Array) -> float:
    """Return half the width of the interval of log₂ T; inf where the loss is flat."""
    slopes = np.bincount(bucket, rows.weight * excess(rows, log2_beta))
    # The slope itself is 0: the curvature in log β is the mean variance of β z.
    curvature = dot(rows.weight, _variances(rows, 2**log2_beta))
    if curvature == 0:
        return math.inf
    return NORMAL_END * math.sqrt(dot(slopes, slopes)) / (curvature * math.log(2))


def _variances(rows: LabelledRows, beta: float) -> Array:
    """Return the variance of β z_j under softmax(β z) for each row, (n,)."""
    out = np.empty(len(rows))
    step = max(1, CHUNK_NUMBERS // rows.classes)
    for first in range(0, len(rows), step):
        z = beta * rows.log_q[first : first + step]
        z -= z.max(axis=1, keepdims=True)
        p = np.exp(z)
        p /= p.sum(axis=1, keepdims=True)
        z = np.where(np.isneginf(z), 0.0, z)
        mean = (p * z).sum(axis=1)
        out[first : first + step] = np.maximum((p * z * z).sum(axis=1) - mean * mean, 0.0)
    return out


def _grid(value: float) -> list[float]:
    """Return temperatures around both 1 and T, with T itself, rising."""
    low, high = sorted((1.0, value))
    first = math.floor(PER_OCTAVE * (math.log2(low) - 2))
    last = math.ceil(PER_OCTAVE * (math.log2(high) + 2))
    grid = [2 ** (k / PER_OCTAVE) for k in range(first, last + 1)]
    return sorted({t for t in grid if 1 / BOUND <= t <= BOUND} | {value})
