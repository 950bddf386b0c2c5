"""Losses of one logit per element through a sigmoid, each with its gradient, in nats."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from plogq.errors import refuse
from plogq.formulas import binary_core as core
from plogq.formulas._loss import (
    ValueAndGrad,
    binary_target,
    check_gamma,
    check_label_smoothing,
    check_margin,
    check_weights,
    value_and_grad,
)
from plogq.formulas.arrays import Array, first_row, to_arrays


def sigmoid(logit: Array) -> Array:
    """σ(z) = 1 / (1 + exp(−z)), by exp(−|z|), so that neither side overflows.

    Examples
    --------
    >>> import numpy as np
    >>> round(float(sigmoid(np.array(1.5))), 4)
    0.8176
    """
    xp, z = to_arrays(logit=logit)
    _no_nan(xp, z)
    return core.sigmoid(xp, z)


def binary_cross_entropy_from_logits(
    logit: Array,
    target: Any,
    *,
    pos_weight: Array | float | None = None,
    label_smoothing: float = 0.0,
) -> ValueAndGrad:
    """w t · softplus(−z) + (1 − t) · softplus(z); gradient (1 − t) σ(z) − w t σ(−z).

    softplus(z) = log(1 + exp z) = −log σ(−z). Exact for any finite logit: at z = 200, t = 0 the
    loss is 200 and the gradient 1.

    Parameters
    ----------
    logit : any shape
        z; ±inf is certainty, with an infinite loss where it is wrong.
    target : the shape of `logit`
        t in [0, 1].
    pos_weight
        w, what a positive counts; broadcasts against `logit`.
    label_smoothing : float
        ε: t becomes (1 − ε) t + ε/2.

    Raises
    ------
    ValueError
        If a target is outside [0, 1], a logit NaN, or the shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> loss, grad = binary_cross_entropy_from_logits(np.array(1.5), np.array(1.0))
    >>> round(float(loss), 4), round(float(grad), 4)
    (0.2014, -0.1824)

    References
    ----------
    softplus: Mächler (2012), Accurately computing log(1 − exp(−|a|)), equation 10.
    """
    xp, z, t, w = _binary(logit, target, pos_weight, label_smoothing)
    value, grad = core.cross_entropy(xp, z, t, w), core.cross_entropy_gradient(xp, z, t, w)
    return value_and_grad(xp, value, grad, logit, -1)


def binary_focal_from_logits(
    logit: Array,
    target: Any,
    *,
    gamma: float = 2.0,
    alpha: float | None = None,
    pos_weight: Array | float | None = None,
    label_smoothing: float = 0.0,
) -> ValueAndGrad:
    """α w t (1 − p)^γ (−log p) + (1 − α)(1 − t) p^γ (−log(1 − p)) with p = σ(z).

    Gradient of (1 − p)^γ (−log p): −(1 − p)^γ ((1 − p) + γ p (−log p)); the other part mirrors it.
    Without `alpha` both classes weigh 1; γ = 0 is then `binary_cross_entropy_from_logits`, whose
    shapes, other options and errors these are.

    Examples
    --------
    >>> import numpy as np
    >>> loss, _ = binary_focal_from_logits(np.array(np.log(9.0)), np.array(1.0))
    >>> round(float(loss), 9)
    0.001053605

    References
    ----------
    Lin et al. (2017), Focal loss for dense object detection, equation 5.
    """
    check_gamma(gamma)
    if alpha is not None and not 0 <= alpha <= 1:
        refuse("alpha", "be in [0, 1]", alpha)
    xp, z, t, w = _binary(logit, target, pos_weight, label_smoothing)
    of = xp, z, t, gamma, alpha, w
    return value_and_grad(xp, core.focal(*of), core.focal_gradient(*of), logit, -1)


def asymmetric_from_logits(
    logit: Array,
    target: Any,
    *,
    gamma_neg: float = 4.0,
    gamma_pos: float = 1.0,
    margin: float = 0.05,
    pos_weight: Array | float | None = None,
    label_smoothing: float = 0.0,
) -> ValueAndGrad:
    """w t (1 − p)^γ₊ (−log p) + (1 − t) r^γ₋ (−log(1 − r)), p = σ(z), r = max(p − m, 0).

    Of many labels, few are positive: easy negatives count less than easy positives, and those with
    p ≤ m nothing. Gradient of the part of negatives: p (1 − p) r^γ₋ (γ₋ (−log(1 − r))/r +
    1/(1 − r)), 0 at r = 0. Without margin and with equal exponents it is
    `binary_focal_from_logits`, whose shapes, other options and errors these are.

    Parameters
    ----------
    gamma_neg, gamma_pos : float
        γ₋ and γ₊, at least 0.
    margin : float
        m in [0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> z, t = np.log(np.array([1.0, 1 / 24])), np.array([0.0, 0.0])
    >>> loss, grad = asymmetric_from_logits(z, t)
    >>> loss.round(4), grad.round(4)
    (array([0.0245, 0.    ]), array([0.0731, 0.    ]))

    References
    ----------
    Ridnik et al. (2021), Asymmetric loss for multi-label classification, equations 5 to 7.
    """
    check_gamma(gamma_neg, "gamma_neg")
    check_gamma(gamma_pos, "gamma_pos")
    check_margin(margin)
    xp, z, t, w = _binary(logit, target, pos_weight, label_smoothing)
    of = xp, z, t, gamma_neg, gamma_pos, margin, w
    return value_and_grad(xp, core.asymmetric(*of), core.asymmetric_gradient(*of), logit, -1)


def _binary(logit: Array, target: Any, pos_weight: Any, label_smoothing: float) -> tuple[Any, ...]:
    check_label_smoothing(label_smoothing)
    xp, z, w = to_arrays(logit=logit, pos_weight=1.0 if pos_weight is None else pos_weight)
    _no_nan(xp, z)
    w = check_weights(xp, w, "pos_weight")
    try:
        w = xp.broadcast_to(w, z.shape)
    except (ValueError, RuntimeError):
        refuse("pos_weight", f"broadcast to the logit's shape {tuple(z.shape)}", tuple(w.shape))
    return xp, z, core.smoothed(binary_target(xp, target, z), label_smoothing), w


def _no_nan(xp: ModuleType, z: Array) -> None:
    row = first_row(xp, xp.isnan(z))
    if row is not None:
        refuse("logit", "be a number", "nan", row=row)
