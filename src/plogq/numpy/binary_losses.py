"""Losses of one logit per element through a sigmoid."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypedDict, Unpack

import numpy as np
import numpy.typing as npt

from plogq.errors import refuse
from plogq.formulas import ValueAndGrad, asymmetric_from_logits, binary_focal_from_logits
from plogq.formulas.arrays import first_row
from plogq.formulas.binary_core import smoothed
from plogq.formulas.terms import times
from plogq.kernels import memory
from plogq.kernels.arguments import check_ignore_index, check_out
from plogq.kernels.arrays import to_numpy
from plogq.kernels.elements import binary_loss
from plogq.kernels.question import Options, check_options
from plogq.numpy._reducer import Array, Reducer, Reduction, checked_weights


class ElementOptions(TypedDict, total=False):
    """The keywords of every binary loss, as `binary_cross_entropy_with_logits` documents them."""

    weight: npt.ArrayLike | None
    pos_weight: npt.ArrayLike | None
    label_smoothing: float
    ignore_index: int | None
    mask: npt.ArrayLike | None
    reduction: Reduction
    denominator: float | None
    return_grad: bool
    out: Array | None
    validate: bool
    threads: int | None


def binary_cross_entropy_with_logits(
    logits: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    weight: npt.ArrayLike | None = None,
    pos_weight: npt.ArrayLike | None = None,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    mask: npt.ArrayLike | None = None,
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
    label_smoothing
        ε in [0, 1]: t becomes (1 − ε) t + ε/2.
    ignore_index
        Elements with this target are left out, whatever their logit is.
    mask
        bool, broadcasts to the shape of the logits, so (C,) for a mask by class: an element that
        is False is left out, whatever it holds, and not counted by a mean.
    reduction
        "mean" over the elements (weights do not divide it), "sum", or "none".
    denominator
        Divides the mean instead of the number of elements that count.
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
    options = ElementOptions(
        weight=weight, pos_weight=pos_weight, label_smoothing=label_smoothing,
        ignore_index=ignore_index, mask=mask, reduction=reduction, denominator=denominator,
        return_grad=return_grad, out=out, validate=validate, threads=threads,
    )  # fmt: skip
    return _answered(binary_loss, logits, target, **options)


def binary_focal_loss(
    logits: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    gamma: float = 2.0,
    alpha: float | None = None,
    **options: Unpack[ElementOptions],
) -> Any:
    """v (α w t (1 − p)^γ (−log p) + (1 − α)(1 − t) p^γ (−log(1 − p))) with p = σ(z), in nats.

    Without `alpha` both classes have the weight 1; γ = 0 is then
    `binary_cross_entropy_with_logits`.

    Parameters
    ----------
    logits, target, **options
        As for `binary_cross_entropy_with_logits`: see `ElementOptions`.
    gamma
        γ ≥ 0.
    alpha
        α in [0, 1].

    Returns
    -------
    loss, or (loss, gradient)
        As for `binary_cross_entropy_with_logits`.

    Raises
    ------
    ValueError, TypeError
        As `binary_cross_entropy_with_logits`; γ or α out of range.

    Examples
    --------
    >>> print(f"{binary_focal_loss(np.log([9.0]), [1]):.6f}")
    0.001054

    References
    ----------
    Lin et al. (2017), Focal loss for dense object detection, equation 5.
    """
    loss = partial(binary_focal_from_logits, gamma=gamma, alpha=alpha)
    return _answered(_by_formula(loss), logits, target, **options)


def asymmetric_loss(
    logits: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    gamma_neg: float = 4.0,
    gamma_pos: float = 1.0,
    margin: float = 0.05,
    **options: Unpack[ElementOptions],
) -> Any:
    """v (w t (1 − p)^γ₊ (−log p) + (1 − t) r^γ₋ (−log(1 − r))), p = σ(z), r = max(p − m, 0).

    In nats. Of many labels, few are positive: easy negatives count less than easy positives, and
    those with p ≤ m nothing.

    Parameters
    ----------
    logits, target, **options
        As for `binary_cross_entropy_with_logits`: see `ElementOptions`.
    gamma_neg, gamma_pos
        γ₋ and γ₊, at least 0.
    margin
        m in [0, 1).

    Returns
    -------
    loss, or (loss, gradient)
        As for `binary_cross_entropy_with_logits`.

    Raises
    ------
    ValueError, TypeError
        As `binary_cross_entropy_with_logits`; an exponent or the margin out of range.

    Examples
    --------
    >>> print(f"{asymmetric_loss([0.0], [0]):.4f}")
    0.0245

    References
    ----------
    Ridnik et al. (2021), Asymmetric loss for multi-label classification, equations 5 to 7.
    """
    loss = partial(asymmetric_from_logits, gamma_neg=gamma_neg, gamma_pos=gamma_pos, margin=margin)
    return _answered(_by_formula(loss), logits, target, **options)


def _by_formula(formula: Callable[..., ValueAndGrad]) -> Callable[..., Any]:
    """Return a formula as `plogq.kernels.elements.binary_loss`, which gives Σ loss, is called."""

    def loss(
        z: Array,
        t: Array,
        *,
        pos_weight: Array | None,
        weight: Array | None,
        scale: float,
        losses: Array | None,
        gradient: Array | None,
        validate: bool,
        threads: int | None,
    ) -> Any:
        if np.isnan(z).any():
            return np.nan
        wide = z.astype(np.promote_types(z.dtype, np.float32), copy=False)
        value, slope = formula(wide, t, pos_weight=pos_weight)
        v = np.ones((), wide.dtype) if weight is None else weight
        value = times(np, v, value)
        if losses is not None:
            losses[...] = value
        if gradient is not None:
            gradient[...] = slope * (v * scale)
        return np.sum(value, dtype=np.float64)

    return loss


def _answered(
    loss_of: Callable[..., Any],
    logits: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    weight: npt.ArrayLike | None = None,
    pos_weight: npt.ArrayLike | None = None,
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
    mask: npt.ArrayLike | None = None,
    reduction: Reduction = "mean",
    denominator: float | None = None,
    return_grad: bool = False,
    out: Array | None = None,
    validate: bool = True,
    threads: int | None = None,
) -> Any:
    """Return the reduced loss, and its gradient if asked for, of what `loss_of` computes."""
    given, t = to_numpy("logits", logits), to_numpy("target", target)
    if given.dtype.kind != "f":
        refuse("logits", "be float32, float64 or float16", given.dtype, error=TypeError)
    if t.shape != given.shape:
        refuse("target", f"have the logits' shape {given.shape}", f"shape {t.shape}")
    z, keep, kind = given, _kept(t, ignore_index, mask), given.dtype
    if keep is not None:
        z, t = np.where(keep, z, 0), np.where(keep, t, 0)
    check_options(Options(label_smoothing=label_smoothing))
    if label_smoothing:
        _check_inside(t, validate)  # smoothed, a target outside [0, 1] may be inside
        kind = np.promote_types(kind, np.float32)  # float16 would round the smoothed target
        t = smoothed(t.astype(kind), label_smoothing)
    z, t = (_contiguous(array, kind) for array in (z, t))
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
    if keep is not None:
        v = np.where(keep, 1 if v is None else v, 0).astype(dtype)
    total = Reducer.of(keep, reduction, None, denominator, shape=z.shape)
    grad = _room_for(given, t, out) if return_grad or out is not None else None
    slope = grad
    if grad is not None and not (grad.flags.c_contiguous and grad.dtype == z.dtype):
        slope = np.empty_like(z)
    losses = np.empty(z.shape, dtype)
    loss: Any = loss_of(
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


def _kept(target: Array, ignore_index: int | None, mask: npt.ArrayLike | None) -> Array | None:
    """Return which elements count, in the shape of the target; None for all."""
    keep = None
    if mask is not None:
        keep = to_numpy("mask", mask)
        if keep.dtype != np.bool_:
            refuse("mask", "be bool", keep.dtype, error=TypeError)
        try:
            keep = np.broadcast_to(keep, target.shape)
        except ValueError:
            expected = f"broadcast to the logits' shape {target.shape}"
            refuse("mask", expected, f"shape {keep.shape}")
    if ignore_index is None:
        return keep
    check_ignore_index(ignore_index)
    counted: Array = target != ignore_index
    return counted if keep is None else counted & keep


def _check_inside(target: Array, validate: bool) -> None:
    row = first_row(np, ~((target >= 0) & (target <= 1))) if validate else None
    if row is not None:
        refuse("target", "be in [0, 1]", target[row], row=row)


def _room_for(logits: Array, target: Array, out: Array | None) -> Array:
    if out is None:
        plain = logits.flags.c_contiguous
        return memory.empty(logits.shape, logits.dtype) if plain else np.empty_like(logits)
    check_out(out, logits, target)
    return out


def _contiguous(array: Array, dtype: np.dtype[Any]) -> Array:
    return np.ascontiguousarray(array, dtype).reshape(array.shape)
