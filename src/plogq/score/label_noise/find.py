"""The whole way from a table to the labels that are likely wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from plogq.errors import TableError, check_count, refuse
from plogq.formulas.units import Unit, check_unit, from_nats
from plogq.records import Caution
from plogq.score.figures.all_figures import check_weight, doubts_of
from plogq.score.figures.decomposition import Recalibrations, recalibrate
from plogq.score.job import Job
from plogq.score.label_noise.noise import LabelNoise, NoiseRange
from plogq.score.label_noise.result import ConfusedLabels, LabelErrors, SuspectLabel
from plogq.score.label_noise.suspects import Suspects, Suspicious
from plogq.score.recalibration import Family, log_softmax
from plogq.score.state.state import State
from plogq.score.workers.threads import sum_on_threads
from plogq.tables.arrays import Array
from plogq.tables.formats.text_options import text_options
from plogq.tables.predictions import Predictions, Progress, refuse_nothing_left
from plogq.tables.row_figures import figures
from plogq.tables.sums.bootstrap import FEWEST
from plogq.tables.sums.level import NORMAL_END
from plogq.tables.two_arrays import open_columns

MOST_SUSPECTS = 10_000  # rows that are listed unless more are asked for
MOST_CLASSES = 1_000
MOST_PAIRS = 20
LEFT_OUT_GROUPS = 20  # of rows, each left out once: the jackknife
FITTED = 0.999  # a share of right rows that only rows the model was fitted to have


def label_errors(
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
    group: Any = None,
    id: Any = None,
    unit: Unit = "bit",
    top: int | None = None,
    seed: int = 0,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    header: Sequence[str] | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> LabelErrors:
    """Return which labels of a table are likely wrong, by predictions that have not seen them.

    The predictions must be out-of-fold, as `sklearn.model_selection.cross_val_predict` makes them:
    a model that was fitted to a wrong label repeats it.

    Parameters
    ----------
    source, predictions
        What `plogq.score.score` takes, and so are all options that are not named here.
    top
        How many rows to list: None for as many as are expected to be wrong, at most 10,000.
    progress
        Called with (rows done, rows in all or None) in each of the two passes over the table.

    Raises
    ------
    TableError
        A ValueError of one line: which file, column and row, what was expected and what came.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.arange(300) % 3
    >>> probs = np.full((300, 3), 0.02) + 0.94 * np.eye(3)[y]
    >>> y[7] = 0  # a wrong label: it was 1
    >>> found = label_errors(y, probs)
    >>> [(each.row, each.label, each.suggested) for each in found.suspects]
    [(7, '0', '1')]
    """
    check_unit(unit)
    if top is not None:
        check_count("top", top)
    check_count("seed", seed)
    text = text_options(encoding, delimiter, decimal, header)
    asked: dict[str, Any] = {
        "logits": logits, "logprobs": logprobs, "probs": probs, "group": group, "id": id,
    }  # fmt: skip
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
    )
    opened = Predictions(table, columns)
    if opened.columns.labels != "class":
        expected = "be one class in each row: of shares of several, none is wrong"
        refuse(f"{opened.path}: the labels", expected, "soft labels", error=TableError)
    if len(opened.classes) > MOST_CLASSES:
        expected = f"be at most {MOST_CLASSES:,}: how each is taken for each other is estimated"
        refuse(f"{opened.path}: the classes", expected, len(opened.classes), error=TableError)
    job = Job(opened.columns, opened.labels, None, 0, seed)

    def done(rows: int) -> None:
        if progress is not None:
            progress(rows, table.rows)

    state = sum_on_threads(job, table, done)
    refuse_nothing_left(opened.path, state.rows(), state.left_out)
    check_weight(opened.path, float(state.rows()), state.rows())
    found = _Found(recalibrate(state, 5, seed, None, opened.path), state)
    suspects = Suspects(_listed(top, found.expected))
    _look_again(opened, found, suspects, progress)
    surprisal = state.buckets.total("surprisal") / state.rows()
    finite = not state.buckets.impossible.rows.any()
    return LabelErrors(
        source=opened.origin(state.left_out),
        unit=unit,
        rows=state.rows(),
        classes=opened.classes,
        recalibration=found.family.name,
        accuracy=state.buckets.total("correct") / state.rows(),
        cross_entropy=from_nats(surprisal, unit) if finite else math.inf,
        expected=found.expected,
        interval=found.interval(),
        cost=from_nats(found.cost(), unit),
        confused=found.confused(opened.classes),
        suspects=_suspects(suspects.rows(), opened.classes, unit),
        warnings=(
            *opened.warnings(state.rows(), doubts_of(state, opened.classes)),
            *_warnings(state, found),
        ),
    )


def _listed(top: int | None, expected: float) -> int:
    """Return how many rows to list."""
    return min(MOST_SUSPECTS, round(expected)) if top is None else top


class _Found:
    """The label noise of the sampled rows, and what it comes to over the whole table."""

    def __init__(self, recalibrations: Recalibrations, state: State) -> None:
        rows, _, self._weight = recalibrations.sample
        self.labelled = recalibrations.labelled
        chosen = recalibrations.savings.under(np.ones((1, recalibrations.buckets))).chosen[0]
        self.family: Family = recalibrations.fits[int(chosen)]
        self.groups = recalibrations.buckets
        self._label = rows.label.astype(np.int64)
        self._surprisal = rows.surprisal
        _, self._bucket = np.unique(rows.bucket, return_inverse=True)
        self._q = self.recalibrated(self.labelled.log_q)
        self.noise = LabelNoise.fit(self._q, self._label, self._weight)
        self._wrong = self.noise.wrong(self._q, self._label)
        self.expected = float((self._weight * self._wrong).sum())

    def recalibrated(self, log_q: Array) -> Array:
        """Return the recalibrated probabilities of predictions log q, (n, C)."""
        return self.family.probabilities(log_q, **self.family.parameters())

    def interval(self) -> tuple[float, float] | None:
        """Return the ends for the expected number: of the least noise, and of the most.

        Each end is as far from its estimate as leaving out groups of rows in turn says.
        """
        if self.groups < FEWEST:
            return None
        group = self._bucket % LEFT_OUT_GROUPS
        means = np.array([self._expected(group != number) for number in range(LEFT_OUT_GROUPS)])
        spread = ((means - means.mean(axis=0)) ** 2).sum(axis=0)
        reach = NORMAL_END * np.sqrt((1 - 1 / LEFT_OUT_GROUPS) * spread)
        found = self._expected(np.full(len(group), True))
        low, high = (found - reach).min(), (found + reach).max()
        return max(0.0, float(low)), min(float(self._weight.sum()), float(high))

    def _expected(self, at: Array) -> Array:
        """Return the expected numbers of the least, the likely and the most noise of rows, (3,).

        They are those of the whole table, as some of its rows say.
        """
        q, label, weight = self._q[at], self._label[at], self._weight[at]
        noises = NoiseRange.fit(q, label, weight)
        means = [(weight * noise.wrong(q, label)).sum() / weight.sum() for noise in noises]
        numbers: Array = self._weight.sum() * np.array(means)
        return numbers

    def cost(self) -> float:
        """Return what wrong labels are expected to cost per row of the table, in nats."""
        paid = self._wrong > 0
        cost = self._weight[paid] * self._wrong[paid] * self._surprisal[paid]
        return float(cost.sum() / self._weight.sum())

    def confused(self, classes: tuple[str, ...]) -> tuple[ConfusedLabels, ...]:
        """Return which labels are likely of which class, by the expected number of rows."""
        true = self.noise.true_classes(self._q, self._label) * self._weight[:, None]
        c = len(classes)
        rows = np.zeros((c, c))
        np.add.at(rows, self._label, true)
        np.fill_diagonal(rows, 0.0)
        most = np.argsort(-rows, axis=None, kind="stable")[:MOST_PAIRS]
        return tuple(
            ConfusedLabels(label=classes[i // c], suggested=classes[i % c], rows=n)
            for i, n in zip(most.tolist(), rows.ravel()[most].tolist(), strict=True)
            if n >= 0.5
        )


def _look_again(
    opened: Predictions, found: _Found, suspects: Suspects, progress: Progress | None
) -> None:
    """Offer the rows of the table whose label has a probability below one half."""
    for batch in opened.batches(progress):
        if len(batch.target) == 0:
            continue
        log_q = log_softmax(figures(batch, opened.columns).logits[:])
        cost = found.family.losses(found.labelled.of_others(log_q, batch.target))
        near = np.flatnonzero(cost > math.log(2))
        if len(near) == 0:
            continue
        label = batch.target[near]
        q = found.recalibrated(log_q[near])
        true = found.noise.true_classes(q, label)
        true[np.arange(len(near)), label] = -1.0
        number = near if batch.part.kept is None else batch.part.kept[near]
        ids = [None] * len(near) if batch.id is None else batch.id.take(near).to_pylist()
        suspects.add(
            Suspicious(
                found.noise.wrong(q, label),
                cost[near],
                batch.part.start + number,
                np.fromiter(ids, object, len(near)),
                label,
                np.argmax(true, axis=1),
            )
        )


def _suspects(
    found: Suspicious | None, classes: tuple[str, ...], unit: Unit
) -> tuple[SuspectLabel, ...]:
    if found is None:
        return ()
    return tuple(
        SuspectLabel(
            row=row if id is None else None,
            id=id,
            label=classes[label],
            suggested=classes[suggested],
            probability=probability,
            surprisal=from_nats(surprisal, unit),
        )
        for probability, surprisal, row, id, label, suggested in zip(
            *(field.tolist() for field in found), strict=True
        )
    )


def _warnings(state: State, found: _Found) -> list[Caution]:
    out = []
    accuracy = state.buckets.total("correct") / state.rows()
    if accuracy >= FITTED and found.groups >= FEWEST:
        said = (
            "nearly every label is the top class, as where a model is asked about the rows that it "
            "was fitted to, whose wrong labels it repeats: take out-of-fold predictions"
        )
        out.append(Caution(code="fitted", message=said, rows=state.rows()))
    return out
