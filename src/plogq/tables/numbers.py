"""Columns of numbers as NumPy arrays: every value checked, and copied only where it must be."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from plogq.kernels.widen import widen
from plogq.tables.arrays import Array, as_numpy, is_null
from plogq.tables.readers import Part


def shown(row: Array) -> str:
    """Return the first numbers of a row as text."""
    return "[" + ", ".join(f"{x:.6g}" for x in row[:6]) + (", …]" if len(row) > 6 else "]")


def numbers(part: Part, name: str) -> Array:
    """Return a column of numbers as floating point, (n,); refuse missing ones."""
    column = part.batch.column(name)
    if column.null_count:
        part.check(name, is_null(column), "hold a number in every row", lambda i: "null")
    return _floats(column)


def list_matrix(part: Part, name: str, column: pa.Array, classes: int, of_one: str = "") -> Array:
    """Return a list column as (rows, classes), after checking that each list is that long.

    `of_one` is the hint of the error message where every list is of one number.
    """
    expected = f"list {classes} numbers, one for each class"
    part.check(name, is_null(column), expected, lambda i: "null")
    if pa.types.is_fixed_size_list(column.type):
        lengths = np.full(len(column), column.type.list_size)
    else:
        lengths = as_numpy(column.value_lengths())
    hint = of_one if (lengths == 1).all() else ""
    part.check(name, lengths != classes, expected + hint, lambda i: lengths[i])
    values = column.flatten()
    rows = np.arange(len(column)).repeat(classes) if values.null_count else None
    part.check(name, is_null(values), expected, lambda i: "null", rows)
    return _floats(values).reshape(-1, classes)


def _floats(values: pa.Array) -> Array:
    """Return float32 or float64 without a copy, any other type as the one of them that holds it."""
    if not pa.types.is_floating(values.type):
        values = values.cast(pa.float64(), safe=False)  # an integer beyond 2⁵³ is rounded
    array = as_numpy(values)
    return widen(array) if array.dtype == np.float16 else array
