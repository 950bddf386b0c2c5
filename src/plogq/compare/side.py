"""One of the two tables of predictions: its rows' figures, with classes as the first has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from plogq.errors import TableError
from plogq.score.state.rows import figures
from plogq.score.table.batch import classes_of, to_batch
from plogq.score.table.columns import Columns
from plogq.score.table.labels import Labels
from plogq.score.table.numbers import Array
from plogq.score.table.readers import Part, Table


class Figures(NamedTuple):
    """What each of n rows costs under one model, in nats."""

    surprisal: Array
    correct: Array
    entropy: Array
    brier: Array

    def take(self, rows: Array) -> Figures:
        """Give some of the rows."""
        return Figures(*(field[rows] for field in self))


class Read(NamedTuple):
    """Some rows of a table: their figures, and what says which rows they are."""

    part: Part
    figures: Figures
    target: Array  # (n,) classes, in the order of the first table
    soft: Array | None  # (n, C) distributions, in that order
    weight: Array | None
    slices: tuple[pa.DictionaryArray, ...]
    group: pa.DictionaryArray | None
    id: pa.Array | None
    label: str  # the column that the labels are of


class Side:
    """A table of predictions, opened: its classes are known.

    Parameters
    ----------
    table, columns
        The table, and what its columns mean.
    like
        The classes of the first table, which this one's must be, in any order; None for the first.
    """

    def __init__(self, table: Table, columns: Columns, like: tuple[str, ...] | None = None) -> None:
        self.table = table
        self.columns = columns
        first = next(self.parts(), None)
        if first is None:
            raise TableError(f"{table.paths[0]}: no rows to score")
        self.classes = classes_of(first, columns)
        self._labels = Labels(self.classes, columns)
        self._order = self._place = np.arange(len(self.classes))
        if like is not None and like != self.classes:
            self._align(like)

    def _align(self, like: tuple[str, ...]) -> None:
        mine, theirs = set(self.classes), set(like)
        if mine != theirs:
            path = self.table.paths[0]
            lacking = [name for name in like if name not in mine]
            more = [name for name in self.classes if name not in theirs]
            came = f"no {lacking[0]!r}" if lacking else f"also {more[0]!r}"
            raise TableError(
                f"{path}: must have the classes of the other table, in any order; got {came} "
                f"({len(self.classes)} classes against {len(like)}; --classes names them where "
                "a table does not)"
            )
        index = {name: j for j, name in enumerate(self.classes)}
        self._order = np.array([index[name] for name in like])  # of mine, in the first's order
        self._place = np.argsort(self._order)

    def parts(self) -> Iterator[Part]:
        """Stream the columns that are needed."""
        return self.table.parts(self.columns.read(), self.columns.types())

    def read(self, part: Part) -> Read:
        """Compute a part's figures."""
        batch = to_batch(part, self.columns, self._labels)
        rows = figures(batch, self.columns)
        return Read(
            part,
            Figures(
                rows.surprisal,
                rows.correct.astype(np.float64, copy=False),
                rows.entropy,
                rows.brier,
            ),
            self._place[batch.target],
            None if batch.soft is None else batch.soft[:, self._order],
            batch.weight,
            batch.slices,
            batch.group,
            None if batch.id is None else _texts(batch.id),
            self.columns.label,
        )

    def origin(self) -> dict[str, Any]:
        """Say what was taken for what."""
        return {
            "paths": self.table.paths,
            "format": self.table.format,
            "kind": self.columns.kind,
            "columns": self.columns.taken(),
        }


def _texts(ids: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(ids.type):
        ids = ids.dictionary_decode()
    return ids.cast(pa.string())
