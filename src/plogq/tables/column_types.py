"""Which types a column may have to be read as numbers, lists, predictions or labels."""

from __future__ import annotations

from typing import Literal

import pyarrow as pa
from pyarrow import types

from plogq.errors import TableError, refuse
from plogq.tables.arrays import is_list
from plogq.tables.readers import Table
from plogq.tables.structs import is_sparse

Layout = Literal["list", "wide", "binary"]
LabelKind = Literal["class", "soft", "annotators"]


def is_number(kind: pa.DataType) -> bool:
    """Return whether a type is numeric, or null: a column of nulls is refused by its first row."""
    return bool(
        types.is_floating(kind)
        or types.is_integer(kind)
        or types.is_decimal(kind)
        or types.is_null(kind)
    )


def may_be_numbers(table: Table, name: str) -> bool:
    """Return whether a column can be read as numbers.

    A CSV column of text can: the error message then names the first cell that is no number.
    """
    kind = table.schema.field(name).type
    return is_number(kind) or (table.format == "CSV" and types.is_string(kind))


def layout_of(table: Table, names: tuple[str, ...]) -> Layout:
    """Return how predictions lie in their columns; refuse columns that are not numbers."""
    kinds = {name: table.schema.field(name).type for name in names}
    if len(names) == 1 and is_list(kinds[names[0]]) and is_number(kinds[names[0]].value_type):
        return "list"
    for name, kind in kinds.items():
        if not may_be_numbers(table, name):
            expected = "hold numbers" + ("" if len(names) > 1 else " or lists of numbers")
            if is_list(kind) and types.is_struct(kind.value_type):
                expected += (
                    " (of records with a label and a score make a column for each class, "
                    "prob_LABEL, or one record of all, {LABEL: score, …})"
                )
            elif is_sparse(kind):
                expected += " (of vectors, dense lists: vector_to_array of pyspark.ml.functions)"
            elif len(names) > 1:
                expected += f" (if it is none of the predictions: --exclude {name})"
            refuse(
                f"{table.paths[0]}: column {name!r}",
                expected,
                kind,
                error=TableError,
            )
    return "binary" if len(names) == 1 else "wide"


def label_kind(table: Table, names: tuple[str, ...], annotators: bool) -> LabelKind:
    """Return the kind of the labels: a class or a distribution a row, or annotators' classes."""
    kind = table.schema.field(names[0]).type
    where = f"{table.paths[0]}: column {names[0]!r}"
    if annotators:
        if len(names) > 1 or not is_list(kind):
            refuse(where, "hold lists of the annotators' labels", kind, error=TableError)
        return "annotators"
    if len(names) > 1:
        return _kind_of_columns(table, names)
    if is_list(kind):
        if types.is_integer(kind.value_type) or types.is_boolean(kind.value_type):
            return "class"  # one-hot
        if not is_number(kind.value_type):
            expected = "hold lists of probabilities (or of labels, with --annotators)"
            refuse(where, expected, kind, error=TableError)
        return "soft"
    if types.is_nested(kind) or types.is_temporal(kind):
        expected = "hold class indices or names (a soft label is a list column)"
        refuse(where, expected, kind, error=TableError)
    return "class"


def _kind_of_columns(table: Table, names: tuple[str, ...]) -> LabelKind:
    """Return the kind of labels with a column for each class: integers are one-hot, others soft."""
    kinds = [table.schema.field(name).type for name in names]
    for name, kind in zip(names, kinds, strict=True):
        if not (may_be_numbers(table, name) or types.is_boolean(kind)):
            expected = "hold numbers, where labels are a column for each class"
            refuse(f"{table.paths[0]}: column {name!r}", expected, kind, error=TableError)
    one_hot = all(types.is_integer(kind) or types.is_boolean(kind) for kind in kinds)
    return "class" if one_hot else "soft"
