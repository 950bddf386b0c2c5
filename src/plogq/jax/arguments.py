"""Arguments as JAX's arrays, classes last; what is at fault is refused, or NaN while JAX traces.

Where values are known a check looks at them. Under `jit`, `vmap` or `grad` of what is checked they
are not: there the loss becomes NaN, and so does its gradient. `checkify.checkify` (with its
`user_checks`) turns the same checks into errors; without it they are no operation at all.
"""

from __future__ import annotations

import math
import operator
from typing import Any, Literal, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import checkify

from plogq.errors import refuse
from plogq.formulas.arrays import first_row, shown, unmasked
from plogq.kernels.arguments import check_denominator

Array = jax.Array
ArrayLike = jax.typing.ArrayLike
Shaped = Array | jax.ShapeDtypeStruct
_ARRAYS = (jax.Array, np.ndarray, np.generic, bool, int, float)
Axis = int | tuple[int, ...] | None
Validate: TypeAlias = bool | Literal["checkify"]


def as_array(name: str, x: Any) -> Array:
    """Return anything that JAX takes for an array as one of its arrays."""
    if not isinstance(x, _ARRAYS) and not hasattr(x, "__jax_array__"):
        refuse(name, "be an array", type(x).__name__, error=TypeError)
    x = unmasked(name, x)
    if isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind in "iu" and x.dtype.itemsize == 8:
        # JAX may cut it to 32 bits: a wrong label must not wrap round into a right one.
        x = np.clip(x, -(2**31), 2**31 - 1)
    return jnp.asarray(x)


def as_floats(name: str, given: Any) -> Array:
    """Return a floating point array."""
    x = as_array(name, given)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        refuse(name, "be floating point", x.dtype, error=TypeError)
    return x


def as_real(name: str, given: Any) -> Array:
    """Return an array of real numbers."""
    x = as_array(name, given)
    if jnp.issubdtype(x.dtype, jnp.complexfloating):
        refuse(name, "be real", x.dtype, error=TypeError)
    return x


def shaped(shape: tuple[int, ...], dtype: Any) -> jax.ShapeDtypeStruct:
    """Return the shape and dtype of an array that is nowhere."""
    return jax.ShapeDtypeStruct(shape, dtype)  # type: ignore[no-untyped-call]


def arithmetic(x: Shaped) -> Any:
    """Return the dtype of the arithmetic and of the loss: half precisions are summed in float32."""
    return jnp.float64 if x.dtype == jnp.float64 else jnp.float32


def classes_last(name: str, x: Array, axis: Axis) -> Array:
    """Return logits with their class axis, or axes as one, at the end."""
    axes, (shape, classes) = _axes(name, x, axis), shape_of(name, x, axis)
    x = jnp.moveaxis(x, axes, range(-len(axes), 0))
    return x if len(axes) == 1 else x.reshape(*shape, classes)


def _axes(name: str, x: Shaped, axis: Axis) -> tuple[int, ...]:
    given = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    found = tuple(operator.index(i) % x.ndim if -x.ndim <= i < x.ndim else -1 for i in given)
    if not found or -1 in found or len(set(found)) < len(found):
        refuse(name, f"have an axis {axis}", f"shape {x.shape}")
    return found


def masks(where: Any, logits: Shaped, axis: Axis) -> tuple[Array | None, Array | None]:
    """Return which classes count, (…, C), and which rows do, (…); None for all.

    `where` has the rows' shape, or the logits' (then it may broadcast).
    """
    if where is None:
        return None, None
    where = as_mask("where", where)
    rows, _ = shape_of("logits", logits, axis)
    if where.ndim == logits.ndim:
        mask = classes_last("where", broadcast("where", where, logits.shape), axis)
        return mask, mask.any(axis=-1)
    if where.shape != rows:
        refuse("where", f"have the rows' shape {rows} or the logits' {logits.shape}", where.shape)
    return None, where


def as_mask(name: str, given: Any) -> Array:
    """Return a mask; of numbers it would not be plain what leaves out."""
    x = as_array(name, given)
    if x.dtype != jnp.bool_:
        refuse(name, "be bool", x.dtype, error=TypeError)
    return x


def broadcast(name: str, x: Array, shape: tuple[int, ...]) -> Array:
    """Return x in a shape that it broadcasts to."""
    padded = (1,) * (len(shape) - x.ndim) + x.shape
    if x.ndim > len(shape) or any(a not in (1, b) for a, b in zip(padded, shape, strict=True)):
        refuse(name, f"broadcast to the shape {shape}", x.shape)
    return jnp.broadcast_to(x, shape)


def shape_of(name: str, x: Shaped, axis: Axis) -> tuple[tuple[int, ...], int]:
    """Return the shape of the rows, and the number of classes."""
    axes = _axes(name, x, axis)
    classes = math.prod(x.shape[i] for i in axes)
    if classes == 0:
        refuse(name, "have at least one class", f"shape {x.shape}, axis {axis}")
    return tuple(size for i, size in enumerate(x.shape) if i not in axes), classes


def target_of(target: Any, logits: Shaped, axis: Axis) -> tuple[Array, bool]:
    """Return class indices (…), or distributions (…, C) and True, told by their shape."""
    target, (rows, _) = as_real("target", target), shape_of("logits", logits, axis)
    if target.shape == logits.shape:
        return classes_last("target", target, axis), True
    if target.shape != rows:
        expected = f"be class indices of shape {rows}, or distributions of shape {logits.shape}"
        refuse("target", expected, f"shape {target.shape}")
    if not jnp.issubdtype(target.dtype, jnp.integer):
        refuse("target", "be integers as class indices", target.dtype, error=TypeError)
    # All classes fit in 32 bits: 1,000 do not fit in uint8.
    return target.astype(jnp.int32) if target.dtype.itemsize < 4 else target, False


def check_validate(validate: Validate) -> Validate:
    """Return what was asked about values."""
    if validate not in (True, False, "checkify"):
        refuse("validate", 'be True, False or "checkify"', repr(validate))
    return validate


def check_labels(label: Array, classes: int, keep: Array | None, validate: Validate) -> None:
    """Refuse the first label, of a row that counts, that is no class."""
    bad = (label < 0) | (label >= classes)
    row = refused_row(bad if keep is None else bad & keep)
    expected = f"be a class index in [0, {classes}); `where` leaves rows out"
    if row is not None:
        refuse("target", expected, int(label[row]), row=row)
    debug(bad if keep is None else bad & keep, f"target must {expected}", validate)


def refused_row(bad: Array) -> int | tuple[int, ...] | None:
    """Return the first place at fault; None where there is none, or values are not known."""
    return first_row(jnp, bad) if not isinstance(bad, jax.core.Tracer) and _here(bad) else None


def _here(x: Array) -> bool:
    return x.is_fully_addressable  # parts of it may lie on another host


def debug(bad: Array, message: str, validate: Validate) -> None:
    """Let `checkify` say what is at fault, where that is wanted and values are not known.

    A program with such a check is called more slowly, and cannot be serialised.
    """
    if validate == "checkify" and isinstance(bad, jax.core.Tracer):
        checkify.debug_check(~bad.any(), message)


def check_range(
    name: str,
    x: Array,
    low: float,
    high: float,
    expected: str,
    keep: Array | None,
    validate: Validate,
) -> Array:
    """Refuse the first element outside [low, high]; or return x, with NaN for it.

    Of what is left out by `keep` nothing is said, nor of anything unless `validate`.
    """
    if not check_validate(validate):
        return x
    bad = ~((x >= low) & (x <= high))
    bad = bad if keep is None else bad & keep
    row = refused_row(bad)
    if row is not None:
        refuse(name, expected, shown(x, row), row=row)
    debug(bad, f"{name} must {expected}", validate)
    return jnp.where(bad, jnp.nan, x)


def denominator_of(denominator: ArrayLike | None, reduction: str) -> Any:
    """Return a caller's divisor, checked and without its gradient; NaN for one that divides none.

    Reads the reduction too, since only a mean divides.
    """
    if reduction not in ("none", "mean", "sum"):
        refuse("reduction", 'be "none", "mean" or "sum"', repr(reduction))
    if denominator is None:
        return None
    if reduction != "mean":
        refuse("denominator", 'be given with reduction "mean" alone', f"reduction {reduction!r}")
    if not isinstance(denominator, (jax.Array, np.ndarray)):
        check_denominator(denominator)
        return denominator
    given = jax.lax.stop_gradient(as_real("denominator", denominator))
    if given.ndim:
        refuse("denominator", "be a number or a 0-d array", f"shape {given.shape}")
    if not isinstance(given, jax.core.Tracer) and _here(given):
        check_denominator(given.item())
    known = (given >= 0) & (given < math.inf)
    return jnp.where(known, given.astype(jnp.float32), jnp.nan)
