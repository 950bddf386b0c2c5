"""Which columns of a table mean what: named by the user or found by name, never guessed."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn

import pyarrow as pa
from pyarrow import types

from plogq.errors import TableError, refuse
from plogq.tables.arrays import is_list
from plogq.tables.formats import KINDS, Kind
from plogq.tables.readers import Table

INTEGER = re.compile(r"\s*[+-]?[0-9]{1,40}\s*")


@dataclass(frozen=True)
class Columns:
    """The columns that a score reads, by what they mean."""

    kind: Kind
    predictions: str  # as the user would name them: a column, or a prefix and *
    names: tuple[str, ...]  # the columns that this stands for
    layout: Literal["list", "wide", "binary"]
    label: str
    labels: Literal["class", "soft", "annotators"]
    classes: tuple[str, ...] | None  # None: as many as the first row has, named 0, 1, 2 …
    weight: str | None
    slices: tuple[str, ...]
    group: str | None
    id: str | None

    def read(self) -> list[str]:
        """Give every column to read, once."""
        more = [self.label, self.weight, *self.slices, self.group, self.id]
        return list(dict.fromkeys([*self.names, *(name for name in more if name is not None)]))

    def types(self) -> dict[str, pa.DataType]:
        """Give the types of columns that a CSV file cannot tell by itself."""
        numbers = [*self.names, *([self.weight] if self.weight else [])]
        texts = [*self.slices, *(name for name in (self.group, self.id) if name is not None)]
        if self.classes is not None and integer_names(self.classes) == "some":
            texts.append(self.label)
        return {name: pa.string() for name in texts} | {name: pa.float64() for name in numbers}

    def taken(self) -> dict[str, object]:
        """Say what was taken for what."""
        used = {
            self.kind: self.predictions,
            "label": self.label,
            "weight": self.weight,
            "slice": list(self.slices) or None,
            "group": self.group,
            "id": self.id,
        }
        return {what: column for what, column in used.items() if column is not None}


def find_columns(
    table: Table,
    *,
    label: str,
    logits: str | None = None,
    logprobs: str | None = None,
    probs: str | None = None,
    classes: Sequence[str] | None = None,
    annotators: bool = False,
    weight: str | None = None,
    slices: Sequence[str] = (),
    group: str | None = None,
    id: str | None = None,
) -> Columns:
    """Return what the columns of a table mean, by the options of `plogq.score.score`."""
    predictions: dict[Kind, str | None] = {"logits": logits, "logprobs": logprobs, "probs": probs}
    single = {"label": label, "weight": weight, "group": group, "id": id}
    named = [*single.items(), *predictions.items()]
    for option, name in named:
        if not isinstance(name, str) and (name is not None or option == "label"):
            refuse(option, "be the name of a column", repr(name), error=TypeError)
    for option, names in (("slices", slices), ("classes", classes or ())):
        if isinstance(names, str) or not all(isinstance(name, str) for name in names):
            refuse(option, "be a list of names", repr(names), error=TypeError)
    present = table.schema.names
    if label == "label" and label not in present and "labels" in present:
        label = "labels"
    for name in [label, weight, *slices, group, id]:
        if name is not None and name not in present:
            _missing(table, name)
    twice = [name for name, times in Counter(present).items() if times > 1]
    if twice:
        expected = "have a name for each column of its own"
        refuse(table.paths[0], expected, ", ".join(twice), error=TableError)
    for name in [*slices, *([] if group is None else [group])]:
        if types.is_nested(table.schema.field(name).type):
            where, came = f"{table.paths[0]}: column {name!r}", table.schema.field(name).type
            refuse(where, "hold single values to slice by", came, error=TableError)
    others = {label, weight, *slices, group, id}
    kind, taken = _named(predictions) or _found(table, others)
    names = [name for name in _matching(present, taken) if name not in others or name == taken]
    if not names:
        _missing(table, taken)
    layout = _layout(table, taken, names)
    if classes is None:
        if layout == "binary":
            classes = ("0", "1")
        elif layout == "wide":
            classes = [name.removeprefix(taken.removesuffix("*")) for name in names]
    elif len(set(classes)) < len(classes):
        refuse("classes", "be different names", ",".join(classes), error=TableError)
    width = {"binary": 2, "wide": len(names)}.get(layout)
    if classes is not None and width not in (None, len(classes)):
        refuse(
            f"{table.paths[0]}: columns {taken!r}",
            f"be {len(classes)} classes, as many as there are names",
            width,
            error=TableError,
        )
    if weight is not None and not _may_be_numbers(table, weight):
        refuse(
            f"{table.paths[0]}: column {weight!r}",
            "hold numbers",
            table.schema.field(weight).type,
            error=TableError,
        )
    return Columns(
        kind,
        taken,
        tuple(names),
        layout,
        label,
        _label_kind(table, label, annotators),
        None if classes is None else tuple(classes),
        weight,
        tuple(slices),
        group,
        id,
    )


def _named(predictions: dict[Kind, str | None]) -> tuple[Kind, str] | None:
    given = [(kind, name) for kind, name in predictions.items() if name is not None]
    if len(given) > 1:
        refuse(
            "predictions",
            "be one of --logits, --logprobs, --probs",
            " and ".join(f"--{kind}" for kind, _ in given),
            error=TableError,
        )
    return given[0] if given else None


def _found(table: Table, others: set[str | None]) -> tuple[Kind, str]:
    """Find the predictions by their names, and refuse to choose between two."""
    present = [name for name in table.schema.names if name not in others]
    found = [
        (kind, name)
        for kind in KINDS
        for name in (kind, f"{kind[:-1]}_*", f"{kind}_*")
        if _matching(present, name)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        return refuse(
            f"{table.paths[0]}",
            "have one kind of predictions, or be told which with "
            + " or ".join(f"--{kind} '{name}'" for kind, name in found),
            ", ".join(name for _, name in found),
            error=TableError,
        )
    return refuse(
        f"{table.paths[0]}",
        "have a column logits, logprobs or probs, or columns such as "
        "logit_*, logprob_*, prob_*; or name them with --logits, --logprobs or --probs",
        "columns " + ", ".join(table.schema.names),
        error=TableError,
    )


def _matching(present: Sequence[str], name: str) -> list[str]:
    if not name.endswith("*"):
        return [name] if name in present else []
    return [column for column in present if column.startswith(name[:-1])]


def _missing(table: Table, name: str) -> NoReturn:
    present = table.schema.names
    near = difflib.get_close_matches(name, present, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    shown = ", ".join(present[:20]) + (", …" if len(present) > 20 else "")
    raise TableError(f"{table.paths[0]}: no column {name!r}{hint}; its columns are {shown}")


def _layout(table: Table, taken: str, names: Sequence[str]) -> Literal["list", "wide", "binary"]:
    kinds = {name: table.schema.field(name).type for name in names}
    if len(names) == 1 and is_list(kinds[names[0]]) and _is_number(kinds[names[0]].value_type):
        return "list"
    for name, kind in kinds.items():
        if not _may_be_numbers(table, name):
            refuse(
                f"{table.paths[0]}: column {name!r}",
                "hold numbers" + ("" if len(names) > 1 else " or lists of numbers"),
                kind,
                error=TableError,
            )
    return "binary" if len(names) == 1 else "wide"


def _label_kind(
    table: Table, label: str, annotators: bool
) -> Literal["class", "soft", "annotators"]:
    kind = table.schema.field(label).type
    where = f"{table.paths[0]}: column {label!r}"
    if annotators:
        if not is_list(kind):
            refuse(where, "hold lists of the annotators' labels", kind, error=TableError)
        return "annotators"
    if is_list(kind):
        if types.is_integer(kind.value_type) or types.is_boolean(kind.value_type):
            return "class"  # one-hot
        if not _is_number(kind.value_type):
            refuse(
                where,
                "hold lists of probabilities (or of labels, with --annotators)",
                kind,
                error=TableError,
            )
        return "soft"
    if types.is_floating(kind) or types.is_decimal(kind) or types.is_nested(kind):
        refuse(
            where,
            "hold class indices or names (a soft label is a list column)",
            kind,
            error=TableError,
        )
    return "class"


def integer_names(classes: tuple[str, ...]) -> Literal["all", "some", "none"]:
    """Tell whether classes are named by integers, each as it is usually written.

    "some" is where an integer could be meant as a name or as an index: "1" beside "01" or "cat".
    """
    numbers = [int(name) for name in classes if INTEGER.fullmatch(name)]
    if not numbers:
        return "none"
    written = [str(number) for number in numbers if -(2**63) <= number < 2**63]
    return "all" if written == list(classes) else "some"


def _may_be_numbers(table: Table, name: str) -> bool:
    # A CSV's column is read as numbers then, and the complaint names the first cell that is none.
    kind = table.schema.field(name).type
    return _is_number(kind) or (table.format == "CSV" and types.is_string(kind))


def _is_number(kind: pa.DataType) -> bool:
    # A column of nothing but nulls passes here, so that the complaint names its first row.
    return bool(
        types.is_floating(kind)
        or types.is_integer(kind)
        or types.is_decimal(kind)
        or types.is_null(kind)
    )
