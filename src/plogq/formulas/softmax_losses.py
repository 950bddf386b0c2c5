"""Losses of logits through a softmax, each with its gradient, one value per row, in nats."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from plogq.formulas import softmax_core as core
from plogq.formulas._loss import (
    ValueAndGrad,
    check_gamma,
    class_weights,
    smoothed,
    value_and_grad,
)
from plogq.formulas.arrays import Array, same_shape
from plogq.formulas.distributions import class_targets
from plogq.formulas.softmax_state import checked_logits, softmax_parts
from plogq.formulas.terms import times


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
        in its whole shape. Under `jax.jit` values cannot be looked at: there the loss of a row
        whose target would be refused is NaN, and so is its gradient.
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
    value = xp.sum(times(xp, u, core.class_costs(xp, parts)), axis=-1)
    return value_and_grad(xp, value, core.softmax_gradient(xp, parts, u), logits, axis)


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
    value = xp.sum(times(xp, u, core.class_costs(xp, parts, gamma)), axis=-1)
    v = u * core.class_slopes(xp, parts, gamma)
    return value_and_grad(xp, value, core.softmax_gradient(xp, parts, v), logits, axis)


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
    value, grad = core.squared_error(xp, parts, t), core.squared_error_gradient(xp, parts, t)
    return value_and_grad(xp, value, grad, logits, axis)


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
    value, grad = _kl(xp, a, b, 1.0)
    return value_and_grad(xp, value, grad, q_logits, axis)


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
    lse = core.log_normaliser(xp, parts)
    grad = 2 * lse[..., None] * parts.probs()
    return value_and_grad(xp, lse * lse, grad, logits, axis)


def _kl(xp: ModuleType, a: Array, b: Array, temperature: float) -> tuple[Array, Array]:
    """D_KL(p ‖ q) and q − p, for p = softmax(a/T) and q = softmax(b/T) along the last axis."""
    truth, model = softmax_parts(xp, a, temperature), softmax_parts(xp, b, temperature)
    of = xp, a, b, truth, model, temperature
    return core.kl_divergence(*of), core.kl_divergence_gradient(*of)
