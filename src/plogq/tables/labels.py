"""Labels as class indices or distributions: matched by name where there are names."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from pyarrow import types

from plogq.tables.arrays import Array, as_numpy, is_list, is_null
from plogq.tables.columns import Columns, integer_names
from plogq.tables.numbers import list_matrix, not_distributions, shown
from plogq.tables.readers import Part


class Labels:
    """What each value of the label column stands for.

    An integer is a class index, unless every class name is an integer: then it is a name, like a
    string. A boolean is the class named true or false, or else the integer 1 or 0. What could be
    either of two classes is refused, and columns are never taken to be in the sorted order of the
    labels.
    """

    def __init__(self, classes: tuple[str, ...], columns: Columns) -> None:
        self.classes = classes
        self._column = columns.label
        self._kind = columns.labels
        self._index = {name: j for j, name in enumerate(classes)}
        self._integers = self._booleans = None
        self._binary = columns.layout == "binary"
        self._named = columns.classes is not None
        self._expected = f"be a class index in [0, {len(classes)})"
        if not self._named:
            self._expected += " (names need --classes, to say which prediction is whose)"
        else:
            self._integers = _integer_names(classes)
            self._booleans = _boolean_names(classes)
            self._expected += f" or a name of {_few(classes)}"

    def read(self, part: Part, column: pa.Array) -> tuple[Array, Array | None]:
        """Give (n,) class indices and, of soft labels, (n, C) distributions."""
        part.check(self._column, is_null(column), "hold a label in every row", lambda i: "null")
        if self._kind == "class" and is_list(column.type):
            return self._one_hot(part, column), None
        if self._kind == "class":
            return self._indices(part, column, None), None
        read = self._annotated if self._kind == "annotators" else self._soft
        soft = read(part, column)
        return np.argmax(soft, axis=1), soft

    def _soft(self, part: Part, column: pa.Array) -> Array:
        given = list_matrix(part, self._column, column, len(self.classes))
        soft = np.ascontiguousarray(given, dtype=np.float64)
        total = soft.sum(axis=1)
        part.check(
            self._column,
            not_distributions(soft, total, column.type.value_type),
            "be probabilities that sum to 1",
            lambda i: f"{shown(soft[i])}, sum {total[i]:.9g}",
        )
        # The rounding of the table's own dtype is taken out, so that the identities of
        # information theory hold to double precision.
        normalised: Array = soft / total[:, None]
        return normalised

    def _one_hot(self, part: Part, column: pa.Array) -> Array:
        given = list_matrix(part, self._column, column, len(self.classes))
        bad = (given != 0).sum(axis=1) != 1
        bad |= given.sum(axis=1) != 1
        expected = "hold one 1 in each list, the others 0 (lists of labels need --annotators)"
        part.check(self._column, bad, expected, lambda i: shown(given[i]))
        index: Array = np.argmax(given, axis=1)
        return index

    def _annotated(self, part: Part, column: pa.Array) -> Array:
        lengths = as_numpy(column.value_lengths())
        part.check(self._column, lengths == 0, "hold an annotator's label", lambda i: "none")
        rows = np.repeat(np.arange(len(column)), lengths)
        labels = column.flatten()
        part.check(self._column, is_null(labels), "hold labels", lambda i: "null", rows)
        classes = len(self.classes)
        cell = rows * classes + self._indices(part, labels, rows)
        counts = np.bincount(cell, minlength=len(column) * classes).reshape(-1, classes)
        shares: Array = counts / lengths[:, None]
        return shares

    def _indices(self, part: Part, labels: pa.Array, rows: Array | None) -> Array:
        """Map labels to class indices; `rows` says whose each one is, if not one row's each."""
        if types.is_boolean(labels.type):
            values = as_numpy(labels.cast(pa.int8()))
            index = self._by_boolean(part, values)
        elif types.is_integer(labels.type):
            values = as_numpy(labels)
            index = self._by_number(part, values)
        else:
            if not types.is_dictionary(labels.type):
                labels = labels.dictionary_encode()
            names = np.array([repr(str(x)) for x in labels.dictionary.to_pylist()], dtype=object)
            known = [self._index.get(str(x), -1) for x in labels.dictionary.to_pylist()]
            codes = as_numpy(labels.indices)
            index = np.array(known, dtype=np.int64)[codes]
            values = names[codes]
        part.check(self._column, index < 0, self._expected, lambda i: values[i], rows)
        return index

    def _by_boolean(self, part: Part, values: Array) -> Array:
        if self._booleans is not None:
            return self._booleans[values]
        if self._named and not self._binary and integer_names(self.classes) != "all":
            expected = f"be one of the classes {_few(self.classes)}: none of them is true or false"
            part.check(self._column, np.array([True]), expected, lambda i: bool(values[i]))
        return self._by_number(part, values)

    def _by_number(self, part: Part, values: Array) -> Array:
        if self._named and integer_names(self.classes) == "some":
            expected = (
                f"be a string: the classes are {_few(self.classes)}, and an integer could be an "
                "index or a name"
            )
            part.check(self._column, np.array([True]), expected, lambda i: values[i])
        if self._integers is None:
            if len(values) == 0 or (values.min() >= 0 and values.max() < len(self.classes)):
                return values.astype(np.int64, copy=False)
            inside = (values >= 0) & (values < len(self.classes))
            return np.where(inside, values, -1).astype(np.int64)
        names, classes = self._integers
        place = np.minimum(np.searchsorted(names, values), len(names) - 1)
        return np.where(names[place] == values, classes[place], -1)


def _integer_names(classes: tuple[str, ...]) -> tuple[Array, Array] | None:
    """Give integer names, sorted, and the class of each; None where names just count from 0."""
    if integer_names(classes) != "all" or classes == tuple(map(str, range(len(classes)))):
        return None
    names = np.array([int(name) for name in classes], dtype=np.int64)
    order = np.argsort(names)
    return names[order], order


def _boolean_names(classes: tuple[str, ...]) -> Array | None:
    """Give the classes of false and true, where each is the name of one."""
    names = [name.lower() for name in classes]
    if names.count("false") == names.count("true") == 1:
        return np.array([names.index("false"), names.index("true")])
    return None


def _few(classes: tuple[str, ...]) -> str:
    return ", ".join(classes[:8]) + (", …" if len(classes) > 8 else "")
