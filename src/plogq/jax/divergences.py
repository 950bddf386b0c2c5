"""Losses of log-probabilities, and divergences between distributions."""

from __future__ import annotations

import math
from functools import partial
from typing import Unpack

import jax
import jax.numpy as jnp

from plogq.errors import check_share, refuse
from plogq.formulas.terms import normal_kl_terms
from plogq.jax.arguments import (
    Array,
    ArrayLike,
    Axis,
    Validate,
    arithmetic,
    as_floats,
    as_real,
    broadcast,
    check_range,
    classes_last,
    denominator_of,
    masks,
)
from plogq.jax.losses import JSDivergence, NegativeLogLikelihood, ReverseKL
from plogq.jax.options import ReducedOptions, TemperedOptions
from plogq.jax.reductions import finished
from plogq.jax.softmax import softmax_loss
from plogq.jax.softmax_losses import Loss, like


def nll_loss(
    log_probs: ArrayLike,
    target: ArrayLike,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    *,
    weight: ArrayLike | None = None,
    **options: Unpack[ReducedOptions],
) -> Loss:
    """−Σ_j w_j t_j log q_j of each row of log-probabilities, in nats.

    Parameters
    ----------
    log_probs : (…, C, …)
        log q. From logits, `cross_entropy` is more exact.
    target, axis, where, weight, **options
        As for `cross_entropy`.

    Raises
    ------
    ValueError, TypeError
        As `cross_entropy`; a log-probability above 0.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> print(nll_loss(jnp.log(jnp.array([[0.7, 0.2, 0.1]])), jnp.array([0])).round(4))
    [0.3567]
    """
    loss = NegativeLogLikelihood()
    x = as_floats("log_probs", log_probs)
    masks(where, x, axis)
    x = _log_probs("log_probs", x, _counted(where, x, axis), options.get("validate", True))
    return softmax_loss(loss, x, target, weight, None, axis, where, **options)


def kl_divergence(
    log_predictions: ArrayLike,
    targets: ArrayLike,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    **options: Unpack[ReducedOptions],
) -> Array:
    """`optax.kl_divergence`: Σ_j t_j (log t_j − log q_j) = D_KL(t ‖ q) of each row, in nats.

    The model comes first, in log-probabilities; the truth second, in probabilities.

    Parameters
    ----------
    log_predictions : (…, C, …)
        log q.
    targets
        t, in the same shape.
    axis
        Of the outcomes; a tuple for several axes.
    where
        bool, what is summed: in the shape of the rows, or of the predictions.
    **options
        See `ReducedOptions`; a mean divides by the number of rows.

    Raises
    ------
    ValueError, TypeError
        A log-probability above 0, or a probability below it, with its place (NaN while JAX traces);
        shapes that differ.

    Notes
    -----
    Differs from optax: what is impossible under the targets has the gradient 0, to both; optax has
    NaN.
    Differs from optax: probabilities given as log-predictions raise; optax gives a number.
    Differs from optax: float16 and bfloat16 are summed and returned in float32.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> q, p = jnp.array([0.33, 0.33, 0.34]), jnp.array([0.6, 0.3, 0.1])
    >>> print(f"{kl_divergence(jnp.log(q), p):.4f}")
    0.2077
    """
    return _kl_divergence(log_predictions, targets, False, axis, where, **options)


def kl_divergence_with_log_targets(
    log_predictions: ArrayLike,
    log_targets: ArrayLike,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    **options: Unpack[ReducedOptions],
) -> Array:
    """`optax.kl_divergence_with_log_targets`: `kl_divergence` of targets in logarithms.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> q, p = jnp.array([0.33, 0.33, 0.34]), jnp.array([0.6, 0.3, 0.1])
    >>> print(f"{kl_divergence_with_log_targets(jnp.log(q), jnp.log(p)):.4f}")
    0.2077
    """
    return _kl_divergence(log_predictions, log_targets, True, axis, where, **options)


def _kl_divergence(
    log_predictions: ArrayLike,
    targets: ArrayLike,
    log_target: bool,
    axis: Axis,
    where: ArrayLike | None,
    /,
    *,
    reduction: str = "none",
    denominator: ArrayLike | None = None,
    validate: Validate = True,
) -> Array:
    divisor = denominator_of(denominator, reduction)
    x = as_floats("log_predictions", log_predictions)
    name = "log_targets" if log_target else "targets"
    t = as_real(name, targets)
    if t.shape != x.shape:
        refuse(name, f"have the shape of log_predictions {x.shape}", t.shape)
    keep, counted = masks(where, x, axis)[1], _counted(where, x, axis)
    x = _log_probs("log_predictions", x, counted, validate)
    if log_target:
        t = _log_probs(name, t, counted, validate)
    else:
        expected = "be probabilities, none negative or NaN"
        t = check_range(name, t, 0, math.inf, expected, counted, validate)
    dtype = arithmetic(x)
    terms = _kl_terms(x.astype(dtype), t.astype(dtype), counted, log_target)
    rows = classes_last("log_predictions", terms, axis).sum(-1)
    return finished(rows, keep, None, reduction, divisor)


def _counted(where: ArrayLike | None, x: Array, axis: Axis) -> Array | None:
    """Return which of the elements of x count, like x; None for all."""
    if where is None:
        return None
    where = jnp.asarray(where)
    if where.ndim != x.ndim and axis is not None:
        where = jnp.expand_dims(where, axis)
    return jnp.broadcast_to(where, x.shape)


def _log_probs(name: str, x: Array, counted: Array | None, validate: Validate) -> Array:
    """Refuse log-probabilities above 0, by more than √eps, which a rounded sum may make of them."""
    limit = float(jnp.finfo(x.dtype).eps ** 0.5)  # type: ignore[no-untyped-call]
    expected = "be log-probabilities, at most 0"
    return check_range(name, x, -math.inf, limit, expected, counted, validate)


@partial(jax.jit, static_argnums=3)
def _kl_terms(x: Array, t: Array, counted: Array | None, log_target: bool) -> Array:
    """t (log t − x), 0 with the derivative 0 where t is 0 or is not counted."""
    some = t != (-jnp.inf if log_target else 0)  # NaN counts, to be seen
    some = some if counted is None else some & counted
    t = jnp.where(some, t, 0.0 if log_target else 1.0)
    p, log_p = (jnp.exp(t), t) if log_target else (t, jnp.log(t))
    return jnp.where(some, p * (log_p - x), 0.0)


def js_divergence_loss(
    p_logits: ArrayLike,
    q_logits: ArrayLike,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    *,
    beta: float = 0.5,
    **options: Unpack[TemperedOptions],
) -> Loss:
    """β D_KL(p ‖ m) + (1 − β) D_KL(q ‖ m), m = β p + (1 − β) q, of two softmaxes, in nats.

    Differentiable in both; at most the entropy of (β, 1 − β). β = ½ is JS(p, q), symmetric and in
    [0, ln 2]. It is not multiplied by T². Divided by β it tends to D_KL(p ‖ q) as β → 0, and by
    1 − β to D_KL(q ‖ p) as β → 1. At β = 0 and β = 1 it is these two, undivided, as in TRL and
    Liger.

    Parameters
    ----------
    p_logits, q_logits : (…, C, …)
        Logits of p, in a distillation the teacher, and of q.
    axis, where, **options
        As for `cross_entropy`: `where`, softcap and temperature are for both; z_loss and the
        statistics are those of p.
    beta
        β in [0, 1].

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> print(f"{js_divergence_loss(jnp.array([0.0, 0.0]), jnp.array([0.0, 2.0])):.4f}")
    0.0895

    References
    ----------
    Lin (1991), Divergence measures based on the Shannon entropy; Agarwal et al. (2024), On-policy
    distillation of language models, equation 1. TRL: `GKDTrainer.generalized_jsd_loss`.
    """
    check_share("beta", beta)
    other = like(p_logits, "q_logits", q_logits)
    loss = JSDivergence(float(beta))
    return softmax_loss(loss, p_logits, None, None, other, axis, where, **options)


def reverse_kl_loss(
    p_logits: ArrayLike,
    q_logits: ArrayLike,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    **options: Unpack[TemperedOptions],
) -> Loss:
    """D_KL(q ‖ p) of two softmaxes, p the truth and q the model, in nats; differentiable in both.

    A model that is trained by it leaves out what it cannot match, where `distillation_loss`, which
    is D_KL(p ‖ q), makes it cover all.

    Parameters
    ----------
    p_logits, q_logits : (…, C, …)
        Logits of the truth, in a distillation the teacher (`jax.lax.stop_gradient` them if it shall
        not learn), and of the model. A class that is masked (−inf) in p alone makes the loss inf,
        with a gradient that is not finite: mask it in q, too.
    axis, where, **options
        As for `cross_entropy`: `where`, softcap and temperature are for both, and the loss is not
        multiplied by T²; z_loss and the statistics are those of q.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> print(f"{reverse_kl_loss(jnp.array([0.0, 0.0]), jnp.array([0.0, 2.0])):.4f}")
    0.3278

    References
    ----------
    Gu, Dong, Wei, Huang (2024), MiniLLM: knowledge distillation of large language models.
    """
    other = like(q_logits, "p_logits", p_logits)
    return softmax_loss(ReverseKL(), q_logits, None, None, other, axis, where, **options)


def gaussian_kl(
    mean: ArrayLike,
    log_variance: ArrayLike,
    q_mean: ArrayLike = 0.0,
    q_log_variance: ArrayLike = 0.0,
    axis: Axis = -1,
    *,
    reduction: str = "none",
    denominator: ArrayLike | None = None,
) -> Array:
    """D_KL(N(μ, σ²) ‖ N(m, s²)) of diagonal normals: the regulariser of a VAE by default.

    ½ Σ_i [(μ_i − m_i)²/s_i² + σ_i²/s_i² − 1 − log(σ_i²/s_i²)], **summed** over the latent
    dimensions.

    Parameters
    ----------
    mean, log_variance : (…, D, …)
        μ and log σ², the encoder's.
    q_mean, q_log_variance
        m and log s², the prior's; broadcast.
    axis
        Of the latent dimensions; a tuple for several.
    reduction, denominator
        As `RowOptions` has them; a mean divides by the size of the batch.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> print(f"{gaussian_kl(jnp.array([0.5, 0.0]), jnp.array([-1.0, 0.0])):.4f}")
    0.3089

    References
    ----------
    Kingma, Welling (2013), Auto-encoding variational Bayes, appendix B.
    """
    divisor = denominator_of(denominator, reduction)
    mu, v = as_floats("mean", mean), as_real("log_variance", log_variance)
    if v.shape != mu.shape:
        refuse("log_variance", f"have the mean's shape {mu.shape}", v.shape)
    prior = {"q_mean": q_mean, "q_log_variance": q_log_variance}
    m, w = (broadcast(name, as_real(name, x), mu.shape) for name, x in prior.items())
    dtype = arithmetic(mu)
    terms = normal_kl_terms(jnp, *(x.astype(dtype) for x in (mu, v, m, w)))
    return finished(classes_last("mean", terms, axis).sum(-1), None, None, reduction, divisor)
