"""What all the losses share: the pair that they return, and checks of weights and targets."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any, NamedTuple

from array_api_compat import is_array_api_obj

from plogq.errors import refuse
from plogq.formulas import softmax_core as core
from plogq.formulas.arrays import Array, first_row, nan_unless, shown, to_arrays


class ValueAndGrad(NamedTuple):
    """A loss of each row, in nats, and its gradient with respect to the first argument."""

    value: Array
    grad: Array


def value_and_grad(xp: ModuleType, value: Array, grad: Array, like: Any, axis: int) -> ValueAndGrad:
    """Give the pair with the classes back on `axis` and the gradient in the input's dtype."""
    grad = xp.moveaxis(grad, -1, axis) if grad.ndim else grad
    if is_array_api_obj(like) and xp.isdtype(like.dtype, "real floating"):
        grad = xp.astype(grad, like.dtype)
    return ValueAndGrad(value, grad)


def class_weights(xp: ModuleType, weight: Any, x: Array) -> Array:
    """Give one checked weight per class, shape (C,); without weights ones in the shape of x."""
    if weight is None:
        return xp.ones_like(x)
    _, weight, _ = to_arrays(weight=weight, x=x)
    if weight.shape != x.shape[-1:]:
        refuse("weight", f"be one number per class, shape ({x.shape[-1]},)", tuple(weight.shape))
    return xp.astype(check_weights(xp, weight, "weight"), x.dtype)


def check_weights(xp: ModuleType, weight: Array, name: str) -> Array:
    """Refuse a negative, infinite or NaN weight; where values are not known it becomes NaN."""
    sound = (weight >= 0) & xp.isfinite(weight)
    row = first_row(xp, ~sound)
    if row is not None:
        refuse(name, "be finite and not negative", shown(weight, row), row=row)
    return nan_unless(xp, sound, weight)


def check_gamma(gamma: float, name: str = "gamma") -> None:
    """Refuse a focal exponent that is negative (it would favour easy rows), infinite or NaN."""
    if not 0 <= gamma < math.inf:
        refuse(name, "be finite and at least 0", gamma)


def check_margin(margin: float) -> None:
    """Refuse a probability, up to which negatives count nothing, outside [0, 1)."""
    if not 0 <= margin < 1:
        refuse("margin", "be at least 0 and less than 1", margin)


def smoothed(xp: ModuleType, target: Array, x: Array, smoothing: float) -> Array:
    """Return the target smoothed by ε, which is checked here, as `softmax_core.smoothed` does."""
    check_label_smoothing(smoothing)
    return core.smoothed(xp, target, x, smoothing)


def check_label_smoothing(label_smoothing: float) -> None:
    """Refuse a share of the target that is outside [0, 1]."""
    if not 0 <= label_smoothing <= 1:
        refuse("label_smoothing", "be in [0, 1]", label_smoothing)


def binary_target(xp: ModuleType, target: Any, x: Array) -> Array:
    """Give targets in [0, 1] in the shape of x."""
    _, t, _ = to_arrays(target=target, x=x)
    if t.shape != x.shape:
        refuse("target", f"have the input's shape {tuple(x.shape)}", tuple(t.shape))
    inside = (t >= 0) & (t <= 1)
    row = first_row(xp, ~inside)
    if row is not None:
        refuse("target", "be in [0, 1]", shown(t, row), row=row)
    return xp.astype(nan_unless(xp, inside, t), x.dtype)
