"""A recalibration on rows that it was not fitted to: what it promised, and what it kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from plogq.compare.model import Model
from plogq.compare.pairs import by_order
from plogq.compare.result import PredictionFigures
from plogq.compare.state import State
from plogq.compare.summary import summarise
from plogq.errors import check_count
from plogq.formulas.terms import neg_log
from plogq.formulas.units import Unit
from plogq.kinds import Count, Finite, Interval, Number, Text
from plogq.records import Caution, Document, Source
from plogq.score.figures.all_figures import check_weight
from plogq.score.recalibrate import Promise, Recalibration
from plogq.tables.batch import Batch
from plogq.tables.formats.text_options import text_options
from plogq.tables.predictions import Predictions, Progress, refuse_nothing_left
from plogq.tables.row_figures import RowFigures, figures_of_probs
from plogq.tables.sums.bootstrap import check_replicates
from plogq.tables.two_arrays import open_columns

Outcome = Literal["kept", "more", "less"] | None


@dataclass(frozen=True, kw_only=True)
class Validation(Document):
    """What a recalibration saves on rows that it was not fitted to, beside what it promised."""

    COMMAND: ClassVar[str] = "plogq recalibrate --test"
    CELL: ClassVar[str] = "plogq.reports.cell:cell"
    TEXT: ClassVar[str] = "plogq.reports.cell:text"

    source: Source
    """Which files were read, and how."""
    family: Text
    """The family of the recalibration."""
    unit: Unit
    """The unit of every cost."""
    rows: Count
    """How many rows were scored."""
    before: Number
    """The cross-entropy per row of the predictions as they are."""
    after: Number
    """The cross-entropy per row of the recalibrated probabilities."""
    saved: Number | None
    """before − after; infinite where one of them is, null where both are."""
    interval: Interval | None = None
    """The interval of `saved`, by a paired bootstrap over rows; null where there is none."""
    promise: Promise
    """What was promised when it was fitted, in the same unit."""
    beyond: Finite | None = None
    """saved − promised; null where one of them is infinite or not known."""
    beyond_interval: Interval | None = None
    """The interval of `beyond`, from the intervals of both; null where there is none."""
    outcome: Outcome = None
    """"kept" where `beyond_interval` holds 0, else "more" or "less" than promised; null without."""
    warnings: tuple[Caution, ...] = ()
    """What to keep in mind when reading the figures."""


class RecalibratedModel(Model):
    """The same predictions under a recalibration."""

    def __init__(self, predictions: Predictions, recalibration: Recalibration) -> None:
        super().__init__(predictions)
        self._recalibration = recalibration
        self._in_order = recalibration.order_in(predictions)

    def _figures(self, batch: Batch) -> RowFigures:
        q = self._recalibration.of_batch(batch, self.columns, self._in_order)
        surprisal = neg_log(np, q)
        return figures_of_probs(batch, q, surprisal, -surprisal)


def validate(
    recalibration: Recalibration,
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
    weight: Any = None,
    group: Any = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    header: Sequence[str] | None = None,
    bootstrap: int = 200,
    seed: int = 0,
    progress: Progress | None = None,
) -> Validation:
    """Return what a recalibration saves of a table that it was not fitted to, in its own unit.

    Each row is scored as it is and recalibrated; the interval of what that saves is a paired
    bootstrap. What was promised has an interval, too: that of the difference comes of both, the
    distances to their ends added as squares (Zou, Donner, 2008, Construction of confidence limits
    about effect measures).

    Parameters
    ----------
    recalibration
        What is applied.
    source, predictions, label, …, seed
        As for `plogq.score.score`.
    progress
        Called with (rows done, rows in all or None) as work goes on.

    Raises
    ------
    TableError
        A ValueError of one line: which file, column and row, what was expected and what came.
    """
    check_replicates(bootstrap)
    check_count("seed", seed)
    asked: dict[str, Any] = {
        "logits": logits, "logprobs": logprobs, "probs": probs, "weight": weight, "group": group,
    }  # fmt: skip
    text = text_options(encoding, delimiter, decimal, header)
    table, columns = open_columns(
        source,
        predictions,
        asked,
        text,
        labels=labels,
        on=on,
        label=label,
        exclude=exclude,
        classes=classes,
        chosen=chosen,
        ignore=ignore,
        normalise=normalise,
        annotators=annotators,
    )
    opened = Predictions(table, columns)
    before, after = Model(opened), RecalibratedModel(opened, recalibration)
    state = State(opened.classes, columns.weight is not None, (), 0, seed)
    for pairs in by_order((before, after)):
        state.add(pairs)
        if progress is not None:
            progress(pairs.end, table.rows)
    refuse_nothing_left(opened.path, state.rows(), state.left_out)
    check_weight(opened.path, float(state.weight.amounts().sum()), state.rows())
    promise = recalibration.promise
    found = summarise(
        state, before, after, by_id=False, unit=promise.unit, bootstrap=bootstrap, seed=seed
    )
    assert isinstance(found.a, PredictionFigures)
    assert isinstance(found.b, PredictionFigures)
    finite = found.difference is not None and math.isfinite(found.difference)
    interval = found.intervals.get("difference_finite") if finite else None
    beyond, ends = _beyond(found.difference, interval, promise)
    few = [each for each in found.warnings if each.code in ("few_rows", "few_groups")]
    return Validation(
        source=opened.origin(state.left_out),
        family=recalibration.family,
        unit=promise.unit,
        rows=found.rows,
        before=found.a.cross_entropy,
        after=found.b.cross_entropy,
        saved=found.difference,
        interval=interval,
        promise=promise,
        beyond=beyond,
        beyond_interval=ends,
        outcome=_outcome(ends),
        warnings=(*opened.warnings(state.rows()), *few),
    )


def _beyond(
    saved: float | None, interval: Interval | None, promise: Promise
) -> tuple[float | None, Interval | None]:
    """Return what is saved beyond the promise, and its interval."""
    if saved is None or promise.saved is None:
        return None, None
    beyond = saved - promise.saved
    if not math.isfinite(beyond):
        return None, None
    if interval is None or promise.interval is None:
        return beyond, None
    low = math.hypot(saved - interval[0], promise.interval[1] - promise.saved)
    high = math.hypot(interval[1] - saved, promise.saved - promise.interval[0])
    return beyond, (beyond - low, beyond + high)


def _outcome(ends: Interval | None) -> Outcome:
    """Return how the promise was kept, by the interval of what was saved beyond it."""
    if ends is None:
        return None
    return "less" if ends[1] < 0 else "more" if ends[0] > 0 else "kept"
