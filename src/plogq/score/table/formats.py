"""Parquet, CSV, Arrow: a file's schema, and the wanted columns of it batch by batch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from pyarrow import fs

from plogq.formulas._check import refuse
from plogq.score.errors import TableError

BAD_CELL = re.compile(
    r"In CSV column #(\d+): Row #(\d+): CSV conversion error to (\w+): invalid value (.*)",
    re.DOTALL,
)
BAD_LINE = re.compile(
    r"CSV parse error: Row #(\d+): Expected (\d+ columns), got (\d+): (.*)", re.DOTALL
)
# What a CSV file says where it has no value. NaN is not among it, as it is for Arrow: it is a
# number, and to be told as such.
NULLS = ["", "#N/A", "#N/A N/A", "#NA", "N/A", "NA", "NULL", "n/a", "null"]
END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"
Types = dict[str, pa.DataType]


class ParquetFile:
    """A Parquet file, read page by page so that memory does not grow with its row groups."""

    format = "Parquet"

    def __init__(self, system: fs.FileSystem, path: str) -> None:
        self.path = path
        self.system = system
        self._metadata: Any = None
        with self._open() as file:
            self.schema = file.schema_arrow
            self.rows: int | None = file.metadata.num_rows
            self._metadata = file.metadata

    def pieces(self, column: str) -> list[int]:
        """Count the rows of each row group."""
        meta = self._metadata
        return [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]

    def _open(self) -> Any:
        import pyarrow.parquet as pq

        # Without pre_buffer and with a buffer, only the pages being decoded are in memory; a
        # remote file pays for that with a request per page, so it is read ahead instead.
        local = isinstance(self.system, fs.LocalFileSystem)
        buffer = {"pre_buffer": False, "buffer_size": 1 << 17} if local else {"pre_buffer": True}
        return pq.ParquetFile(self.path, filesystem=self.system, metadata=self._metadata, **buffer)

    def batches(
        self,
        columns: list[str],
        types: Types,
        rows: int,
        size: int,
        pieces: range | None = None,
        threads: bool = True,
    ) -> Iterator[pa.RecordBatch]:
        """Give batches of at most about `size` bytes."""
        with self._open() as file:
            meta = file.metadata
            wanted = sum(
                chunk.total_uncompressed_size
                for group in (meta.row_group(i) for i in range(min(1, meta.num_row_groups)))
                for chunk in (group.column(j) for j in range(group.num_columns))
                if chunk.path_in_schema.split(".list.")[0] in columns
            )
            each = wanted // max(1, meta.row_group(0).num_rows) if wanted else 1
            fit = max(1, min(rows, size // max(1, each)))
            yield from file.iter_batches(
                batch_size=fit,
                row_groups=None if pieces is None else list(pieces),
                columns=columns,
                use_threads=threads,
            )


class CsvFile:
    """A CSV file, plain or compressed; the columns that must be numbers are read as such."""

    format = "CSV"
    rows = None

    def __init__(self, system: fs.FileSystem, path: str) -> None:
        self.path = path
        self.system = system
        try:
            with self._open(None) as stream:
                self.schema = stream.schema
        except pa.ArrowInvalid:
            self._explain(None)
            raise

    def pieces(self, column: str) -> list[int]:
        """Count the rows, by a pass over the file: what splits it into rows is its quotes."""
        from pyarrow import csv

        # Bytes, so that no value is at fault here; that is for the reading to say.
        options = csv.ConvertOptions(include_columns=[column], column_types={column: pa.binary()})
        try:
            with self._open(options, threads=False) as stream:
                return [sum(batch.num_rows for batch in stream)]
        except pa.ArrowInvalid:
            self._explain(options)
            raise

    def _open(self, options: Any, *, threads: bool = True) -> Any:
        from pyarrow import csv

        packed = "gzip" if self.path.lower().endswith(".gz") else None  # pyarrow knows no .GZ
        file = self.system.open_input_stream(self.path, compression=packed)
        blocks = csv.ReadOptions(block_size=4 << 20, use_threads=threads)
        return csv.open_csv(file, blocks, convert_options=options)

    def batches(
        self,
        columns: list[str],
        types: Types,
        rows: int,
        size: int,
        pieces: range | None = None,
        threads: bool = True,
    ) -> Iterator[pa.RecordBatch]:
        """Give batches as the parser makes them."""
        from pyarrow import csv

        options = csv.ConvertOptions(
            include_columns=columns,
            column_types=self._seen_types(columns) | types,
            null_values=NULLS,
        )
        try:
            with self._open(options, threads=threads) as stream:
                yield from stream
        except pa.ArrowInvalid:
            self._explain(options)
            raise

    def _seen_types(self, columns: list[str]) -> Types:
        """Give what Arrow takes columns for by the first rows, in which NaN is no number."""
        kinds = {name: self.schema.field(name).type for name in columns}
        return {name: kind for name, kind in kinds.items() if not pa.types.is_null(kind)}

    def _explain(self, options: Any) -> None:
        """Refuse what Arrow cannot read by its column, row and value, where it can tell them.

        Only a reader without threads counts rows, and only a refused file pays for it.
        """
        try:
            with self._open(options, threads=False) as stream:
                for _ in stream:
                    pass
        except pa.ArrowInvalid as error:
            text = str(error)
            if found := BAD_CELL.match(text):
                column, line, kind, value = found.groups()
                name = f"{self.path}: column {self.schema.names[int(column)]!r}"
                expected = f"hold {'numbers' if kind == 'double' else kind}"
            elif found := BAD_LINE.match(text):
                line, wanted, came, value = found.groups()
                name, expected = f"{self.path}: not a readable CSV file: a row", f"have {wanted}"
                value = f"{came}: {value}"
            else:
                return
            # Arrow's first line is the header.
            row = f"row {int(line) - 2}, counting from 0 below the header"
            refuse(name, expected, f"{value} ({row})", error=TableError)


class ArrowFile:
    """An Arrow IPC file (Feather) or stream, memory-mapped where it is local."""

    format = "Arrow"

    def __init__(self, system: fs.FileSystem, path: str) -> None:
        self.path = path
        self.system = system
        with self._open() as reader:
            self.schema = reader.schema
        self.rows = None

    def pieces(self, column: str) -> list[int]:
        """Count the rows of each batch, which cannot be told without reading it; of a stream, all.

        Of a file on this machine or with other columns, that is little of it.
        """
        with self._open([column]) as reader:
            if isinstance(reader, pa.RecordBatchStreamReader):
                rows = [sum(batch.num_rows for batch in reader)]
                self._check_end()
                return rows
            return [reader.get_batch(i).num_rows for i in range(reader.num_record_batches)]

    def _open(self, columns: list[str] | None = None) -> Any:
        """Open for reading, only `columns` where the layout of the file allows that."""
        local = isinstance(self.system, fs.LocalFileSystem)
        file = pa.memory_map(self.path) if local else self.system.open_input_file(self.path)
        is_file = bytes(file.read(6)) == b"ARROW1"
        file.seek(0)
        options = pa.ipc.IpcReadOptions()
        if columns is not None:
            options.included_fields = [self.schema.get_field_index(name) for name in columns]
        open_ipc = pa.ipc.open_file if is_file else pa.ipc.open_stream
        return open_ipc(file, options=options)

    def _check_end(self) -> None:
        """Refuse a stream cut between two batches, which Arrow takes for a whole one."""
        with self.system.open_input_file(self.path) as file:
            file.seek(max(0, file.size() - len(END_OF_STREAM)))
            if file.read() != END_OF_STREAM:
                raise EOFError("it is cut short: a stream must end with Arrow's end-of-stream mark")

    def batches(
        self,
        columns: list[str],
        types: Types,
        rows: int,
        size: int,
        pieces: range | None = None,
        threads: bool = True,
    ) -> Iterator[pa.RecordBatch]:
        """Give the file's own batches."""
        with self._open(columns) as reader:
            if isinstance(reader, pa.RecordBatchStreamReader):
                for batch in reader:
                    yield batch.select(columns)
                self._check_end()
            else:
                for i in range(reader.num_record_batches) if pieces is None else pieces:
                    yield reader.get_batch(i).select(columns)


class Memory:
    """A table in memory."""

    format = "table"
    path = "table"

    def __init__(self, table: pa.Table) -> None:
        self.schema = table.schema
        self.rows: int | None = table.num_rows
        self._table = table

    def batches(
        self,
        columns: list[str],
        types: Types,
        rows: int,
        size: int,
        pieces: range | None = None,
        threads: bool = True,
    ) -> Iterator[pa.RecordBatch]:
        """Give the table's own chunks."""
        yield from self._table.select(columns).to_batches()
