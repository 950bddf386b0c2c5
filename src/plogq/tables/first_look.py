"""A first look at the head of a table: signs that numbers or labels are not what they seem.

It sees the first thousand rows, or fewer where rows are long, whatever the format and its batches.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from pyarrow import types

from plogq.errors import TableError
from plogq.tables.arrays import Array
from plogq.tables.batch import Batch, to_batch
from plogq.tables.columns import Columns
from plogq.tables.doubts import doubts
from plogq.tables.formats.wanted import HEAD_ROWS
from plogq.tables.labels import MOST_SUGGESTED, Labels
from plogq.tables.number_doubts import Head, of_numbers
from plogq.tables.readers import Part
from plogq.tables.row_figures import figures
from plogq.tables.row_sums import Rounding, not_distributions, rounding_of

HEAD_NUMBERS = 1 << 22
MOST_CLASSES = 1_000  # of more classes, predictions are not counted by label


def first_look(parts: Iterable[Part], columns: Columns, labels: Labels) -> Columns:
    """Return the columns with what the first rows say of them: rounding, and warnings.

    A bad row raises nothing here: the pass over all rows refuses it.
    """
    try:
        return _looked_at(parts, columns, labels)
    except TableError:
        return columns


def _looked_at(parts: Iterable[Part], columns: Columns, labels: Labels) -> Columns:
    most = max(1, min(HEAD_ROWS, HEAD_NUMBERS // max(1, len(labels.classes))))
    first = _first(parts, most)
    if columns.labels == "soft":
        columns = _rounded_labels(first, columns, labels)
        labels = Labels(labels.classes, columns)
    batches = [to_batch(part, columns, labels) for part in first]
    batches = [batch for batch in batches if len(batch.target)]
    if not batches:
        return columns
    head = _head(batches, columns)
    if columns.kind != "logits" and columns.layout != "binary" and not columns.normalise:
        columns = _rounded(head.x, batches[0], columns)
    found = [
        *of_numbers(head, columns),
        *_of_labels(head, columns, labels),
        *_of_figures(batches, columns, labels.classes),
    ]
    return replace(columns, warnings=(*columns.warnings, *found))


def _first(parts: Iterable[Part], rows: int) -> list[Part]:
    found = []
    for part in parts:
        batch = part.batch.slice(0, rows)
        found.append(part._replace(batch=batch))
        rows -= batch.num_rows
        if rows <= 0:
            break
    return found


def _head(batches: list[Batch], columns: Columns) -> Head:
    kind = batches[0].part.batch.schema.field(columns.label_names[0]).type
    kind = kind.value_type if types.is_dictionary(kind) else kind
    whole = len(columns.label_names) == 1 and columns.labels == "class"
    whole = whole and (types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))
    return Head(
        np.concatenate([batch.predictions for batch in batches]),
        np.concatenate([batch.target for batch in batches]),
        whole,
    )


def _rounded_labels(parts: list[Part], columns: Columns, labels: Labels) -> Columns:
    """Return the columns with the rounding of soft labels, if it is why they do not sum to 1."""
    if columns.normalise or columns.ignore or not parts:
        return columns
    given = np.concatenate([labels.given(part) for part in parts])
    kind = parts[0].batch.schema.field(columns.label_names[0]).type
    found = _explained(given, given, getattr(kind, "value_type", kind), logs=False)
    if found is None:
        return columns
    said = _said("soft labels", columns.label, found)
    return replace(columns, label_rounding=found, warnings=(*columns.warnings, said))


def _rounded(x: Array, batch: Batch, columns: Columns) -> Columns:
    """Return the columns with the rounding of predictions, if it is why they do not sum to 1."""
    kind = batch.part.batch.schema.field(columns.names[0]).type
    logs = columns.kind == "logprobs"
    with np.errstate(over="ignore", invalid="ignore"):
        q = np.exp(x.astype(np.float64)) if logs else x.astype(np.float64)
    found = _explained(x, q, getattr(kind, "value_type", kind), logs=logs)
    if found is None:
        return columns
    said = _said("rows", columns.predictions, found)
    return replace(columns, rounding=found, warnings=(*columns.warnings, said))


def _explained(x: Array, q: Array, kind: object, *, logs: bool) -> Rounding | None:
    """Return the rounding that explains why rows do not sum to 1; None if they do, or none does."""
    if not not_distributions(x, q, kind, logs=logs)[1].any():
        return None
    found = rounding_of(x)
    _, bad = not_distributions(x, q, kind, logs=logs, rounding=found)
    return None if bad.any() or not any(found) else found


def _said(what: str, column: str, rounding: Rounding) -> str:
    return (
        f"The {what} of {column!r} sum to 1 only nearly: their numbers seem rounded to {rounding}, "
        "so each row is divided by its sum."
    )


def _of_labels(head: Head, columns: Columns, labels: Labels) -> list[str]:
    """Return warnings on labels that are numbers, and may stand for other classes."""
    if not head.whole_numbers:
        return []
    classes = labels.classes
    if columns.classes is not None and not columns.named and columns.layout == "wide":
        words = [name for name in classes if not name.lstrip("+-").replace(".", "").isdigit()]
        if len(words) == len(classes):
            numbered = ", ".join(f"{j} for {name}" for j, name in enumerate(classes[:3]))
            more = ", …" if len(classes) > 3 else ""
            shown = ",".join(columns.names[:3]) + (",…" if len(classes) > 3 else "")
            other = "1,0" if len(classes) == 2 else "and their numbers in that order"
            return [
                f"The classes have names and the labels are numbers, taken as places: {numbered}"
                f"{more}. If that is not so: --{columns.kind} {shown} --classes {other}."
            ]
    counted = columns.classes is None or classes == tuple(map(str, range(len(classes))))
    x, y = head.x, head.target
    if not counted or columns.named or x.ndim == 1 or len(classes) < 2:
        return []
    if len(y) < 2 or y.min() < 1:  # one label says nothing of where numbers begin
        return []
    if _cheaper_from_1(x, y, columns.kind) or _all_but_0(y, len(classes)):
        some = ",".join(map(str, range(1, len(classes) + 1)))
        some = some if len(classes) <= MOST_SUGGESTED else f"1..{len(classes)}"
        return [
            f"No label is 0 in the first {len(y):,} rows: are the classes numbered from 1? Then "
            f"--classes {some}."
        ]
    return []


def _of_figures(batches: list[Batch], columns: Columns, classes: tuple[str, ...]) -> list[str]:
    """Return warnings on labels that the model may have chosen, and on the order of the classes."""
    if not columns.labelled or columns.labels != "class" or not 2 <= len(classes) <= MOST_CLASSES:
        return []
    rows = [figures(batch._replace(weight=None), columns) for batch in batches]
    target = np.concatenate([batch.target for batch in batches])
    predicted = np.concatenate([each.predicted for each in rows])
    cells = np.bincount(target * len(classes) + predicted, minlength=len(classes) ** 2)
    correct, confidence = (
        float(sum(np.sum(getattr(each, name)) for each in rows))
        for name in ("correct", "confidence")
    )
    counts = cells.reshape(len(classes), -1)
    return doubts(classes, counts, len(target), correct, confidence)


def _cheaper_from_1(x: Array, y: Array, kind: str) -> bool:
    """Return whether labels cost less as 1 … C than as 0 … C − 1; a row's normaliser cancels."""
    rows = np.arange(len(y))
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(np.maximum(x.astype(np.float64), 1e-30)) if kind == "probs" else x
        gain = np.maximum(log[rows, y - 1], -70.0) - np.maximum(log[rows, y], -70.0)
        return bool(gain.mean() > 0)


def _all_but_0(y: Array, classes: int) -> bool:
    return len(y) >= 5 * classes and len(np.unique(y)) == classes - 1
