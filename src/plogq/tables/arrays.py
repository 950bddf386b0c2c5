"""Arrow columns as NumPy arrays without a copy, and Arrow's newer types as the older ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import types

from plogq.errors import TableError, refuse

Array = np.ndarray[Any, Any]


def as_numpy(values: pa.Array) -> Array:
    """Return a column of numbers without nulls as an array (n,), without a copy.

    Arrow's own `to_numpy` would import pandas, which takes long.
    """
    array: Array = np.from_dlpack(values)
    return array


def is_null(column: pa.Array) -> Array:
    """Return which values are missing, (n,) booleans; an empty array where none is."""
    if column.null_count == 0:
        return np.empty(0, bool)
    return as_numpy(column.is_null().cast(pa.int8())).astype(bool)


def as_texts(column: pa.Array | pa.ChunkedArray, where: str) -> pa.Array:
    """Return a column of names or numbers as texts; `where` is what errors call it.

    Raises
    ------
    TableError
        It holds something else.

    Examples
    --------
    >>> as_texts(pa.chunked_array([[1, None], [3]]), "ids").to_pylist()
    ['1', None, '3']
    """
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        return column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return refuse(where, "hold text in UTF-8, or numbers", column.type, error=TableError)


def plain_type(kind: pa.DataType) -> pa.DataType:
    """Return the type that a column is read as.

    Views, runs and extensions become what they stand for, and so do dictionaries, except those of
    text.

    Examples
    --------
    >>> plain_type(pa.list_view(pa.string_view()))
    ListType(list<item: string>)
    >>> plain_type(pa.dictionary(pa.int8(), pa.float32()))
    DataType(float)
    """
    if types.is_primitive(kind):  # most are, and there may be very many columns
        return kind
    if isinstance(kind, pa.BaseExtensionType):
        return plain_type(kind.storage_type)
    if types.is_run_end_encoded(kind):
        return plain_type(kind.value_type)
    if types.is_dictionary(kind):
        values = plain_type(kind.value_type)
        text = types.is_string(values) or types.is_large_string(values)
        return pa.dictionary(kind.index_type, values) if text else values
    if is_list(kind):
        values = plain_type(kind.value_type)
        if types.is_fixed_size_list(kind):
            return pa.list_(values, kind.list_size)
        large = types.is_large_list(kind) or types.is_large_list_view(kind)
        return pa.large_list(values) if large else pa.list_(values)
    return {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}.get(kind, kind)


def is_plain(kind: pa.DataType) -> bool:
    """Return whether `plain` leaves every column of a type as it is.

    A dictionary is not plain: its values may hold nulls, which `plain` takes out of it.
    """
    return plain_type(kind) == kind and not types.is_dictionary(kind)


def plain(column: pa.Array) -> pa.Array:
    """Return a column as its `plain_type`, itself where it is of that already.

    Examples
    --------
    >>> plain(pa.array([[0.5], None], pa.list_view(pa.float64()))).to_pylist()
    [[0.5], None]
    """
    kind = column.type
    wanted = plain_type(kind)
    if isinstance(kind, pa.BaseExtensionType):
        return plain(column.storage)
    if types.is_run_end_encoded(kind):
        from pyarrow import compute

        return plain(compute.run_end_decode(column))
    if types.is_dictionary(kind):
        values = plain(column.dictionary)
        if kind == wanted and not values.null_count:
            return column
        decoded = plain(values.take(column.indices))
        return decoded.dictionary_encode() if types.is_dictionary(wanted) else decoded
    if is_list(kind) and not types.is_fixed_size_list(kind) and kind != wanted:
        # The lists are built anew from their lengths: Arrow's own cast of a list view makes
        # arrays that are not valid.
        lengths = column.value_lengths().fill_null(0)
        ends = np.cumsum(as_numpy(lengths), dtype=np.int64)
        ends = np.concatenate([np.zeros(1, np.int64), ends])
        large = types.is_large_list(wanted)
        offsets = pa.array(ends, pa.int64() if large else pa.int32())
        new = pa.LargeListArray if large else pa.ListArray
        missing = column.is_null() if column.null_count else None
        return new.from_arrays(offsets, plain(column.flatten()), mask=missing)
    return column if kind == wanted else column.cast(wanted)


def is_list(kind: pa.DataType) -> bool:
    """Return whether a type is a list, in any of Arrow's five layouts."""
    return not types.is_primitive(kind) and bool(
        types.is_list(kind)
        or types.is_large_list(kind)
        or types.is_fixed_size_list(kind)
        or types.is_list_view(kind)
        or types.is_large_list_view(kind)
    )
