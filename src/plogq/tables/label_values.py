"""The values of a label column, ready to be compared: numbers, or distinct texts with codes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from pyarrow import types

from plogq.tables.arrays import Array, as_numpy, is_null


def is_missing(column: pa.Array) -> Array:
    """Return which labels are missing (null or NaN), booleans; it may be empty where none is."""
    if not types.is_floating(column.type):
        return is_null(column)
    return as_numpy(column.is_null(nan_is_null=True).cast(pa.int8())).astype(bool)


def label_values(labels: pa.Array) -> Array | pa.DictionaryArray:
    """Return labels, none of them missing, as an array of numbers, or as texts with codes.

    Booleans become 0 and 1, decimals become float64, bytes are read as text in UTF-8, and a
    dictionary is treated as its values.
    """
    if types.is_dictionary(labels.type) and not _is_text(labels.type.value_type):
        labels = labels.dictionary_decode()
    kind = labels.type
    if types.is_boolean(kind):
        return as_numpy(labels.cast(pa.int8()))
    if types.is_float16(kind):
        return as_numpy(labels).astype(np.float64)
    if types.is_integer(kind) or types.is_floating(kind):
        return as_numpy(labels)
    if types.is_decimal(kind):
        return as_numpy(labels.cast(pa.float64()))
    if types.is_null(kind):
        labels = labels.cast(pa.string())
    if not types.is_dictionary(kind):
        labels = labels.dictionary_encode()
    texts = [_text(value) for value in labels.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(labels.indices, pa.array(texts, pa.string()))


def _is_text(kind: pa.DataType) -> bool:
    return not (
        types.is_boolean(kind)
        or types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
    )


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
