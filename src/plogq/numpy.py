"""The NumPy front door: losses of a batch of logits, with their gradients, reduced.

The losses share their conventions. A mean is Σ w·loss / Σ w over the rows that are not ignored, or
Σ w·loss / `denominator`, so that the parts of a batch can add up to the whole. A batch with nothing
left has loss 0 and gradient 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from plogq.formulas import squared_error_from_logits
from plogq.formulas._check import refuse
from plogq.kernels import cpu
from plogq.kernels.cpu import RowStatistics, row_statistics

__all__ = ["RowStatistics", "cross_entropy", "row_statistics", "squared_error"]

Reduction = Literal["none", "mean", "sum"]
Array = npt.NDArray[Any]
Loss = Any  # a NumPy scalar, or one number per row where reduction is "none"


def cross_entropy(
    logits: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    row_weight: npt.ArrayLike | None = None,
    denominator: float | None = None,
    return_grad: bool = False,
    out: Array | None = None,
    threads: int | None = None,
) -> Loss | tuple[Loss, Array]:
    """Cross-entropy of softmax(logits) with class indices, and its gradient in one pass.

    loss_i = −log softmax(x_i)_{y_i}; the gradient of Σ_i s_i loss_i is s_i (p_ij − [j = y_i]).

    Parameters
    ----------
    logits
        x: float32 or float64, shape (N, C), any strides: nothing is copied. float16 is copied to
        float32: the loss is float32, the gradient float16. −inf is a masked class: probability 0,
        gradient 0, and loss +inf where it is the target.
    target
        y: integers in [0, C), shape (N,).
    ignore_index
        Rows with this target are left out; their logits may be anything.
    reduction
        "mean", "sum", or "none" for the w·loss of each row.
    row_weight
        w: finite, not negative, shape (N,); 1 without.
    denominator
        Divides the mean instead of Σ w: the global count, in gradient accumulation.
    return_grad
        Return (loss, gradient) instead of the loss.
    out
        Takes the gradient, which is then returned too. May be the logits themselves: the gradient
        replaces them, and no memory is needed.
    threads
        At most so many; all CPUs of the process, or OMP_NUM_THREADS, without. The result does not
        depend on it.

    Returns
    -------
    loss, or (loss, gradient)
        In nats; the gradient of the reduced loss (with "none": of each row's own loss), in the
        shape and dtype of the logits.

    Raises
    ------
    ValueError, TypeError
        Shapes or dtypes that do not fit; a target that is no class; NaN, +inf or nothing but −inf
        in a row; an `out` that is read-only or overlaps the logits in part.

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

    def rows(x: Array, y: Array, row_scale: Array, grad: Array | None) -> Array:
        if grad is None:
            found = row_statistics(x, y, ignore_index=ignore_index, threads=threads)
        else:
            found = cpu.cross_entropy(
                x, y, row_scale=row_scale, out=grad, ignore_index=ignore_index, threads=threads
            )
        loss: Array = found.loss
        return loss

    return _reduced(
        rows, logits, target, ignore_index, reduction, row_weight, denominator, return_grad, out
    )


def squared_error(
    logits: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    row_weight: npt.ArrayLike | None = None,
    denominator: float | None = None,
    return_grad: bool = False,
    out: Array | None = None,
) -> Loss | tuple[Loss, Array]:
    """Squared error of softmax(logits) against class indices (the Brier score), and its gradient.

    loss_i = Σ_j (p_ij − [j = y_i])², in [0, 2]; its gradient vanishes where the softmax saturates,
    on the wrong class too: that is why classifiers are trained with cross-entropy.

    Parameters
    ----------
    logits, target, ignore_index, reduction, row_weight, denominator, return_grad, out
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

    def rows(x: Array, y: Array, row_scale: Array, grad: Array | None) -> Array:
        ignored = y == ignore_index
        loss, slope = squared_error_from_logits(
            np.where(ignored[:, None], 0, x), np.where(ignored, 0, y)
        )
        if grad is not None:
            scale = np.where(ignored, 0, row_scale)
            np.multiply(slope, scale[:, None], out=grad, casting="same_kind")
        return np.where(ignored, 0, loss)

    return _reduced(
        rows, logits, target, ignore_index, reduction, row_weight, denominator, return_grad, out
    )


def _reduced(
    rows: Callable[[Array, Array, Array, Array | None], Array],
    logits: npt.ArrayLike,
    target: npt.ArrayLike,
    ignore_index: int,
    reduction: Reduction,
    row_weight: npt.ArrayLike | None,
    denominator: float | None,
    return_grad: bool,
    out: Array | None,
) -> Loss | tuple[Loss, Array]:
    """Reduce what `rows(x, y, s, grad)` gives: the loss of each row, and s_i ∇loss_i into grad."""
    given = np.asarray(logits)
    x = given.astype(np.float32) if given.dtype == np.float16 else given
    cpu.check_logits(x)
    y = np.asarray(target)
    cpu.check_target(y, x)
    weight, divisor = _weights(y != ignore_index, reduction, row_weight, denominator)
    if not return_grad and out is None:
        return _reduce(rows(x, y, np.ones(1), None), weight, divisor, reduction)

    if out is not None:
        cpu.check_out(out, given)
    grad = np.empty_like(x) if out is None or x is not given else out
    row_scale = np.atleast_1d(1.0 if weight is None else weight) / divisor
    loss = _reduce(rows(x, y, row_scale, grad), weight, divisor, reduction)
    if out is None:
        return loss, grad.astype(given.dtype, copy=False)
    if out is not grad:
        out[...] = grad
    return loss, out


def _weights(
    kept: Array,
    reduction: Reduction,
    row_weight: npt.ArrayLike | None,
    denominator: float | None,
) -> tuple[Array | None, float]:
    """Give the weight of each row, None for 1 and 0 where ignored, and what divides their sum."""
    weight = None
    if row_weight is not None:
        weight = np.asarray(row_weight, np.float64)
        if weight.shape != kept.shape:
            refuse("row_weight", f"have shape {kept.shape}", f"shape {weight.shape}")
        bad = ~((weight >= 0) & (weight < np.inf))
        if bad.any():
            row = int(bad.argmax())
            refuse("row_weight", "be finite and not negative", weight[row], row=row)
        weight = np.where(kept, weight, 0)
    if reduction not in get_args(Reduction):
        refuse("reduction", f"be one of {get_args(Reduction)}", repr(reduction))
    if denominator is not None:
        if reduction != "mean":
            refuse("denominator", "come with reduction='mean'", f"reduction={reduction!r}")
        if not 0 < denominator < np.inf:
            refuse("denominator", "be finite and above 0", denominator)
        return weight, denominator
    if reduction != "mean":
        return weight, 1.0
    total = float(np.count_nonzero(kept) if weight is None else weight.sum())
    return weight, total or 1.0


def _reduce(loss: Array, weight: Array | None, divisor: float, reduction: Reduction) -> Loss:
    weighed: Any = loss
    if weight is not None:
        # A row without weight has no say, even where its loss is infinite.
        weighed = np.multiply(loss, weight, where=weight > 0, out=np.zeros(len(loss)))
    if reduction != "none":
        weighed = np.sum(weighed, dtype=np.float64) / divisor
    with np.errstate(over="ignore"):  # what exceeds float32 is inf
        return weighed.astype(loss.dtype, copy=False)
