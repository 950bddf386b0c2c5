"""Losses of logits through a softmax, each with its gradient, one value per row, in nats."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from plogq.formulas._loss import (
    ValueAndGrad,
    check_gamma,
    class_weights,
    smoothed,
    softmax_gradient,
    value_and_grad,
)
from plogq.formulas.arrays import Array, same_shape
from plogq.formulas.distributions import class_targets
from plogq.formulas.softmax_state import Softmax, checked_logits, softmax_parts
from plogq.formulas.terms import kl_terms, power, times


def cross_entropy_from_logits(
    logits: Array,
    target: Any,
    *,
    axis: int = -1,
    weight: Array | None = None,
    label_smoothing: float = 0.0,
) -> ValueAndGrad:
    """−Σ_j u_j log softmax(x)_j with u_j = w_j t_j; gradient (Σ u) p − u.

    Parameters
    ----------
    logits : (…, C, …)
        C classes along `axis`; −inf masks a class: probability 0, gradient 0.
    target
        Class indices in the shape of `logits` without `axis`, or a distribution t (one-hot, soft)
        in its whole shape. Under `jax.jit` nothing can be checked: there an index that is no class
        is a target of zeros, with loss 0 and gradient 0.
    weight : (C,)
        w, by class.
    label_smoothing : float
        ε: t becomes (1 − ε) t + ε/K over the K classes that are not masked. The least loss it
        allows is then the entropy of that target, not 0.

    Returns
    -------
    ValueAndGrad
        Loss of each row, +inf where the target is a masked class, and ∂loss/∂logits.

    Raises
    ------
    ValueError
        If logits are NaN, +inf or all masked, a label is no class, a target is no distribution.
    TypeError
        If class indices are not integers.

    Examples
    --------
    >>> import numpy as np
    >>> loss, grad = cross_entropy_from_logits(np.array([2.0, 0.5, -1.0, 0.0]), 0)
    >>> round(float(loss), 4), grad.round(3)
    (0.3423, array([-0.29 ,  0.158,  0.035,  0.096]))

    References
    ----------
    Bridle (1990); smoothing: Szegedy et al. (2016), Rethinking the Inception architecture.
    """
    xp, x = checked_logits(axis, logits=logits)
    target = smoothed(xp, class_targets(xp, target, x, axis), x, label_smoothing)
    u = class_weights(xp, weight, x) * target
    parts = softmax_parts(xp, x)
    value = xp.sum(times(xp, u, parts.surprisals(xp)), axis=-1)
    return value_and_grad(xp, value, softmax_gradient(xp, parts, u), logits, axis)


def focal_from_logits(
    logits: Array,
    target: Any,
    *,
    gamma: float = 2.0,
    axis: int = -1,
    weight: Array | None = None,
    label_smoothing: float = 0.0,
) -> ValueAndGrad:
    """−Σ_j u_j (1 − p_j)^γ log p_j with u_j = w_j t_j and p = softmax(x): easy rows count less.

    Gradient: with v_j = u_j (1 − p_j)^γ (1 + γ p_j · (−log p_j) / (1 − p_j)), it is (Σ v) p − v.
    γ = 0 is `cross_entropy_from_logits`, whose parameters and errors these are.

    Examples
    --------
    >>> import numpy as np
    >>> loss, _ = focal_from_logits(np.log(np.array([0.9, 0.1])), 0, gamma=2.0)
    >>> round(float(loss), 9)
    0.001053605

    References
    ----------
    Lin, Goyal, Girshick, He, Dollár (2017), Focal loss for dense object detection.
    """
    check_gamma(gamma)
    xp, x = checked_logits(axis, logits=logits)
    target = smoothed(xp, class_targets(xp, target, x, axis), x, label_smoothing)
    u = class_weights(xp, weight, x) * target
    parts = softmax_parts(xp, x)
    surprisal, miss = parts.surprisals(xp), parts.complements(xp)
    share = power(xp, miss, gamma)
    value = xp.sum(times(xp, u * share, surprisal), axis=-1)
    # −log p / (1 − p) → 1 as p → 1; and p · (−log p) → 0 as p → 0.
    slope = xp.where(miss > 0, surprisal / xp.where(miss > 0, miss, 1.0), 1.0)
    v = u * share * (1 + gamma * times(xp, parts.probs(), slope))
    return value_and_grad(xp, value, softmax_gradient(xp, parts, v), logits, axis)


def squared_error_from_logits(logits: Array, target: Any, *, axis: int = -1) -> ValueAndGrad:
    """Σ_j (p_j − t_j)² with p = softmax(x), the Brier score.

    Gradient: 2 p_k ((p_k − t_k) − Σ_j p_j (p_j − t_j)).

    In [0, 2]. Its gradient vanishes where the softmax saturates, on the wrong class too: that is
    why classifiers are trained with cross-entropy. Arguments and errors as in
    `cross_entropy_from_logits`.

    Examples
    --------
    >>> import numpy as np
    >>> loss, grad = squared_error_from_logits(np.array([0.0, 0.0]), 0)
    >>> float(loss), grad
    (0.5, array([-0.5,  0.5]))

    References
    ----------
    Brier (1950), Verification of forecasts expressed in terms of probability.
    """
    xp, x = checked_logits(axis, logits=logits)
    t = class_targets(xp, target, x, axis)
    parts = softmax_parts(xp, x)
    p, d = parts.probs(), softmax_gradient(xp, parts, t)  # d = p − t
    inner = xp.sum(p * d, axis=-1, keepdims=True)
    # At the top d − Σ p d = d (1 − p) − Σ_{others} p d, without the cancellation.
    others = xp.sum(xp.where(parts.is_top, 0.0, p * d), axis=-1, keepdims=True)
    centred = xp.where(parts.is_top, d * parts.complements(xp) - others, d - inner)
    return value_and_grad(xp, xp.sum(d * d, axis=-1), 2 * p * centred, logits, axis)


def kl_divergence_from_logits(p_logits: Array, q_logits: Array, *, axis: int = -1) -> ValueAndGrad:
    """D_KL(softmax(p_logits) ‖ softmax(q_logits)); gradient with respect to q_logits: q − p.

    Never negative, and right to a few ulp however near the two are. A class masked (−inf) in both
    counts for nothing; masked in q alone it makes the divergence infinite.

    Raises
    ------
    ValueError
        If logits are NaN, +inf or all masked, or the shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> value, grad = kl_divergence_from_logits(np.array([0.0, 0.0]), np.array([0.0, 2.0]))
    >>> round(float(value), 6), grad.round(4)
    (0.433781, array([-0.3808,  0.3808]))
    """
    xp, a, b = checked_logits(axis, p_logits=p_logits, q_logits=q_logits)
    same_shape(a, b, ("p_logits", "q_logits"))
    return value_and_grad(xp, *_kl(xp, a, b), q_logits, axis)


def distillation_from_logits(
    logits: Array, teacher_logits: Array, *, temperature: float = 1.0, axis: int = -1
) -> ValueAndGrad:
    """T² · D_KL(softmax(teacher/T) ‖ softmax(student/T)); gradient in the student: T (q_T − p_T).

    The factor T² keeps the gradient's size as T grows: without it the gradient shrinks like 1/T²,
    and mixing with a hard-label loss would need another weight at each T.

    Raises
    ------
    ValueError
        As `kl_divergence_from_logits`, and for a temperature that is not > 0.

    Examples
    --------
    >>> import numpy as np
    >>> student, teacher = np.array([1.0, 0.0]), np.array([3.0, 0.0])
    >>> value, grad = distillation_from_logits(student, teacher, temperature=2.0)
    >>> round(float(value), 6), grad.round(4)
    (0.360953, array([-0.3902,  0.3902]))

    References
    ----------
    Hinton, Vinyals, Dean (2015), Distilling the knowledge in a neural network, section 2.
    """
    xp, teacher, student = checked_logits(
        axis, temperature, teacher_logits=teacher_logits, logits=logits
    )
    same_shape(teacher, student, ("teacher_logits", "logits"))
    value, grad = _kl(xp, teacher, student, temperature)
    return value_and_grad(xp, temperature * (temperature * value), temperature * grad, logits, axis)


def z_loss_from_logits(logits: Array, *, axis: int = -1) -> ValueAndGrad:
    """(log Σ_j exp x_j)²; gradient 2 · lse · p. Keeps the normaliser of a softmax near 1.

    The caller multiplies it with its coefficient (1e-4 is usual). Raises as
    `cross_entropy_from_logits` does for logits.

    Examples
    --------
    >>> import numpy as np
    >>> loss, grad = z_loss_from_logits(np.array([0.0, 0.0]))
    >>> round(float(loss), 6), grad.round(4)
    (0.480453, array([0.6931, 0.6931]))

    References
    ----------
    Chowdhery et al. (2022), PaLM, section 5.
    """
    xp, x = checked_logits(axis, logits=logits)
    parts = softmax_parts(xp, x)
    lse = parts.top + xp.log1p(parts.rest)
    return value_and_grad(xp, (lse * lse)[..., 0], 2 * lse * parts.probs(), logits, axis)


def _kl(xp: ModuleType, a: Array, b: Array, temperature: float = 1.0) -> tuple[Array, Array]:
    """D_KL(p ‖ q) and q − p, for p = softmax(a/T) and q = softmax(b/T) along the last axis."""
    truth, model = softmax_parts(xp, a, temperature), softmax_parts(xp, b, temperature)
    p, q = truth.probs(), model.probs()
    d = _log_ratio(xp, a, b, truth, model, temperature)
    small = xp.abs(d) <= 0.5
    return xp.sum(kl_terms(xp, p, q, d), axis=-1), xp.where(
        small, p * xp.expm1(xp.where(small, d, 0.0)), q - p
    )


def _log_ratio(
    xp: ModuleType, a: Array, b: Array, truth: Softmax, model: Softmax, temperature: float
) -> Array:
    """log(q/p), ±inf where one of them is masked.

    With h = (b − a)/T, less its value at p's top, it is h − log Σ p exp h = h − log1p(Σ p expm1 h):
    for near distributions that keeps the digits that the difference of their logarithms has lost.
    """
    in_p, in_q = a > -xp.inf, b > -xp.inf
    both = in_p & in_q
    h = xp.where(both, b, 0.0) - xp.where(both, a, 0.0)
    h = (h - xp.sum(xp.where(truth.is_top, h, 0.0), axis=-1, keepdims=True)) / temperature
    h = xp.where(both, h, 0.0)
    near = xp.all((xp.abs(h) <= 1) & (in_p == in_q), axis=-1, keepdims=True)
    h = xp.where(near, h, 0.0)
    close = h - xp.log1p(xp.sum(truth.probs() * xp.expm1(h), axis=-1, keepdims=True))
    far = xp.where(both, truth.surprisals(xp), 0.0) - xp.where(both, model.surprisals(xp), 0.0)
    edge = xp.where(in_p, -xp.inf, xp.where(in_q, xp.inf, xp.zeros_like(h)))
    return xp.where(both, xp.where(near, close, far), edge)
