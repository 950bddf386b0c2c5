"""Losses of logits that bend the surprisal of the target, each with its gradient, in nats."""

from __future__ import annotations

from typing import Any

from plogq.formulas import softmax_core as core
from plogq.formulas._loss import ValueAndGrad, class_weights, smoothed, value_and_grad
from plogq.formulas.arrays import Array
from plogq.formulas.distributions import class_targets
from plogq.formulas.softmax_state import checked_logits, softmax_parts
from plogq.formulas.surprisal_costs import Cost, generalised_cost, poly_cost
from plogq.formulas.terms import times


def generalised_cross_entropy_from_logits(
    logits: Array,
    target: Any,
    *,
    q: float = 0.7,
    axis: int = -1,
    weight: Array | None = None,
    label_smoothing: float = 0.0,
) -> ValueAndGrad:
    """Σ_j u_j (1 − p_j^q)/q with u_j = w_j t_j and p = softmax(x): wrong labels count less.

    Gradient: with v_j = u_j p_j^q it is (Σ v) p − v. q → 0 is `cross_entropy_from_logits`, whose
    other parameters and errors these are; q = 1 is 1 − p_y. At most 1/q, also for a masked target.

    Parameters
    ----------
    q : float
        In [0, 1]; 0.7 is the paper's.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.log(np.array([0.25, 0.75]))
    >>> loss, grad = generalised_cross_entropy_from_logits(x, 0, q=0.5)
    >>> round(float(loss), 4), grad.round(4)
    (1.0, array([-0.375,  0.375]))

    References
    ----------
    Zhang, Sabuncu (2018), Generalized cross entropy loss for training deep neural networks with
    noisy labels, equation 6.
    """
    return _loss(logits, target, generalised_cost(q), axis, weight, label_smoothing)


def poly_from_logits(
    logits: Array,
    target: Any,
    *,
    epsilon: float = 2.0,
    axis: int = -1,
    weight: Array | None = None,
    label_smoothing: float = 0.0,
) -> ValueAndGrad:
    """Σ_j u_j (−log p_j + ε (1 − p_j)) with u_j = w_j t_j and p = softmax(x): Poly-1.

    Gradient: with v_j = u_j (1 + ε p_j) it is (Σ v) p − v. −log p is Σ_n (1 − p)ⁿ/n; ε is added to
    the coefficient of n = 1. ε = 0 is `cross_entropy_from_logits`, whose other parameters and
    errors these are.

    Parameters
    ----------
    epsilon : float
        ε, finite and at least −1; 2 is the paper's for ImageNet.

    Examples
    --------
    >>> import numpy as np
    >>> loss, grad = poly_from_logits(np.log(np.array([0.25, 0.75])), 0, epsilon=2.0)
    >>> round(float(loss), 4), grad.round(4)
    (2.8863, array([-1.125,  1.125]))

    References
    ----------
    Leng et al. (2022), PolyLoss: a polynomial expansion perspective of classification loss
    functions, equation 6.
    """
    return _loss(logits, target, poly_cost(epsilon), axis, weight, label_smoothing)


def _loss(
    logits: Array,
    target: Any,
    cost: Cost,
    axis: int,
    weight: Array | None,
    label_smoothing: float,
) -> ValueAndGrad:
    xp, x = checked_logits(axis, logits=logits)
    target = smoothed(xp, class_targets(xp, target, x, axis), x, label_smoothing)
    u = class_weights(xp, weight, x) * target
    parts = softmax_parts(xp, x)
    s = parts.surprisals(xp)
    value = xp.sum(times(xp, u, cost.value(xp, s)), axis=-1)
    grad = core.softmax_gradient(xp, parts, u * cost.slope(xp, s))
    return value_and_grad(xp, value, grad, logits, axis)
