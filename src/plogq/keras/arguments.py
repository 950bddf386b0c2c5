"""Arguments as tensors, classes last; what is at fault is refused, or NaN where Keras traces.

Where values can be seen a check looks at them. While TensorFlow or JAX traces they cannot: there
the loss of a row at fault is NaN, and so is its gradient.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, ParamSpec

import numpy as np
from keras import backend, ops

from plogq.errors import check_exponent, check_number, check_share, refuse
from plogq.formulas.arrays import EPS, unmasked
from plogq.keras.backends import chosen
from plogq.keras.namespace import xp

P = ParamSpec("P")
Tensor = Any  # of the backend
DEVICE = chosen()


class Rows(NamedTuple):
    """Predictions, classes last, beside their targets.

    Attributes
    ----------
    x
        (…, C) logits or probabilities.
    target
        (…) class indices, 0 for a row that is left out or at fault; or (…, C) distributions.
    keep
        (…) bool: which rows count; None for all.
    sound
        (…) bool: which rows are not at fault; None where a fault would have been refused.
    """

    x: Tensor
    target: Tensor
    keep: Tensor | None
    sound: Tensor | None

    def sounded(self, losses: Tensor) -> Tensor:
        """Return the losses of the rows: NaN, with the gradient NaN, where one is at fault."""
        if self.sound is None:
            return losses
        return losses * ops.cast(xp.where(self.sound, 1.0, math.nan), losses.dtype)


class Found(NamedTuple):
    """The losses of rows, and what a mean needs of them.

    Attributes
    ----------
    losses
        (…) 0 where a row is left out.
    keep
        (…) bool: which rows count; None for all.
    counts
        (…) what each row counts by class weights, Σ_j w_j t_j; None for 1.
    """

    losses: Tensor
    keep: Tensor | None = None
    counts: Tensor | None = None


def by_row(function: Callable[P, Found]) -> Callable[P, Tensor]:
    """Return a function of the losses alone; `inspect.unwrap` has all that was found."""

    @wraps(function)
    def losses(*args: P.args, **keywords: P.kwargs) -> Tensor:
        return function(*args, **keywords).losses

    return losses


def dtype_of(x: Tensor) -> str:
    """Return the name of a dtype, the same on every backend."""
    name: str = backend.standardize_dtype(x.dtype)
    return name


def as_tensor(name: str, given: Any) -> Tensor:
    """Return anything that Keras takes for a tensor as one."""
    given = unmasked(name, given)
    if isinstance(given, np.ndarray) and given.dtype.kind in "iu" and given.dtype.itemsize == 8:
        # A backend may cut it to 32 bits: a wrong label must not wrap round into a right one.
        given = np.clip(given, -(2**31), 2**31 - 1).astype("int32")
    try:
        return ops.convert_to_tensor(given)
    except (TypeError, ValueError):
        refuse(name, "be a tensor of numbers", type(given).__name__, error=TypeError)


def as_floats(name: str, given: Any) -> Tensor:
    """Return a floating point tensor."""
    x = as_tensor(name, given)
    if dtype_of(x) not in EPS:
        refuse(name, f"be {', '.join(EPS)}", dtype_of(x), error=TypeError)
    return x


def as_mask(name: str, given: Any) -> Tensor:
    """Return a mask; of numbers it would not be plain what leaves out."""
    mask = as_tensor(name, given)
    if dtype_of(mask) != "bool":
        refuse(name, "be bool", dtype_of(mask), error=TypeError)
    return mask


def arithmetic(x: Tensor) -> str:
    """Return the dtype of the arithmetic and of the loss: half precisions are summed in float32."""
    return "float64" if dtype_of(x) == "float64" else "float32"


def sizes(x: Tensor) -> tuple[int | None, ...]:
    """Return the shape, with None for a size that is known only when a graph runs."""
    return tuple(x.shape)


def fits(found: tuple[int | None, ...], wanted: tuple[int | None, ...]) -> bool:
    """Tell whether two shapes may be the same."""
    return len(found) == len(wanted) and all(
        a is None or b is None or a == b for a, b in zip(found, wanted, strict=True)
    )


def classes_last(name: str, x: Tensor, axis: int) -> Tensor:
    """Return a tensor with its class axis at the end."""
    shape, axis = sizes(x), operator.index(axis)
    if not -len(shape) <= axis < len(shape):
        refuse(name, f"have an axis {axis}", f"shape {shape}")
    x = x if axis in (-1, len(shape) - 1) else ops.moveaxis(x, axis, -1)
    if x.shape[-1] is None:
        refuse(name, "have a number of classes that is known", f"shape {shape}, axis {axis}")
    if x.shape[-1] < 2:
        expected = "have two classes or more; one unit is for BinaryCrossentropy"
        refuse(name, expected, f"shape {shape}, axis {axis}")
    return x


def row_mask(mask: Any, rows: tuple[int | None, ...]) -> Tensor | None:
    """Return which rows count, (…) bool; None for all."""
    if mask is None:
        return None
    keep = as_mask("mask", mask)
    if not fits(sizes(keep), rows):
        refuse("mask", f"have the rows' shape {rows}", sizes(keep))
    return keep


def with_labels(
    y_true: Any, y_pred: Any, axis: int, mask: Any = None, ignore_class: int | None = None
) -> Rows:
    """Return predictions beside class indices, which may have the class axis with the size 1."""
    x = classes_last("y_pred", as_floats("y_pred", y_pred), axis)
    rows, label = sizes(x)[:-1], as_tensor("y_true", y_true)
    if len(label.shape) == len(x.shape) and label.shape[axis] == 1:
        label = ops.squeeze(label, axis=axis)
    if not fits(sizes(label), rows):
        refuse("y_true", f"be class indices of shape {rows}", f"shape {sizes(label)}")
    keep = row_mask(mask, rows)
    kind = dtype_of(label)
    if not kind.startswith("float") and kind not in ("int64", "uint32", "bfloat16"):
        label = ops.cast(label, "int32")
    if ignore_class is not None:
        if isinstance(ignore_class, bool) or not isinstance(ignore_class, (int, np.integer)):
            refuse("ignore_class", "be an integer", repr(ignore_class), error=TypeError)
        some = label != ops.cast(ignore_class, label.dtype)
        keep = some if keep is None else keep & some
    known = (label >= 0) & (label < x.shape[-1])
    if kind in EPS:
        known = known & (label == ops.floor(label))
    known = known if keep is None else known | ~keep
    expected = f"be a class index in [0, {x.shape[-1]})"
    if ignore_class is not None:
        expected += f" or the ignore_class {ignore_class}"
    sound = checked("y_true", label, known, expected)
    usable = known if keep is None else known & keep
    label = ops.cast(ops.where(usable, label, ops.zeros_like(label)), "int32")
    return Rows(x, label, keep, sound)


def with_distributions(
    y_true: Any, y_pred: Any, axis: int, mask: Any = None, name: str = "y_true"
) -> Rows:
    """Return predictions beside distributions, in the dtype of arithmetic."""
    given, target = as_floats("y_pred", y_pred), as_tensor(name, y_true)
    if not fits(sizes(target), sizes(given)):
        expected = f"be distributions of y_pred's shape {sizes(given)}"
        refuse(name, expected, f"shape {sizes(target)}")
    x, target = classes_last("y_pred", given, axis), classes_last(name, target, axis)
    keep = row_mask(mask, sizes(x)[:-1])
    return rows_of(x, target, keep, check_distributions(name, target, keep))


def rows_of(x: Tensor, target: Tensor, keep: Tensor | None, sound: Tensor | None) -> Rows:
    """Return rows of distributions in the dtype of arithmetic, uniform where a row is left out."""
    target = ops.cast(target, arithmetic(x))
    if keep is not None:
        target = xp.where(keep[..., None], target, 1 / x.shape[-1])
    return Rows(x, target, keep, sound)


def check_distributions(
    name: str, p: Tensor, keep: Tensor | None, otherwise: str = ""
) -> Tensor | None:
    """Refuse the first row that is no distribution; or return which rows are distributions.

    A sum may differ from 1 by √eps of its dtype, which is what rounding leaves.
    """
    wide = ops.cast(p, arithmetic(p))
    off = ops.abs(ops.sum(wide, axis=-1) - 1)
    sound = ops.all(wide >= 0, axis=-1) & (off <= math.sqrt(EPS.get(dtype_of(p), EPS["float32"])))
    sound = sound if keep is None else sound | ~keep
    return checked(name, wide, sound, f"be probabilities that sum to 1{otherwise}")


def check_elements(name: str, x: Tensor, keep: Tensor | None, otherwise: str = "") -> Tensor | None:
    """Refuse the first element outside [0, 1]; or return which are inside."""
    sound = (x >= 0) & (x <= 1)
    return checked(name, x, sound if keep is None else sound | ~keep, f"be in [0, 1]{otherwise}")


def checked(name: str, x: Tensor, sound: Tensor, expected: str) -> Tensor | None:
    """Refuse the first row that is not sound and return None; `sound`, where it cannot be seen."""
    if not DEVICE.is_known(sound):
        return sound
    if not bool(ops.all(sound)):
        row = tuple(int(i) for i in np.argwhere(~ops.convert_to_numpy(sound))[0])
        came = _shown(ops.convert_to_numpy(ops.cast(x[row], arithmetic(x))))
        refuse(name, expected, came, row=row[0] if len(row) == 1 else row)
    return None


def _shown(came: Any) -> str:
    if came.ndim == 0:
        return f"{float(came):.9g}"
    numbers = [f"{float(number):.6g}" for number in came[:6]]
    total = float(came.astype("float64").sum())
    return f"[{', '.join(numbers)}{', …' if len(came) > 6 else ''}], which sums to {total:.9g}"


def both(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    """Return where both are True; None is True everywhere."""
    if first is None or second is None:
        return second if first is None else first
    return first & second


def as_share(name: str, value: Any) -> float:
    """Return a number in [0, 1]."""
    check_share(name, value)
    return float(value)


def as_exponent(name: str, value: Any) -> float:
    """Return a finite number of 0 or more."""
    check_exponent(name, value)
    return float(value)


def check_eps(eps: Any, from_logits: bool = False) -> float:
    """Refuse a floor of probabilities that is none, or that logits would not need."""
    check_number("eps", eps)
    if not 0 <= eps < 0.5:
        refuse("eps", "be at least 0 and below 0.5", eps)
    if eps and from_logits:
        refuse("eps", "be 0 with from_logits=True, where nothing is rounded to 0", eps)
    return float(eps)


def by_class(name: str, given: Any, x: Tensor) -> Tensor | None:
    """Return one number per class, (C,), of a sequence, or of a dict where the others are 1."""
    if given is None:
        return None
    classes = x.shape[-1]
    if isinstance(given, dict):
        for label in given:
            if not isinstance(label, (int, np.integer)) or not 0 <= label < classes:
                refuse(name, f"have classes in [0, {classes}) as its keys", repr(label))
        given = [given.get(label, 1.0) for label in range(classes)]
    numbers = np.asarray(given, dtype="float64")
    if numbers.shape != (classes,):
        refuse(name, f"be one number per class, shape ({classes},)", f"shape {numbers.shape}")
    bad = ~((numbers >= 0) & (numbers < math.inf))
    if bad.any():
        first = int(bad.argmax())
        refuse(name, "be finite and not negative", numbers[first], row=first)
    return ops.convert_to_tensor(numbers.astype(arithmetic(x)))
