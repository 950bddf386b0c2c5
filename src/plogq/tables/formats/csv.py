"""A CSV file, plain or compressed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, Any

import pyarrow as pa
from pyarrow import fs

from plogq.errors import TableError, refuse
from plogq.tables.formats.wanted import Types, Wanted

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


class CsvFile:
    """A CSV file, plain or compressed; the columns that must be numbers are read as such."""

    format = "CSV"
    rows = None

    @staticmethod
    def write(table: pa.Table, sink: IO[bytes]) -> None:
        """Write a table, plain."""
        from pyarrow import csv

        csv.write_csv(table, sink)

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

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Give batches as the parser makes them."""
        from pyarrow import csv

        options = csv.ConvertOptions(
            include_columns=wanted.columns,
            column_types=self._seen_types(wanted.columns) | wanted.types,
            null_values=NULLS,
        )
        try:
            with self._open(options, threads=wanted.threads) as stream:
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
