"""A Parquet file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import pyarrow as pa
from pyarrow import fs

from plogq.tables.formats.text_options import TextOptions
from plogq.tables.formats.wanted import Wanted


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
        return pq.ParquetFile(
            self.path,
            filesystem=self.system,
            metadata=self._metadata,
            page_checksum_verification=True,  # of pages that have one, as Spark writes them
            **buffer,
        )

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Yield batches of at most about `wanted.size` bytes."""
        with self._open() as file:
            meta, read = file.metadata, set(wanted.columns)
            size = sum(
                chunk.total_uncompressed_size
                for group in (meta.row_group(i) for i in range(min(1, meta.num_row_groups)))
                for chunk in (group.column(j) for j in range(group.num_columns))
                if chunk.path_in_schema.split(".list.")[0] in read
            )
            each = size // max(1, meta.row_group(0).num_rows) if size else 1
            fit = max(1, min(wanted.rows, wanted.size // max(1, each)))
            yield from file.iter_batches(
                batch_size=fit,
                row_groups=None if wanted.pieces is None else list(wanted.pieces),
                columns=wanted.columns,
                use_threads=wanted.threads,
            )
