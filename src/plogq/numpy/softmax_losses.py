"""Losses of logits through a softmax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from plogq.formulas import focal_from_logits, squared_error_from_logits, z_loss_from_logits
from plogq.kernels.arguments import check_options
from plogq.kernels.rows import row_statistics, softmax_loss
from plogq.numpy._rows import (
    Array,
    Batch,
    Reducer,
    Reduction,
    by_formula,
    checked_weights,
    statistics,
)


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
        c > 0: logits become c tanh(x / c) first, in memory of their own.
    row_weight
        What a row counts: finite, not negative, in the shape of the labels; 1 without.
    mask
        bool, in that shape: a row that is False is left out, whatever it holds.
    denominator
        Divides the mean instead of the weights' sum: the global one, in gradient accumulation; at
        least 0, and 0, where nothing is left anywhere, divides as 1.
    return_grad
        Also return the gradient.
    out
        Takes the gradient, which is then returned too. May be the logits themselves: the gradient
        replaces them, also where a distribution is refused, and no memory is needed.
    return_stats
        Also return `Statistics`, last.
    validate
        Refuse distributions that are negative or do not sum to 1; with gamma always.
    threads
        At most so many; all CPUs of the process, or OMP_NUM_THREADS, without. The result does not
        depend on it.

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
    check_options(label_smoothing, gamma, temperature, z_loss)
    batch = Batch.of(logits, target, ignore_index, mask, softcap)
    w = None
    if weight is not None:
        w = checked_weights("weight", weight, batch.x.shape[-1:])
    label_weight = None
    if w is not None and not batch.soft:
        label_weight = w[np.clip(batch.y, 0, len(w) - 1)]
    formula = None
    if gamma and (batch.soft or label_smoothing):  # what the kernel has not

        def formula(x: Array, y: Array) -> tuple[Array, Array]:
            return focal_from_logits(x, y, gamma=gamma, weight=w, label_smoothing=label_smoothing)

    total = Reducer.of(
        batch.kept(), reduction, row_weight, denominator, label_weight, shape=batch.shape
    )
    kernel_options = {"weight": w, "label_smoothing": label_smoothing, "gamma": gamma}
    return _reduced(
        batch,
        total,
        formula,
        temperature=temperature,
        z_loss=z_loss,
        return_grad=return_grad,
        out=out,
        return_stats=return_stats,
        validate=validate,
        threads=threads,
        **(kernel_options if formula is None else {}),
    )


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
    check_options(0.0, 0.0, temperature, z_loss)
    batch = Batch.of(logits, target, ignore_index, mask, softcap)
    return _reduced(
        batch,
        Reducer.of(batch.kept(), reduction, row_weight, denominator, shape=batch.shape),
        squared_error_from_logits,
        temperature=temperature,
        z_loss=z_loss,
        return_grad=return_grad,
        out=out,
        return_stats=return_stats,
    )


def _reduced(
    batch: Batch,
    total: Reducer,
    formula: Callable[[Array, Array], tuple[Array, Array]] | None,
    *,
    temperature: float,
    z_loss: float,
    return_grad: bool,
    out: Array | None,
    return_stats: bool,
    threads: int | None = None,
    **kernel_options: Any,
) -> Any:
    """Give what was asked for: by the kernel, or by a formula that it has not."""
    grad = slope = None
    if return_grad or out is not None:
        grad, slope = batch.room(out)
    if formula is None:
        found = softmax_loss(
            batch.x,
            batch.y,
            temperature=temperature,
            z_loss=z_loss,
            ignore_index=None if batch.soft else batch.ignore_index,
            keep=batch.keep,
            row_scale=total.row_scale(),
            gradient=slope,
            moments=return_stats,
            threads=threads,
            **kernel_options,
        )
        loss = found.loss
    else:

        def with_options(x: Array, y: Array) -> tuple[Array, Array]:
            z = x / temperature
            loss, slope = formula(z, y)
            extra, extra_slope = z_loss_from_logits(z)
            return loss + z_loss * extra, (slope + z_loss * extra_slope) / temperature

        if return_stats:  # before the gradient may overwrite the logits
            z, kept = batch.x.reshape(-1, batch.x.shape[-1]), batch.kept()
            z = z if kept is None else np.where(kept[:, None], z, 0)
            found = row_statistics(z / temperature, moments=True)
        loss = by_formula(with_options, batch, total.row_scale(), slope)
    returned = [total.reduce(loss, batch.shape)]
    if grad is not None and slope is not None:
        batch.finish(grad, slope)
        returned.append(grad)
    if return_stats:
        returned.append(statistics(found, batch))
    return returned[0] if len(returned) == 1 else tuple(returned)
