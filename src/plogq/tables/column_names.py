"""Which columns hold the predictions and the labels, by what the user or their names say."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence
from typing import NamedTuple, NoReturn

from pyarrow import types

from plogq.errors import TableError, refuse
from plogq.tables.arrays import is_list
from plogq.tables.formats import KINDS, Kind
from plogq.tables.readers import Table

# Names that are looked for only where none of the kinds' own names is there.
OTHER_NAMES: dict[Kind, tuple[str, ...]] = {
    "logits": ("logit",),
    "logprobs": (),
    "probs": ("prob", "proba", "y_prob", "y_proba", "probability", "p", "score", "proba_*",
              "probability_*"),
}  # fmt: skip
LABELS = ("label", "labels", "y_true", "target", "y", "class", "truth", "gold", "true_label")
# Those of LABELS that can only name the truth; the others may name what the model chose.
TRUTHS = ("y_true", "target", "truth", "gold", "true_label")
# What a column may be called behind the prefix of the classes without being one: prob_max.
NO_CLASSES = frozenset(
    ("argmax", "bias", "class", "confidence", "entropy", "label", "labels", "loss", "margin", "max",
     "pred", "predict", "predicted", "prediction", "scale", "sum", "target", "temperature")
)  # fmt: skip
# What a column of row numbers or names is called where it has no name.
NO_NAME = frozenset(("", "Unnamed: 0"))
# Words in the name of a column which say that it holds what the model chose.
CHOSEN = frozenset(("argmax", "guess", "pred", "predict", "predicted", "prediction", "preds",
                    "scored", "yhat"))  # fmt: skip
# Words in the name of a column which say that it holds the truth, alone or beside one of LABELS.
TRUE = frozenset(("actual", "gold", "groundtruth", "truth"))
TRUE_LABEL = frozenset(("true", "correct", "expected", "reference"))
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# Marks between a prefix and the name of a class, and behind that name: confidence(setosa).
BEFORE, BEHIND = "_.:=([ ", ")]"
# A prefix that says what the numbers are; what follows it is a class.
PREFIX = re.compile(r"(?:logits?|log_?probs?|prob(?:s|a|abilit(?:y|ies))?|p)[_.:]", re.IGNORECASE)
# A word that all columns may have behind their classes: species_cat_PREDICTION.
SUFFIX = re.compile(
    r"[_. -](?:confidence|logit|prediction|prob|proba|probability|score)$", re.IGNORECASE
)

MOST_SUGGESTED = 8  # columns that a message lists in the option it suggests


class Found(NamedTuple):
    """The columns of the predictions.

    Attributes
    ----------
    kind
        What they hold.
    shown
        As the user would name them.
    names
        The columns.
    classes
        The class that each column is named after; the column's own name if that names no class.
    listed
        Whether the user listed them one by one, so that their order is meant.
    notes, warnings
        What was left out, or found under another name.
    """

    kind: Kind
    shown: str
    names: tuple[str, ...]
    classes: tuple[str, ...]
    listed: bool = False
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def few(names: Sequence[str], most: int = 8) -> str:
    """Return the first of some names as text, with … where there are more."""
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def missing(table: Table, name: str, more: str = "") -> NoReturn:
    """Refuse the name of a column that is not there, and suggest the most similar one."""
    present = table.schema.names
    if inside := [each for each in present if each.startswith(f"{name}.")]:
        expected = f"be named by one of its fields: {few(inside)}"
        refuse(f"{table.paths[0]}: column {name!r}", expected, "records", error=TableError)
    near = difflib.get_close_matches(name, present, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else more
    raise TableError(
        f"{table.paths[0]}: no column {name!r}{hint}; its columns are {few(present, 20)}"
    )


def find_predictions(
    table: Table, asked: dict[Kind, str | Sequence[str] | None], others: Collection[str]
) -> Found:
    """Return the columns of the predictions: those asked for, or else those found by name."""
    given = [(kind, names) for kind, names in asked.items() if names is not None]
    if len(given) > 1:
        expected = "be one of --logits, --logprobs, --probs"
        refuse(
            "predictions", expected, " and ".join(f"--{kind}" for kind, _ in given),
            error=TableError,
        )  # fmt: skip
    if given:
        return _asked(table, *given[0], others)
    present = [name for name in table.schema.names if name not in others]
    found = [
        each
        for kind in KINDS
        for pattern in (kind, f"{kind}.*", f"{kind[:-1]}_*", f"{kind}_*")
        if (each := _matching(kind, present, pattern)) is not None
    ]
    if not found:
        found = [
            each._replace(notes=(*each.notes, f"Predictions are in {each.shown!r}, as {kind}."))
            for kind in KINDS
            for pattern in OTHER_NAMES[kind]
            if (each := _matching(kind, present, pattern)) is not None
        ]
        _refuse_score(table, found)
    if len(found) == 1:
        return found[0]
    if found:
        return refuse(
            f"{table.paths[0]}",
            "have one kind of predictions, or be told which with "
            + " or ".join(f"--{each.kind} '{each.shown}'" for each in found),
            ", ".join(each.shown for each in found),
            error=TableError,
        )
    return refuse(
        f"{table.paths[0]}",
        "have a column logits, logprobs or probs, or columns such as "
        "logit_*, logprob_*, prob_*; or name them with --logits, --logprobs or --probs"
        + _perhaps(table, present),
        "columns " + few(table.schema.names, 20),
        error=TableError,
    )


def _perhaps(table: Table, present: Sequence[str]) -> str:
    """Return an option that names columns of fractions that may be the predictions, or ''."""
    kinds = dict(zip(table.schema.names, table.schema.types, strict=True))
    fractions = [name for name in present if types.is_floating(kinds[name]) and name]
    by_prefix: dict[str, list[str]] = {}
    for name in fractions:
        by_prefix.setdefault(name[: max(map(name.rfind, BEFORE)) + 1], []).append(name)
    prefix, likely = max(by_prefix.items(), key=lambda each: len(each[1]), default=("", []))
    if len(likely) < 2:
        likely = [name for name in fractions if SUFFIX.search(name)]
        prefix = ""
    lists = [name for name in present if is_list(kind := kinds[name])
             and types.is_floating(kind.value_type)]  # fmt: skip
    if len(likely) < 2:
        return f", perhaps --probs {lists[0]}" if len(lists) == 1 else ""
    if prefix and [name for name in present if name.startswith(prefix)] == likely:
        return f", perhaps --probs '{prefix}*'"
    return f", perhaps --probs '{','.join(likely)}'" if len(likely) <= MOST_SUGGESTED else ""


def _refuse_score(table: Table, found: list[Found]) -> None:
    """Refuse a column `score` beside `label`: many tools write the class they chose so."""
    if [each.shown for each in found] == ["score"] and "label" in table.schema.names:
        refuse(
            f"{table.paths[0]}",
            "say what the scores are: --probs score for the probability of class 1, or "
            "--probs score --chosen label --label TRUTH for that of the class in 'label'; or have "
            "a column logits, logprobs or probs",
            "columns " + few(table.schema.names, 20),
            error=TableError,
        )


def _asked(table: Table, kind: Kind, asked: str | Sequence[str], others: Collection[str]) -> Found:
    present = table.schema.names
    names = expand(present, asked)
    if names is None:
        free = [name for name in present if name not in others]
        return _matching(kind, free, str(asked)) or missing(table, str(asked))
    there = set(present)
    if names == [asked] and asked not in there:
        of_records = _matching(kind, [name for name in present if name not in others], f"{asked}.*")
        if of_records is not None:
            return of_records
    for name in names:
        if name not in there:
            missing(table, name)
    if len(set(names)) < len(names):
        refuse(kind, "name each column once", few(names), error=TableError)
    classes = without_prefix(names)
    return Found(kind, ",".join(names) if len(names) <= 8 else f"{names[0]},…,{names[-1]}",
                 tuple(names), classes, len(names) > 1)  # fmt: skip


def expand(present: Sequence[str], asked: str | Sequence[str]) -> list[str] | None:
    """Return the columns listed, in a text with commas or as a list; None for a pattern."""
    if not isinstance(asked, str):
        return list(asked)
    if asked in present:
        return [asked]
    if asked.endswith("*") and "," not in asked:
        return None
    return asked.split(",")


def _matching(kind: Kind, present: Sequence[str], pattern: str) -> Found | None:
    """Return the columns that fit a pattern, without those whose names name no class."""
    if not pattern.endswith("*"):
        if pattern not in present:
            return None
        return Found(kind, pattern, (pattern,), without_prefix([pattern]))
    prefix = pattern[:-1]
    taken = [name for name in present if name.startswith(prefix)]
    left_out = [
        name for name in taken if name in NO_NAME or NO_CLASSES & {name.lower(), _end(name, prefix)}
    ]
    classes = [name for name in taken if name not in left_out]
    if not classes or not left_out:
        return Found(kind, pattern, tuple(taken), ends(taken, prefix)) if taken else None
    shown = few([name or "the one without a name" for name in left_out])
    warning = (
        f"Left out of {pattern!r}, as no class by name: {shown} (if it is one, list the columns:"
        f" --{kind} {','.join(taken[:3])}{',…' if len(taken) > 3 else ''})."
    )
    return Found(kind, pattern, tuple(classes), ends(classes, prefix), warnings=(warning,))


def _end(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).strip("_-. ").lower()


def ends(names: Sequence[str], prefix: str) -> tuple[str, ...]:
    """Return names without their prefix, and without the marks that all have around the rest.

    Examples
    --------
    >>> ends(["confidence(cat)", "confidence(dog)"], "confidence"), ends(["p_1", "p_2"], "p")
    (('cat', 'dog'), ('1', '2'))
    """
    found = [name.removeprefix(prefix) for name in names]
    first = found[0][:1]
    if prefix and first and first in BEFORE and all(e[:1] == first and e[1:] for e in found):
        found = [end[1:] for end in found]
    opened = "(" in prefix + first or "[" in prefix + first
    if opened and all(end[-1:] and end[-1] in BEHIND and end[:-1] for end in found):
        found = [end[:-1] for end in found]
    return _without_suffix(found) if not PREFIX.match(prefix + first) else tuple(found)


def _without_suffix(names: Sequence[str]) -> tuple[str, ...]:
    """Return names without the word at their end, if all share one that says what they are.

    Examples
    --------
    >>> _without_suffix(["cat_PREDICTION", "dog_PREDICTION"]), _without_suffix(["a_score", "b"])
    (('cat', 'dog'), ('a_score', 'b'))
    """
    marks = [SUFFIX.search(name) for name in names]
    shared = {mark[0] if mark and mark.start() else "" for mark in marks}
    if len(names) < 2 or len(shared) > 1 or shared == {""}:
        return tuple(names)
    [suffix] = shared
    return tuple(name[: -len(suffix)] for name in names)


def without_prefix(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of columns without the prefix that they share.

    Examples
    --------
    >>> without_prefix(["prob_a", "prob_b"]), without_prefix(["p0", "p1"])
    (('a', 'b'), ('0', '1'))
    >>> without_prefix(["cat", "car"]), without_prefix(["prob_spam"])
    (('cat', 'car'), ('spam',))
    """
    shared = _shared_start(names)
    known = PREFIX.match(shared)
    if known and all(len(name) > known.end() for name in names):
        return ends(names, shared[: known.end()])
    if len(names) > 1:
        end = max(map(shared.rfind, "-" + BEFORE)) + 1
        numbered = ends(names, shared.rstrip("0123456789"))
        if all(number.isdecimal() for number in numbered):
            return numbered
        if end and all(len(name) > end for name in names):
            return ends(names, shared[:end])
        return _without_suffix(names)
    return tuple(names)


def _shared_start(names: Sequence[str]) -> str:
    first, last = min(names), max(names)
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b),
                  min(len(first), len(last)))  # fmt: skip
    return first[:length]


def find_label(
    table: Table,
    label: str | Sequence[str] | None,
    others: Collection[str],
    apart: Collection[str | None],
) -> tuple[tuple[str, ...], str, tuple[str, ...]]:
    """Return the columns of the labels, what the user would call them, and notes on the choice.

    Columns among `others` are never taken; those that rows are told `apart` by, only where there
    is no other.
    """
    present = table.schema.names
    if label is not None:
        return *_asked_label(table, label), ()
    free = [name for name in present if name not in others]
    found = [name for name in free if name.lower() in LABELS]
    found = [name for name in found if name not in apart] or found
    if len(found) > 1:
        refuse(
            f"{table.paths[0]}",
            "have one column of labels, or be told which with "
            + " or ".join(f"--label {name}" for name in found),
            ", ".join(found),
            error=TableError,
        )
    if found:
        note = () if found[0] in LABELS[:2] else (f"Labels are in {found[0]!r}.",)
        return (found[0],), found[0], note
    columns = [name for name in free if name.startswith("label_")]
    if len(columns) > 1:
        return tuple(columns), "label_*", ("Labels are a column for each class, 'label_*'.",)
    true = next((name for name in free if _of_the_truth(name)), None)
    more = "--label names another" if true is None else f"perhaps --label {true}"
    more += "; of a second table: --labels TABLE --on ID"
    return missing(table, "label", f" (or {', '.join(LABELS[1:])}; {more})")


def _asked_label(table: Table, label: str | Sequence[str]) -> tuple[tuple[str, ...], str]:
    present = table.schema.names
    if label == "label" and label not in present and "labels" in present:
        label = "labels"
    names = expand(present, label)
    if names is None:
        assert isinstance(label, str)
        names = [name for name in present if name.startswith(label[:-1])]
        if not names:
            missing(table, label)
    there = set(present)
    for name in names:
        if name not in there:
            missing(table, name)
    return tuple(names), label if isinstance(label, str) else ",".join(names)


def doubt_label(table: Table, label: str, others: Collection[str]) -> tuple[str, ...]:
    """Return warnings on a label column that may not be the truth, by its name and the others'.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from plogq.tables.readers import open_table
    >>> doubt_label(open_table(pa.table({"label": [0], "gold": [1]})), "label", ())
    ("Column 'gold' stands beside 'label': which is the truth? --label gold takes the other.",)
    """
    if CHOSEN & {word.lower() for word in WORDS.findall(label)}:
        return (
            f"Labels are in {label!r}, called like what a model chose: are they the truth? "
            "--label names another column.",
        )
    if label.lower() not in (*LABELS, "response") or label.lower() in TRUTHS:
        return ()
    return tuple(
        f"Column {name!r} stands beside {label!r}: which is the truth? --label {name} takes the "
        "other."
        for name in table.schema.names
        if name not in (label, *others) and _of_the_truth(name)
    )


def _of_the_truth(name: str) -> bool:
    """Return whether a column is named as the truth: true_label, gold_label, YTrue, actual."""
    words = {word.lower() for word in WORDS.findall(name)}
    about = bool(words & TRUE_LABEL) and bool(words & {*LABELS, "answer"})
    return name.lower() in TRUTHS or bool(words & TRUE) or about
