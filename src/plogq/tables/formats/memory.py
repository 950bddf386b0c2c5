"""A table in memory: of pyarrow, or of whatever else speaks Arrow."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

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
        """Give the table's own chunks."""
        yield from self._table.select(wanted.columns).to_batches()
