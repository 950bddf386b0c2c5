"""Losses of logits through a softmax."""

from __future__ import annotations

from typing import Any, Unpack

import jax
import jax.numpy as jnp

from plogq.errors import check_number, check_share, refuse
from plogq.formulas.surprisal_costs import generalised_cost, poly_cost
from plogq.jax.arguments import ArrayLike, Axis, as_array, as_floats
from plogq.jax.losses import (
    ConfidencePenalty,
    CrossEntropy,
    Distillation,
    GeneralisedCrossEntropy,
    Poly,
    SquaredError,
)
from plogq.jax.options import RowOptions, SoftmaxOptions, TemperedOptions, WeighedOptions
from plogq.jax.softmax import softmax_loss
from plogq.kernels.question import Options, check_options

Loss = Any  # an Array, or (Array, Statistics) with return_stats=True


def cross_entropy(
    logits: ArrayLike,
    target: ArrayLike,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    *,
    weight: ArrayLike | None = None,
    label_smoothing: float = 0.0,
    gamma: float = 0.0,
    **options: Unpack[TemperedOptions],
) -> Loss:
    """−Σ_j w_j t_j log softmax(x)_j of each row, in nats, for labels and distributions alike.

    A class index y is t = [j = y]; smoothing makes t (1 − ε) t + ε/K over the K classes that count.

    Parameters
    ----------
    logits : (…, C, …)
        x, C classes along `axis`; −inf masks a class: probability 0, gradient 0. Where it is the
        target the loss is inf, and the gradient p − t.
    target
        Class indices in the shape of `logits` without `axis`, any integer dtype; or distributions
        in the whole shape.
    axis
        Of the classes; a tuple for classes along several axes, which an index counts in C order.
    where
        bool, what counts: in the shape of the rows, or of the logits. A row that is left out has
        loss 0 and gradient 0, whatever it holds; a class that is left out is masked as by −inf.
    weight : (C,)
        w, by class. A mean divides by Σ_j w_j t_j of its rows.
    label_smoothing
        ε in [0, 1].
    gamma
        γ of the focal loss: a class's term counts (1 − p)^γ.
    **options
        See `TemperedOptions` and `RowOptions`.

    Returns
    -------
    Array, or (Array, Statistics) with `return_stats`
        In nats, float32 or float64: one loss for each row unless `reduction` says otherwise.

    Raises
    ------
    ValueError, TypeError
        A target that is no class or no distribution, with its row; shapes that do not fit. While
        JAX traces, the loss of such a row is NaN, and so is its gradient.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> logits = jnp.array([[2.0, 0.5, -1.0, 0.0]])
    >>> loss = cross_entropy(logits, jnp.array([0]))
    >>> print(loss.round(4))
    [0.3423]
    >>> gradient = jax.grad(lambda x: cross_entropy(x, jnp.array([0])).sum())(logits)
    >>> print([f"{g:.3f}" for g in gradient[0]])
    ['-0.290', '0.158', '0.035', '0.096']

    References
    ----------
    Bridle (1990); smoothing: Szegedy et al. (2016), Rethinking the Inception architecture.
    """
    check_options(Options(label_smoothing, gamma))
    loss = CrossEntropy(float(label_smoothing), float(gamma))
    return softmax_loss(loss, logits, target, weight, None, axis, where, **options)


def softmax_cross_entropy(
    logits: ArrayLike,
    labels: ArrayLike,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    **options: Unpack[SoftmaxOptions],
) -> Loss:
    """`optax.softmax_cross_entropy`: `cross_entropy` of distributions.

    Notes
    -----
    Differs from optax: labels that are negative, do not sum to 1 or have another shape raise.
    Differs from optax: what a label gives to a masked class costs inf; optax leaves it out of the
    sum under `where`, and gives NaN for a −inf logit under a label of 0.
    Differs from optax: float16 and bfloat16 are summed and returned in float32.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> print(f"{softmax_cross_entropy(jnp.array([1.2, -0.8]), jnp.array([0.75, 0.25])):.4f}")
    0.6269
    """
    _check_distributions(logits, labels)
    return cross_entropy(logits, labels, axis, where, **options)


def softmax_cross_entropy_with_integer_labels(
    logits: ArrayLike,
    labels: ArrayLike,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    **options: Unpack[SoftmaxOptions],
) -> Loss:
    """`optax.softmax_cross_entropy_with_integer_labels`: `cross_entropy` of class indices.

    Notes
    -----
    Differs from optax: a label that is no class raises, or gives NaN while JAX traces; optax counts
    one from −C to −1 from the end.
    Differs from optax: a label that `where` leaves out costs inf; optax gives it a number.
    Differs from optax: float16 and bfloat16 are summed and returned in float32.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> print(f"{softmax_cross_entropy_with_integer_labels(jnp.array([1.2, -0.8]), 0):.4f}")
    0.1269
    """
    if not jnp.issubdtype(as_array("labels", labels).dtype, jnp.integer):
        refuse("labels", "be integers as class indices", labels, error=TypeError)
    return cross_entropy(logits, labels, axis, where, **options)


def focal_loss(
    logits: ArrayLike,
    target: ArrayLike,
    gamma: float = 2.0,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    **options: Unpack[WeighedOptions],
) -> Loss:
    """−Σ_j w_j t_j (1 − p_j)^γ log p_j of each row, p = softmax(x): easy rows count less.

    `cross_entropy` has the arguments. A mean divides as there, not by Σ (1 − p)^γ.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> print(f"{focal_loss(jnp.log(jnp.array([0.9, 0.1])), 0):.6f}")
    0.001054

    References
    ----------
    Lin, Goyal, Girshick, He, Dollár (2017), Focal loss for dense object detection.
    """
    return cross_entropy(logits, target, axis, where, gamma=gamma, **options)


def generalised_cross_entropy(
    logits: ArrayLike,
    target: ArrayLike,
    q: float = 0.7,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    *,
    weight: ArrayLike | None = None,
    label_smoothing: float = 0.0,
    **options: Unpack[TemperedOptions],
) -> Loss:
    """Σ_j w_j t_j (1 − p_j^q)/q of each row, p = softmax(x): wrong labels count less.

    q → 0 is `cross_entropy`, in nats; q = 1 is 1 − p_y, half the absolute error. A row costs at
    most 1/q, also where its target is a masked class. A mean divides as in `cross_entropy`.

    Parameters
    ----------
    logits, target, axis, where, weight, label_smoothing, **options
        As for `cross_entropy`.
    q
        In [0, 1]; 0.7 is the paper's.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> print(generalised_cross_entropy(jnp.log(jnp.array([0.25, 0.75])), 0, q=0.5).round(4))
    1.0

    References
    ----------
    Zhang, Sabuncu (2018), Generalized cross entropy loss for training deep neural networks with
    noisy labels, equation 6.
    """
    generalised_cost(q)
    check_options(Options(label_smoothing))
    loss = GeneralisedCrossEntropy(float(label_smoothing), float(q))
    return softmax_loss(loss, logits, target, weight, None, axis, where, **options)


def poly_loss(
    logits: ArrayLike,
    target: ArrayLike,
    epsilon: float = 2.0,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    *,
    weight: ArrayLike | None = None,
    label_smoothing: float = 0.0,
    **options: Unpack[TemperedOptions],
) -> Loss:
    """Σ_j w_j t_j (−log p_j + ε (1 − p_j)) of each row, p = softmax(x): Poly-1, in nats.

    ε = 0 is `cross_entropy`; ε > 0 lets sure, right rows count more. A mean divides as there.

    Parameters
    ----------
    logits, target, axis, where, weight, label_smoothing, **options
        As for `cross_entropy`.
    epsilon
        ε, finite and at least −1; 2 is the paper's for ImageNet.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> print(f"{poly_loss(jnp.log(jnp.array([0.25, 0.75])), 0):.4f}")
    2.8863

    References
    ----------
    Leng et al. (2022), PolyLoss: a polynomial expansion perspective of classification loss
    functions, equation 6.
    """
    poly_cost(epsilon)
    check_options(Options(label_smoothing))
    loss = Poly(float(label_smoothing), float(epsilon))
    return softmax_loss(loss, logits, target, weight, None, axis, where, **options)


def poly_loss_cross_entropy(
    logits: ArrayLike,
    labels: ArrayLike,
    *,
    epsilon: float = 2.0,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    **options: Unpack[WeighedOptions],
) -> Loss:
    """`optax.losses.poly_loss_cross_entropy`: `poly_loss` of distributions.

    Notes
    -----
    Differs from optax as `softmax_cross_entropy` does; ε is a number, at least −1.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> logits, labels = jnp.array([1.2, -0.8]), jnp.array([0.75, 0.25])
    >>> print(f"{poly_loss_cross_entropy(logits, labels):.4f}")
    1.2461
    """
    _check_distributions(logits, labels)
    return poly_loss(logits, labels, epsilon, axis, where, **options)


def _check_distributions(logits: ArrayLike, labels: ArrayLike) -> None:
    """Refuse labels that have not as many axes as the logits."""
    if jnp.ndim(labels) != jnp.ndim(logits):
        expected = f"be distributions of the logits' shape {jnp.shape(logits)}"
        refuse("labels", expected, jnp.shape(labels))


def brier_loss(
    logits: ArrayLike,
    target: ArrayLike,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    **options: Unpack[TemperedOptions],
) -> Loss:
    """Σ_j (p_j − t_j)² of each row, p = softmax(x): the Brier score, in [0, 2].

    `cross_entropy` has the arguments. Its gradient vanishes where the softmax saturates, on the
    wrong class too.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> print(brier_loss(jnp.zeros((1, 2)), jnp.array([0])))
    [0.5]

    References
    ----------
    Brier (1950), Verification of forecasts expressed in terms of probability.
    """
    return softmax_loss(SquaredError(), logits, target, None, None, axis, where, **options)


def distillation_loss(
    logits: ArrayLike,
    teacher: ArrayLike,
    target: ArrayLike | None = None,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    *,
    temperature: float = 2.0,
    alpha: float = 0.5,
    **options: Unpack[RowOptions],
) -> Loss:
    """α T² D_KL(softmax(teacher/T) ‖ softmax(x/T)) + (1 − α) cross_entropy(x, target) of each row.

    T² keeps the size of the gradient as T grows. Without `target` the first term alone, without α.

    Parameters
    ----------
    logits, teacher : (…, C, …)
        Of the student, and of the teacher, to whom no gradient flows, and no softcap is applied.
    target, axis, where, **options
        As for `cross_entropy`; the target's term is at temperature 1.
    temperature
        T > 0.
    alpha
        α in [0, 1], what the teacher counts.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> student, teacher = jnp.array([1.0, 0.0]), jnp.array([3.0, 0.0])
    >>> print(f"{distillation_loss(student, teacher):.4f}")
    0.3610
    >>> print(f"{distillation_loss(student, teacher, 0, alpha=0.25):.4f}")
    0.3252

    References
    ----------
    Hinton, Vinyals, Dean (2015), Distilling the knowledge in a neural network, section 2.
    """
    check_share("alpha", alpha)
    other = jax.lax.stop_gradient(like(logits, "teacher", teacher))
    return softmax_loss(
        Distillation(float(alpha)), logits, target, None, other, axis, where,
        temperature=temperature, **options,
    )  # fmt: skip


def like(logits: ArrayLike, name: str, other: ArrayLike) -> jax.Array:
    """Return another model's logits, which have the shape of these."""
    shape, found = jnp.shape(logits), as_floats(name, other)
    if found.shape != shape:
        refuse(name, f"have the logits' shape {shape}", found.shape)
    return found


def confidence_penalty(
    logits: ArrayLike,
    beta: float = 0.1,
    axis: Axis = -1,
    where: ArrayLike | None = None,
    **options: Unpack[TemperedOptions],
) -> Loss:
    """−β H(softmax(x)) of each row: added to a loss, it makes certainty cost.

    Parameters
    ----------
    logits, axis, where, **options
        As for `cross_entropy`.
    beta
        β; 0.1 is the paper's for small image classifiers.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> print(confidence_penalty(jnp.array([[0.0, 0.0], [0.0, 9.0]]), 1.0).round(4))
    [-0.6931 -0.0012]

    References
    ----------
    Pereyra, Tucker, Chorowski, Kaiser, Hinton (2017), Regularizing neural networks by penalizing
    confident output distributions.
    """
    check_number("beta", beta)
    loss = ConfidencePenalty(float(beta))
    return softmax_loss(loss, logits, None, None, None, axis, where, **options)
