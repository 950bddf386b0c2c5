"""The arithmetic of losses of one logit through a sigmoid, or one probability, without a check."""

from __future__ import annotations

from types import ModuleType

from plogq.formulas.arrays import Array
from plogq.formulas.terms import neg_log, power, ratio, times


def softplus(xp: ModuleType, z: Array) -> Array:
    """log(1 + exp z) = −log σ(−z)."""
    return xp.where(z >= 0, z, 0.0) + xp.log1p(_exp_minus_abs(xp, z))


def sigmoid(xp: ModuleType, z: Array) -> Array:
    """σ(z) = 1 / (1 + exp(−z)), by exp(−|z|), so that neither side overflows."""
    e = _exp_minus_abs(xp, z)
    return xp.where(z >= 0, 1.0, e) / (1 + e)


def smoothed(t: Array, label_smoothing: float) -> Array:
    """Return (1 − ε) t + ε/2, the target whose two labels are mixed with even odds."""
    return (1 - label_smoothing) * t + label_smoothing / 2


def cross_entropy(xp: ModuleType, z: Array, t: Array, w: Array | float = 1.0) -> Array:
    """Return w t softplus(−z) + (1 − t) softplus(z)."""
    return times(xp, w * t, softplus(xp, -z)) + times(xp, 1 - t, softplus(xp, z))


def cross_entropy_gradient(xp: ModuleType, z: Array, t: Array, w: Array | float = 1.0) -> Array:
    """Return (1 − t) σ(z) − w t σ(−z)."""
    return (1 - t) * sigmoid(xp, z) - w * t * sigmoid(xp, -z)


def cross_entropy_of_probs(xp: ModuleType, p: Array, t: Array) -> Array:
    """Return −t log p − (1 − t) log(1 − p)."""
    inside = xp.where(p < 1, p, 0.0)
    neg_log_miss = xp.where(p < 1, -xp.log1p(-inside), xp.inf)
    return times(xp, t, neg_log(xp, p)) + times(xp, 1 - t, neg_log_miss)


def cross_entropy_of_probs_gradient(xp: ModuleType, p: Array, t: Array) -> Array:
    """Return (1 − t)/(1 − p) − t/p."""
    return ratio(xp, 1 - t, 1 - p) - ratio(xp, t, p)


def focal(
    xp: ModuleType,
    z: Array,
    t: Array,
    gamma: float,
    alpha: float | None,
    w: Array | float = 1.0,
) -> Array:
    """Return α w t (1 − p)^γ (−log p) + (1 − α)(1 − t) p^γ (−log(1 − p)) with p = σ(z)."""
    yes, no = (1.0, 1.0) if alpha is None else (alpha, 1 - alpha)
    positive, negative = _focal_of_positive(xp, z, gamma), _focal_of_positive(xp, -z, gamma)
    return times(xp, yes * w * t, positive) + times(xp, no * (1 - t), negative)


def focal_gradient(
    xp: ModuleType,
    z: Array,
    t: Array,
    gamma: float,
    alpha: float | None,
    w: Array | float = 1.0,
) -> Array:
    """Return the gradient of `focal`, a sum of two parts.

    That of the positive part is −(1 − p)^γ ((1 − p) + γ p (−log p)); the other mirrors it.
    """
    yes, no = (1.0, 1.0) if alpha is None else (alpha, 1 - alpha)
    rising, falling = _focal_slope(xp, z, gamma), _focal_slope(xp, -z, gamma)
    return yes * w * t * rising - no * (1 - t) * falling


def asymmetric(
    xp: ModuleType,
    z: Array,
    t: Array,
    gamma_neg: float,
    gamma_pos: float,
    margin: float,
    w: Array | float = 1.0,
) -> Array:
    """Return w t (1 − p)^γ₊ (−log p) + (1 − t) r^γ₋ (−log(1 − r)) with r = max(p − m, 0)."""
    positive = _focal_of_positive(xp, z, gamma_pos)
    if not margin:
        return times(xp, w * t, positive) + times(xp, 1 - t, _focal_of_positive(xp, -z, gamma_neg))
    r, surprisal = _beyond_margin(xp, z, margin)
    return times(xp, w * t, positive) + (1 - t) * (power(xp, r, gamma_neg) * surprisal)


def asymmetric_gradient(
    xp: ModuleType,
    z: Array,
    t: Array,
    gamma_neg: float,
    gamma_pos: float,
    margin: float,
    w: Array | float = 1.0,
) -> Array:
    """Return the gradient of `asymmetric`.

    That of r^γ (−log(1 − r)) is p (1 − p) r^γ (γ (−log(1 − r))/r + 1/(1 − r)), and 0 at r = 0.
    """
    rising = w * t * _focal_slope(xp, z, gamma_pos)
    if not margin:
        return rising - (1 - t) * _focal_slope(xp, -z, gamma_neg)
    r, surprisal = _beyond_margin(xp, z, margin)
    p, miss, some = sigmoid(xp, z), sigmoid(xp, -z), r > 0
    ratio = gamma_neg * surprisal / xp.where(some, r, 1.0)
    falling = p * miss * power(xp, r, gamma_neg) * (ratio + 1 / (miss + margin))
    return rising + (1 - t) * xp.where(r == 0, 0.0, falling)


def _beyond_margin(xp: ModuleType, z: Array, margin: float) -> tuple[Array, Array]:
    """r = max(p − m, 0) and −log(1 − r), 1 − r = (1 − p) + m, with p = σ(z) and m > 0."""
    p = sigmoid(xp, z)
    r = xp.where(p <= margin, 0.0, p - margin)
    near = r < 0.5
    far = xp.where(near, 1.0, sigmoid(xp, -z) + margin)
    return r, -xp.where(near, xp.log1p(-xp.where(near, r, 0.0)), xp.log(far))


def _focal_of_positive(xp: ModuleType, z: Array, gamma: float) -> Array:
    """(1 − p)^γ (−log p) with p = σ(z)."""
    return times(xp, power(xp, sigmoid(xp, -z), gamma), softplus(xp, -z))


def _focal_slope(xp: ModuleType, z: Array, gamma: float) -> Array:
    """Give the derivative of `_focal_of_positive`."""
    surprisal, miss, p = softplus(xp, -z), sigmoid(xp, -z), sigmoid(xp, z)
    return -power(xp, miss, gamma) * (miss + gamma * times(xp, p, surprisal))


def _exp_minus_abs(xp: ModuleType, z: Array) -> Array:
    """Return exp(−|z|) with its right derivative at 0; libraries take that of |z| as 0 there."""
    return xp.exp(xp.where(z >= 0, -z, z))
