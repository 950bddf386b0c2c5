"""A linear layer and its cross-entropy, without all logits at once."""

from __future__ import annotations

from typing import Unpack

from plogq.errors import check_count, refuse
from plogq.jax.arguments import ArrayLike, arithmetic, as_floats, shaped
from plogq.jax.engines import ENGINES
from plogq.jax.losses import CrossEntropy
from plogq.jax.options import TemperedOptions
from plogq.jax.questions import Head
from plogq.jax.softmax import asked
from plogq.jax.softmax_losses import Loss
from plogq.kernels.question import Options, check_options

WORKSPACE = 2**28


def linear_cross_entropy(
    hidden: ArrayLike,
    weight: ArrayLike,
    target: ArrayLike,
    bias: ArrayLike | None = None,
    where: ArrayLike | None = None,
    *,
    class_weight: ArrayLike | None = None,
    label_smoothing: float = 0.0,
    gamma: float = 0.0,
    workspace: int = WORKSPACE,
    **options: Unpack[TemperedOptions],
) -> Loss:
    """`cross_entropy` of the logits hidden · weightᵀ + bias, of which only some exist at a time.

    The products are in the dtype of `hidden`, logits and losses in float32, and so is the sum over
    rows that becomes the gradient of `weight`. The gradient computes the logits again.

    Parameters
    ----------
    hidden : (N, D)
        What the last layer is given, a row for each token.
    weight : (C, D)
        The last layer's; float32 beside a `hidden` of half precision has its gradient in float32.
    target : (N,) or (N, C)
        Class indices, or distributions.
    bias : (C,)
        The last layer's.
    where : (N,) or (N, C)
        As for `cross_entropy`.
    class_weight : (C,)
        What `cross_entropy` calls weight.
    label_smoothing, gamma, **options
        As for `cross_entropy`.
    workspace
        Bytes of memory for logits and their gradient, beside a float32 gradient of `weight`; one
        row at least is computed at a time.

    Returns
    -------
    Array, or (Array, Statistics) with `return_stats`
        In nats: one loss for each row unless `reduction` says otherwise.

    Raises
    ------
    ValueError, TypeError
        As `cross_entropy`; shapes that do not fit.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from plogq.jax import cross_entropy
    >>> hidden, weight = jnp.eye(2), jnp.array([[2.0, 0.0], [0.5, 1.0], [0.0, 0.0]])
    >>> labels = jnp.array([0, 1])
    >>> print(linear_cross_entropy(hidden, weight, labels).round(4))
    [0.3064 0.5514]
    >>> print(cross_entropy(hidden @ weight.T, labels).round(4))
    [0.3064 0.5514]
    """
    check_options(Options(label_smoothing, gamma))
    check_count("workspace", workspace)
    h, matrix = as_floats("hidden", hidden), as_floats("weight", weight)
    if h.ndim != 2:
        refuse("hidden", "have shape (N, D)", h.shape)
    if matrix.ndim != 2 or matrix.shape[1] != h.shape[1]:
        refuse("weight", f"have shape (C, {h.shape[1]})", matrix.shape)
    b = None if bias is None else as_floats("bias", bias)
    classes = len(matrix)
    if b is not None and b.shape != (classes,):
        refuse("bias", f"have shape ({classes},)", b.shape)
    logits = shaped((len(h), classes), arithmetic(h))
    loss = CrossEntropy(float(label_smoothing), float(gamma))
    rows = asked(loss, logits, target, class_weight, None, -1, where, **options)
    question = Head(rows, matrix, b, workspace)
    found: Loss = ENGINES.choose(h, question).answer(h, question)
    return found
