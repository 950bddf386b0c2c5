"""Error messages for what the native code refuses; they are made only after it has refused."""

from __future__ import annotations

import math
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from plogq.errors import check_number, refuse
from plogq.formulas.arrays import shown

_FLOATS = ("float32", "float64", "bfloat16", "float16")


def dtype_name(array: Any) -> str:
    """Give a dtype's name without its library, such as "float32"."""
    return str(array.dtype).rpartition(".")[2]


def check_softcap(softcap: Any, name: str = "softcap") -> None:
    """Refuse a bound of logits that is not finite, or not above 0."""
    check_number(name, softcap)
    if not 0 < softcap < math.inf:
        refuse(name, "be greater than 0 and finite", softcap)


def check_ignore_index(ignore_index: Any) -> None:
    """Refuse an ignore_index that no label can equal."""
    if isinstance(ignore_index, bool) or not isinstance(ignore_index, (int, np.integer)):
        refuse("ignore_index", "be an integer", repr(ignore_index), error=TypeError)
    if not -(2**63) <= ignore_index < 2**63:
        refuse("ignore_index", "fit in int64", ignore_index)


def check_denominator(denominator: Any) -> None:
    """Refuse a denominator that no mean can have; 0 is that of a batch with no row left."""
    check_number("denominator", denominator)
    if not 0 <= denominator < math.inf:
        refuse("denominator", "be finite and not negative", denominator)


def check_classes(logits: Any) -> None:
    """Refuse logits whose shape is not (C,), (N, C) or (N, C, d1, …)."""
    _check_floats("logits", logits)
    if logits.ndim == 0 or logits.shape[min(1, logits.ndim - 1)] == 0:
        expected = "have shape (C,), (N, C) or (N, C, d1, …), C > 0"
        refuse("logits", expected, f"shape {logits.shape}")
    _check_aligned("logits", logits)


def check_matrix(logits: Any) -> None:
    """Refuse logits whose shape is neither (N, C) nor (K, M, C)."""
    _check_floats("logits", logits)
    if len(logits.shape) not in (2, 3) or logits.shape[-1] == 0:
        expected = "have shape (rows, classes), classes > 0"
        refuse("logits", expected, f"shape {tuple(logits.shape)}")


def check_logits(logits: Any) -> None:
    """Refuse logits whose dtype, shape or strides the kernel cannot read."""
    check_matrix(logits)
    _check_aligned("logits", logits)


def check_arithmetic(dtype: npt.DTypeLike, logits: Any) -> None:
    """Refuse a dtype of the arithmetic that fits neither the logits nor float32 made float64."""
    check_logits(logits)
    name = dtype_name(logits)
    allowed = {"float32": ("float32", "float64"), "float64": ("float64",)}.get(name, ("float32",))
    if np.dtype(dtype).name not in allowed:
        refuse("dtype", f"be {' or '.join(allowed)}", np.dtype(dtype))


def check_target(target: Any, logits: Any) -> None:
    """Refuse a target that has neither one integer nor one distribution for each row."""
    _check_array("target", target)
    shape, given = tuple(logits.shape), tuple(target.shape)
    if given == shape:
        _check_floats("target", target)
        _check_aligned("target", target)
    elif given != (math.prod(shape[:-1]),):
        rows = (math.prod(shape[:-1]),)
        expected = f"be class indices of shape {rows} or distributions of shape {shape}"
        refuse("target", expected, f"shape {given}")
    elif getattr(target.dtype, "kind", dtype_name(target).lstrip("u")[0]) not in "iu":
        refuse("target", "be integers, as class indices", dtype_name(target), error=TypeError)


def check_out(out: Any, logits: Any, target: Any = None) -> None:
    """Refuse an array that cannot hold the gradient of these logits."""
    like = f"{dtype_name(logits)} {tuple(logits.shape)}"
    _check_array("out", out)
    if dtype_name(out) != dtype_name(logits) or tuple(out.shape) != tuple(logits.shape):
        refuse("out", f"be like the logits, {like}", f"{dtype_name(out)} {tuple(out.shape)}")
    _check_aligned("out", out)
    if math.prod(out.shape) and any(
        size > 1 and stride == 0 for size, stride in zip(out.shape, _strides(out), strict=True)
    ):
        refuse("out", "have a place for each element", f"strides {_strides(out)}")
    _check_room("out", out, {"logits": logits, "target": target})


def check_rows(
    logits: Any,
    target: Any,
    weight: Any,
    keep: Any,
    row_scale: Any,
    gradient: Any,
    ignore_index: int | None,
) -> None:
    """Refuse the first argument of `softmax_loss` that does not fit the logits."""
    check_logits(logits)
    if target is not None:
        check_target(target, logits)
    n, classes = math.prod(logits.shape[:-1]), logits.shape[-1]
    if gradient is not None:
        check_out(gradient, logits, target)
    if weight is not None and weight.shape != (classes,):
        refuse("weight", f"have shape ({classes},)", f"shape {weight.shape}")
    if keep is not None and (keep.shape != (n,) or keep.dtype != np.bool_):
        refuse("keep", f"be bool of shape ({n},)", f"{keep.dtype} {keep.shape}")
    if row_scale is not None and row_scale.shape not in ((1,), (n,)):
        refuse("row_scale", f"be a number or have shape ({n},)", f"shape {row_scale.shape}")
    if ignore_index is not None:
        check_ignore_index(ignore_index)


def check_elements(
    logits: Any, target: Any, pos_weight: Any, weight: Any, losses: Any, gradient: Any
) -> None:
    """Refuse the first argument of `binary_loss` that does not fit the logits."""
    _check_floats("logits", logits)
    _check_floats("target", target)
    shape, dtype = tuple(logits.shape), dtype_name(logits)
    arithmetic = "float64" if dtype == "float64" else "float32"
    arrays = {
        "logits": logits,
        "target": target,
        "weight": weight,
        "losses": losses,
        "gradient": gradient,
    }
    for name, array in arrays.items():
        if array is None:
            continue
        _check_array(name, array)
        expected = f"{arithmetic if name in ('weight', 'losses') else dtype} {shape}"
        came = f"{dtype_name(array)} {tuple(array.shape)}"
        if came != expected:
            refuse(name, f"be {expected}", came)
        if isinstance(array, np.ndarray) and not array.flags.c_contiguous:
            refuse(name, "be contiguous", f"strides {array.strides}")
    for name in ("losses", "gradient"):
        others = {other: array for other, array in arrays.items() if other != name}
        _check_room(name, arrays[name], others)
    if pos_weight is not None and np.shape(np.atleast_1d(pos_weight)) not in ((1,), shape[-1:]):
        expected = f"be a number or have shape {shape[-1:]}"
        refuse("pos_weight", expected, f"shape {np.shape(pos_weight)}")


def refuse_row_of_target(
    target: Any, row: int, shape: tuple[int, ...], ignore_index: int | None
) -> NoReturn:
    """Say what is wrong with the target of a row of logits of this shape."""
    place = tuple(int(i) for i in np.unravel_index(row, shape[:-1]))
    where = row if len(place) == 1 else place
    if len(target.shape) == 1:
        expected = f"be a class index in [0, {shape[-1]})"
        if ignore_index is not None:
            expected += f" or the ignore_index {ignore_index}"
        refuse("target", expected, int(target[row]), row=where)
    values = np.array([float(p) for p in target[place]])
    if not (values >= 0).all():
        expected = "be probabilities, none negative or NaN"
        refuse("target", expected, shown(values, ()), row=where)
    came = f"{shown(values, ())}, which sums to {values.sum():.9g}"
    refuse("target", "sum to 1 along its class axis", came, row=where)


def refuse_element_of_target(target: Any, position: int) -> NoReturn:
    """Say what is wrong with a target that should be in [0, 1]."""
    place = tuple(int(i) for i in np.unravel_index(position, tuple(target.shape)))
    came = f"{float(target[place]):.9g}"
    refuse("target", "be in [0, 1]", came, row=place[0] if len(place) == 1 else place)


def refuse_row_of_logits(highest: np.floating[Any], row: int) -> NoReturn:
    """Say what is wrong with the logits of a row, which the gradient may have overwritten."""
    came = {np.inf: "inf", -np.inf: "no finite number"}.get(float(highest), "NaN")
    expected = "be finite, or -inf for a masked class, with one class left in each row"
    refuse("logits", expected, came, row=row)


def _check_array(name: str, array: Any) -> None:
    if not hasattr(array, "__dlpack__"):
        expected = "be a NumPy array, or another that speaks DLPack"
        refuse(name, expected, type(array).__name__, error=TypeError)


def _check_floats(name: str, array: Any) -> None:
    _check_array(name, array)
    if dtype_name(array) not in _FLOATS:
        refuse(name, f"be {', '.join(_FLOATS)}", dtype_name(array), error=TypeError)


def _strides(array: Any) -> tuple[int, ...]:
    return tuple(array.strides if hasattr(array, "strides") else array.stride())


def _check_room(name: str, room: Any, others: dict[str, Any]) -> None:
    if not isinstance(room, np.ndarray):
        return
    if not room.flags.writeable:
        refuse(name, "be writable", "a read-only array")
    for other, array in others.items():
        if not isinstance(array, np.ndarray) or not np.may_share_memory(room, array):
            continue
        same = room.strides == array.strides and room.ctypes.data == array.ctypes.data
        if other != "logits" or not same or room.dtype != array.dtype:
            expected = "be the logits or share no memory with anything"
            refuse(name, expected, f"an overlap with {other}")


def _check_aligned(name: str, array: Any) -> None:
    if not isinstance(array, np.ndarray):
        return
    if not array.flags.aligned or any(stride % array.itemsize for stride in array.strides):
        refuse(name, "be aligned, with strides that are whole elements", f"strides {array.strides}")
