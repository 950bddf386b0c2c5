"""The arithmetic of softmax losses, classes last, without a check: for formulas and engines alike.

What `plogq.formulas.softmax_losses` promises is computed here. A framework's own engine takes the
values from here and derives them automatically; the gradients are for callers that cannot.
"""

from __future__ import annotations

import math
from types import ModuleType

from plogq.formulas.arrays import Array
from plogq.formulas.softmax_state import Softmax
from plogq.formulas.terms import js_share, kl_terms, mixture_log_ratios, power, times


def capped(xp: ModuleType, x: Array, softcap: float) -> Array:
    """Return c tanh(x / c); −inf stays a masked class, and inf no logit.

    Capped, an overflow would pass for a large logit.
    """
    finite = xp.isfinite(x)  # the rest stays out of tanh's derivative too: 0 · NaN is NaN
    return xp.where(finite, softcap * xp.tanh(xp.where(finite, x, 0.0) / softcap), x)


def smoothed(xp: ModuleType, target: Array, x: Array, smoothing: float) -> Array:
    """(1 − ε) t + ε / K over the K classes that are not masked by a logit of −inf."""
    if smoothing == 0:
        return target
    open_ = xp.astype(x > -xp.inf, x.dtype)
    return (1 - smoothing) * target + smoothing * open_ / xp.sum(open_, axis=-1, keepdims=True)


def class_costs(xp: ModuleType, parts: Softmax, gamma: float = 0.0) -> Array:
    """Return (1 − p_j)^γ (−log p_j) of each class; inf, as surprisal is, for a masked one."""
    surprisal = parts.surprisals(xp)
    if not gamma:
        return surprisal
    # The derivative of a share must not meet an infinite surprisal: 0 · inf is NaN.
    masked = surprisal == xp.inf
    cost = power(xp, parts.complements(xp), gamma) * xp.where(masked, 0.0, surprisal)
    return xp.where(masked, surprisal, cost)


def class_slopes(xp: ModuleType, parts: Softmax, gamma: float) -> Array:
    """Return s_j = (1 − p_j)^γ (1 + γ p_j (−log p_j) / (1 − p_j)).

    The loss Σ_j u_j `class_costs`_j has the gradient `softmax_gradient` of v_j = u_j s_j.
    """
    surprisal, miss = parts.surprisals(xp), parts.complements(xp)
    # p · (−log p) → 0 as p → 0, and an infinite factor would make NaN of the derivative there.
    surprisal = xp.where(surprisal == xp.inf, 0.0, surprisal)
    # −log p / (1 − p) → 1 as p → 1.
    ratio = xp.where(miss > 0, surprisal / xp.where(miss > 0, miss, 1.0), 1.0)
    return power(xp, miss, gamma) * (1 + gamma * parts.probs() * ratio)


def softmax_gradient(xp: ModuleType, parts: Softmax, v: Array) -> Array:
    """∇_x Σ_j v_j (lse − x_j) = (Σ v) p − v, the gradient of every loss that is linear in log p.

    It is computed as (Σ_{j≠k} v_j) p_k − v_k (1 − p_k), which does not cancel if v is one class.
    """
    beside_top = xp.sum(xp.where(parts.is_top, 0.0, v), axis=-1, keepdims=True)
    others = xp.where(parts.is_top, beside_top, xp.sum(v, axis=-1, keepdims=True) - v)
    return others * parts.probs() - v * parts.complements(xp)


def differences(xp: ModuleType, parts: Softmax, t: Array) -> Array:
    """Return p − t; where both are near 1 it is computed as (1 − t) − (1 − p)."""
    return xp.where(t > 0.5, (1 - t) - parts.complements(xp), parts.probs() - t)


def squared_error(xp: ModuleType, parts: Softmax, t: Array) -> Array:
    """Return Σ_j (p_j − t_j)² of each row."""
    d = differences(xp, parts, t)
    return xp.sum(d * d, axis=-1)


def squared_error_gradient(xp: ModuleType, parts: Softmax, t: Array) -> Array:
    """Return 2 p_k ((p_k − t_k) − Σ_j p_j (p_j − t_j))."""
    return 2 * through_softmax(xp, parts, differences(xp, parts, t))


def through_softmax(xp: ModuleType, parts: Softmax, g: Array) -> Array:
    """Return p_k (g_k − Σ_j p_j g_j), the gradient in z = x / T of what has the gradient g in p."""
    p = parts.probs()
    inner = xp.sum(p * g, axis=-1, keepdims=True)
    # At the top g − Σ p g = g (1 − p) − Σ_{others} p g, which does not cancel.
    others = xp.sum(xp.where(parts.is_top, 0.0, p * g), axis=-1, keepdims=True)
    return p * xp.where(parts.is_top, g * parts.complements(xp) - others, g - inner)


def entropy(xp: ModuleType, parts: Softmax) -> Array:
    """Return H(p) = log1p(r) + Σ_j p_j (m − x_j) / T of each row: no term is negative."""
    return xp.log1p(parts.rest)[..., 0] + xp.sum(times(xp, parts.probs(), parts.drop), axis=-1)


def log_normaliser(xp: ModuleType, parts: Softmax, temperature: float = 1.0) -> Array:
    """Return log Σ_j exp(x_j / T) of each row."""
    return (parts.top / temperature + xp.log1p(parts.rest))[..., 0]


def kl_divergence(
    xp: ModuleType, a: Array, b: Array, truth: Softmax, model: Softmax, temperature: float
) -> Array:
    """Return D_KL(p ‖ q) of each row, p = softmax(a/T) and q = softmax(b/T)."""
    d = log_ratio_of_softmaxes(xp, a, b, truth, model, temperature)
    return xp.sum(kl_terms(xp, truth.probs(), model.probs(), d), axis=-1)


def kl_divergence_gradient(
    xp: ModuleType, a: Array, b: Array, truth: Softmax, model: Softmax, temperature: float
) -> Array:
    """Return q − p, as p expm1(log q/p) where the two are near."""
    p, q = truth.probs(), model.probs()
    d = log_ratio_of_softmaxes(xp, a, b, truth, model, temperature)
    small = xp.abs(d) <= 0.5
    return xp.where(small, p * xp.expm1(xp.where(small, d, 0.0)), q - p)


def reverse_kl_gradient(
    xp: ModuleType, a: Array, b: Array, truth: Softmax, model: Softmax, temperature: float
) -> Array:
    """Return q_k (log(q_k/p_k) − D_KL(q ‖ p)), the gradient of D_KL(q ‖ p) in b/T.

    Where p masks classes that q does not, it is inf for these and −inf for the others.
    """
    q, d = model.probs(), log_ratio_of_softmaxes(xp, a, b, truth, model, temperature)
    alone = (d == xp.inf) & (q > 0)
    infinite = xp.any(alone, axis=-1, keepdims=True) & (q > 0)
    finite = through_softmax(xp, model, xp.where(xp.isinf(d), 0.0, d))
    return xp.where(alone, xp.inf, xp.where(infinite, -xp.inf, finite))


def js_divergence(
    xp: ModuleType,
    a: Array,
    b: Array,
    first: Softmax,
    second: Softmax,
    temperature: float,
    beta: float = 0.5,
) -> Array:
    """Return β D_KL(p ‖ m) + (1 − β) D_KL(q ‖ m) with m = β p + (1 − β) q, of each row.

    p = softmax(a/T) and q = softmax(b/T). β = 0 gives D_KL(p ‖ q), and β = 1 D_KL(q ‖ p).
    """
    if beta == 0:
        return kl_divergence(xp, a, b, first, second, temperature)
    if beta == 1:
        return kl_divergence(xp, b, a, second, first, temperature)
    p, q = first.probs(), second.probs()
    d = log_ratio_of_softmaxes(xp, a, b, first, second, temperature)
    one_alone = xp.isinf(d)  # the other distribution masks this class
    d = xp.where(one_alone, 0.0, d)
    if beta == 0.5:
        share = xp.where(one_alone, 2 * math.log(2), js_share(xp, d))
        return xp.sum((p + q) / 4 * share, axis=-1)
    of_p, of_q = mixture_log_ratios(xp, d, beta)
    m = beta * p + (1 - beta) * q
    terms = beta * kl_terms(xp, p, m, of_p) + (1 - beta) * kl_terms(xp, q, m, of_q)
    alone = -beta * math.log(beta) * p - (1 - beta) * math.log1p(-beta) * q
    return xp.sum(xp.where(one_alone, alone, terms), axis=-1)


def js_gradients(
    xp: ModuleType,
    a: Array,
    b: Array,
    first: Softmax,
    second: Softmax,
    temperature: float,
    beta: float,
) -> tuple[Array, Array]:
    """Return the gradients of `js_divergence` in a/T and in b/T.

    They are β p_k (log(p_k/m_k) − D_KL(p ‖ m)) and (1 − β) q_k (log(q_k/m_k) − D_KL(q ‖ m)).
    """
    of, swapped = (a, b, first, second), (b, a, second, first)
    if beta in (0, 1):
        forward, back = (of, swapped) if beta == 0 else (swapped, of)
        found = (
            reverse_kl_gradient(xp, *back, temperature),
            kl_divergence_gradient(xp, *forward, temperature),
        )
        return found if beta == 0 else found[::-1]
    d = log_ratio_of_softmaxes(xp, *of, temperature)
    of_p, of_q = mixture_log_ratios(xp, xp.where(xp.isinf(d), 0.0, d), beta)
    of_p = xp.where(d == -xp.inf, math.log(beta), of_p)
    of_q = xp.where(d == xp.inf, math.log1p(-beta), of_q)
    return (
        -beta * through_softmax(xp, first, of_p),
        (beta - 1) * through_softmax(xp, second, of_q),
    )


def js_limit(beta: float) -> float:
    """Return the largest divergence: the entropy of (β, 1 − β); inf for the two relative ones."""
    if beta in (0, 1):
        return math.inf
    return -beta * math.log(beta) - (1 - beta) * math.log1p(-beta)


def log_ratio_of_softmaxes(
    xp: ModuleType, a: Array, b: Array, truth: Softmax, model: Softmax, temperature: float
) -> Array:
    """log(q/p), ±inf where one of them is masked.

    With h = (b − a)/T minus its value at p's top, it is h − log Σ p exp h = h − log1p(Σ p expm1 h).
    For near distributions this keeps digits that the difference of their logarithms would lose.
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
    # −inf with the derivative of log q, as cross-entropy has it where a target is masked.
    edge = xp.where(in_p, -model.surprisals(xp), xp.where(in_q, xp.inf, xp.zeros_like(h)))
    return xp.where(both, xp.where(near, close, far), edge)
