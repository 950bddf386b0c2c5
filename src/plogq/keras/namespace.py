"""`keras.ops` as the namespace of arrays that the cores of `plogq.formulas` take."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

from keras import ops

_SAME = (
    "abs", "all", "any", "argmax", "broadcast_to", "exp", "expm1", "isfinite", "isinf", "log",
    "log1p", "max", "ones_like", "searchsorted", "sinh", "stack", "sum", "take", "tanh",
    "zeros_like",
)  # fmt: skip


def _arange(stop: int, device: Any) -> Any:
    """Return 0, …, stop − 1 where Keras puts its tensors."""
    return ops.arange(stop, dtype="int32")


def _where(condition: Any, a: Any, b: Any) -> Any:
    """Return a where the condition holds, else b; a number takes the dtype of what is beside it.

    Keras makes a float32 tensor of a number first, so that one in float64 would lose digits.
    """
    if isinstance(a, float) and hasattr(b, "dtype"):
        a = ops.zeros((), b.dtype) + a
    elif isinstance(b, float) and hasattr(a, "dtype"):
        b = ops.zeros((), a.dtype) + b
    return ops.where(condition, a, b)


xp: Any = SimpleNamespace(
    inf=math.inf,
    nan=math.nan,
    arange=_arange,
    astype=ops.cast,
    where=_where,
    **{name: getattr(ops, name) for name in _SAME},
)
