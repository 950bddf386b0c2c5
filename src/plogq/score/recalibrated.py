"""A table with recalibrated probabilities in the place of its predictions, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pyarrow as pa
from pyarrow import types

from plogq.errors import TableError, refuse
from plogq.kernels.threads import default_threads
from plogq.score.recalibrate import Recalibration
from plogq.score.workers.threads import in_order, reuse_memory
from plogq.tables.arrays import Array
from plogq.tables.batch import to_batch
from plogq.tables.columns import find_columns
from plogq.tables.predictions import Progress
from plogq.tables.readers import Part, Table
from plogq.tables.unlabelled import Unlabelled


class RecalibratedTable:
    """A table of predictions under a recalibration; it needs no labels.

    Parameters
    ----------
    table
        The table.
    recalibration
        What is applied to its predictions.
    flat
        Whether every column must hold single values, as in a text table.
    **model
        Where the predictions are: logits, logprobs or probs, exclude, classes, chosen, normalise,
        as for `plogq.score.score`.

    Attributes
    ----------
    schema
        The table's columns, with probabilities in double precision where the predictions were: a
        column `prob_NAME` for each class, in the table's own order; or a column `probs` of lists,
        if the predictions are lists of classes without names and need not be flat. The other
        columns of a text table stay text, as they were written.

    Raises
    ------
    TableError
        A ValueError of one line: which file, column and row, what was expected and what came.
    """

    def __init__(
        self, table: Table, recalibration: Recalibration, *, flat: bool = False, **model: Any
    ) -> None:
        self._table, self._recalibration = table, recalibration
        self._unlabelled = Unlabelled(table)
        self._opened = opened = self._unlabelled.predictions(**model)
        self._order = recalibration.order_in(opened)
        self._columns = columns = opened.columns
        self.path = opened.path
        self._lists = columns.layout == "list" and columns.classes is None and not flat
        of_each = [f"prob_{name}" for name in opened.classes]
        self._names = ["probs"] if self._lists else of_each
        # A table as text shows no types: what looks like a number may be a name, such as 007.
        as_text = set(table.schema.names) - set(columns.names) if table.format == "CSV" else set()
        self._types = dict.fromkeys(as_text, pa.string()) | columns.types()
        self.schema = self._schema(as_text)
        for field in self.schema if flat else ():
            if types.is_nested(field.type):
                expected = "hold single values, to be written as text (or take it out of the table)"
                where = f"{self.path}: column {field.name!r}"
                refuse(where, expected, field.type, error=TableError)

    @property
    def rows(self) -> int | None:
        """How many rows there are, if that is known without reading them."""
        return self._table.rows

    @property
    def notes(self) -> list[str]:
        """Sentences on how the table was read, and on how what comes of it is to be scored."""
        said = [*self._opened.origin().notes, *self._table.warnings, *self._columns.warnings]
        return [*dict.fromkeys(said), *self._how_to_score()]

    def batches(self, progress: Progress | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the rows in their order; threads compute, and few batches are held at a time."""
        reuse_memory()
        parts = self._table.parts(self._table.schema.names, self._types)
        rows = 0
        for batch in in_order(self._recalibrated, parts, default_threads(), Event()):
            yield batch
            rows += batch.num_rows
            if progress is not None:
                progress(rows, self.rows)

    def _schema(self, as_text: set[str]) -> pa.Schema:
        """Return the columns of the result; the first prediction's place is that of them all."""
        taken = set(self._columns.names)
        kind = pa.list_(pa.float64()) if self._lists else pa.float64()
        out: list[pa.Field] = []
        for field in self._table.schema:
            if field.name == self._first():
                out += [pa.field(name, kind) for name in self._names]
            if field.name in taken:
                continue
            if field.name in self._names:
                expected = "be free for the recalibrated probabilities (take it out of the table)"
                where = f"{self.path}: column {field.name!r}"
                refuse(where, expected, "a column of that name", error=TableError)
            out.append(pa.field(field.name, _carried(pa.string() if field.name in as_text
                                                     else field.type)))  # fmt: skip
        return pa.schema(out)

    def _first(self) -> str:
        taken = set(self._columns.names)
        first: str = next(name for name in self._table.schema.names if name in taken)
        return first

    def _recalibrated(self, part: Part) -> pa.RecordBatch:
        """Return a part of the table with its predictions recalibrated."""
        opened = self._opened
        batch = to_batch(self._unlabelled.labelled(part), self._columns, opened.labels)
        q = self._recalibration.of_batch(batch, self._columns, self._order)
        there = dict(zip(self._names, self._arrays(q), strict=True))
        columns = [
            there[field.name]
            if field.name in there
            else _decoded(part.batch.column(field.name)).cast(field.type)
            for field in self.schema
        ]
        return pa.record_batch(columns, schema=self.schema)

    def _arrays(self, q: Array) -> list[pa.Array]:
        if not self._lists:
            return [pa.array(np.ascontiguousarray(column)) for column in q.T]
        ends = np.arange(0, q.size + 1, q.shape[1], dtype=np.int32)
        return [pa.ListArray.from_arrays(pa.array(ends), pa.array(q.ravel()))]

    def _how_to_score(self) -> list[str]:
        """Return a sentence on the option that the result needs to be scored; [] if it needs none.

        Columns that were carried along may look like predictions, too, and the name of a class like
        that of something else.
        """
        label = "(no label)"
        seen = SimpleNamespace(
            paths=[self.path], format="", masked=False,
            schema=self.schema.append(pa.field(label, pa.string())),
        )  # fmt: skip
        try:
            found = find_columns(cast(Table, seen), label=label)
        except TableError:
            found = None
        names = tuple(self._names)
        if found is not None and (found.kind, found.names) == ("probs", names):
            return []
        return [f"To score the result, say --probs {','.join(self._names)}."]


def _carried(kind: pa.DataType) -> pa.DataType:
    """Return the type that a column is written as: a dictionary may differ between batches."""
    return kind.value_type if types.is_dictionary(kind) else kind


def _decoded(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if types.is_dictionary(column.type) else column
