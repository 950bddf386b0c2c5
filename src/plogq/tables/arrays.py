"""Arrow's columns as NumPy arrays, without a copy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

Array = np.ndarray[Any, Any]


def as_numpy(values: pa.Array) -> Array:
    """View numbers, none of them missing; `to_numpy` would import pandas, which takes longest."""
    array: Array = np.from_dlpack(values)
    return array


def is_null(column: pa.Array) -> Array:
    """Tell which values are missing; an empty array where none is."""
    if column.null_count == 0:
        return np.empty(0, bool)
    return as_numpy(column.is_null().cast(pa.int8())).astype(bool)
