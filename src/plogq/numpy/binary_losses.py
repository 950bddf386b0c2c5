"""Losses of one logit per element through a sigmoid."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from plogq.errors import refuse
from plogq.formulas.arrays import first_row
from plogq.kernels import memory
from plogq.kernels.arguments import check_out
from plogq.kernels.arrays import to_numpy
from plogq.kernels.elements import binary_loss
from plogq.numpy._reducer import Array, Reducer, Reduction, checked_weights


def binary_cross_entropy_with_logits(
    logits: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    weight: npt.ArrayLike | None = None,
    pos_weight: npt.ArrayLike | None = None,
    reduction: Reduction = "mean",
    denominator: float | None = None,
    return_grad: bool = False,
    out: Array | None = None,
    validate: bool = True,
    threads: int | None = None,
) -> Any:
    """−v (w t log σ(z) + (1 − t) log σ(−z)) of each element, and its gradient in one pass.

    σ(z) = 1 / (1 + exp(−z)); the gradient is v ((1 − t) σ(z) − w t σ(−z)). Exact for any finite z.

    Parameters
    ----------
    logits
        z: float32, float64 or float16, any shape; copied where not contiguous. ±inf is certainty.
    target
        t in [0, 1], the same shape; copied where it is of another dtype.
    weight
        v: finite, not negative, broadcasts to the shape of the logits; 1 without.
    pos_weight
        w, the weight of a positive: a number, or one for each place along the last axis.
    reduction
        "mean" over the elements (weights do not divide it), "sum", or "none".
    denominator
        Divides the mean instead of the number of elements.
    validate
        Refuse targets outside [0, 1].
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
    given, t = to_numpy("logits", logits), to_numpy("target", target)
    if given.dtype.kind != "f":
        refuse("logits", "be float32, float64 or float16", given.dtype, error=TypeError)
    if t.shape != given.shape:
        refuse("target", f"have the logits' shape {given.shape}", f"shape {t.shape}")
    z, t = (_contiguous(array, given.dtype) for array in (given, t))
    w = None
    if pos_weight is not None:
        w = checked_weights("pos_weight", np.atleast_1d(pos_weight), (np.size(pos_weight),))
    dtype = np.float64 if z.dtype == np.float64 else np.float32
    v = None
    if weight is not None:
        v = checked_weights("weight", weight, np.shape(weight))
        try:
            v = np.ascontiguousarray(np.broadcast_to(v, z.shape), dtype).reshape(z.shape)
        except ValueError:
            refuse("weight", f"broadcast to the logits' shape {z.shape}", f"shape {v.shape}")
    total = Reducer.of(None, reduction, None, denominator, shape=z.shape)
    grad = _room_for(given, t, out) if return_grad or out is not None else None
    slope = grad if grad is None or grad.flags.c_contiguous else np.empty_like(z)
    losses = np.empty(z.shape, dtype)
    loss: Any = binary_loss(
        z,
        t,
        pos_weight=w,
        weight=v,
        scale=1 / total.divisor,
        losses=losses if reduction == "none" else None,
        gradient=slope,
        validate=validate,
        threads=threads,
    )
    if np.isnan(loss):
        refuse("logits", "be numbers", "NaN", row=first_row(np, np.isnan(z)))
    with np.errstate(over="ignore"):  # a loss beyond float32 becomes inf
        loss = losses if reduction == "none" else losses.dtype.type(loss / total.divisor)
    if grad is None:
        return loss
    if slope is not grad:
        grad[...] = slope
    return loss, grad


def _room_for(logits: Array, target: Array, out: Array | None) -> Array:
    if out is None:
        plain = logits.flags.c_contiguous
        return memory.empty(logits.shape, logits.dtype) if plain else np.empty_like(logits)
    check_out(out, logits, target)
    return out


def _contiguous(array: Array, dtype: np.dtype[Any]) -> Array:
    return np.ascontiguousarray(array, dtype).reshape(array.shape)
