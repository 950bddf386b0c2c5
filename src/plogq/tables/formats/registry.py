"""Which format a file is of: the only list of endings."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

import pyarrow as pa
from pyarrow import fs

from plogq.errors import TableError, refuse
from plogq.tables.formats.arff import ArffFile
from plogq.tables.formats.arrow import ArrowFile
from plogq.tables.formats.csv import CsvFile
from plogq.tables.formats.json import JsonFile, JsonLines
from plogq.tables.formats.npz import Npz
from plogq.tables.formats.packed import ENDINGS, ZIP, first_bytes, only_member, unzipping
from plogq.tables.formats.parquet import ParquetFile
from plogq.tables.formats.text_options import TextOptions

TextFile = CsvFile | ArffFile | JsonLines | JsonFile
TableFile = ParquetFile | ArrowFile | Npz | TextFile

TEXT: dict[str, type[TextFile]] = {
    ".csv": CsvFile,
    ".tsv": CsvFile,
    ".tab": CsvFile,
    ".txt": CsvFile,
    ".jsonl": JsonLines,
    ".ndjson": JsonLines,
    ".json": JsonFile,
    ".arff": ArffFile,
}
TEXT_ENDINGS = {end + packed: kind for end, kind in TEXT.items() for packed in ENDINGS}
FORMATS: dict[str, type[TableFile]] = {
    ".parquet": ParquetFile,
    ".pq": ParquetFile,
    ".arrow": ArrowFile,
    ".feather": ArrowFile,
    ".ipc": ArrowFile,
    ".npz": Npz,
    **TEXT_ENDINGS,
}
SAID = f"{', '.join(end for end in FORMATS if end.count('.') == 1)}; text also with " + ", ".join(
    ENDINGS[1:]
)
WEAK = (".json", ".txt", ".zip")  # not read in a folder that has tables of other endings
WRITTEN = (".parquet", ".pq", ".csv", ".csv.gz", ".arrow", ".feather", ".ipc")
WRITERS: dict[str, Callable[[IO[bytes], pa.Schema], Any]] = {
    end: writer for end in WRITTEN if (writer := FORMATS[end].writer) is not None
}
MAGIC: dict[bytes, type[TableFile]] = {
    b"PAR1": ParquetFile,
    b"ARROW1": ArrowFile,
    b"\xff\xff\xff\xff": ArrowFile,  # a stream
}


@contextmanager
def writer_to(sink: IO[bytes], end: str, schema: pa.Schema) -> Iterator[Any]:
    """Open a writer of Arrow for one of the endings of `WRITERS`; it takes tables and batches."""
    if not end.endswith(".gz"):
        with WRITERS[end](sink, schema) as writer:
            yield writer
        return
    packed = gzip.GzipFile(fileobj=sink, mode="wb", mtime=0)
    with packed, WRITERS[end](cast(IO[bytes], packed), schema) as writer:
        yield writer


def ending_of(path: str) -> str | None:
    """Return which of the known endings a path has, in lower case; None for none of them.

    Examples
    --------
    >>> ending_of("Held out.CSV.GZ"), ending_of("notes.md")
    ('.csv.gz', None)
    """
    return next((end for end in FORMATS if path.lower().endswith(end)), None)


def kind_of(system: fs.FileSystem, path: str) -> type[TableFile] | None:
    """Return the format of a file by its ending, or else by its first bytes or a file inside it.

    None where none of them shows it.
    """
    end = ending_of(path)
    if end is not None:
        return FORMATS[end]
    first = first_bytes(system, path)
    if first.startswith(ZIP):
        return _kind_inside(system, path)
    return next((kind for magic, kind in MAGIC.items() if first.startswith(magic)), None)


def _kind_inside(system: fs.FileSystem, path: str) -> type[TableFile] | None:
    with unzipping(), zipfile.ZipFile(system.open_input_file(path)) as archive:
        names = archive.namelist()
        if names and all(name.endswith(".npy") for name in names):
            return Npz
        if any(name.startswith("xl/") for name in names):
            refuse(path, "be a table of one of the formats that are read (a workbook can be saved "
                   "as CSV)", "a workbook", error=TableError)  # fmt: skip
        inside = only_member(archive, path).filename
    end = ending_of(inside)
    if end is not None and FORMATS[end] not in TEXT.values():
        refuse(path, f"be unpacked: only text is read out of an archive (or name zip://{inside}::FILE)",
               inside, error=TableError)  # fmt: skip
    return None if end is None else FORMATS[end]


def open_as(
    kind: type[TableFile], system: fs.FileSystem, path: str, text: TextOptions
) -> TableFile:
    """Return a file opened in its format; the options of text go to formats of text alone."""
    if issubclass(kind, TextFile):
        return kind(system, path, text)
    return kind(system, path)
