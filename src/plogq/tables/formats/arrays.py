"""Named arrays in memory as a table: a matrix is a list column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from plogq.errors import TableError, refuse
from plogq.tables.formats.wanted import Wanted


class Head(NamedTuple):
    """What an array is, before it is read."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool = False

    def type(self) -> pa.DataType:
        """Give the column type; null for what can be no column, refused only when it is read."""
        if len(self.shape) not in (1, 2):
            return pa.null()
        try:
            item = pa.from_numpy_dtype(self.dtype.newbyteorder("="))
        except pa.ArrowNotImplementedError:
            return pa.null()
        return item if len(self.shape) == 1 else pa.list_(item, self.shape[1])


def schema_of(heads: dict[str, Head]) -> pa.Schema:
    """Return the columns that arrays are."""
    return pa.schema([(name, head.type()) for name, head in heads.items()])


def row_count(path: str, heads: dict[str, Head], columns: list[str], note: str = "") -> int:
    """Give the length of the arrays to read, after checking them; any others may be anything."""
    for name in columns:
        dtype, shape, fortran = heads[name]
        where = f"{path}: array {name!r}"
        if heads[name].type() == pa.null() and len(shape) in (1, 2):
            refuse(
                where, f"hold plain numbers or strings{note}", f"dtype {dtype}", error=TableError
            )
        if len(shape) not in (1, 2):
            refuse(where, "have shape (rows,) or (rows, classes)", shape, error=TableError)
        if fortran and min(shape) > 1:
            expected = "be in C order, so that its rows can be streamed (np.ascontiguousarray)"
            refuse(where, expected, "Fortran order", error=TableError)
    lengths = {name: heads[name].shape[0] for name in columns}
    if len(set(lengths.values())) > 1:
        refuse(path, "hold arrays of one length", lengths, error=TableError)
    return next(iter(lengths.values()))


def likely_rows(heads: dict[str, Head]) -> int | None:
    """Give how many rows there are if all arrays agree on it."""
    lengths = {head.shape[:1] for head in heads.values()}
    return next(iter(lengths.pop()), None) if len(lengths) == 1 else None


def column(array: np.ndarray[Any, Any]) -> pa.Array:
    """Return an array as a column; a matrix as one of lists."""
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    if native.ndim == 1:
        return pa.array(native)
    flat = pa.array(np.ascontiguousarray(native).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, native.shape[1])


def rows_that_fit(schema: pa.Schema, wanted: Wanted) -> int:
    """Return how many rows a batch has: at least one."""
    width = [schema.field(name).type for name in wanted.columns]
    each = sum(8 * (t.list_size if pa.types.is_fixed_size_list(t) else 1) for t in width)
    return max(1, min(wanted.rows, wanted.size // max(1, each)))


class Arrays:
    """A mapping of arrays: {"logits": (rows, classes), "labels": (rows,)}."""

    format = "arrays"
    path = "arrays"

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        self._arrays = {name: _strings(np.asarray(array)) for name, array in arrays.items()}
        self._heads = {name: Head(a.dtype, a.shape) for name, a in self._arrays.items()}
        self.schema = schema_of(self._heads)
        self.rows = likely_rows(self._heads)

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Give slices of the arrays."""
        length = row_count(self.path, self._heads, wanted.columns)
        step = rows_that_fit(self.schema, wanted)
        for first in range(0, length, step):
            slices = [column(self._arrays[name][first : first + step]) for name in wanted.columns]
            yield pa.record_batch(slices, names=wanted.columns)


def _strings(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Give an array of str objects, as pandas has them, as NumPy's own."""
    if array.dtype == object and array.size and all(isinstance(x, str) for x in array.flat):
        return array.astype(str)
    return array
