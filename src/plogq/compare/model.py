"""One of the models: the cost of each row, with classes in the order of the first model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from plogq.errors import TableError
from plogq.records import Source
from plogq.tables.arrays import Array, as_texts
from plogq.tables.batch import Batch, to_batch
from plogq.tables.predictions import Predictions
from plogq.tables.readers import Part
from plogq.tables.row_figures import RowFigures, figures


class Costs(NamedTuple):
    """What each of n rows costs under one model, in nats; all of shape (n,)."""

    surprisal: Array
    correct: Array
    entropy: Array
    brier: Array


class ModelRows(NamedTuple):
    """Some rows of a table: their costs, and by what they are paired."""

    part: Part
    costs: Costs
    target: Array  # (n,) classes, in the order of the first table
    soft: Array | None  # (n, C) distributions, in that order
    weight: Array | None
    slices: tuple[pa.DictionaryArray, ...]
    group: pa.DictionaryArray | None
    id: pa.Array | None
    label: str  # the name of the label column
    left_out: int  # how many rows were read, but are not among these


class Model:
    """The predictions of one model.

    Parameters
    ----------
    predictions
        Its table.
    like
        The classes of the first table, which this one's must be, in any order; None for the first.
    """

    def __init__(self, predictions: Predictions, like: tuple[str, ...] | None = None) -> None:
        self.predictions = predictions
        self.path, self.columns = predictions.path, predictions.columns
        self.classes = predictions.classes
        # Of each class: its place in the order of the first table, and the other way round.
        self._order = self._place = np.arange(len(self.classes))
        if like is not None and like != self.classes:
            self._align(like)

    def _align(self, like: tuple[str, ...]) -> None:
        mine, theirs = set(self.classes), set(like)
        if mine != theirs:
            lacking = [name for name in like if name not in mine]
            more = [name for name in self.classes if name not in theirs]
            came = f"no {lacking[0]!r}" if lacking else f"also {more[0]!r}"
            raise TableError(
                f"{self.path}: must have the classes of the other table, in any order; got {came} "
                f"({len(self.classes)} classes against {len(like)}; --classes names them where "
                "a table does not)"
            )
        index = {name: j for j, name in enumerate(self.classes)}
        self._order = np.array([index[name] for name in like])
        self._place = np.argsort(self._order)

    def source(self, left_out: int) -> Source:
        """Return which files were read, and how; `left_out` rows were left out for their labels."""
        return self.predictions.origin(left_out)

    def rows(self, part: Part) -> ModelRows:
        """Return what a part's rows cost."""
        batch = to_batch(part, self.columns, self.predictions.labels)
        where = f"{part.path}: column {self.columns.id!r}"
        return ModelRows(
            batch.part,
            self._costs(batch),
            self._place[batch.target],
            None if batch.soft is None else batch.soft[:, self._order],
            batch.weight,
            batch.slices,
            batch.group,
            None if batch.id is None else as_texts(batch.id, where),
            self.columns.label,
            batch.left_out,
        )

    def _costs(self, batch: Batch) -> Costs:
        if len(batch.target) == 0:
            return Costs(*(np.empty(0) for _ in Costs._fields))
        found = self._figures(batch)
        correct = found.correct.astype(np.float64, copy=False)
        return Costs(found.surprisal, correct, found.entropy, found.brier)

    def _figures(self, batch: Batch) -> RowFigures:
        return figures(batch, self.columns)
