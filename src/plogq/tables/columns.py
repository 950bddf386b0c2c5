"""Which columns of a table mean what: named by the user or found by name, never guessed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral

import numpy as np
import pyarrow as pa
from pyarrow import types

from plogq.errors import TableError, refuse
from plogq.tables.class_names import Classes, integer_names, name_classes
from plogq.tables.column_names import (
    Found,
    doubt_label,
    ends,
    few,
    find_label,
    find_predictions,
    missing,
    without_prefix,
)
from plogq.tables.column_types import LabelKind, Layout, label_kind, layout_of, may_be_numbers
from plogq.tables.formats import Kind
from plogq.tables.readers import Table
from plogq.tables.row_sums import Rounding

MISSING = "null"  # among the ignored labels: a missing label


@dataclass(frozen=True)
class Columns:
    """The columns that a score reads, by what they mean."""

    kind: Kind
    predictions: str  # as the user would name them: a column, or a prefix and *
    names: tuple[str, ...]  # the columns that this stands for
    layout: Layout
    label: str  # as the user would name it
    label_names: tuple[str, ...]  # its column; or one for each class, in their order
    labels: LabelKind
    classes: tuple[str, ...] | None  # None: as many as the first row has, named 0, 1, 2 …
    named: bool  # whether the user gave the names, in the order of the predictions
    weight: str | None
    slices: tuple[str, ...]
    group: str | None
    id: str | None
    chosen: str | None = None  # the column of the class that a lone probability is of
    ignore: tuple[str, ...] = ()  # labels whose rows are left out
    normalise: bool = False  # whether each row is divided by its sum
    rounding: Rounding | None = None  # of predictions, where it is why rows do not sum to 1
    label_rounding: Rounding | None = None  # the same of soft labels
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    may_ignore: bool = True  # whether `ignore` can be asked for
    labelled: bool = True  # whether the labels are the table's own, and say something

    def read(self) -> list[str]:
        """Return the names of all columns to read, each once."""
        more = [self.weight, *self.slices, self.group, self.id, self.chosen]
        given = [*self.names, *self.label_names, *(name for name in more if name is not None)]
        return list(dict.fromkeys(given))

    def types(self) -> dict[str, pa.DataType]:
        """Return the types of columns that a CSV file does not show by itself."""
        numbers = [*self.names, *([self.weight] if self.weight else [])]
        if len(self.label_names) > 1 and self.labels == "soft":
            numbers += self.label_names
        texts = [*self.slices, *(name for name in (self.group, self.id) if name is not None)]
        if self.classes is not None and integer_names(self.classes) == "some":
            texts += [self.label_names[0], *([self.chosen] if self.chosen else [])]
        return {name: pa.string() for name in texts} | {name: pa.float64() for name in numbers}

    def taken(self) -> dict[str, str | tuple[str, ...]]:
        """Return which column, or pattern of columns, was taken for each meaning."""
        used = {
            self.kind: self.predictions,
            "chosen": self.chosen,
            "label": self.label,
            "weight": self.weight,
            "slice": tuple(self.slices) or None,
            "group": self.group,
            "id": self.id,
        }
        return {what: column for what, column in used.items() if column is not None}

    def taken_columns(self) -> str:
        """Return a text that names the columns a pattern stands for; '' where it is one column."""
        return f", in {few(self.names)}" if len(self.names) > 1 else ""


def find_columns(
    table: Table,
    *,
    label: str | Sequence[str] | None = None,
    logits: str | Sequence[str] | None = None,
    logprobs: str | Sequence[str] | None = None,
    probs: str | Sequence[str] | None = None,
    exclude: Sequence[str] = (),
    classes: Sequence[str | int] | None = None,
    chosen: str | None = None,
    ignore: Sequence[str | int | None] | str | int = (),
    normalise: bool = False,
    annotators: bool = False,
    weight: str | None = None,
    slices: Sequence[str] = (),
    group: str | None = None,
    id: str | None = None,
) -> Columns:
    """Return what the columns of a table mean, by the options of `plogq.score.score`."""
    asked: dict[Kind, str | Sequence[str] | None] = {
        "logits": logits, "logprobs": logprobs, "probs": probs,
    }  # fmt: skip
    for option, names in (*asked.items(), ("label", label)):
        if not (names is None or isinstance(names, str) or (_are_names(names) and names)):
            refuse(option, "be the name of a column, or a list of names", repr(names),
                   error=TypeError)  # fmt: skip
    single = {"chosen": chosen, "weight": weight, "group": group, "id": id}
    for option, name in single.items():
        if not isinstance(name, str | None):
            refuse(option, "be the name of a column", repr(name), error=TypeError)
    for option, names in (("slices", slices), ("exclude", exclude)):
        if not _are_names(names):
            refuse(option, "be a list of names", repr(names), error=TypeError)
    if classes is not None:
        classes = _class_names(classes)
    present = table.schema.names
    there = set(present)
    for name in [weight, *slices, group, id, chosen, *exclude]:
        if name is not None and name not in there:
            missing(table, name)
    _refuse_unfit(table, present, weight, [*slices, *([] if group is None else [group])])
    used = {name for name in (weight, *slices, group, id, chosen, *exclude) if name is not None}
    named = {name for each in asked.values() if each is not None
             for name in ([each] if isinstance(each, str) else each)}  # fmt: skip
    apart = (*slices, group, id)
    label_names, label_shown, notes = find_label(
        table, label, {*exclude, *named, weight or "", chosen or ""}, apart
    )
    doubt = doubt_label(table, label_shown, {*used, *named})
    if chosen in label_names:
        doubt += (
            f"Column {chosen!r} is both the label and the class that each number is of, as if the "
            "model were right in every row: is the truth in another? --label names it.",
        )
    found = find_predictions(table, asked, {*used, *label_names} - named)
    layout = layout_of(table, found.names)
    named_classes = name_classes(table.paths[0], found, layout, classes)
    if chosen is not None:
        named_classes = _of_the_chosen(found, layout, classes, chosen)
    if normalise and (layout == "binary" or found.kind == "logits"):
        expected = "go with a probability for each class (logits need none, a lone probability "
        refuse("normalise", expected + "has nothing to be divided by)", found.shown,
               error=TableError)  # fmt: skip
    if len(label_names) > 1:
        label_names = _in_order_of_classes(table, label_names, label_shown, named_classes.names)
    return Columns(
        found.kind,
        found.shown,
        named_classes.columns,
        layout,
        label_shown,
        label_names,
        label_kind(table, label_names, annotators),
        named_classes.names,
        classes is not None,
        weight,
        tuple(slices),
        group,
        id,
        chosen,
        _ignored(ignore, table.masked),
        normalise,
        notes=(*found.notes, *named_classes.notes, *notes),
        warnings=(*found.warnings, *named_classes.warnings, *doubt),
    )


def _are_names(names: object) -> bool:
    return (
        isinstance(names, Sequence)
        and not isinstance(names, str)
        and all(isinstance(name, str) for name in names)
    )


def _class_names(classes: Sequence[str | int]) -> list[str]:
    """Return the names of classes as texts; integers are names, too."""
    if isinstance(classes, np.ndarray):  # as scikit-learn's classes_
        classes = classes.tolist()
    whole = isinstance(classes, Sequence) and not isinstance(classes, str)
    if not whole or not all(
        isinstance(name, str) or (isinstance(name, Integral) and not isinstance(name, bool))
        for name in classes
    ):
        refuse("classes", "be a list of names", repr(classes), error=TypeError)
    return [str(name) for name in classes]


def _ignored(
    ignore: Sequence[str | int | None] | str | int | None, masked: bool
) -> tuple[str, ...]:
    """Return the labels whose rows are left out, as text; a mask leaves out missing ones, too."""
    several = isinstance(ignore, Sequence) and not isinstance(ignore, str)
    values = tuple(ignore) if several else (ignore,)  # type: ignore[arg-type]
    if not all(isinstance(value, str | int | None) for value in values):
        refuse("ignore", "be a label or a list of labels", repr(ignore), error=TypeError)
    texts = [MISSING if value is None else str(value) for value in values]
    return tuple(dict.fromkeys([*texts, MISSING] if masked else texts))


def _refuse_unfit(table: Table, present: list[str], weight: str | None, apart: list[str]) -> None:
    """Refuse two columns of one name, nested slices or groups, and weights that are not numbers."""
    twice = [name for name, times in Counter(present).items() if times > 1]
    if twice:
        expected = "have a name for each column of its own"
        if table.format == "CSV":
            expected += ", or be told them all: --header A,B,…"
        shown = [name if name.strip() else f"none above {present.count(name)} columns"
                 for name in twice]  # fmt: skip
        refuse(table.paths[0], expected, f"{few(shown)}, of {len(present)} columns",
               error=TableError)  # fmt: skip
    for name in apart:
        kind = table.schema.field(name).type
        if types.is_nested(kind):
            where = f"{table.paths[0]}: column {name!r}"
            refuse(where, "hold single values to slice by", kind, error=TableError)
    if weight is not None and not may_be_numbers(table, weight):
        where = f"{table.paths[0]}: column {weight!r}"
        refuse(where, "hold numbers", table.schema.field(weight).type, error=TableError)


def _of_the_chosen(
    found: Found, layout: Layout, classes: Sequence[str] | None, chosen: str
) -> Classes:
    """Return the classes where another column says which class each lone probability is of."""
    if layout != "binary":
        expected = "go with one column of the probability of the chosen class"
        refuse("chosen", expected, found.shown, error=TableError)
    first, second = classes or ("0", "1")
    note = f"{found.shown!r} is of the class in {chosen!r}, of {first} and {second}."
    return Classes((first, second), found.names, (note,))


def _in_order_of_classes(
    table: Table, columns: tuple[str, ...], shown: str, classes: tuple[str, ...] | None
) -> tuple[str, ...]:
    """Return the columns of the labels in the order of the classes, matched by name."""
    prefix = shown.removesuffix("*") if shown.endswith("*") else ""
    own = ends(columns, prefix) if prefix else without_prefix(columns)
    column = dict(zip(own, columns, strict=True))
    wanted = classes or tuple(str(j) for j in range(len(columns)))
    if set(column) != set(wanted):
        refuse(
            f"{table.paths[0]}: columns {shown!r}",
            f"be one for each class, {few(wanted)}, where labels are several columns",
            few(own),
            error=TableError,
        )
    return tuple(column[name] for name in wanted)
