"""Losses of probabilities, each with its gradient, in nats: for models that end in probabilities.

Prefer logits where there is a choice: a probability rounded to 1 has lost the digits of its loss.
"""

from __future__ import annotations

from typing import Any

from plogq.formulas import binary_core
from plogq.formulas._loss import ValueAndGrad, binary_target, class_weights, value_and_grad
from plogq.formulas.arrays import Array, to_arrays
from plogq.formulas.distributions import check_probabilities, class_targets, distributions
from plogq.formulas.terms import neg_log, ratio, times


def cross_entropy_from_probs(
    probs: Array, target: Any, *, axis: int = -1, weight: Array | None = None
) -> ValueAndGrad:
    """−Σ_j u_j log q_j with u_j = w_j t_j; gradient −u_j / q_j.

    Nothing is clipped: q = 0 for what happens is an infinite loss with an infinite gradient.

    Parameters
    ----------
    probs : (…, C, …)
        q: distributions along `axis`.
    target
        Class indices in the shape of `probs` without `axis`, or a distribution t in its shape.
    weight : (C,)
        w, by class.

    Raises
    ------
    ValueError
        If a row of `probs` or `target` is no distribution (logits, say), or a label no class.

    Examples
    --------
    >>> import numpy as np
    >>> loss, grad = cross_entropy_from_probs(np.array([0.7, 0.2, 0.1]), 0)
    >>> round(float(loss), 4), grad.round(4)
    (0.3567, array([-1.4286,  0.    ,  0.    ]))
    """
    xp, q = distributions(axis, probs=probs)
    u = class_weights(xp, weight, q) * class_targets(xp, target, q, axis)
    value = xp.sum(times(xp, u, neg_log(xp, q)), axis=-1)
    return value_and_grad(xp, value, 0.0 - ratio(xp, u, q), probs, axis)


def squared_error_from_probs(probs: Array, target: Any, *, axis: int = -1) -> ValueAndGrad:
    """Σ_j (q_j − t_j)², the Brier score of distributions; gradient 2 (q_j − t_j).

    Arguments and errors as in `cross_entropy_from_probs`.

    Examples
    --------
    >>> import numpy as np
    >>> loss, grad = squared_error_from_probs(np.array([0.7, 0.2, 0.1]), 0)
    >>> round(float(loss), 4), grad.round(4)
    (0.14, array([-0.6,  0.4,  0.2]))

    References
    ----------
    Brier (1950), Verification of forecasts expressed in terms of probability.
    """
    xp, q = distributions(axis, probs=probs)
    d = q - class_targets(xp, target, q, axis)
    return value_and_grad(xp, xp.sum(d * d, axis=-1), 2 * d, probs, axis)


def binary_cross_entropy_from_probs(prob: Array, target: Any) -> ValueAndGrad:
    """−t log p − (1 − t) log(1 − p) of each element; gradient (1 − t)/(1 − p) − t/p.

    Nothing is clipped: p = 1e-9 for a positive is 20.72 nats, and its gradient −1e9.

    Raises
    ------
    ValueError
        If p or t is outside [0, 1] or NaN, or the shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> loss, grad = binary_cross_entropy_from_probs(np.array(0.9), np.array(1.0))
    >>> round(float(loss), 4), round(float(grad), 4)
    (0.1054, -1.1111)
    """
    xp, p = to_arrays(prob=prob)
    p = check_probabilities(xp, p, "prob")
    t = binary_target(xp, target, p)
    value = binary_core.cross_entropy_of_probs(xp, p, t)
    grad = binary_core.cross_entropy_of_probs_gradient(xp, p, t)
    return value_and_grad(xp, value, grad, prob, -1)


def squared_error(prob: Array, target: Any) -> ValueAndGrad:
    """(p − t)² of each element; gradient 2 (p − t), at most 2 however wrong p is.

    Raises as `binary_cross_entropy_from_probs` does.

    Examples
    --------
    >>> import numpy as np
    >>> loss, grad = squared_error(np.array(0.7), np.array(1.0))
    >>> round(float(loss), 4), round(float(grad), 4)
    (0.09, -0.6)
    """
    xp, p = to_arrays(prob=prob)
    p = check_probabilities(xp, p, "prob")
    d = p - binary_target(xp, target, p)
    return value_and_grad(xp, d * d, 2 * d, prob, -1)
