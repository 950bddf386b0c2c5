"""Losses of logits through a softmax."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from plogq.formulas import focal_from_logits, squared_error_from_logits, z_loss_from_logits
from plogq.kernels.cpu import row_statistics, softmax_loss
from plogq.numpy._rows import (
    Array,
    Loss,
    Reducer,
    Reduction,
    by_formula,
    checked_weights,
    room_for,
    rows_of,
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
        x: float32, float64 or float16, shape (N, C), any strides: nothing is copied. The loss of
        float16 is float32, its gradient float16. −inf is a masked class: probability 0, gradient 0,
        and loss +inf where it is the target.
    target
        y: integers in [0, C), shape (N,); or distributions t, floating point, shape (N, C).
    weight
        w, by class: finite, not negative, shape (C,); 1 without.
    ignore_index
        Rows with this class are left out; their logits may be anything.
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
    row_weight
        What a row counts: finite, not negative, shape (N,); 1 without.
    mask
        bool, shape (N,): a row that is False is left out, whatever it holds.
    denominator
        Divides the mean instead of the weights' sum: the global one, in gradient accumulation.
    return_grad
        Also return the gradient.
    out
        Takes the gradient, which is then returned too. May be the logits themselves: the gradient
        replaces them, and no memory is needed.
    return_stats
        Also return `Statistics`, last.
    validate
        Refuse distributions that are negative or do not sum to 1.
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
    x, y, kept = rows_of(logits, target, ignore_index, mask)
    soft = y.ndim == 2
    w = None if weight is None else checked_weights("weight", weight, x.shape[1:])
    label_weight = None if w is None or soft else w[np.clip(y, 0, len(w) - 1)]
    total = Reducer.of(kept, reduction, row_weight, denominator, label_weight, rows=len(x))
    grad = room_for(x, out) if return_grad or out is not None else None
    if gamma and (soft or label_smoothing):  # what the kernel has not

        def focal(x: Array, y: Array) -> tuple[Array, Array]:
            z = x / temperature
            loss, slope = focal_from_logits(
                z, y, gamma=gamma, weight=w, label_smoothing=label_smoothing
            )
            extra, extra_slope = z_loss_from_logits(z)
            return loss + z_loss * extra, (slope + z_loss * extra_slope) / temperature

        if return_stats:  # before the gradient may overwrite the logits
            z = x if kept is None else np.where(kept[:, None], x, 0)
            found = row_statistics(z / temperature, moments=True)
        loss = by_formula(focal, x, y, kept, total.row_scale(), grad)
    else:
        found = softmax_loss(
            x,
            y,
            weight=w,
            label_smoothing=label_smoothing,
            gamma=gamma,
            temperature=temperature,
            z_loss=z_loss,
            ignore_index=None if soft else ignore_index,
            keep=None if mask is None else kept,
            row_scale=total.row_scale(),
            gradient=grad,
            moments=return_stats,
            validate=validate,
            threads=threads,
        )
        loss = found.loss
    returned = [total.reduce(loss)]
    if grad is not None:
        returned.append(grad)
    if return_stats:
        returned.append(statistics(found, y, kept))
    return returned[0] if len(returned) == 1 else tuple(returned)


def squared_error(
    logits: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    row_weight: npt.ArrayLike | None = None,
    mask: npt.ArrayLike | None = None,
    denominator: float | None = None,
    return_grad: bool = False,
    out: Array | None = None,
) -> Loss | tuple[Loss, Array]:
    """Squared error of softmax(logits) against its targets (the Brier score), and its gradient.

    loss_i = Σ_j (p_ij − t_ij)², in [0, 2]; its gradient vanishes where the softmax saturates,
    on the wrong class too: that is why classifiers are trained with cross-entropy.

    Parameters
    ----------
    logits, target, ignore_index, reduction, row_weight, mask, denominator, return_grad, out
        As for `cross_entropy`.

    Returns
    -------
    loss, or (loss, gradient)
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
    x, y, kept = rows_of(logits, target, ignore_index, mask)
    total = Reducer.of(kept, reduction, row_weight, denominator, rows=len(x))
    grad = room_for(x, out) if return_grad or out is not None else None
    loss = by_formula(squared_error_from_logits, x, y, kept, total.row_scale(), grad)
    return total.reduce(loss) if grad is None else (total.reduce(loss), grad)
