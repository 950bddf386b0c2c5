"""An Arrow IPC file or stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import pyarrow as pa
from pyarrow import fs

from plogq.tables.formats.text_options import TextOptions
from plogq.tables.formats.wanted import Wanted

END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"


class ArrowFile:
    """An Arrow IPC file (Feather) or stream, memory-mapped where it is local."""

    format = "Arrow"
    text = TextOptions()  # they do not apply

    @staticmethod
    def writer(sink: IO[bytes], schema: pa.Schema) -> Any:
        """Return Arrow's writer of such a file."""
        return pa.ipc.new_file(sink, schema)

    def __init__(self, system: fs.FileSystem, path: str) -> None:
        self.path = path
        self.system = system
        with self._open() as reader:
            self.schema = reader.schema
        self.rows = None

    def pieces(self, column: str) -> list[int]:
        """Return the row count of each batch. A stream is one piece, and must be read whole."""
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

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Yield the file's own batches."""
        with self._open(wanted.columns) as reader:
            if isinstance(reader, pa.RecordBatchStreamReader):
                for batch in reader:
                    yield _checked(batch.select(wanted.columns))
                self._check_end()
            else:
                every = range(reader.num_record_batches)
                for i in every if wanted.pieces is None else wanted.pieces:
                    yield _checked(reader.get_batch(i).select(wanted.columns))


def _checked(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch whose lengths, offsets and texts are what its types promise.

    Arrow's reader trusts them: what a damaged file says would be read beyond its memory.
    """
    batch.validate(full=True)
    return batch
