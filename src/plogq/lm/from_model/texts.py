"""Documents to score: files of text, a column of a table, or texts in memory."""

from __future__ import annotations

import codecs
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import fs, types

from plogq.errors import TableError, refuse
from plogq.lm.documents import Names, Remarks
from plogq.tables.arrays import is_null
from plogq.tables.filesystems import find_filesystem
from plogq.tables.folders import files_in, is_hidden
from plogq.tables.formats.memory import is_frame
from plogq.tables.formats.packed import first_bytes, open_unpacked
from plogq.tables.formats.registry import MAGIC, ending_of
from plogq.tables.formats.text_options import TextOptions
from plogq.tables.readers import AS_ASKED, Table, open_table, reading

UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
Documents = Iterator[tuple[str, str | None]]  # names and texts; None for a missing text


class Texts(NamedTuple):
    """Documents that can be read again and again.

    Attributes
    ----------
    paths
        The files, or the name of what is in memory.
    format
        What they are.
    read
        Returns an iterator over names and texts.
    """

    paths: list[str]
    format: str
    read: Callable[[], Documents]


class Survey(NamedTuple):
    """All documents, as a first pass over them found them."""

    documents: int  # those that are not empty
    bytes: int  # of them, in UTF-8
    digest: str  # of their names and texts

    @classmethod
    def of(cls, texts: Texts, remarks: Remarks) -> Survey:
        """Return what a pass over texts finds; empty ones are remarked on.

        Raises
        ------
        TableError
            There is no text, a name comes twice, or a text cannot be written in UTF-8.
        """
        known, digest = Names(), hashlib.sha256()
        documents = size = 0
        for name, text in texts.read():
            if not known.add(name):
                raise TableError(f"{texts.paths[0]}: two documents are called {name!r}: each needs "
                                 "a name of its own")  # fmt: skip
            try:
                data = (text or "").encode()
            except UnicodeEncodeError as error:
                raise TableError(f"{texts.paths[0]}: document {name!r}: character {error.start} is "
                                 "half of a pair of surrogates, which UTF-8 cannot write: mend the "
                                 "text") from None  # fmt: skip
            if not data:
                remarks.add("empty_documents", "documents are empty, and left out")
                continue
            documents, size = documents + 1, size + len(data)
            for part in (name.encode("utf-8", "surrogateescape"), data):
                digest.update(len(part).to_bytes(8, "little") + part)
        if not documents:
            raise TableError(f"{texts.paths[0]}: no text to score")
        return cls(documents, size, digest.hexdigest())


def texts_of(
    source: Any, *, column: str = "text", doc: str = "doc", text: TextOptions | None = None
) -> Texts:
    """Return documents from texts in memory, from files, or from a table.

    Parameters
    ----------
    source
        A list of texts, each a document; a mapping of names to texts; a frame; or a path, or a list
        of paths, as `pathlib.Path`: of files of text, or of tables.
    column, doc
        In a table, the columns of the texts and of their names. Without the latter, documents are
        called by their rows.
    text
        How files of text are written.
    """
    options = text or TextOptions()
    if isinstance(source, os.PathLike):
        return _files([os.fspath(source)], column, doc, options)
    if isinstance(source, str):
        refuse("texts", "be a list of texts, as [text] is for one, or the pathlib.Path of a file",
               f"a str of {len(source):,} characters", error=TypeError)  # fmt: skip
    if isinstance(source, Mapping) and all(isinstance(each, str) for each in source.values()):
        return _in_memory(list(source.items()))
    if is_frame(source):
        return _of_table(open_table(source), column, doc, "")
    if not isinstance(source, Iterable) or isinstance(source, Mapping | bytes):
        refuse("texts", "be a list of texts or paths, a mapping of names to texts, or a frame",
               type(source).__name__, error=TypeError)  # fmt: skip
    listed = list(source)
    if listed and all(isinstance(each, os.PathLike) for each in listed):
        return _files([os.fspath(each) for each in listed], column, doc, options)
    for place, each in enumerate(listed):
        if not isinstance(each, str):
            refuse("texts", "hold texts, or paths alone", type(each).__name__, row=place,
                   error=TypeError)  # fmt: skip
    return _in_memory([(str(place), each) for place, each in enumerate(listed)])


def files_of(
    paths: Sequence[str], *, column: str = "text", doc: str = "doc", text: TextOptions | None = None
) -> Texts:
    """Return the documents of files, folders and URIs; see `texts_of`."""
    return _files(list(paths), column, doc, text or TextOptions())


def _in_memory(documents: list[tuple[Any, str]]) -> Texts:
    return Texts(["texts"], "texts", lambda: ((str(name), text) for name, text in documents))


def _files(paths: list[str], column: str, doc: str, options: TextOptions) -> Texts:
    opened = [_opened(path, column, doc, options, alone=len(paths) == 1) for path in paths]

    def read() -> Documents:
        for each in opened:
            yield from each.read()

    formats = dict.fromkeys(each.format for each in opened)
    return Texts([path for each in opened for path in each.paths], ", ".join(formats), read)


def _opened(path: str, column: str, doc: str, options: TextOptions, *, alone: bool) -> Texts:
    with reading(path, "text"):
        system, inner = find_filesystem(path)
        kind = system.get_file_info(inner).type
        if kind == fs.FileType.NotFound:
            raise FileNotFoundError(path)
        if kind == fs.FileType.Directory:
            files, hidden = files_in(system, inner)
            tables = [each for each in files if _is_table(system, each)]
            if not tables:  # among texts, _x.py is no mark of a writer of tables
                files = sorted([*files, *(x for x in hidden if _is_own(_below(x, inner)))])
            if not files:
                raise TableError(f"{path}: no files in this folder")
            if tables and len(tables) < len(files):
                other = next(each for each in files if each not in set(tables))
                refuse(path, "hold either texts or tables: name the files",
                       f"{_below(tables[0], inner)} and {_below(other, inner)}",
                       error=TableError)  # fmt: skip
        elif kind == fs.FileType.File:
            files = [inner]
            tables = files if _is_table(system, inner) else []
        else:
            refuse(path, "be a file, which can be read twice: save what comes of it",
                   "a pipe or a device", error=TableError)  # fmt: skip
    if tables:
        return _of_table(open_table(path, options), column, doc, "" if alone else f"{path}:")
    folder = inner if kind == fs.FileType.Directory else None
    names = {each: path if folder is None else _below(each, folder) for each in files}
    encoding = options.encoding
    return Texts(files, "text", lambda: ((names[f], _text_of(system, f, encoding)) for f in files))


def _below(path: str, folder: str) -> str:
    return str(PurePosixPath(Path(path).as_posix()).relative_to(Path(folder).as_posix()))


def _is_own(path: str) -> bool:
    """Return whether a file was left out for an underscore alone."""
    parts = PurePosixPath(path).parts
    underscored = any(part.startswith("_") for part in parts)
    return underscored and not any(is_hidden(part.lstrip("_")) for part in parts)


def _is_table(system: fs.FileSystem, path: str) -> bool:
    """Return whether a file is a table by its ending, or by its first bytes where it has none."""
    end = ending_of(path)
    if end is not None:
        return not end.startswith(".txt")
    return any(first_bytes(system, path).startswith(magic) for magic in MAGIC)


def _text_of(system: fs.FileSystem, path: str, encoding: str | None) -> str:
    """Return the whole text of a file as it is written: lines may end in CR and LF.

    A mark of byte order at its start is no part of the text.
    """
    with reading(path, "text"), open_unpacked(system, path) as file:
        data = bytes(file.read())
    if encoding is None and data.startswith(UTF16):
        refuse(path, "be UTF-8", "UTF-16: --encoding utf-16 reads it", error=TableError)
    try:
        return data.decode(encoding or "utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TableError(
            f"{path}: line {line}: byte {error.start}, 0x{data[error.start]:02x}, is not text in "
            f"{(encoding or 'UTF-8').upper()}: --encoding names another, or leave the file out"
        ) from None


def _of_table(table: Table, column: str, doc: str, before: str) -> Texts:
    present = table.schema.names
    where = table.paths[0]
    if column not in present:
        shown = ", ".join(present[:20])
        raise TableError(f"{where}: no column {column!r} (--column names the one with the texts); "
                         f"its columns are {shown}")  # fmt: skip
    kind = table.schema.field(column).type
    if not _is_text(kind) and table.format not in AS_ASKED:
        refuse(f"{where}: column {column!r}", "hold texts", kind, error=TableError)
    named = doc in present and doc != column
    if doc != "doc" and not named:
        raise TableError(f"{where}: no column {doc!r} (--doc names the one with the names)")
    columns = [column, doc] if named else [column]

    def read() -> Documents:
        for part in table.parts(columns, dict.fromkeys(columns, pa.string())):
            texts = part.batch.column(0).cast(pa.string()).to_pylist()
            if named:
                names = part.batch.column(1)
                part.check(doc, is_null(names), "name the document of every row", lambda _: "null")
                called = [str(name) for name in names.to_pylist()]
            else:
                called = [str(part.start + i) for i in range(len(texts))]
            yield from ((f"{before}{name}", text) for name, text in zip(called, texts, strict=True))

    return Texts(table.paths, table.format, read)


def _is_text(kind: pa.DataType) -> bool:
    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))
