"""Tables, wherever they lie, as record batches that know their file and their rows in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
from pyarrow import fs

from plogq.errors import TableError, refuse
from plogq.tables.arrays import is_plain, plain, plain_type
from plogq.tables.filesystems import find_filesystem
from plogq.tables.formats.arrays import Arrays
from plogq.tables.formats.memory import Memory, as_table, is_frame
from plogq.tables.formats.registry import FORMATS, TableFile, ending_of
from plogq.tables.formats.wanted import Types, Wanted

# A batch is small enough that its arrays stay in the processor's cache and memory stays flat,
# large enough that the work per batch does not show.
BATCH_ROWS = 65_536
BATCH_BYTES = 8 << 20
OPENED_AT_ONCE = 16  # files of a folder: a remote one takes a few round trips


class Reader(Protocol):
    """One file, or one table in memory."""

    path: str
    format: str
    schema: pa.Schema

    @property
    def rows(self) -> int | None:
        """How many there are, if that is known without reading them."""
        ...

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Stream the wanted columns."""
        ...


class File(Reader, Protocol):
    """A file, which any process can open again."""

    system: fs.FileSystem

    def pieces(self, column: str) -> list[int]:
        """Count the rows of each piece that can be read by itself: a look, or a pass over it."""
        ...


class Part(NamedTuple):
    """Some rows of a table, and where they came from."""

    batch: pa.RecordBatch
    path: str
    row: int  # of the file, of the first that was read
    start: int  # of the table, of the first that was read
    kept: np.ndarray[Any, Any] | None = None  # which of those that were read; None: all

    def check(
        self,
        column: str,
        bad: np.ndarray[Any, Any],
        expected: str,
        came: Callable[[int], object],
        rows: np.ndarray[Any, Any] | None = None,
    ) -> None:
        """Refuse the first value that is bad, if one is, by its row in its file.

        Values are of one row each, or of those that `rows` says.
        """
        if bad.any():
            i = int(np.argmax(bad))
            row = i if rows is None else int(rows[i])
            row = self.row + (row if self.kept is None else int(self.kept[row]))
            name = f"{self.path}: column {column!r}"
            refuse(name, expected, came(i), row=row, error=TableError)


class Table:
    """The rows of one or several files of one format, in the order of their paths.

    Attributes
    ----------
    notes
        Sentences that say how the table was read, where there was more than one way.
    warnings
        Sentences that say what may mean something else than it was taken for.
    masked
        Whether labels are missing because a mask hides them: they are meant to be left out.
    """

    def __init__(self, readers: list[Reader]) -> None:
        self.readers = readers
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.paths = [reader.path for reader in readers]
        self.format = readers[0].format
        self.masked = any(getattr(reader, "masked", False) for reader in readers)
        self.schema = _plain_schema(readers[0].schema)
        counts = [reader.rows for reader in readers]
        self.rows = None if None in counts else sum(n for n in counts if n is not None)

    def parts(
        self, columns: list[str], types: Types, most: int | None = None
    ) -> Generator[Part, None, None]:
        """Stream the columns, in parts of at most so many rows where the format can cut them.

        Whatever goes wrong while reading is a `TableError`.
        """
        start = 0
        for reader in self.readers:
            self.check(reader, columns, types)
            for part in parts_of(reader, columns, types, start=start, most=most):
                yield part
                start = part.start + part.batch.num_rows

    def check(self, reader: Reader, columns: list[str], types: Types) -> None:
        """Refuse a file whose columns are not those of the first."""
        if reader is self.readers[0]:
            return
        there = set(reader.schema.names)
        for name in columns:
            if self.format == "CSV" and name in types and name in there:
                continue  # read as that type, whatever the first rows look like
            here = plain_type(reader.schema.field(name).type) if name in there else "no such column"
            if here != self.schema.field(name).type:
                refuse(
                    f"{reader.path}: column {name!r}",
                    f"be {self.schema.field(name).type} as in {self.paths[0]}",
                    here,
                    error=TableError,
                )


def parts_of(
    reader: Reader,
    columns: list[str],
    types: Types,
    *,
    row: int = 0,
    start: int = 0,
    pieces: range | None = None,
    threads: bool = True,
    most: int | None = None,
) -> Iterator[Part]:
    """Stream one file, or some pieces of it that begin at `row`, which is row `start` of all."""
    with reading(reader.path, reader.format):
        wanted = Wanted(columns, types, most or BATCH_ROWS, BATCH_BYTES, pieces, threads)
        stream = reader.batches(wanted)
        other: list[int] | None = None  # the columns that are not of a plain type
        while (batch := next(stream, None)) is not None:
            if other is None:
                other = [i for i, kind in enumerate(batch.schema.types) if not is_plain(kind)]
            for small in _small(batch):
                for i in other:
                    small = small.set_column(i, small.schema.names[i], plain(small.column(i)))
                yield Part(small, reader.path, row, start)
                row, start = row + small.num_rows, start + small.num_rows


def _small(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    if batch.num_rows:
        rows = min(BATCH_ROWS, max(1, BATCH_BYTES * batch.num_rows // max(1, batch.nbytes)))
        if rows >= batch.num_rows:  # slicing takes long where there are very many columns
            yield batch
            return
        for first in range(0, batch.num_rows, rows):
            yield batch.slice(first, rows)


def _plain_schema(schema: pa.Schema) -> pa.Schema:
    kinds = [plain_type(kind) for kind in schema.types]
    if kinds == schema.types:
        return schema
    return pa.schema(list(zip(schema.names, kinds, strict=True)))


@contextmanager
def reading(path: str, kind: str) -> Iterator[None]:
    """Turn what the libraries raise over a broken file into one line that names it."""
    try:
        yield
    except FileNotFoundError as error:
        raise TableError(f"{path}: no such file or folder") from error
    except (pa.ArrowException, OSError, EOFError) as error:
        reason = str(error).strip().splitlines()[0]
        raise TableError(f"{path}: not a readable {kind} file: {reason}") from error


def table_of_arrays(arrays: Arrays) -> Table:
    """Return arrays as a table, which says how they are read."""
    table = Table([arrays])
    table.notes += arrays.notes
    return table


def open_table(source: Any) -> Table:
    """Open a path, a URI, a folder, anything that speaks Arrow, or a mapping of arrays."""
    if isinstance(source, (str, os.PathLike)):
        return Table(_files(os.fspath(source)))
    if is_frame(source):
        return Table([Memory(as_table(source))])
    if hasattr(source, "with_format"):  # a DatasetDict, or a stream of one
        came = ", ".join(source) if isinstance(source, Mapping) else type(source).__name__
        refuse("source", 'be one split in memory, as dataset["test"]', came, error=TableError)
    if isinstance(source, Mapping):
        return table_of_arrays(Arrays(source))
    return refuse(
        "source",
        "be a path, a URI, a frame, or a mapping of arrays such as "
        '{"probs": (N, C), "labels": (N,)} (of two arrays, score(y_true, probs))',
        type(source).__name__,
        error=TypeError,
    )


def _files(source: str) -> list[Reader]:
    with reading(source, "table"):
        system, path = find_filesystem(source)
        info = system.get_file_info(path)
        if info.type == fs.FileType.NotFound:
            raise FileNotFoundError(source)
        paths = _folder(system, path) if info.type == fs.FileType.Directory else [path]
    kinds = {path: ending_of(path) for path in paths}
    known = {path: kind for path, kind in kinds.items() if kind is not None}
    if not known:
        refuse(source, "be (or hold) a table: " + ", ".join(FORMATS), "none", error=TableError)
    if len({FORMATS[kind] for kind in known.values()}) > 1:
        refuse(
            source,
            "hold files of one format",
            ", ".join(sorted(set(known.values()))),
            error=TableError,
        )
    kind = FORMATS[next(iter(known.values()))]

    def opened(path: str) -> Reader:
        return open_file(kind, system, path)

    if len(known) == 1:
        return [opened(path) for path in known]
    with ThreadPoolExecutor(OPENED_AT_ONCE) as pool:
        return list(pool.map(opened, known))


def open_file(kind: type[TableFile], system: fs.FileSystem, path: str) -> TableFile:
    """Open a file of a format; what is wrong with it is a `TableError`."""
    with reading(path, kind.format):
        return kind(system, path)


def _folder(system: fs.FileSystem, path: str) -> list[str]:
    """List a folder's files, without the hidden ones and markers such as _SUCCESS."""
    found = system.get_file_info(fs.FileSelector(path, recursive=True))
    return sorted(
        f.path for f in found if f.type == fs.FileType.File and f.base_name[0] not in "._"
    )
