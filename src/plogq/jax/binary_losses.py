"""Losses of one number per element: a logit through a sigmoid, or a probability."""

from __future__ import annotations

from typing import Unpack

from plogq.errors import check_exponent, check_number, check_share, refuse
from plogq.formulas.binary_core import smoothed
from plogq.jax.arguments import (
    Array,
    ArrayLike,
    Validate,
    arithmetic,
    as_floats,
    as_mask,
    as_real,
    broadcast,
    check_range,
    denominator_of,
)
from plogq.jax.engines import ENGINES
from plogq.jax.losses import (
    Asymmetric,
    BinaryCrossEntropy,
    BinaryCrossEntropyOfProbs,
    BinaryFocal,
    ElementLoss,
)
from plogq.jax.options import ElementOptions
from plogq.jax.questions import Elements
from plogq.kernels.question import Options, check_options


def sigmoid_binary_cross_entropy(
    logits: ArrayLike,
    labels: ArrayLike,
    where: ArrayLike | None = None,
    *,
    weight: ArrayLike | None = None,
    pos_weight: ArrayLike | None = None,
    **options: Unpack[ElementOptions],
) -> Array:
    """`optax.sigmoid_binary_cross_entropy`: v (w t softplus(−z) + (1 − t) softplus(z)), in nats.

    softplus(z) = log(1 + exp z) = −log σ(−z).

    Parameters
    ----------
    logits : any shape
        z.
    labels : the same shape
        t in [0, 1].
    where
        bool, broadcasts to that shape: an element that is False has loss 0 and gradient 0, whatever
        it holds.
    weight
        v, broadcasts to that shape. A mean divides by their sum.
    pos_weight
        w, what a positive counts; broadcasts to that shape.
    **options
        See `ElementOptions`.

    Returns
    -------
    Array
        In nats, float32 or float64: one loss for each element unless `reduction` says otherwise.

    Raises
    ------
    ValueError, TypeError
        A target outside [0, 1], with its place; shapes that differ. While JAX traces, the loss of
        such an element is NaN, and so is its gradient.

    Notes
    -----
    Differs from optax: labels outside [0, 1], or of another shape, raise.
    Differs from optax: float16 and bfloat16 are summed and returned in float32.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> print(sigmoid_binary_cross_entropy(jnp.array([200.0, -1.5]), jnp.zeros(2)).round(4))
    [200.       0.2014]
    """
    return _answered(BinaryCrossEntropy(), logits, labels, where, weight, pos_weight, **options)


def binary_focal_loss(
    logits: ArrayLike,
    labels: ArrayLike,
    gamma: float = 2.0,
    alpha: float | None = None,
    where: ArrayLike | None = None,
    *,
    weight: ArrayLike | None = None,
    pos_weight: ArrayLike | None = None,
    **options: Unpack[ElementOptions],
) -> Array:
    """v (α w t (1 − p)^γ (−log p) + (1 − α)(1 − t) p^γ (−log(1 − p))), p = σ(z).

    Without `alpha` both classes weigh 1. Of labels 0 and 1 it is `optax.sigmoid_focal_loss`; of a t
    between them it is the mean over its labels, where optax weighs the whole cross-entropy once.

    Parameters
    ----------
    logits, labels, where, weight, pos_weight, **options
        v, w and the others as for `sigmoid_binary_cross_entropy`.
    gamma
        γ ≥ 0.
    alpha
        α in [0, 1].

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> print(f"{binary_focal_loss(jnp.log(9.0), 1):.6f}")
    0.001054

    References
    ----------
    Lin et al. (2017), Focal loss for dense object detection, equation 5.
    """
    check_exponent("gamma", gamma)
    if alpha is not None:
        check_share("alpha", alpha)
    loss = BinaryFocal(float(gamma), None if alpha is None else float(alpha))
    return _answered(loss, logits, labels, where, weight, pos_weight, **options)


def asymmetric_loss(
    logits: ArrayLike,
    labels: ArrayLike,
    gamma_neg: float = 4.0,
    gamma_pos: float = 1.0,
    margin: float = 0.05,
    where: ArrayLike | None = None,
    *,
    weight: ArrayLike | None = None,
    pos_weight: ArrayLike | None = None,
    **options: Unpack[ElementOptions],
) -> Array:
    """v (w t (1 − p)^γ₊ (−log p) + (1 − t) r^γ₋ (−log(1 − r))), p = σ(z), r = max(p − m, 0).

    In nats. Of many labels, few are positive: easy negatives count less than easy positives, and
    those with p ≤ m nothing. m = 0 and γ₋ = γ₊ is `binary_focal_loss`. The paper's code sums over
    all elements: `reduction="sum"`.

    Parameters
    ----------
    logits, labels, where, weight, pos_weight, **options
        v, w and the others as for `sigmoid_binary_cross_entropy`.
    gamma_neg, gamma_pos
        γ₋ and γ₊, at least 0.
    margin
        m in [0, 1), which the paper's code calls clip.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> print(asymmetric_loss(jnp.log(jnp.array([1.0, 1 / 24])), jnp.zeros(2)).round(4))
    [0.0245 0.    ]

    References
    ----------
    Ridnik et al. (2021), Asymmetric loss for multi-label classification, equations 5 to 7.
    """
    check_exponent("gamma_neg", gamma_neg)
    check_exponent("gamma_pos", gamma_pos)
    check_number("margin", margin)
    if not 0 <= margin < 1:
        refuse("margin", "be at least 0 and less than 1", margin)
    loss = Asymmetric(float(gamma_neg), float(gamma_pos), float(margin))
    return _answered(loss, logits, labels, where, weight, pos_weight, **options)


def binary_cross_entropy(
    probs: ArrayLike,
    labels: ArrayLike,
    where: ArrayLike | None = None,
    *,
    weight: ArrayLike | None = None,
    **options: Unpack[ElementOptions],
) -> Array:
    """−t log p − (1 − t) log(1 − p) of each probability, in nats.

    Nothing is clipped: p = 0 for a positive costs inf. Where there are logits, take
    `sigmoid_binary_cross_entropy`.

    Parameters
    ----------
    probs : any shape
        p in [0, 1].
    labels, where, weight, **options
        As for `sigmoid_binary_cross_entropy`.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> print(binary_cross_entropy(jnp.array([0.9, 0.5]), jnp.array([1.0, 0.0])).round(4))
    [0.1054 0.6931]
    """
    return _answered(BinaryCrossEntropyOfProbs(), probs, labels, where, weight, None, **options)


def _answered(
    loss: ElementLoss,
    numbers: ArrayLike,
    labels: ArrayLike,
    where: ArrayLike | None,
    weight: ArrayLike | None,
    pos_weight: ArrayLike | None,
    /,
    *,
    reduction: str = "none",
    denominator: ArrayLike | None = None,
    validate: Validate = True,
    label_smoothing: float = 0.0,
) -> Array:
    check_options(Options(label_smoothing=label_smoothing))
    divisor = denominator_of(denominator, reduction)
    probs = isinstance(loss, BinaryCrossEntropyOfProbs)
    name = "probs" if probs else "logits"
    z, t = as_floats(name, numbers), as_real("labels", labels)
    if t.shape != z.shape:
        refuse("labels", f"have the shape of {name} {z.shape}", t.shape)
    keep = None if where is None else broadcast("where", as_mask("where", where), z.shape)
    t = check_range("labels", t, 0, 1, "be in [0, 1]", keep, validate)
    z = check_range("probs", z, 0, 1, "be in [0, 1]", keep, validate) if probs else z
    if label_smoothing:
        t = smoothed(t.astype(arithmetic(z)), label_smoothing)
    v, w = (
        None if x is None else broadcast(name, as_real(name, x), z.shape)
        for name, x in (("weight", weight), ("pos_weight", pos_weight))
    )
    question = Elements(loss, t, keep, v, w, reduction, divisor)
    answer: Array = ENGINES.choose(z, question).answer(z, question)
    return answer
