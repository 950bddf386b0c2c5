"""A Parquet file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import pyarrow as pa
from pyarrow import fs

from plogq.tables.formats.text_options import TextOptions
from plogq.tables.formats.wanted import Wanted

FIRST_ROWS = 64  # that say how long the lists and texts of a table are


class ParquetFile:
    """A Parquet file, read page by page so that memory does not grow with its row groups."""

    format = "Parquet"
    text = TextOptions()  # they do not apply

    @staticmethod
    def writer(sink: IO[bytes], schema: pa.Schema) -> Any:
        """Return Arrow's writer of such a file."""
        import pyarrow.parquet as pq

        return pq.ParquetWriter(sink, schema)

    def __init__(self, system: fs.FileSystem, path: str) -> None:
        self.path = path
        self.system = system
        self._metadata: Any = None
        self._row_bytes: dict[tuple[str, ...], int] = {}
        with self._open() as file:
            self.schema = file.schema_arrow
            self.rows: int | None = file.metadata.num_rows
            self._metadata = file.metadata

    def pieces(self, column: str) -> list[int]:
        """Count the rows of each row group."""
        meta = self._metadata
        return [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]

    def _open(self, *, ahead: bool | None = None) -> Any:
        """Open for reading, `ahead` of what is decoded; without it, as the place of the file asks.

        If nothing is read ahead, only the pages being decoded are in memory; a remote file pays for
        that with a request per page.
        """
        import pyarrow.parquet as pq

        local = isinstance(self.system, fs.LocalFileSystem)
        pages = {"pre_buffer": False, "buffer_size": 1 << 17}
        return pq.ParquetFile(
            self.path,
            filesystem=self.system,
            metadata=self._metadata,
            page_checksum_verification=True,  # of pages that have one, as Spark writes them
            **({"pre_buffer": True} if (not local if ahead is None else ahead) else pages),
        )

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Yield batches of at most about `wanted.size` bytes."""
        pieces = None if wanted.pieces is None else list(wanted.pieces)
        read = tuple(wanted.columns)
        each = self._row_bytes.get(read)
        if each is None:  # asked once, not again by every thread that reads some of the pieces
            each = self._row_bytes[read] = self._bytes_of_a_row(wanted.columns, pieces)
        with self._open() as file:
            yield from file.iter_batches(
                batch_size=max(1, min(wanted.rows, wanted.size // max(1, each))),
                row_groups=pieces,
                columns=wanted.columns,
                use_threads=wanted.threads,
            )

    def _bytes_of_a_row(self, columns: list[str], pieces: list[int] | None) -> int:
        """Return about how many bytes a row takes, by the types of columns or by the first rows.

        The file's metadata has sizes, too, but where they are damaged to look at them ends the
        process: pyarrow does not catch what its library throws there.
        """
        fixed, others = 0, []
        for name in columns:
            try:
                fixed += int(self.schema.field(name).type.bit_width)
            except (KeyError, ValueError):
                others.append(name)
        if not others:
            return fixed // 8
        with self._open(ahead=False) as file:
            few = file.iter_batches(FIRST_ROWS, pieces, others, use_threads=False)
            for first in few:
                fixed += 8 * int(first.nbytes) // max(1, int(first.num_rows))
                break
        return fixed // 8
