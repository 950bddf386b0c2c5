"""`keras.ops` as the namespace of arrays that the cores of `plogq.formulas` take."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

from keras import ops

_SAME = (
    "abs", "all", "any", "argmax", "broadcast_to", "exp", "expm1", "isfinite", "isinf", "log",
    "log1p", "ones_like", "sinh", "sum", "tanh", "where", "zeros_like",
)  # fmt: skip


def _arange(stop: int, device: Any) -> Any:
    """Return 0, …, stop − 1 where Keras puts its tensors."""
    return ops.arange(stop, dtype="int32")


xp: Any = SimpleNamespace(
    inf=math.inf,
    nan=math.nan,
    arange=_arange,
    astype=ops.cast,
    **{name: getattr(ops, name) for name in _SAME},
)
