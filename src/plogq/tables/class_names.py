"""What the classes are called, and whose probability each column holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from plogq.errors import TableError, refuse
from plogq.tables.column_names import Found, few
from plogq.tables.column_types import Layout

NUMBER = re.compile(r"\s*[+-]?[0-9]{1,40}(\.[0-9]*)?\s*")
INTEGER = re.compile(r"\s*[+-]?[0-9]{1,40}\s*")
# Words by which the name of a lone column says which class its probability is of: 0, or 1.
NO = frozenset(("0", "0.0", "false", "no", "neg", "negative"))
YES = frozenset(("1", "1.0", "true", "yes", "pos", "positive"))


class Classes(NamedTuple):
    """The names of the classes, and the columns in their order.

    Attributes
    ----------
    names
        None for a list column without names: its classes are 0, 1, 2 …
    columns
        The columns of the predictions, in the order of the names.
    notes, warnings
        Sentences on how the names were found, and on what may be meant otherwise.
    """

    names: tuple[str, ...] | None
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def name_classes(path: str, found: Found, layout: Layout, classes: Sequence[str] | None) -> Classes:
    """Return the classes and their columns, matched by name.

    They are matched by place only in a list column, where the columns are numbered, or where the
    user listed the columns.
    """
    if classes is not None and len(set(classes)) < len(classes):
        refuse("classes", "be different names", ",".join(classes), error=TableError)
    width = {"binary": 2, "wide": len(found.names)}.get(layout)
    if classes is not None and width not in (None, len(classes)):
        expected = f"be {len(classes)} classes, as many as there are names"
        refuse(f"{path}: columns {found.shown!r}", expected, width, error=TableError)
    if layout == "list":
        return Classes(None if classes is None else tuple(classes), found.names)
    if layout == "binary":
        return _of_a_lone_column(found, None if classes is None else tuple(classes))
    return _of_columns(path, found, classes)


def _of_columns(path: str, found: Found, classes: Sequence[str] | None) -> Classes:
    own = found.classes
    if classes is None:
        return Classes(own, found.names)
    for names in (own, found.names):
        if set(names) == set(classes):
            column = dict(zip(names, found.names, strict=True))
            return Classes(tuple(classes), tuple(column[name] for name in classes))
    if set(own) == {str(j) for j in range(len(own))}:  # the columns are numbered
        return Classes(tuple(classes[int(name)] for name in own), found.names)
    if found.listed:
        return Classes(tuple(classes), found.names)
    columns = ",".join(found.names[:4]) + (",…" if len(found.names) > 4 else "")
    return refuse(
        "classes",
        f"be the names that the columns {found.shown!r} have, {few(own)}, in any order; or list "
        f"the columns in the order of the classes: --{found.kind} {columns}",
        few(classes),
        error=TableError,
    )


def _of_a_lone_column(found: Found, classes: tuple[str, ...] | None) -> Classes:
    """Return the two classes, that of the column last: a lone column is of the second class."""
    column, own = found.names[0], found.classes[0]
    of = {"logits": "logit", "logprobs": "log-probability", "probs": "probability"}[found.kind]

    def say(first: str, second: str, warning: str = "") -> Classes:
        note = f"{column!r} is the {of} of class {second} of {first} and {second}."
        return Classes((first, second), found.names, (note,), (warning,) if warning else ())

    given = classes or ("0", "1")
    index = {name: i for i, name in enumerate(given)}
    word = own.strip().lower()
    if classes is not None and own in index:
        at = index[own]
    elif classes is not None and set(classes) != {"0", "1"} and word in ("0", "1"):
        at = int(word)
    elif classes is None and word in NO | YES:
        at = int(word in YES)
    elif own == column:  # its name names no class
        at = 1
    else:
        other = f"--classes {own},{given[0]}" if classes else f"--classes {given[1]},{given[0]}"
        more = "" if classes else f", of {own} and another class --classes {own},NAME"
        return say(
            given[0],
            given[1],
            f"Column {column!r} is taken for the {of} of class {given[1]}; of class {given[0]}, "
            f"say {other}{more}.",
        )
    return say(given[1 - at], given[at])


@lru_cache(maxsize=8)
def integer_names(classes: tuple[str, ...]) -> Literal["all", "values", "some", "none"]:
    """Return how many of the classes are named by numbers.

    "all": every name is an integer as it is usually written. "values": all are numbers, some such
    as 1.0, and no two are equal. "some": an integer could be meant as a name or as an index, as
    with "1" beside "01" or "cat".
    """
    numbers = [name for name in classes if NUMBER.fullmatch(name)]
    if not numbers:
        return "none"
    integers = [int(name) for name in numbers if INTEGER.fullmatch(name)]
    written = [str(number) for number in integers if -(2**63) <= number < 2**63]
    if written == list(classes):
        return "all"
    decimal = len(numbers) == len(classes) and len(integers) < len(classes)
    return "values" if decimal and len({*map(float, classes)}) == len(classes) else "some"
