"""Distributions as arguments: checked once, here, for every measure and every loss."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from array_api_compat import device, is_array_api_obj

from plogq.errors import refuse
from plogq.formulas.arrays import (
    Array,
    classes_last,
    first_row,
    nan_unless,
    one_library,
    same_shape,
    shown,
    sum_tolerance,
    to_arrays,
    unmasked,
)


def distributions(axis: int, **named: Any) -> tuple[ModuleType, *tuple[Any, ...]]:
    """Give the namespace, then each argument as checked distributions along its last axis."""
    xp, *arrays = to_arrays(**named)
    tolerance = sum_tolerance(xp, *named.values())
    names = list(named)
    for name, array in zip(names[1:], arrays[1:], strict=True):
        same_shape(arrays[0], array, (names[0], name))
    arrays = [classes_last(xp, x, axis, name) for name, x in zip(names, arrays, strict=True)]
    return (
        xp,
        *(
            check_distribution(xp, x, name, tolerance)
            for name, x in zip(names, arrays, strict=True)
        ),
    )


def check_distribution(xp: ModuleType, p: Array, name: str, tolerance: float) -> Array:
    """Refuse a row that is no distribution over its last axis (NaN fails the comparisons too).

    Where values are not known such a row comes back as NaN.
    """
    positive = xp.all(p >= 0, axis=-1)
    row = first_row(xp, ~positive)
    if row is not None:
        refuse(name, "be probabilities, none negative or NaN", shown(p, row), row=row)
    total = xp.sum(p, axis=-1)
    whole = xp.abs(total - 1) <= tolerance
    row = first_row(xp, ~whole)
    if row is not None:
        came = f"{shown(p, row)}, which sums to {shown(total, row)}"
        refuse(name, "sum to 1 along its class axis", came, row=row)
    return nan_unless(xp, (positive & whole)[..., None], p)


def check_probabilities(xp: ModuleType, p: Array, name: str) -> Array:
    """Refuse a number outside [0, 1], or NaN; where values are not known it comes back as NaN."""
    inside = (p >= 0) & (p <= 1)
    row = first_row(xp, ~inside)
    if row is not None:
        refuse(name, "be probabilities in [0, 1]", shown(p, row), row=row)
    return nan_unless(xp, inside, p)


def check_logits(xp: ModuleType, x: Array, name: str) -> None:
    """Refuse NaN, +inf, and a row of only −inf; in other rows −inf is a masked class."""
    row = first_row(xp, ~(xp.all(x < xp.inf, axis=-1) & xp.any(x > -xp.inf, axis=-1)))
    if row is not None:
        expected = "be finite, or -inf for a masked class, with one class left in each row"
        refuse(name, expected, shown(x, row), row=row)


def class_targets(xp: ModuleType, target: Any, logits: Array, axis: int) -> Array:
    """Give targets as distributions along the last axis of `logits`: index, one-hot or soft."""
    target = unmasked("target", target)
    if is_array_api_obj(target):
        one_library(logits=logits, target=target)
    else:
        try:
            target = xp.asarray(np.asarray(target).tolist(), device=device(logits))
        except (TypeError, ValueError):
            refuse("target", "be an array of numbers", type(target).__name__, error=TypeError)
    if target.ndim == logits.ndim - 1:
        return _one_hot(xp, target, logits)
    if target.ndim != logits.ndim:
        expected = f"have the {logits.ndim} axes of the logits, or one less (class indices)"
        refuse("target", expected, f"shape {tuple(target.shape)}")
    _, soft, _ = to_arrays(target=target, logits=logits)
    soft = xp.moveaxis(xp.astype(soft, logits.dtype), axis, -1)
    same_shape(logits, soft, ("logits", "target"))
    return check_distribution(xp, soft, "target", sum_tolerance(xp, target, logits))


def _one_hot(xp: ModuleType, target: Array, logits: Array) -> Array:
    classes = logits.shape[-1]
    if not xp.isdtype(target.dtype, "integral"):
        refuse("target", "be integers as class indices", target.dtype, error=TypeError)
    if target.shape != logits.shape[:-1]:
        refuse("target", f"have shape {tuple(logits.shape[:-1])}", tuple(target.shape))
    index = xp.arange(classes, device=device(logits))
    label = xp.astype(target, index.dtype)  # a dtype that holds all classes, as uint8 may not
    is_class = (label >= 0) & (label < classes)
    row = first_row(xp, ~is_class)
    if row is not None:
        refuse("target", f"be a class index in [0, {classes})", int(target[row]), row=row)
    one_hot = xp.astype(index == xp.expand_dims(label, axis=-1), logits.dtype)
    return nan_unless(xp, is_class[..., None], one_hot)
