"""A part of a table as arrays: every value checked for its kind, every row for its length."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import types

from plogq.errors import TableError, refuse
from plogq.tables.arrays import Array, is_null
from plogq.tables.columns import Columns
from plogq.tables.formats import Kind
from plogq.tables.labels import Labels
from plogq.tables.numbers import list_matrix, numbers
from plogq.tables.readers import Part

LARGEST_WEIGHT = 1e18  # an exact sum can hold its product with the largest surprisal


class Matrix:
    """A matrix (n, C) held as its columns; rows are put together only where they are asked for."""

    def __init__(self, columns: tuple[Array, ...]) -> None:
        self.columns = columns

    def __getitem__(self, rows: Array | slice) -> Array:
        # The columns are stacked and then seen as rows: what reads the result takes any strides.
        return np.stack([column[rows] for column in self.columns]).T


class Batch(NamedTuple):
    """n rows of predictions over C classes, and what is known of each row."""

    part: Part
    given: Array | Matrix  # (n, C) floating point; (n,) where there is one binary column
    target: Array  # (n,) class indices; for a soft label, its most probable class
    soft: Array | None  # (n, C) distributions
    weight: Array | None  # (n,)
    slices: tuple[pa.DictionaryArray, ...]
    group: pa.DictionaryArray | None
    id: pa.Array | None
    left_out: int = 0  # how many rows were read, but are not among these

    @property
    def predictions(self) -> Array:
        """Return the predictions as one array: (n, C), or (n,) where there is one binary column."""
        return self.given[:]


def classes_of(part: Part, columns: Columns) -> tuple[str, ...]:
    """Return the class names; a list column without names has 0, 1, 2 …, as its first row says."""
    if columns.layout == "list":
        name = columns.names[0]
        part.check(name, is_null(part.batch.column(name)), "list numbers", lambda i: "null")
        first = part.batch.column(name)[0].as_py()
        names = columns.classes or tuple(str(j) for j in range(len(first)))
        lone = columns.classes is None and len(first) < 2
        wrong = np.array([lone or len(first) != len(names)])
        expected = f"list {len(names)} numbers, one for each class"
        if lone:
            expected = "list a number for each class (one number about class 1: a plain column)"
        part.check(name, wrong, expected, lambda i: len(first))
        return names
    return columns.classes or ()


def to_batch(part: Part, columns: Columns, labels: Labels) -> Batch:
    """Return the rows of a part as arrays, every value checked."""
    left_out = 0
    if columns.ignore:
        part, left_out = _without_ignored(part, labels)
    target, soft = labels.read(part)
    weight = None
    if columns.weight is not None:
        weight = given = numbers(part, columns.weight).astype(np.float64)
        bad = ~((given >= 0) & (given <= LARGEST_WEIGHT))
        part.check(columns.weight, bad, "be weights from 0 to 1e18", lambda i: given[i])
    predictions = _predictions(part, columns, len(labels.classes))
    if columns.chosen is not None:
        chosen = labels.read_classes(part, columns.chosen)
        predictions = _of_second_class(predictions, chosen, columns.kind)
    return Batch(
        part,
        predictions,
        target,
        soft,
        weight,
        tuple(_names(part, name).dictionary_encode() for name in columns.slices),
        None if columns.group is None else _names(part, columns.group).dictionary_encode(),
        None if columns.id is None else _names(part, columns.id),
        left_out,
    )


def _names(part: Part, name: str) -> pa.Array:
    """Return a column of names; bytes are read as text in UTF-8."""
    column = part.batch.column(name)
    kind = column.type.value_type if types.is_dictionary(column.type) else column.type
    if not (types.is_binary(kind) or types.is_large_binary(kind)):
        return column
    try:
        return column.cast(pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        return refuse(f"{part.path}: column {name!r}", "hold text in UTF-8", "other bytes",
                      error=TableError)  # fmt: skip


def _without_ignored(part: Part, labels: Labels) -> tuple[Part, int]:
    """Return a part without the rows whose labels are ignored, and how many those were."""
    out = labels.left_out(part)
    if not out.any():
        return part, 0
    batch = part.batch.filter(pa.array(~out))
    return part._replace(batch=batch, kept=np.flatnonzero(~out)), int(out.sum())


def _of_second_class(x: Array | Matrix, chosen: Array, kind: Kind) -> Array:
    """Return predictions of the second class, from a column that is of each row's chosen class."""
    assert isinstance(x, np.ndarray)
    x = x.astype(np.float64)
    if kind == "logits":
        other = -x
    elif kind == "probs":
        other = 1 - x
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            other = np.log(-np.expm1(x))
    return np.where(chosen == 1, x, other)


def _predictions(part: Part, columns: Columns, classes: int) -> Array | Matrix:
    if columns.layout == "list":
        name = columns.names[0]
        return list_matrix(part, name, part.batch.column(name), classes)
    arrays = tuple(numbers(part, name) for name in columns.names)
    return arrays[0] if columns.layout == "binary" else Matrix(arrays)
