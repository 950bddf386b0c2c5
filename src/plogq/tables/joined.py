"""Predictions in one table and labels in another, joined by a column that names the rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from plogq.errors import TableError, refuse
from plogq.tables.arrays import Array, as_numpy, as_texts, is_null
from plogq.tables.column_names import missing
from plogq.tables.formats.text_options import TextOptions
from plogq.tables.formats.wanted import Types, Wanted
from plogq.tables.readers import Reader, Table, open_table, parts_of


class JoinedReader:
    """A file of predictions with the columns of the labels beside its own.

    Parameters
    ----------
    reader
        The file.
    labels
        The table of labels, held in memory.
    place
        For each row of the file, its row in the table of labels, (rows,).
    schema
        The columns of both; where both have one of the same name, that of the labels.
    """

    def __init__(self, reader: Reader, labels: pa.Table, place: Array, schema: pa.Schema) -> None:
        self.path, self.format, self.schema = reader.path, reader.format, schema
        self.rows: int | None = len(place)
        self._reader, self._labels, self._place = reader, labels, place

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Yield the file's batches, each with its labels."""
        theirs = [name for name in wanted.columns if name in self._labels.column_names]
        own = [name for name in wanted.columns if name not in theirs]
        types = {name: kind for name, kind in wanted.types.items() if name in own}
        row = 0
        for part in parts_of(
            self._reader, own, types, pieces=wanted.pieces, threads=wanted.threads, most=wanted.rows
        ):
            batch = part.batch
            place = pa.array(self._place[row : row + batch.num_rows])
            row += batch.num_rows
            columns = [
                _as(self._labels.column(name).take(place), wanted.types.get(name))
                if name in theirs
                else batch.column(name)
                for name in wanted.columns
            ]
            yield pa.record_batch(columns, names=wanted.columns)


def _as(column: pa.ChunkedArray, kind: pa.DataType | None) -> pa.Array:
    whole = column.combine_chunks()
    return whole if kind is None or whole.type == kind else whole.cast(kind)


def joined_table(
    table: Table, labels: Any, on: str | None, text: TextOptions | None = None
) -> Table:
    """Return a table with the columns of another beside its own, in rows of the same id.

    Parameters
    ----------
    table
        The predictions.
    labels
        The other table, as `open_table` takes it; None: there is none.
    on
        The column of both that names the rows.
    text
        How the table of predictions is written; the labels are read alike, but for the header,
        which names the columns of the predictions alone.

    Raises
    ------
    TableError
        An id is missing or comes twice in either table, or is not in the other. The message says
        how many are so.
    """
    if labels is None:
        if on is not None:
            refuse("on", "go with labels in another table", repr(on), error=TableError)
        return table
    if on is None:
        refuse("labels", "go with the column that names the rows of both: --on id", "none",
               error=TableError)  # fmt: skip
    other = open_table(labels, replace(text or TextOptions(), header=None))
    for each in (table, other):
        if on not in each.schema.names:
            missing(each, on)
    # Where both have a column of one name, that of the labels' table is meant.
    held = _held(other, [name for name in other.schema.names if name != on], on)
    ids = _checked(other, held.column(on))
    own = [_ids(reader, table, on) for reader in table.readers]
    of_table = _checked(table, pa.chunked_array(own, pa.string()))
    from pyarrow import compute as pc  # it takes long to load

    place = as_numpy(pc.index_in(of_table, value_set=ids).fill_null(-1)).astype(np.int64)
    _refuse_alone(table, other, of_table, place < 0)
    partner = np.zeros(len(ids), bool)
    partner[place] = True
    _refuse_alone(other, table, ids, ~partner)
    theirs = held.drop_columns([on])
    fields = [field for field in table.schema if field.name not in theirs.column_names]
    schema = pa.schema([*fields, *theirs.schema])
    readers: list[Reader] = []
    row = 0
    for reader, each in zip(table.readers, own, strict=True):
        readers.append(JoinedReader(reader, theirs, place[row : row + len(each)], schema))
        row += len(each)
    joined = Table(readers)
    said = f"Labels are those of {other.paths[0]}, by {on!r}."
    joined.notes += [*table.notes, *other.notes, said]
    joined.warnings += [*table.warnings, *other.warnings]
    return joined


def _held(table: Table, columns: list[str], on: str) -> pa.Table:
    types: Types = {on: pa.string()}
    batches = [part.batch for part in table.parts([on, *columns], types)]
    if not batches:
        raise TableError(f"{table.paths[0]}: no rows")
    return pa.Table.from_batches(batches)


def _ids(reader: Reader, table: Table, on: str) -> pa.Array:
    one = Table([reader])
    one.schema = table.schema
    batches = [part.batch.column(on) for part in one.parts([on], {on: pa.string()})]
    ids = pa.chunked_array(batches, batches[0].type if batches else pa.string())
    return as_texts(ids, f"{reader.path}: ids")


def _checked(table: Table, ids: pa.ChunkedArray) -> pa.Array:
    """Return ids as texts, after checking that each row has one of its own."""
    where = f"{table.paths[0]}: ids"
    texts = as_texts(ids, where)
    gone = is_null(texts)
    if gone.any():
        refuse(where, "be there in every row", f"{int(gone.sum()):,} without",
               row=int(np.argmax(gone)), error=TableError)  # fmt: skip
    codes = as_numpy(texts.dictionary_encode().indices)
    again = np.ones(len(texts), bool)
    again[np.unique(codes, return_index=True)[1]] = False
    if again.any():
        first = int(np.argmax(again))
        came = f"{int(again.sum()):,} that came before, the first {texts[first].as_py()!r}"
        refuse(where, "be different in every row", came, row=first, error=TableError)
    return texts


def _refuse_alone(table: Table, other: Table, ids: pa.Array, alone: Array) -> None:
    if alone.any():
        first = int(np.argmax(alone))
        refuse(
            f"{table.paths[0]}: ids",
            f"be those of {other.paths[0]}",
            f"{int(alone.sum()):,} of {len(ids):,} that are not, the first {ids[first].as_py()!r}",
            row=first,
            error=TableError,
        )
