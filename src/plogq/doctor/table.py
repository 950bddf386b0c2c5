"""A table of predictions, looked at by the checks of values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from plogq.doctor.finding import Diagnosis, Finding
from plogq.doctor.losses import BINARY_LOGITS, LOGITS, Loss
from plogq.doctor.readings import Array
from plogq.doctor.values import MOST_OUTPUTS, Values, look
from plogq.errors import TableError, check_count
from plogq.extras import needed_by

if TYPE_CHECKING:
    from plogq.tables.batch import Batch
    from plogq.tables.columns import Columns
    from plogq.tables.predictions import Predictions

# What a score takes predictions for. A table has no loss of its own that would cut probabilities.
TAKEN_FOR = {
    "logits": LOGITS,
    "logprobs": Loss("log-probabilities", "softmax", "either"),
    "probs": Loss("probabilities", "softmax", "either"),
}
LONE = {"logits": BINARY_LOGITS, "probs": Loss("probabilities", "sigmoid")}


def check_table(
    source: Any,
    predictions: Any = None,
    *,
    label: str | Sequence[str] | None = None,
    logits: Any = None,
    logprobs: Any = None,
    probs: Any = None,
    exclude: Sequence[str] = (),
    classes: Sequence[str | int] | None = None,
    chosen: str | None = None,
    labels: Any = None,
    on: str | None = None,
    ignore: Sequence[str | int | None] | str | int = (),
    normalise: bool = False,
    annotators: bool = False,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    header: Sequence[str] | None = None,
    rows: int = 100_000,
    at_start: bool = False,
    select: Sequence[str] | None = None,
    skip: Sequence[str] | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> Diagnosis:
    """Return what is wrong with a table of predictions.

    Parameters
    ----------
    source, predictions
        A table, or labels and predictions as arrays, as `plogq.score.score` takes them; so are all
        options that are not named here.
    rows
        How many rows to look at, the first ones.
    at_start
        Whether the model has not been trained yet.
    select, skip
        Codes of checks, or how codes begin: those that look, and those that do not.
    progress
        Called with (rows done, rows in all or None) as work goes on.

    Raises
    ------
    TableError
        A ValueError of one line: which file, column and row, what was expected and what came.

    Examples
    --------
    >>> import numpy as np
    >>> table = {"logits": np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), "labels": [0, 1, 0]}
    >>> [finding.code for finding in check_table(table).findings]
    ['PQ101', 'PQ126']
    """
    with needed_by("plogq.doctor.check_table"):
        from plogq.tables.formats.text_options import text_options
        from plogq.tables.predictions import Predictions
        from plogq.tables.two_arrays import open_columns
    check_count("rows", rows, 1)
    asked: dict[str, Any] = {"logits": logits, "logprobs": logprobs, "probs": probs}
    text = text_options(encoding, delimiter, decimal, header)
    table, columns = open_columns(
        source, predictions, asked, text, labels=labels, on=on,
        label=label, exclude=exclude, classes=classes, chosen=chosen, ignore=ignore,
        normalise=normalise, annotators=annotators,
    )  # fmt: skip
    opened = Predictions(table, columns)
    most = min(rows, max(1, MOST_OUTPUTS // len(opened.classes)))
    first = _first_rows(opened, most, progress)
    found = look(_values(opened, first, at_start), select, skip)
    read = len(first.number)
    seen = f"{read:,} rows"
    if table.rows is None or read < table.rows:
        in_all = "" if table.rows is None else f" of {table.rows:,}"
        seen = f"the first {read:,}{in_all} rows"
    return replace(
        found,
        looked_at=f"{seen} of {opened.path}, {columns.kind} {columns.predictions!r} of "
        f"{len(opened.classes)} classes and labels {columns.label!r}",
        findings=tuple(_placed(each, opened, first.number) for each in found.findings),
    )


class _Rows(NamedTuple):
    """The first rows of a table.

    `outputs` (n, C) or (n,) are what a score would read of the predictions, or the predictions as
    they are where it would refuse them, for the reason `refused`; `target` (n,) are classes, or
    (n, C) distributions; `number` (n,) are the rows' numbers in the table.
    """

    outputs: Array
    target: Array
    number: Array
    refused: str


def _first_rows(
    opened: Predictions, most: int, progress: Callable[[int, int | None], None] | None
) -> _Rows:
    from plogq.tables.predictions import refuse_nothing_left

    outputs, target, number = [], [], []
    refused = ""
    read = left_out = 0
    for batch in opened.batches(progress):
        try:
            x = batch.predictions if refused else _as_read(batch, opened.columns)
        except TableError as error:
            refused, x = str(error), batch.predictions
        kept = np.arange(len(x)) if batch.part.kept is None else batch.part.kept
        outputs.append(x)
        target.append(batch.target if batch.soft is None else batch.soft)
        number.append(batch.part.start + kept)
        read, left_out = read + len(x), left_out + batch.left_out
        if read >= most:
            break
    refuse_nothing_left(opened.path, read, left_out)
    x, y, row = (np.concatenate(each)[:most] for each in (outputs, target, number))
    return _Rows(x, y, row, refused)


def _as_read(batch: Batch, columns: Columns) -> Array:
    """Return predictions as a score reads them: (n, C), or (n,) of class 1 from a lone column.

    Raises
    ------
    TableError
        They are no predictions of their kind.
    """
    from plogq.tables.row_figures import check_logits, distributions

    x = batch.predictions
    if columns.kind == "logits":
        check_logits(batch, columns.predictions, x[:, None] if x.ndim == 1 else x)
        return x
    q, surprisal = distributions(batch, columns)
    read = q if columns.kind == "probs" else -surprisal
    return read[:, 1] if columns.layout == "binary" else read


def _values(opened: Predictions, first: _Rows, at_start: bool) -> Values:
    """Return predictions and labels under what a score takes them for."""
    outputs, target = first.outputs, first.target
    columns = opened.columns
    kind, loss = columns.kind, TAKEN_FOR[columns.kind]
    if columns.layout == "binary":
        if kind == "logprobs":
            with np.errstate(over="ignore"):  # what is far above 0 was refused, and is a finding
                outputs, kind = np.exp(outputs), "probs"
        loss = LONE[kind]
        target = (target[:, 1] if target.ndim == 2 else target).astype(np.float64)
    # What only states how a column was read is no doubt.
    doubts = tuple(each for each in (*opened.table.warnings, *columns.warnings) if "?" in each)
    return Values(
        outputs, target, loss, columns.kind, "table", {}, str(outputs.dtype), str(target.dtype),
        at_start, doubts, first.refused,
    )  # fmt: skip


def _placed(finding: Finding, opened: Predictions, number: Array) -> Finding:
    """Return a finding at the column and the row of the table."""
    names = {"outputs": opened.columns.predictions, "target": opened.columns.label}
    where = finding.where
    row = None if where.row is None else int(number[where.row])
    return replace(finding, where=replace(where, what=names.get(where.what, where.what), row=row))
