"""Divergences between a model and a truth in logits, each with its gradient in the model's."""

from __future__ import annotations

from typing import Any

from plogq.errors import check_share
from plogq.formulas import softmax_core as core
from plogq.formulas._loss import ValueAndGrad, value_and_grad
from plogq.formulas.arrays import Array, same_shape
from plogq.formulas.softmax_state import checked_logits, softmax_parts


def reverse_kl_from_logits(
    p_logits: Array, q_logits: Array, *, temperature: float = 1.0, axis: int = -1
) -> ValueAndGrad:
    """D_KL(q ‖ p) with p = softmax(p_logits/T), the truth, and q = softmax(q_logits/T), the model.

    Gradient with respect to q_logits: q_k (log(q_k/p_k) − D_KL(q ‖ p)) / T. A model that is trained
    by it leaves out what it cannot match, where `kl_divergence_from_logits` makes it cover all. A
    class masked (−inf) in p alone makes the divergence infinite, and its gradient.

    Raises
    ------
    ValueError
        As `kl_divergence_from_logits`, and for a temperature that is not > 0.

    Examples
    --------
    >>> import numpy as np
    >>> value, grad = reverse_kl_from_logits(np.array([0.0, 0.0]), np.array([0.0, 2.0]))
    >>> round(float(value), 4), grad.round(4)
    (0.3278, array([-0.21,  0.21]))

    References
    ----------
    Gu, Dong, Wei, Huang (2024), MiniLLM: knowledge distillation of large language models.
    """
    xp, a, b, truth, model = _parts(axis, temperature, p_logits, q_logits)
    value = core.kl_divergence(xp, b, a, model, truth, temperature)
    grad = core.reverse_kl_gradient(xp, a, b, truth, model, temperature) / temperature
    return value_and_grad(xp, value, grad, q_logits, axis)


def js_divergence_from_logits(
    p_logits: Array,
    q_logits: Array,
    *,
    beta: float = 0.5,
    temperature: float = 1.0,
    axis: int = -1,
) -> ValueAndGrad:
    """β D_KL(p ‖ m) + (1 − β) D_KL(q ‖ m) with m = β p + (1 − β) q, of two softmaxes.

    p = softmax(p_logits/T) is the truth, q = softmax(q_logits/T) the model. Gradient with respect
    to q_logits: (1 − β) q_k (log(q_k/m_k) − D_KL(q ‖ m)) / T. It is at most the entropy of
    (β, 1 − β), and JS(p, q) at β = ½. Divided by β it tends to D_KL(p ‖ q) as β → 0, and by 1 − β
    to D_KL(q ‖ p) as β → 1. At β = 0 and β = 1 themselves it is these two, undivided, as in the
    trainers of TRL and Liger.

    Parameters
    ----------
    beta : float
        β in [0, 1], the weight of the truth in the mixture.

    Raises
    ------
    ValueError, TypeError
        As `kl_divergence_from_logits`; β outside [0, 1], a temperature that is not > 0.

    Examples
    --------
    >>> import numpy as np
    >>> p, q = np.array([0.0, 0.0]), np.array([0.0, 2.0])
    >>> value, grad = js_divergence_from_logits(p, q, beta=0.1)
    >>> round(float(value), 4), grad.round(4)
    (0.037, array([-0.0304,  0.0304]))

    References
    ----------
    Agarwal et al. (2024), On-policy distillation of language models, equation 1; Huszár (2015),
    How (not) to train your generative model. TRL: `GKDTrainer.generalized_jsd_loss`.
    """
    check_share("beta", beta)
    xp, a, b, truth, model = _parts(axis, temperature, p_logits, q_logits)
    of = a, b, truth, model, temperature, beta
    value = xp.clip(core.js_divergence(xp, *of), max=core.js_limit(beta))
    grad = core.js_gradients(xp, *of)[1] / temperature
    return value_and_grad(xp, value, grad, q_logits, axis)


def _parts(axis: int, temperature: float, p_logits: Array, q_logits: Array) -> tuple[Any, ...]:
    """Return the namespace, both logits, classes last, the parts of both softmaxes."""
    xp, a, b = checked_logits(axis, temperature, p_logits=p_logits, q_logits=q_logits)
    same_shape(a, b, ("p_logits", "q_logits"))
    first, second = softmax_parts(xp, a, temperature), softmax_parts(xp, b, temperature)
    return xp, a, b, first, second
