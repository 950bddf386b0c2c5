"""What every formula needs of its arrays: one namespace, one arithmetic dtype, known rows."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj

from plogq.errors import refuse

# Array API arrays have no common static type yet (data-apis/array-api#589).
Array = Any
# The distance from 1 to the next number, by the name of a dtype that outputs of models come in.
EPS = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}


def to_arrays(**named: Any) -> tuple[ModuleType, *tuple[Any, ...]]:
    """Give the arguments' common namespace, then each as an array of one arithmetic dtype.

    float32 and float64 are kept, half precisions become float32 (a sum of 65,520 float16 ones is
    already infinite), integers and Python sequences follow the float beside them, or become the
    namespace's float64 (NumPy) or default float.
    """
    named = {name: unmasked(name, x) for name, x in named.items()}
    arrays = {name: x for name, x in named.items() if is_array_api_obj(x)}
    xp = one_library(**arrays)
    where = device(next(iter(arrays.values()))) if arrays else None
    dtype = _arithmetic_dtype(xp, arrays)

    def convert(name: str, x: Any) -> Any:
        if is_array_api_obj(x):
            return x if x.dtype == dtype else xp.astype(x, dtype)
        try:
            numbers = np.asarray(x)
        except ValueError:  # a ragged list
            numbers = np.empty(0, dtype=object)
        if numbers.dtype.kind not in "biuf":
            refuse(name, "be an array of numbers", type(x).__name__, error=TypeError)
        return xp.asarray(numbers.tolist(), dtype=dtype, device=where)

    return (xp, *(convert(name, x) for name, x in named.items()))


def unmasked(name: str, x: Any) -> Any:
    """Return x without its mask; refuse a mask that hides values, since they would count."""
    parts = enumerate(x) if isinstance(x, (list, tuple)) else [(None, x)]
    for i, part in parts:
        if has_mask(part) and part.mask.any():
            hidden = np.broadcast_to(part.mask, part.shape)
            expected = (
                "hide nothing under a mask, for it would count: fill it (filled) or leave it out "
                "(compressed)"
            )
            row = first_row(np, hidden) if i is None else i
            refuse(name, expected, f"{hidden.sum():,} masked", row=row)
    return np.asarray(x) if has_mask(x) else x


def has_mask(x: Any) -> bool:
    """Tell whether x is a masked array, without loading numpy.ma."""
    return isinstance(x, np.ndarray) and type(x) is not np.ndarray and hasattr(x, "mask")


def one_library(**arrays: Any) -> ModuleType:
    """Give the namespace that all the arrays share; NumPy's where there are none."""
    try:
        return array_namespace(*arrays.values()) if arrays else array_namespace(np.empty(0))
    except TypeError as error:
        kinds = ", ".join(f"{name}: {type(x).__module__}" for name, x in arrays.items())
        raise TypeError(f"arguments must be arrays of one library; got {kinds}") from error


def _arithmetic_dtype(xp: ModuleType, arrays: dict[str, Any]) -> Any:
    floats = []
    for name, x in arrays.items():
        if xp.isdtype(x.dtype, "complex floating"):
            refuse(name, "be real", x.dtype, error=TypeError)
        if xp.isdtype(x.dtype, "real floating"):
            floats.append(x.dtype if x.dtype == xp.float64 else xp.float32)
    if floats:
        return xp.result_type(*floats)
    return xp.asarray([0.0]).dtype  # the namespace's own default


def classes_last(xp: ModuleType, x: Array, axis: int, name: str) -> Array:
    """Move the class axis to the end, after checking that it is there and not empty."""
    if x.ndim == 0 or not -x.ndim <= axis < x.ndim:
        refuse(name, f"have an axis {axis}", f"shape {tuple(x.shape)}")
    if x.shape[axis] == 0:
        refuse(name, "have at least one class", f"shape {tuple(x.shape)}, axis {axis}")
    return xp.moveaxis(x, axis, -1)


def same_shape(p: Array, q: Array, names: tuple[str, str]) -> None:
    """Refuse two distributions over different outcomes: broadcasting one would hide a mistake."""
    if p.shape != q.shape:
        refuse(names[1], f"have {names[0]}'s shape {tuple(p.shape)}", f"{tuple(q.shape)}")


def values_known(x: Array) -> bool:
    """Tell whether values can be looked at: not while JAX traces, and not on a meta device."""
    tracing = any(base.__name__ == "Tracer" for base in type(x).__mro__)
    return not tracing and str(getattr(x, "device", "")) != "meta"


def nan_unless(xp: ModuleType, sound: Array, x: Array) -> Array:
    """Return x; if values are not known, return it with NaN where it is not sound.

    NaN is added, not multiplied: XLA takes the product of a one-hot row and NaN for 0.
    """
    return x if values_known(x) else x + xp.where(sound, xp.zeros_like(x), xp.nan)


def first_row(xp: ModuleType, bad: Array) -> int | tuple[int, ...] | None:
    """Give the index of the first True, or None; an integer where the rows have one axis."""
    if not values_known(bad) or not bool(xp.any(bad)):
        return None
    index = np.unravel_index(int(xp.argmax(xp.astype(xp.reshape(bad, (-1,)), xp.int8))), bad.shape)
    row = tuple(int(i) for i in index)
    return row[0] if len(row) == 1 else row


def shown(x: Array, row: int | tuple[int, ...]) -> str:
    """Show a number, or the first few of a row, for a message."""
    came = x[(*(row if isinstance(row, tuple) else (row,)), ...)]
    came = came.detach() if hasattr(came, "detach") else came  # torch warns of float(x) otherwise
    if came.ndim == 0:
        return f"{float(came):.9g}"
    numbers = [f"{float(came[i]):.6g}" for i in range(min(6, came.shape[0]))]
    return "[" + ", ".join(numbers) + (", …]" if came.shape[0] > 6 else "]")


def sum_tolerance(xp: ModuleType, *originals: Any) -> float:
    """Give how far from 1 a distribution may sum: √eps of the coarsest dtype of the arguments.

    NumPy's `Generator.choice` and `multinomial` allow the same.
    """
    eps = [
        float(xp.finfo(x.dtype).eps)
        for x in originals
        if is_array_api_obj(x) and xp.isdtype(x.dtype, "real floating")
    ]
    return float(max(eps, default=float(np.finfo(np.float64).eps)) ** 0.5)
