"""Labels and predictions as two arrays, in scikit-learn's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import types

from plogq.errors import TableError, refuse
from plogq.tables.arrays import as_numpy, is_list, plain
from plogq.tables.columns import Columns, find_columns
from plogq.tables.formats import KINDS
from plogq.tables.formats.arrays import Arrays
from plogq.tables.formats.memory import is_frame
from plogq.tables.formats.text_options import TextOptions
from plogq.tables.formats.wanted import HEAD_ROWS, Wanted
from plogq.tables.joined import joined_table
from plogq.tables.readers import Table, open_table, table_of_arrays

# At most so many bytes of predictions, and HEAD_ROWS rows, are looked at to see what they are.
LOOK_BYTES = 1 << 20


def is_table(source: Any) -> bool:
    """Return whether a source is a table, and not labels alone."""
    return isinstance(source, (str, PathLike, Mapping)) or is_frame(source)


def is_array(x: Any, *, or_names: bool = False) -> bool:
    """Return whether x is an array, not a column's name, nor with `or_names` a list of names."""
    if isinstance(x, Sequence) and not isinstance(x, (str, bytes)):
        return not or_names or any(not np.isscalar(each) for each in x[:1])
    speaks = ("__array__", "__arrow_c_array__", "__arrow_c_stream__")
    return is_frame(x) or any(hasattr(x, how) for how in speaks)


def are_arrays(source: Any, predictions: Any, options: Mapping[str, Any]) -> bool:
    """Return whether arrays are to be scored: `predictions` are given, or an option is an array."""
    table = is_table(source)
    given = (is_array(x, or_names=table and name in KINDS) for name, x in options.items())
    return predictions is not None or any(given)


def open_source(
    source: Any, predictions: Any, options: Mapping[str, Any], text: TextOptions
) -> tuple[Table, dict[str, Any]]:
    """Return a table opened, or labels and predictions as one; and the options as column names."""
    if are_arrays(source, predictions, options):
        return open_arrays(source, predictions, options)
    return open_table(source, text), dict(options)


def open_columns(
    source: Any,
    predictions: Any,
    asked: Mapping[str, Any],
    text: TextOptions,
    *,
    labels: Any,
    on: str | None,
    **options: Any,
) -> tuple[Table, Columns]:
    """Return a source opened, with the labels of a second table, and what its columns mean.

    `asked` are the options that may be arrays; `options` the others, as `find_columns` has them.
    """
    table, names = open_source(source, predictions, asked, text)
    table = joined_table(table, labels, on, text)
    return table, find_columns(table, **options, **names)


def open_arrays(
    labels: Any, predictions: Any, options: Mapping[str, Any]
) -> tuple[Table, dict[str, str | None]]:
    """Return labels and predictions as a table, and the options as names of its columns.

    Parameters
    ----------
    labels
        One for each row: classes, names, or distributions.
    predictions
        The probabilities of each row; None where an option holds the predictions.
    options
        By name: "probs", "logits", "logprobs", "weight", "group", "id", each an array or None.

    Raises
    ------
    TableError
        There are no predictions, or predictions of two kinds; there is a table where labels
        belong; or the predictions cannot be probabilities, but may be labels.

    Examples
    --------
    >>> table, names = open_arrays([0, 1], [[0.5, 0.5], [0.25, 0.75]], {"id": ["a", "b"]})
    >>> table.schema.names, names
    (['labels', 'probs', 'id'], {'id': 'id'})
    """
    arrays = {"probs": predictions} if predictions is not None else {}
    for option, x in options.items():
        if is_array(x):
            if option in arrays:
                refuse(option, "be given once", "two arrays", error=TableError)
            arrays[option] = x
        elif x is not None:
            expected = "be an array too, where predictions are one"
            refuse(option, expected, repr(x), error=TableError)
    kinds = [kind for kind in KINDS if kind in arrays]
    if len(kinds) != 1:
        expected = "be one array: the second argument, or logits=, logprobs= or probs="
        refuse("predictions", expected, " and ".join(kinds) or "none", error=TableError)
    _check_labels(labels)
    _check_order(labels, arrays[kinds[0]])
    reader = Arrays({"labels": labels, **arrays})
    if reader.rows == 0:
        raise TableError(f"{reader.path}: no rows")
    if kinds == ["probs"]:
        _check_probabilities(reader)
    names = {option: option if option in arrays else None for option in options}
    # Predictions are found by name, since a frame of them becomes a column for each class.
    return table_of_arrays(reader), names | {kind: None for kind in KINDS if kind in options}


def _check_labels(labels: Any) -> None:
    if not is_array(labels):
        expected = "be an array of labels, where predictions are an array"
        refuse("source", expected, type(labels).__name__, error=TableError)


def _check_order(labels: Any, predictions: Any) -> None:
    """Refuse frames whose rows have the same names in another order."""
    one: Any = getattr(labels, "index", None)
    other: Any = getattr(predictions, "index", None)
    if not (hasattr(one, "equals") and hasattr(other, "equals")) or one.equals(other):
        return
    if len(one) == len(other) and set(one) == set(other):
        expected = (
            "have the rows of the labels in their order (by position all the same: "
            "reset_index(drop=True) of both)"
        )
        refuse("predictions", expected, "the same index in another order", error=TableError)


def _check_probabilities(reader: Arrays) -> None:
    """Refuse labels, or predicted classes, in the place of probabilities."""
    names = [name for name in reader.schema.names if name == "probs" or name.startswith("prob_")]
    expected = "be probabilities, (N, C) or (N,) of class 1, and come after the labels"
    kinds = {name: _value_type(reader, name) for name in reader.schema.names}
    for name in names:
        kind = kinds[name]
        if types.is_integer(kind) or types.is_boolean(kind) or types.is_string(kind):
            came = f"{kind} (labels, or predicted classes?)"
            refuse("predictions", expected, came, error=TableError)
    if types.is_floating(kinds.get("labels", pa.null())):
        head = next(reader.batches(Wanted(names, {}, HEAD_ROWS, LOOK_BYTES)), None)
        if head is not None and all(map(_only_0_and_1, head.columns)):
            refuse("predictions", expected, "nothing but 0 and 1 (labels?)", error=TableError)


def _value_type(reader: Arrays, name: str) -> pa.DataType:
    kind = reader.schema.field(name).type
    kind = kind.value_type if is_list(kind) or types.is_dictionary(kind) else kind
    return pa.string() if types.is_large_string(kind) else kind


def _only_0_and_1(column: pa.Array) -> bool:
    column = plain(column)
    values = (column.flatten() if is_list(column.type) else column).cast(pa.float64(), safe=False)
    return bool(np.isin(as_numpy(values.fill_null(0.5)), (0, 1)).all())
