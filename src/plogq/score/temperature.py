"""The temperature that fits: x / T, by the T of least cross-entropy, and how sure that is."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from plogq.score.numbers import Array
from plogq.score.sample import Sampled

BOUND = 64.0  # T is looked for in [1/64, 64]
NORMAL_975 = 1.959963984540054  # the normal distribution's 97.5 % quantile: a 95 % interval
CHUNK_NUMBERS = 1 << 15  # numbers worked on at once: 256 KiB, to stay in the processor's cache


class Temperature(NamedTuple):
    """The fit, over the sampled rows; cross-entropies are in nats."""

    value: float
    interval: tuple[float, float] | None
    identified: bool
    cross_entropy: float  # at T
    cross_entropy_at_1: float
    rows: int


class _Point(NamedTuple):
    """The mean cross-entropy as a function of β = 1/T, at one β."""

    value: float
    slope: float
    curvature: float
    slope_variance: float  # of the mean slope, by its scatter over the rows


def fit_temperature(rows: Sampled) -> Temperature:
    """Minimise f(β) = Σ w (lse(βx) − β Σ p_j x_j) / Σ w over β = 1/T, which is convex.

    Newton's method, kept inside the bracket that the sign of f' leaves. The interval is that of
    log T by the sandwich variance Var(f') / f''² (Huber, 1967), which needs no well-specified
    model. No temperature is identified where f still falls at a bound (separable rows: sharper is
    always better; useless ones: flatter is), or is so flat that the interval passes both.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks.
    """
    chunks = _chunks(rows)
    total = float(rows.weight.sum())
    low, high = 1 / BOUND, BOUND
    at_1 = _point(chunks, 1.0, total)
    for bound, outwards in ((low, 1), (high, -1)):
        edge = _point(chunks, bound, total)
        if edge.slope * outwards >= 0:
            return Temperature(1 / bound, None, False, edge.value, at_1.value, len(rows.row))
    beta, here = 1.0, at_1
    for _ in range(100):
        low, high = (beta, high) if here.slope < 0 else (low, beta)
        step = beta - here.slope / here.curvature if here.curvature > 0 else math.nan
        # Outside the bracket, or not a number, the middle of it, on the scale of log T.
        new = step if low <= step <= high else math.sqrt(low * high)
        moved, beta = abs(new - beta), new
        here = _point(chunks, beta, total)
        if moved <= 1e-9 * beta:  # and Newton's last step has squared that
            break
    width = NORMAL_975 * math.sqrt(here.slope_variance) / (here.curvature * beta)
    identified = width < math.log(BOUND)
    interval = (math.exp(-width) / beta, math.exp(width) / beta) if identified else None
    return Temperature(1 / beta, interval, identified, here.value, at_1.value, len(rows.row))


def _chunks(rows: Sampled) -> list[tuple[Array, Array, Array]]:
    """Give (C, n) logits below their maximum, their mean under the label, and the weights."""
    out = []
    step = max(1, CHUNK_NUMBERS // rows.logits.shape[1])
    for first in range(0, len(rows.row), step):
        part = slice(first, first + step)
        z = np.ascontiguousarray(rows.logits[part].T, dtype=np.float64)
        z -= z.max(axis=0)
        label = rows.label[part]
        if label.ndim == 1:
            of_label = z[label, np.arange(z.shape[1])]
        else:
            of_label = (label.T * np.where(label.T > 0, z, 0.0)).sum(axis=0)
        out.append((z, of_label, rows.weight[part]))
    return out


def _point(chunks: list[tuple[Array, Array, Array]], beta: float, total: float) -> _Point:
    value = slope = curvature = scatter = 0.0
    for z, of_label, weight in chunks:
        e = np.exp(beta * z)
        s = e.sum(axis=0)
        # A masked class has e = 0, and z = −inf must not turn that into NaN.
        finite = np.where(np.isneginf(z), 0.0, z) if np.isneginf(z.min()) else z
        e *= finite
        mean = e.sum(axis=0) / s
        e *= finite
        variance = np.maximum(e.sum(axis=0) / s - mean * mean, 0.0)
        gradient = weight * (mean - of_label)
        value += float((weight * (np.log(s) - beta * of_label)).sum())
        slope += float(gradient.sum())
        curvature += float((weight * variance).sum())
        scatter += float((gradient * gradient).sum())
    return _Point(value / total, slope / total, curvature / total, scatter / total**2)
