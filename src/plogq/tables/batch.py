"""A part of a table as arrays: every value checked for its kind, every row for its length."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from plogq.tables.arrays import Array, is_null
from plogq.tables.columns import Columns
from plogq.tables.labels import Labels
from plogq.tables.numbers import list_matrix, numbers
from plogq.tables.readers import Part

LARGEST_WEIGHT = 1e18  # times the largest surprisal, it is within what exact sums can hold


class Matrix:
    """Columns beside each other, taken together row by row only where a row is asked for."""

    def __init__(self, columns: tuple[Array, ...]) -> None:
        self.columns = columns

    def __getitem__(self, rows: Array | slice) -> Array:
        # A block of columns, seen as rows: what reads it takes any strides.
        return np.stack([column[rows] for column in self.columns]).T


class Batch(NamedTuple):
    """n rows of predictions over C classes, and what is known of each row."""

    part: Part
    given: Array | Matrix  # (n, C) floating point; (n,) where there is one binary column
    target: Array  # (n,) class indices; of a soft label, its most probable class
    soft: Array | None  # (n, C) distributions
    weight: Array | None  # (n,)
    slices: tuple[pa.DictionaryArray, ...]
    group: pa.DictionaryArray | None
    id: pa.Array | None

    @property
    def predictions(self) -> Array:
        """Give what is given as an array."""
        return self.given[:]


def classes_of(part: Part, columns: Columns) -> tuple[str, ...]:
    """Give the class names; those of an unnamed list column are 0, 1, 2 … by its first row."""
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
    """Turn a part's columns into arrays."""
    target, soft = labels.read(part, part.batch.column(columns.label))
    weight = None
    if columns.weight is not None:
        weight = given = numbers(part, columns.weight).astype(np.float64)
        bad = ~((given >= 0) & (given <= LARGEST_WEIGHT))
        part.check(columns.weight, bad, "be weights from 0 to 1e18", lambda i: given[i])
    return Batch(
        part,
        _predictions(part, columns, len(labels.classes)),
        target,
        soft,
        weight,
        tuple(part.batch.column(name).dictionary_encode() for name in columns.slices),
        None if columns.group is None else part.batch.column(columns.group).dictionary_encode(),
        None if columns.id is None else part.batch.column(columns.id),
    )


def _predictions(part: Part, columns: Columns, classes: int) -> Array | Matrix:
    if columns.layout == "list":
        name = columns.names[0]
        return list_matrix(part, name, part.batch.column(name), classes)
    arrays = tuple(numbers(part, name) for name in columns.names)
    return arrays[0] if columns.layout == "binary" else Matrix(arrays)
