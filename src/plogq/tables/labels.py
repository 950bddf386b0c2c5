"""Labels as class indices or distributions: matched by name where there are names."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from pyarrow import types

from plogq.tables.arrays import Array, as_numpy, is_list, is_null
from plogq.tables.class_names import NUMBER, integer_names
from plogq.tables.column_names import few
from plogq.tables.columns import MISSING, Columns
from plogq.tables.label_values import is_missing, label_values
from plogq.tables.numbers import list_matrix, numbers, shown
from plogq.tables.readers import Part
from plogq.tables.row_sums import not_distributions

MINUS_1 = {2: "-1,1", 3: "-1,0,1"}  # likely names of so many classes, where -1 is one
TOTALS = frozenset(("all", "average", "avg", "mean", "overall", "sum", "total", "totals"))
MOST_SUGGESTED = 8  # classes that a message lists in the option it suggests


class Labels:
    """What each value of the label column stands for.

    An integer is a class index, unless every class name is an integer: then it is a name, like a
    string. A whole number in floating point is an integer. A boolean is the class named true or
    false, or else the integer 1 or 0. What could be either of two classes is refused, and columns
    are never taken to be in the sorted order of the labels.
    """

    def __init__(self, classes: tuple[str, ...], columns: Columns) -> None:
        self.classes = classes
        self._columns = columns
        self._column = columns.label_names[0]
        self._kind = columns.labels
        self._index = {name: j for j, name in enumerate(classes)}
        self._binary = columns.layout == "binary"
        self._named = columns.classes is not None
        # Classes without names are called 0, 1, 2 …: there is no need to look at each name.
        self._names = integer_names(classes) if self._named else "all"
        self._integers = self._values = self._booleans = None
        self._expected = f"be a class index in [0, {len(classes)})"
        if not self._named:
            self._expected += " (names need --classes, to say which prediction is whose)"
        else:
            self._integers = _integers(classes) if self._names == "all" else None
            self._values = _values(classes) if self._names == "values" else None
            self._booleans = _boolean_names(classes)
            self._expected += f" or a name of {few(classes)}"
            if self._binary and not columns.named:
                self._expected += " (others need --classes, which names both)"

    def left_out(self, part: Part) -> Array:
        """Return which rows are left out because their labels are in `ignore`, (n,) booleans."""
        column = part.batch.column(self._column)
        out = np.zeros(len(column), bool)
        if MISSING in self._columns.ignore:
            for name in self._columns.label_names:
                gone = is_missing(part.batch.column(name))
                if len(gone):
                    out |= gone
        texts = [value for value in self._columns.ignore if value != MISSING]
        if texts and self._kind == "class" and len(self._columns.label_names) == 1:
            out |= _is_one_of(column, texts)
        return out

    def read(self, part: Part) -> tuple[Array, Array | None]:
        """Return (n,) class indices and, for soft labels, (n, C) distributions."""
        if len(self._columns.label_names) > 1:
            return self._of_columns(part)
        column = part.batch.column(self._column)
        expected = f"hold a label in every row ({self._left_out_by(MISSING)})"
        part.check(self._column, is_missing(column), expected, lambda i: "null")
        if self._kind == "class" and is_list(column.type):
            hint = "lists of labels need --annotators"
            return self._one_hot(part, self.given(part), self._column, hint), None
        if self._kind == "class":
            return self._indices(part, column, None), None
        if self._kind == "annotators":
            soft = self._annotated(part, column)
        else:
            given = self.given(part)
            soft = self._distributions(part, given, column.type.value_type, self._column)
        return np.argmax(soft, axis=1), soft

    def read_classes(self, part: Part, name: str) -> Array:
        """Return (n,) class indices, of a column of classes other than the labels."""
        column = part.batch.column(name)
        part.check(name, is_missing(column), "hold a class in every row", lambda i: "null")
        return self._indices(part, column, None, name)

    def given(self, part: Part) -> Array:
        """Return (n, C) soft labels as they are in the table, in double precision."""
        if len(self._columns.label_names) > 1:
            columns = [numbers(part, name) for name in self._columns.label_names]
            return np.column_stack(columns).astype(np.float64)
        column = part.batch.column(self._column)
        of_one = " (a label alone in each list: --annotators)"
        matrix = list_matrix(part, self._column, column, len(self.classes), of_one)
        return np.ascontiguousarray(matrix, dtype=np.float64)

    def _of_columns(self, part: Part) -> tuple[Array, Array | None]:
        """Return labels that have a column for each class: soft, or one 1 in each row."""
        given = self.given(part)
        if self._kind == "soft":
            kind = part.batch.schema.field(self._column).type
            soft = self._distributions(part, given, kind, self._columns.label)
            return np.argmax(soft, axis=1), soft
        hint = "several classes in a row? then score each by itself: --label COLUMN"
        return self._one_hot(part, given, self._columns.label, hint), None

    def _one_hot(self, part: Part, given: Array, name: str, hint: str) -> Array:
        """Return the class whose number is 1 in each row, (n, C) → (n,)."""
        bad = ~(((given == 0) | (given == 1)).all(axis=1) & (given.sum(axis=1) == 1))
        expected = "be 1 for one class in each row and 0 for all others"
        if bad.any() and given[np.argmax(bad)].sum() > 1:
            expected += f" ({hint})"
        part.check(name, bad, expected, lambda i: shown(given[i]))
        index: Array = np.argmax(given, axis=1)
        return index

    def _distributions(self, part: Part, soft: Array, kind: pa.DataType, name: str) -> Array:
        columns = self._columns
        total, bad = not_distributions(
            soft, soft, kind, rounding=columns.label_rounding, normalise=columns.normalise
        )
        expected = "be probabilities that sum to 1"
        if bad.any() and (soft[np.argmax(bad)] >= 0).all():
            expected += " (--normalise divides each row by its sum)"
        part.check(name, bad, expected, lambda i: f"{shown(soft[i])}, sum {total[i]:.9g}")
        # The rounding of the table's own dtype is taken out, so that the identities of
        # information theory hold to double precision.
        normalised: Array = soft / total[:, None]
        return normalised

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

    def _indices(
        self, part: Part, labels: pa.Array, rows: Array | None, name: str | None = None
    ) -> Array:
        """Return the class index of each label; `rows` are their rows, None: label i is row i's."""
        name = name or self._column
        values = label_values(labels)
        if isinstance(values, np.ndarray):
            read = self._by_boolean if types.is_boolean(labels.type) else self._by_number
            index, came = read(part, values, name), values
        else:
            texts = values.dictionary.to_pylist()
            known = np.array([self._of_text(text) for text in texts], dtype=np.int64)
            codes = as_numpy(values.indices)
            index, came = known[codes], np.array([repr(text) for text in texts], object)[codes]
        bad = index < 0
        if bad.any():
            expected = self._expected + self._hint(came, int(np.argmax(bad)))
            part.check(name, bad, expected, lambda i: f"{came[i]}", rows)
        return index

    def _of_text(self, text: str) -> int:
        """Return the class of a name, or of an equal number where classes are numbers; else −1."""
        found = self._index.get(text, -1)
        if found < 0 and self._names in ("all", "values") and NUMBER.fullmatch(text):
            number = float(text)
            if self._values is not None:
                return int(_placed(self._values, np.array([number]))[0])
            return self._index.get(str(int(number)), -1) if number == int(number) else -1
        return found

    def _hint(self, values: Array, bad: int) -> str:
        """Return a hint on what a label that is none of the classes may be."""
        if values.dtype == object:
            return self._hint_of_names(values[bad].strip("'"))
        value, classes = values[bad], len(self.classes)
        if value == -1 and classes in MINUS_1 and not self._integers:
            return f" (a class? then --classes {MINUS_1[classes]}; {self._left_out_by(-1)})"
        if value < 0:
            return f" ({self._left_out_by(value)})"
        if value == classes and values.min() >= 1 and not self._columns.named:
            ranged = ",".join(map(str, range(1, classes + 1)))
            ranged = ranged if classes <= MOST_SUGGESTED else f"1..{classes}"
            return f" (numbered from 1? then --classes {ranged})"
        return ""

    def _left_out_by(self, label: object) -> str:
        """Return how to leave out the rows with a label."""
        if self._columns.may_ignore:
            return f"--ignore {label} leaves such rows out"
        return "take such rows out of the table"

    def _hint_of_names(self, text: str) -> str:
        """Return a hint on how to match labels with columns that have other names."""
        columns = self._columns
        if text.lower() in TOTALS and text not in self.classes:
            return f" (a line of totals? {self._left_out_by(text)})"
        if columns.layout != "wide" or columns.named:
            return ""
        for name in columns.names:
            if text and name.endswith(text) and text not in self.classes:
                return (
                    f" (is that class in {name!r}? then --{columns.kind} '{name[: -len(text)]}*')"
                )
        shown = ",".join(columns.names[:3]) + (",…" if len(columns.names) > 3 else "")
        return f" (other names for these? --{columns.kind} {shown} --classes, in that order)"

    def _by_boolean(self, part: Part, values: Array, name: str) -> Array:
        if self._booleans is not None:
            return self._booleans[values]
        if self._named and not self._binary and self._names not in ("all", "values"):
            expected = f"be one of the classes {few(self.classes)}: none of them is true or false"
            part.check(name, np.array([True]), expected, lambda i: bool(values[i]))
        return self._by_number(part, values, name)

    def _by_number(self, part: Part, values: Array, name: str) -> Array:
        if self._named and self._names == "some":
            expected = (
                f"be a string: the classes are {few(self.classes)}, and an integer could be an "
                "index or a name"
            )
            part.check(name, np.array([True]), expected, lambda i: values[i])
        if self._values is not None:
            return _placed(self._values, values)
        if values.dtype.kind == "f":
            whole = (values == np.rint(values)) & (np.abs(values) < 2.0**53)
            return np.where(whole, self._by_integer(np.where(whole, values, -1).astype(int)), -1)
        return self._by_integer(values)

    def _by_integer(self, values: Array) -> Array:
        if self._integers is None:
            if len(values) == 0 or (values.min() >= 0 and values.max() < len(self.classes)):
                return values.astype(np.int64, copy=False)
            inside = (values >= 0) & (values < len(self.classes))
            return np.where(inside, values, -1).astype(np.int64)
        return _placed(self._integers, values)


def _is_one_of(column: pa.Array, texts: list[str]) -> Array:
    """Return which labels are among `texts`, as text or as equal numbers, (n,) booleans."""
    values = label_values(column.drop_null()) if column.null_count else label_values(column)
    if isinstance(values, np.ndarray):
        wanted = [float(text) for text in texts if NUMBER.fullmatch(text)]
        found = np.isin(values.astype(np.float64), wanted)
    else:
        known = np.array([text in texts for text in values.dictionary.to_pylist()], dtype=bool)
        found = known[as_numpy(values.indices)]
    if not column.null_count:
        return found
    out = np.zeros(len(column), bool)
    out[~is_null(column)] = found
    return out


def _placed(names: tuple[Array, Array], values: Array) -> Array:
    """Return the class whose name each value is; −1 where it is the name of none."""
    sorted_names, classes = names
    place = np.minimum(np.searchsorted(sorted_names, values), len(sorted_names) - 1)
    return np.where(sorted_names[place] == values, classes[place], -1)


def _integers(classes: tuple[str, ...]) -> tuple[Array, Array] | None:
    """Return integer names, sorted, and the class of each; None where names just count from 0."""
    if classes == tuple(map(str, range(len(classes)))):
        return None
    names = np.array([int(name) for name in classes], dtype=np.int64)
    order = np.argsort(names)
    return names[order], order


def _values(classes: tuple[str, ...]) -> tuple[Array, Array]:
    names = np.array([float(name) for name in classes])
    order = np.argsort(names)
    return names[order], order


def _boolean_names(classes: tuple[str, ...]) -> Array | None:
    """Return the classes named false and true, (2,); None unless each names just one class."""
    names = [name.lower() for name in classes]
    if names.count("false") == names.count("true") == 1:
        return np.array([names.index("false"), names.index("true")])
    return None
