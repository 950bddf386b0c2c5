"""JSON as it is saved: lines, indented values, a list, server-sent events; files and folders."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

from pyarrow import fs

from plogq.errors import TableError, refuse
from plogq.tables.filesystems import find_filesystem
from plogq.tables.folders import files_in
from plogq.tables.formats.packed import ENDINGS as PACKED
from plogq.tables.formats.packed import open_unpacked

ONE_VALUE = tuple(f".json{packed}" for packed in PACKED)
ENDINGS = ONE_VALUE + tuple(
    name + packed for name in (".jsonl", ".ndjson", ".sse") for packed in PACKED
)
READ_BYTES = 4 << 20
# A line of server-sent events: a field and its value, or a comment.
EVENT = re.compile(rb"(data|event|id|retry)?:")
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Record(NamedTuple):
    """A JSON object, and where in its file it begins."""

    path: str
    where: str
    value: dict[str, Any] | None  # None: the mark with which a server ends its stream of events

    def error(self, what: str) -> TableError:
        """Return an error that says where the record is, and what is wrong with it."""
        return TableError(f"{self.path}: {self.where}: {what}")


class Files(NamedTuple):
    """The JSON files of a path; of a folder also the JSON files left out, and all other files."""

    system: fs.FileSystem
    paths: list[str]
    left_out: list[str]
    others: list[str]


def is_json(path: str) -> bool:
    """Return whether a file is of JSON, by its name."""
    return path.lower().endswith(ENDINGS)


def find_files(source: str) -> Files:
    """Return a path, or the JSON files of a folder in their order.

    Hidden and unfinished files are left out. Where a folder has JSON lines, so are its files of
    one value (settings, summaries).
    """
    system, path = find_filesystem(source)
    info = system.get_file_info(path)
    if info.type == fs.FileType.NotFound:
        raise FileNotFoundError(source)
    if info.type != fs.FileType.Directory:
        return Files(system, [path], [], [])
    files, hidden = files_in(system, path)
    found = [name for name in files if is_json(name)]
    kept = [name for name in found if not name.lower().endswith(ONE_VALUE)] or found
    left_out = sorted({*found, *filter(is_json, hidden)} - {*kept})
    return Files(system, kept, left_out, [name for name in files if not is_json(name)])


def read_records(system: fs.FileSystem, path: str) -> Iterator[Record]:
    """Stream the objects of a file, whichever way it lays them out.

    Raises
    ------
    TableError
        It is not JSON, or holds other values than objects and lists of them.
    """
    with open_unpacked(system, path) as stream:
        lines = _numbered(stream)
        head = next(((number, line) for number, line in lines if line.strip()), None)
        if head is None:
            return
        number, line = head[0], head[1].removeprefix(codecs.BOM_UTF8)
        if line.startswith(UTF16):
            refuse(path, "be UTF-8", "UTF-16: convert it", error=TableError)
        rest = chain([(number, line)], lines)
        if EVENT.match(line):
            yield from _events(path, rest)
        elif _goes_on(line):
            yield from _document(path, rest)
        else:
            for number, line in rest:
                if line.strip():
                    yield from _objects(path, f"line {number}", _parsed(path, number, line))


def _numbered(stream: Any) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a stream of bytes with their numbers, from 1."""
    number, rest = 1, []
    while data := stream.read(READ_BYTES):
        first, *others = data.split(b"\n")
        rest.append(first)
        if others:
            for line in (b"".join(rest), *others[:-1]):
                yield number, line
                number += 1
            rest = [others[-1]]
    yield number, b"".join(rest)


def _goes_on(line: bytes) -> bool:
    """Return whether a line begins a value that goes on in the next lines."""
    text = line.decode("utf-8", "replace").rstrip()
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.pos >= len(text)
    except (ValueError, RecursionError):
        pass
    return False


def _events(path: str, lines: Iterable[tuple[int, bytes]]) -> Iterator[Record]:
    for number, line in lines:
        field, _, data = line.strip().partition(b":")
        if field != b"data":
            if line.strip() and not EVENT.match(line):
                data = line  # a line without a field, among events
            else:
                continue
        if data.strip() == b"[DONE]":
            yield Record(path, f"line {number}", None)
        elif data.strip():
            yield from _objects(path, f"line {number}", _parsed(path, number, data))


def _document(path: str, lines: Iterable[tuple[int, bytes]]) -> Iterator[Record]:
    """Yield the objects of values that are spread over several lines, one after another."""
    start = 1
    data: list[bytes] = []
    for number, line in lines:
        start = start if data else number
        data.append(line)
    try:
        text = b"\n".join(data).decode()
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: is not UTF-8: {error.reason}") from None
    decode, at = json.JSONDecoder().raw_decode, 0
    while at < len(text):
        if text[at] in " \t\r\n":
            at += 1
            continue
        number = start + text.count("\n", 0, at)
        try:
            value, at = decode(text, at)
        except json.JSONDecodeError as error:
            where = f"line {start + error.lineno - 1}"
            raise TableError(f"{path}: {where}: is not JSON: {error.msg}") from None
        except (ValueError, RecursionError) as error:
            raise TableError(f"{path}: line {number}: is not JSON: {error}") from None
        yield from _objects(path, f"line {number}", value)


def _parsed(path: str, number: int, line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = str(error).split(": ")[0]
        raise TableError(f"{path}: line {number}: is not JSON: {reason}") from None


def _objects(path: str, where: str, value: Any) -> Iterator[Record]:
    """Yield an object, or all the objects of a list."""
    if isinstance(value, dict):
        yield Record(path, where, value)
    elif isinstance(value, list) and all(isinstance(item, (dict, list)) for item in value):
        for i, item in enumerate(value):
            yield from _objects(path, f"{where}, item {i}", item)
    else:
        raise TableError(f"{path}: {where}: must hold a JSON object; got {str(value)[:40]}")
