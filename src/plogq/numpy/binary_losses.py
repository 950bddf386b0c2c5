"""Losses of one logit per element through a sigmoid."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from plogq.formulas._arrays import first_row
from plogq.formulas._check import refuse
from plogq.kernels.cpu import binary_loss
from plogq.numpy._rows import Array, Reducer, Reduction, checked_weights, room_for


def binary_cross_entropy_with_logits(
    logits: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    pos_weight: npt.ArrayLike | None = None,
    reduction: Reduction = "mean",
    denominator: float | None = None,
    return_grad: bool = False,
    out: Array | None = None,
    threads: int | None = None,
) -> Any:
    """−w t log σ(z) − (1 − t) log σ(−z) of each element, and its gradient in one pass.

    σ(z) = 1 / (1 + exp(−z)); the gradient is (1 − t) σ(z) − w t σ(−z). Exact for any finite logit.

    Parameters
    ----------
    logits
        z: float32, float64 or float16, any shape; copied where not contiguous. ±inf is certainty.
    target
        t in [0, 1], the same shape; copied where it is of another dtype.
    pos_weight
        w, what a positive counts: a number, or one for each place along the last axis.
    reduction
        "mean" over the elements (w does not divide it), "sum", or "none".
    denominator
        Divides the mean instead of the number of elements.
    return_grad, out, threads
        As for `cross_entropy`.

    Returns
    -------
    loss, or (loss, gradient)
        In nats; the gradient of the reduced loss (with "none": of each element's own).

    Raises
    ------
    ValueError, TypeError
        Shapes or dtypes that do not fit; a target outside [0, 1]; NaN.

    Examples
    --------
    >>> loss, grad = binary_cross_entropy_with_logits([200.0, 1.5], [0, 1], return_grad=True)
    >>> print(f"{loss:.4f}", grad.round(4))
    100.1007 [ 0.5    -0.0912]

    References
    ----------
    softplus: Mächler (2012), Accurately computing log(1 − exp(−|a|)), equation 10.
    """
    given, t = np.asarray(logits), np.asarray(target)
    if given.dtype.kind != "f":
        refuse("logits", "be float32, float64 or float16", given.dtype, error=TypeError)
    if t.shape != given.shape:
        refuse("target", f"have the logits' shape {given.shape}", f"shape {t.shape}")
    z, t = (_contiguous(array, given.dtype) for array in (given, t))
    w = None
    if pos_weight is not None:
        w = checked_weights("pos_weight", np.atleast_1d(pos_weight), (np.size(pos_weight),))
    total = Reducer.of(None, reduction, None, denominator, rows=z.size)
    grad = room_for(given, out) if return_grad or out is not None else None
    slope = grad if grad is None or grad.flags.c_contiguous else np.empty_like(z)
    losses = np.empty(z.shape, np.float64 if z.dtype == np.float64 else np.float32)
    loss: Any = binary_loss(
        z,
        t,
        pos_weight=w,
        scale=1 / total.divisor,
        losses=losses if reduction == "none" else None,
        gradient=slope,
        threads=threads,
    )
    if np.isnan(loss):
        refuse("logits", "be numbers", "NaN", row=first_row(np, np.isnan(z)))
    with np.errstate(over="ignore"):  # what exceeds float32 is inf
        loss = losses if reduction == "none" else losses.dtype.type(loss / total.divisor)
    if grad is None:
        return loss
    if slope is not grad:
        grad[...] = slope
    return loss, grad


def _contiguous(array: Array, dtype: np.dtype[Any]) -> Array:
    return np.ascontiguousarray(array, dtype).reshape(array.shape)
