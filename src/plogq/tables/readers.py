"""Tables, wherever they lie, as record batches that know their file and their rows in it."""

from __future__ import annotations

import lzma
import os
import re
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol
from zipfile import BadZipFile

import numpy as np
import pyarrow as pa
from pyarrow import fs

from plogq.errors import TableError, refuse
from plogq.tables import hive
from plogq.tables.arrays import is_plain, plain, plain_type
from plogq.tables.filesystems import find_filesystem
from plogq.tables.folders import files_in
from plogq.tables.formats.arrays import Arrays
from plogq.tables.formats.harness import Questions, is_questions
from plogq.tables.formats.memory import Memory, as_table, is_frame
from plogq.tables.formats.registry import SAID, WEAK, TableFile, ending_of, kind_of, open_as
from plogq.tables.formats.stream import Stream, is_stream
from plogq.tables.formats.text_options import TextOptions
from plogq.tables.formats.wanted import Types, Wanted
from plogq.tables.structs import add_inner, flat_schema, inner_columns, names_of, type_of

# A batch is small enough that its arrays stay in the processor's cache and memory stays flat,
# large enough that the work per batch does not show.
BATCH_ROWS = 65_536
BATCH_BYTES = 8 << 20
AS_ASKED = ("CSV", "JSON")  # formats whose columns are read as the types that are asked for
ASKED = re.compile(r"size (\d+)")  # in what Arrow says where it can get no memory
MOST_BYTES = 1 << 47  # of memory that a process can address
FEW_PARTS = 4  # a table of at most so many is kept: a second pass need not decode it again
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
    text: TextOptions

    def pieces(self, column: str) -> list[int]:
        """Return the rows of each piece that can be read by itself, perhaps by a pass over all."""
        ...


class Part(NamedTuple):
    """Some rows of a table, and where they came from."""

    batch: pa.RecordBatch
    path: str
    row: int  # the row in the file of the first that was read
    start: int  # the row in the table of the first that was read
    kept: np.ndarray[Any, Any] | None = None  # which of the rows read are in the batch; None: all

    def check(
        self,
        column: str,
        bad: np.ndarray[Any, Any],
        expected: str,
        came: Callable[[int], object],
        rows: np.ndarray[Any, Any] | None = None,
    ) -> None:
        """Refuse the first value that is bad, if one is, by its row in its file.

        Value i is of row i of the batch, or of row `rows[i]` where `rows` is given.
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
        self.schema = _plain_schema(flat_schema(readers[0].schema))
        self._kept: tuple[list[str], Types, list[Part]] | None = None
        counts = [reader.rows for reader in readers]
        self.rows = None if None in counts else sum(n for n in counts if n is not None)

    def parts(
        self, columns: list[str], types: Types, most: int | None = None
    ) -> Generator[Part, None, None]:
        """Stream the columns, in parts of at most so many rows where the format can cut them.

        Whatever goes wrong while reading is a `TableError`.
        """
        if self._kept is not None and self._kept[:2] == (columns, types):
            yield from self._kept[2]
            return
        start = 0
        kept: list[Part] | None = []
        for reader in self.readers:
            self.check(reader, columns, types)
            for part in parts_of(reader, columns, types, start=start, most=most):
                yield part
                if kept is not None:  # a large table is not kept
                    kept = [*kept, part] if len(kept) < FEW_PARTS else None
                start = part.start + part.batch.num_rows
        if kept is not None:
            self._kept = (list(columns), dict(types), kept)

    def check(self, reader: Reader, columns: list[str], types: Types) -> None:
        """Refuse a file whose columns are not those of the first."""
        if reader is self.readers[0]:
            return
        present = set(reader.schema.names)  # once: `names` makes a list of all of them each time
        above, inner = hive.columns_of(reader.path), inner_columns(reader.schema)
        for name in columns:
            if name in inner:
                here: object = plain_type(type_of(reader.schema, inner[name]))
                if self.format in AS_ASKED:
                    continue
            elif name in present:
                if self.format in AS_ASKED and name in types:
                    continue  # read as that type, whatever the first rows look like
                here = plain_type(reader.schema.field(name).type)
            elif name in above:
                continue
            else:
                here = "no such column"
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
    """Yield a file, or pieces of it that begin at its row `row`, row `start` of the table."""
    known, above = set(reader.schema.names), hive.columns_of(reader.path)
    above = {name: above[name] for name in columns if name in above and name not in known}
    inner = inner_columns(reader.schema)
    inner = {name: inner[name] for name in columns if name in inner}
    inside = [inner[name][0] if name in inner else name for name in columns if name not in above]
    inside = list(dict.fromkeys(inside)) if inner else inside
    with reading(reader.path, reader.format):
        wanted = Wanted(inside, types, most or BATCH_ROWS, BATCH_BYTES, pieces, threads)
        stream = reader.batches(wanted)
        other: list[int] | None = None  # the columns that are not of a plain type
        while (batch := next(stream, None)) is not None:
            if inner:
                batch = add_inner(reader.path, batch, reader.schema, inner)
            for name, value in above.items():
                values = hive.column(value, batch.num_rows, types.get(name))
                batch = batch.append_column(name, values)
            if inner:  # drop the records themselves, whose fields are columns now
                batch = batch.select(columns)
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
    except MemoryError as error:
        # The file is not at fault, unless a damaged length asks for more than any machine has.
        asked = ASKED.search(str(error))
        if asked is None or int(asked.group(1)) < MOST_BYTES:
            raise
        raise TableError(f"{path}: not a readable {kind} file: it is damaged") from error
    except (pa.ArrowException, OSError, EOFError, zlib.error, lzma.LZMAError, BadZipFile,
            UnicodeDecodeError) as error:  # fmt: skip
        if "Failed to launch worker thread" in str(error):  # Arrow's words; these are Python's
            raise RuntimeError("can't start new thread") from error
        reason = (str(error).strip() or "it is cut short").splitlines()[0]
        raise TableError(f"{path}: not a readable {kind} file: {reason}") from error


def table_of_arrays(arrays: Arrays) -> Table:
    """Return arrays as a table, with notes on how they are read."""
    table = Table([arrays])
    table.notes += arrays.notes
    return table


def open_table(source: Any, text: TextOptions | None = None) -> Table:
    """Open a path, a URI, a folder, a frame, a mapping of arrays, or a generator of batches."""
    table = _open_table(source, text)
    if text is not None:
        used = getattr(table.readers[0], "options", ())
        table.notes += text.not_used(f"{table.paths[0]} is {table.format}", used)
    return table


def _open_table(source: Any, text: TextOptions | None) -> Table:
    if isinstance(source, (str, os.PathLike)):
        path = os.fspath(source)
        try:
            path.encode()
        except UnicodeEncodeError as error:
            raise TableError(f"{path}: its name is not UTF-8: rename it") from error
        return _open_files(path, text or TextOptions())
    if is_frame(source):
        return Table([Memory(as_table(source))])
    if is_stream(source):
        return Table([Stream(source)])
    if hasattr(source, "with_format"):  # a DatasetDict, or a stream of one
        came = ", ".join(source) if isinstance(source, Mapping) else type(source).__name__
        refuse("source", 'be one split in memory, as dataset["test"]', came, error=TableError)
    if isinstance(source, Mapping):
        return table_of_arrays(Arrays(source))
    return refuse(
        "source",
        "be a path, a URI, a frame, a generator of batches, or a mapping of arrays such as "
        '{"probs": (N, C), "labels": (N,)} (of two arrays, score(y_true, probs))',
        type(source).__name__,
        error=TypeError,
    )


def _open_files(source: str, text: TextOptions) -> Table:
    with reading(source, "table"):
        system, path = find_filesystem(source)
        info = system.get_file_info(path)
        if info.type == fs.FileType.NotFound:
            raise FileNotFoundError(source)
        if info.type == fs.FileType.Unknown:
            expected = "be a file, which can be read more than once: save what comes of it"
            refuse(source, expected, "a pipe or a device", error=TableError)
        is_folder = info.type == fs.FileType.Directory
        paths, left_out = files_in(system, path) if is_folder else ([path], [])
        kinds = {path: kind_of(system, path) for path in paths}
    known = {path: kind for path, kind in kinds.items() if kind is not None}
    strong = {path: kind for path, kind in known.items() if ending_of(path) not in WEAK}
    known = strong or known
    if not known:
        came = "none of these endings" if is_folder else "another ending, or none"
        expected = (
            f"be (or hold) a table: {SAID} (a text table of another name: rename it to .csv); or "
            "read it in Python, and score the frame"
        )
        refuse(source, expected, came, error=TableError)
    if len(set(known.values())) > 1:
        came = ", ".join(sorted({ending_of(path) or path for path in known}))
        refuse(source, "hold files of one format", came, error=TableError)
    kind = next(iter(known.values()))

    def opened(path: str) -> Reader:
        return open_file(kind, system, path, text)

    if kind.format == "JSON" and _are_questions(system, source, list(known)):
        with reading(source, "JSON"):
            table = Table([Questions(system, next(iter(known)))])
    elif len(known) == 1:
        table = Table([opened(path) for path in known])
    else:
        with ThreadPoolExecutor(OPENED_AT_ONCE) as pool:
            table = Table(list(pool.map(opened, known)))
    if is_folder:
        _add_hive_columns(table, path)
    table.notes += dict.fromkeys(
        note for reader in table.readers for note in getattr(reader, "notes", ())
    )
    table.warnings += [said for reader in table.readers for said in getattr(reader, "warnings", ())]
    left_out = [path for path in left_out if ending_of(path)] + [p for p in paths if p not in known]
    if left_out:
        table.notes.append(_left_out(path, left_out))
    stems = Counter(path.removesuffix(ending_of(path) or "") for path in known)
    table.warnings += [
        f"{stem} is there with several endings: are these the same rows?"
        for stem, times in stems.items()
        if times > 1
    ]
    return table


def _are_questions(system: fs.FileSystem, source: str, paths: list[str]) -> bool:
    """Return whether JSON files are multiple-choice samples, whose questions are the rows."""
    with reading(source, "JSON"):
        if not is_questions(system, paths[0]):
            return False
    if len(paths) > 1:
        expected = "be one file, for each task has questions of its own: give one of its files"
        refuse(source, expected, f"{len(paths)} files", error=TableError)
    return True


def _add_hive_columns(table: Table, folder: str) -> None:
    """Add the columns that the names of all folders below this one hold."""
    of_file = [hive.columns_of(os.path.relpath(path, folder)) for path in table.paths]
    for name in of_file[0]:
        if name in table.schema.names or not all(name in found for found in of_file):
            continue
        table.schema = table.schema.append(pa.field(name, hive.kind_of(of_file[0][name])))
        table.notes.append(f"The column {name} is what names of folders say: {name}=….")


def _left_out(folder: str, paths: list[str]) -> str:
    """Return a note on which files of a folder are not read."""
    shown = ", ".join(os.path.relpath(path, folder) for path in paths[:3])
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return f"Not read, of the folder: {shown}{more}."


def open_file(
    kind: type[TableFile], system: fs.FileSystem, path: str, text: TextOptions
) -> TableFile:
    """Open a file of a format; what is wrong with it is a `TableError`."""
    with reading(path, kind.format):
        opened = open_as(kind, system, path, text)
        names_of(opened.schema)  # refused here where they are not UTF-8
        return opened
