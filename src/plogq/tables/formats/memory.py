"""A table in memory: of pyarrow, or of whatever else speaks Arrow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from plogq.errors import TableError, refuse
from plogq.tables.formats.wanted import Wanted


class Memory:
    """A table in memory."""

    format = "table"
    path = "table"

    def __init__(self, table: pa.Table) -> None:
        self.schema = table.schema
        self.rows: int | None = table.num_rows
        self._table = table

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Yield the table's own chunks."""
        yield from self._table.select(wanted.columns).to_batches()


def is_frame(source: Any) -> bool:
    """Return whether a source has columns with names: a frame of any library, lazy or not."""
    if isinstance(source, pa.ChunkedArray):
        return False
    if hasattr(source, "__arrow_c_stream__"):
        return hasattr(source, "schema") or len(getattr(source, "shape", (0, 0))) == 2
    return _is_lazy(source) or _is_dataset(source)


def _is_lazy(source: Any) -> bool:
    return hasattr(source, "collect_schema") and hasattr(source, "collect")  # of polars


def _is_dataset(source: Any) -> bool:
    several = isinstance(source, Mapping)  # as a DatasetDict, of which one is to be chosen
    return hasattr(source, "with_format") and hasattr(source, "num_rows") and not several


def as_table(frame: Any) -> pa.Table:
    """Return a frame as a table of Arrow, its names as text.

    Raises
    ------
    TableError
        A column has values of several types, or the names have several levels.
    """
    if _is_lazy(frame):
        frame = frame.collect()
    if _is_dataset(frame):
        frame = frame.with_format("arrow")[:]
    if hasattr(frame, "iloc"):
        return _of_pandas(frame)
    try:
        return pa.table(frame)
    except (TypeError, ValueError, pa.ArrowException) as wrong:
        reason = str(wrong).strip().splitlines()[0]
        return refuse(Memory.path, "be a table for Arrow", reason, error=TableError)


def _of_pandas(frame: Any) -> pa.Table:
    if frame.columns.nlevels > 1:
        expected = "have columns of one level (df.columns = df.columns.map('_'.join))"
        refuse(Memory.path, expected, f"{frame.columns.nlevels} levels", error=TableError)
    if frame.index.nlevels == 1 and frame.index.name is None:
        frame = frame.reset_index(drop=True)  # or else it would be a column without a name
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    try:
        return pa.table(frame)
    except (TypeError, ValueError, pa.ArrowException):
        for i, name in enumerate(frame.columns):
            try:
                pa.table(frame.iloc[:, [i]])
            except (TypeError, ValueError, pa.ArrowException) as wrong:
                where = f"{Memory.path}: column {name!r}"
                expected = f"hold values of one type (or be left out: df.drop(columns={name!r}))"
                refuse(where, expected, str(wrong.args[0]).splitlines()[0], error=TableError)
        raise
