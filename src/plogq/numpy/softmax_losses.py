"""Losses of logits through a softmax."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from plogq.kernels.question import Options, check_options
from plogq.numpy._batch import Batch
from plogq.numpy._engines import CROSS_ENTROPY, ENGINES, SQUARED_ERROR, RowLoss, Task, statistics
from plogq.numpy._reducer import Array, Reducer, Reduction, checked_weights


def cross_entropy(
    logits: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    weight: npt.ArrayLike | None = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    label_smoothing: float = 0.0,
    gamma: float = 0.0,
    temperature: float = 1.0,
    z_loss: float = 0.0,
    softcap: float | None = None,
    row_weight: npt.ArrayLike | None = None,
    mask: npt.ArrayLike | None = None,
    denominator: float | None = None,
    return_grad: bool = False,
    out: Array | None = None,
    return_stats: bool = False,
    validate: bool = True,
    threads: int | None = None,
) -> Any:
    """Cross-entropy of softmax(logits) with targets, and its gradient in one pass.

    loss_i = −Σ_j w_j t_ij log softmax(x_i)_j; a class index y is t_ij = [j = y_i], and without
    options the gradient of loss_i is p_ij − [j = y_i].

    Parameters
    ----------
    logits
        x: float32, float64 or float16, shape (C,), (N, C) or (N, C, d1, …), any strides: nothing is
        copied, but for d axes that cannot be one. The loss of float16 is float32, its gradient
        float16. −inf is a masked class: probability 0, gradient 0, and loss +inf where it is the
        target.
    target
        y: integers in [0, C), in that shape without C; or distributions t, floating point, in it.
    weight
        w, by class: finite, not negative, shape (C,); 1 without.
    ignore_index
        Rows with this class are left out; their logits may be anything. Not for distributions.
    reduction
        "mean", "sum", or "none" for the loss of each row. A mean over class indices divides by
        Σ w_y, one over distributions by their number, each row times its row_weight.
    label_smoothing
        ε in [0, 1]: t becomes (1 − ε) t + ε/K over the K classes that are not masked.
    gamma
        γ ≥ 0, of the focal loss: a class's term counts (1 − p)^γ.
    temperature
        T > 0: the loss of x / T, with its gradient in x.
    z_loss
        ζ: adds ζ (log Σ exp(x / T))² to the loss of each row.
    softcap
        c > 0: the logits are first replaced by c tanh(x / c), in a copy.
    row_weight
        The weight of each row: finite, not negative, in the shape of the labels; 1 by default.
    mask
        bool, in that shape: a row that is False is left out, whatever it holds.
    denominator
        The divisor of the mean instead of the sum of weights; in gradient accumulation, the global
        sum. At least 0; 0 (no row is left anywhere) divides as 1.
    return_grad
        Also return the gradient.
    out
        Receives the gradient, which is returned, too. May be the logits themselves: the gradient
        then replaces them, even if a distribution is refused, and no memory is needed.
    return_stats
        Also return `Statistics`, last.
    validate
        Refuse distributions that are negative or do not sum to 1; with gamma always.
    threads
        The most threads to use; by default all CPUs of the process, or OMP_NUM_THREADS. The result
        does not depend on it.

    Returns
    -------
    loss, (loss, gradient), (loss, Statistics) or (loss, gradient, Statistics)
        In nats; the gradient of the reduced loss (with "none": of each row's own loss), in the
        shape and dtype of the logits.

    Raises
    ------
    ValueError, TypeError
        Shapes or dtypes that do not fit; a target that is no class or no distribution; NaN, +inf or
        nothing but −inf in a row; an `out` that is read-only or overlaps the logits in part.

    Examples
    --------
    >>> logits = np.array([[2.0, 0.5, -1.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    >>> loss, grad = cross_entropy(logits, [0, 3], return_grad=True)
    >>> print(f"{loss:.4f}")
    0.8643
    >>> grad.round(3)
    array([[-0.145,  0.079,  0.018,  0.048],
           [ 0.125,  0.125,  0.125, -0.375]])

    References
    ----------
    Bridle (1990), Probabilistic interpretation of feedforward classification network outputs.
    """
    options = Options(label_smoothing, gamma, temperature, z_loss)
    return answered(
        CROSS_ENTROPY, logits, target, options, weight=weight, ignore_index=ignore_index,
        reduction=reduction, softcap=softcap, row_weight=row_weight, mask=mask,
        denominator=denominator, return_grad=return_grad, out=out, return_stats=return_stats,
        validate=validate, threads=threads,
    )  # fmt: skip


def squared_error(
    logits: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    temperature: float = 1.0,
    z_loss: float = 0.0,
    softcap: float | None = None,
    row_weight: npt.ArrayLike | None = None,
    mask: npt.ArrayLike | None = None,
    denominator: float | None = None,
    return_grad: bool = False,
    out: Array | None = None,
    return_stats: bool = False,
) -> Any:
    """Squared error of softmax(logits) against its targets (the Brier score), and its gradient.

    loss_i = Σ_j (p_ij − t_ij)², in [0, 2]; its gradient vanishes where the softmax saturates,
    on the wrong class too: that is why classifiers are trained with cross-entropy.

    Parameters
    ----------
    logits, target, ignore_index, reduction, temperature, z_loss, softcap, row_weight, mask
        As for `cross_entropy`.
    denominator, return_grad, out, return_stats
        As for `cross_entropy`.

    Returns
    -------
    loss, (loss, gradient), (loss, Statistics) or (loss, gradient, Statistics)
        As for `cross_entropy`; the loss has no unit.

    Raises
    ------
    ValueError, TypeError
        As `cross_entropy`.

    Examples
    --------
    >>> float(squared_error(np.array([[0.0, 0.0]]), [0]))
    0.5

    References
    ----------
    Brier (1950), Verification of forecasts expressed in terms of probability.
    """
    options = Options(temperature=temperature, z_loss=z_loss)
    return answered(
        SQUARED_ERROR, logits, target, options, ignore_index=ignore_index, reduction=reduction,
        softcap=softcap, row_weight=row_weight, mask=mask, denominator=denominator,
        return_grad=return_grad, out=out, return_stats=return_stats,
    )  # fmt: skip


def answered(
    loss: RowLoss,
    logits: npt.ArrayLike,
    target: npt.ArrayLike,
    options: Options,
    *,
    weight: npt.ArrayLike | None = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    softcap: float | None = None,
    row_weight: npt.ArrayLike | None = None,
    mask: npt.ArrayLike | None = None,
    denominator: float | None = None,
    return_grad: bool = False,
    out: Array | None = None,
    return_stats: bool = False,
    validate: bool = True,
    threads: int | None = None,
) -> Any:
    """Let an engine answer, and return the loss, with gradient and statistics if asked for."""
    check_options(options)
    batch = Batch.of(logits, target, options, ignore_index=ignore_index, mask=mask, softcap=softcap)
    question, label_weight = batch.question, None
    question.validate, question.statistics = validate, return_stats
    if weight is not None:
        question.weight = by_class = checked_weights("weight", weight, batch.x.shape[-1:])
        if question.target is not None and not question.soft:
            label_weight = by_class[np.clip(question.target, 0, len(by_class) - 1)]
    total = Reducer.of(
        question.kept(), reduction, row_weight, denominator, label_weight, shape=question.shape
    )
    grad = slope = None
    if return_grad or out is not None:
        grad, slope = batch.room(out)
    task = Task(question, loss, total.row_scale(), slope, threads)
    losses, found = ENGINES.choose(batch.x, task).answer(batch.x, task)
    returned = [total.reduce(losses, question.shape)]
    if grad is not None and slope is not None:
        batch.finish(grad, slope)
        returned.append(grad)
    if found is not None and return_stats:
        returned.append(statistics(found, question))
    return returned[0] if len(returned) == 1 else tuple(returned)
