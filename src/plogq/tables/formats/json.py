"""JSON: a record a line, or a table as one value."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from typing import Any, TypeGuard

import pyarrow as pa
from pyarrow import fs

from plogq.errors import TableError, refuse
from plogq.tables.formats.dialect import decoded, find_encoding, refuse_coded
from plogq.tables.formats.label_scores import by_label
from plogq.tables.formats.packed import open_unpacked, read_head
from plogq.tables.formats.text_options import TextOptions
from plogq.tables.formats.wanted import Wanted

Record = dict[str, Any]
AT_ONCE = 4096  # records that are looked at, or read, together
CHARACTERS_AT_ONCE = 1 << 22
NO_ARRAY = (pa.ArrowException, OverflowError, UnicodeError)  # values that make no array


class JsonLines:
    """A file of JSON lines, a record each."""

    format = "JSON"
    options = ("encoding",)
    writer = None
    rows: int | None = None

    def __init__(self, system: fs.FileSystem, path: str, text: TextOptions) -> None:
        self.path = path
        self.system = system
        self.text = text
        head, whole = read_head(system, path)
        self._encoding = find_encoding(path, head, whole, text.encoding)
        self.notes: list[str] = []
        first = next(self._some(), None)
        if first is None:
            raise TableError(f"{path}: not a readable JSON file: it is empty")
        self.schema = _schema(first)

    def _some(self) -> Iterator[list[Record]]:
        """Yield lists of records, in their order."""
        some: list[Record] = []
        characters = 0
        for line, text in self._lines():
            some.append(_record(self.path, line, text))
            characters += len(text)
            if len(some) == AT_ONCE or characters > CHARACTERS_AT_ONCE:
                yield some
                some, characters = [], 0
        if some:
            yield some

    def _lines(self) -> Iterator[tuple[int, str]]:
        with open_unpacked(self.system, self.path) as file:
            lines = io.TextIOWrapper(io.BufferedReader(file), self._encoding)
            try:
                for i, line in enumerate(lines):
                    text = line.strip("\ufeff \t\r\n")
                    if text:
                        yield i, text
            except UnicodeError as error:
                refuse_coded(self.path, self._encoding, error)

    def pieces(self, column: str) -> list[int]:
        """Count the rows, by a pass over the file."""
        return [sum(1 for _ in self._lines())]

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Yield batches of some records each."""
        row = 0
        for some in self._some():
            yield _batch(self.path, some, self.schema, wanted.columns, row)
            row += len(some)


class JsonFile:
    """A JSON file that is read whole: records, or columns, in any layout that pandas writes."""

    format = "JSON"
    options = ("encoding",)
    writer = None

    def __init__(self, system: fs.FileSystem, path: str, text: TextOptions) -> None:
        self.path = path
        self.system = system
        self.text = text
        head, whole = read_head(system, path)
        encoding = find_encoding(path, head, whole, text.encoding)
        with open_unpacked(system, path) as file:
            content = decoded(path, file.read(), True, encoding)
        layout, records = _table(path, content)
        self._records = [_with_scores(record) for record in records]
        self.notes = [f"Read as {layout}."]
        self.schema = _schema(self._records)
        self.rows: int | None = len(self._records)

    def pieces(self, column: str) -> list[int]:
        """Count the rows."""
        return [len(self._records)]

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Yield batches of some records each."""
        for row in range(0, len(self._records), AT_ONCE):
            some = self._records[row : row + AT_ONCE]
            yield _batch(self.path, some, self.schema, wanted.columns, row)


def _record(path: str, line: int, text: str) -> Record:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        hint = " (is it one value over several lines? then it is to end in .json)"
        reason = f"{error}{hint if text.strip() in ('[', '{') else ''}"
        raise TableError(f"{path}: line {line + 1} is not JSON: {reason}") from error
    if not isinstance(found, dict):
        refuse(f"{path}: line {line + 1}", "be a record, {…}", text.strip()[:40], error=TableError)
    return _with_scores(found)


def _with_scores(record: Record) -> Record:
    return {name: by_label(value) for name, value in record.items()}


def _table(path: str, content: str) -> tuple[str, list[Record]]:
    """Return what the layout of a JSON file is called, and its records."""
    if not content.strip():
        raise TableError(f"{path}: not a readable JSON file: it is empty")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        lines = [line for line in content.split("\n") if line.strip()]
        if len(lines) > 1 and lines[0].rstrip().endswith("}"):
            return "a record a line", [_record(path, i, line) for i, line in enumerate(lines)]
        raise TableError(f"{path}: not a readable JSON file: {error}") from error
    while isinstance(found, dict) and len(found) == 1:
        [inside] = found.values()
        if not (isinstance(inside, dict) or (_of(inside, dict) and inside)):
            break
        found = inside
    if _of(found, dict) and found:
        return "a list of records", found
    if isinstance(found, dict):
        names, data = found.get("columns"), found.get("data")
        if _of(names, object) and _of(data, list):
            return "columns and data", _split(path, names, data)
        if _of(data, dict) and "schema" in found:
            return "a list of records", data
        if found and _of(list(found.values()), list):
            if len({len(column) for column in found.values()}) == 1:
                rows = zip(*found.values(), strict=True)
                return "columns", [dict(zip(found, row, strict=True)) for row in rows]
        elif found and _of(list(found.values()), dict):
            return _of_dicts(path, found)
        elif found:
            return "one record", [found]
    expected = "be a list of records, columns and data, or columns of one length"
    if _of(found, list) and found and _of(found[0], dict):
        expected += (
            " (of records with a label and a score make one of each row, with the truth: "
            '{"label": TRUTH, "probs": {LABEL: score, …}})'
        )
    return refuse(path, expected, content.strip()[:40], error=TableError)


def _of(values: Any, kind: type) -> TypeGuard[list[Any]]:
    return isinstance(values, list) and all(isinstance(value, kind) for value in values)


def _split(path: str, names: Sequence[Any], data: Sequence[list[Any]]) -> list[Record]:
    for i, row in enumerate(data):
        if len(row) != len(names):
            expected = f"have {len(names)} values, one for each of its columns"
            refuse(f"{path}: data", expected, len(row), row=i, error=TableError)
    return [dict(zip(map(str, names), row, strict=True)) for row in data]


def _of_dicts(path: str, found: dict[str, Record]) -> tuple[str, list[Record]]:
    """Return the layout and the records of nested objects: rows have numbers, columns names."""
    inner = {name for value in found.values() for name in value}
    outer_numbers, inner_numbers = (all(n.isdecimal() for n in names) for names in (found, inner))
    if inner_numbers and not outer_numbers:
        rows = list(dict.fromkeys(n for column in found.values() for n in column))
        return "columns by row", [{name: found[name].get(n) for name in found} for n in rows]
    if outer_numbers and not inner_numbers:
        return "records by row", list(found.values())
    expected = 'say which are its rows: pandas writes them with to_json(orient="records")'
    return refuse(path, expected, f"names {', '.join(list(found)[:5])}", error=TableError)


def _schema(records: Sequence[Record]) -> pa.Schema:
    """Return the columns of the first records; one that no array can hold is null."""
    names = list(dict.fromkeys(name for record in records[:AT_ONCE] for name in record))
    fields = []
    for name in names:
        try:
            kind = pa.array([record.get(name) for record in records[:AT_ONCE]]).type
        except NO_ARRAY:
            kind = pa.null()
        fields.append(pa.field(name, kind))
    return pa.schema(fields)


def _batch(
    path: str, records: Sequence[Record], schema: pa.Schema, columns: Sequence[str], row: int
) -> pa.RecordBatch:
    arrays = [_column(path, name, [r.get(name) for r in records], schema.field(name).type, row)
              for name in columns]  # fmt: skip
    return pa.record_batch(arrays, names=list(columns))


def _column(path: str, name: str, values: list[Any], kind: pa.DataType, row: int) -> pa.Array:
    """Return values as a column, which may differ from the first rows' only by kind of number."""
    try:
        array = pa.array(values)
        if _like(array.type, kind):
            return array.cast(kind) if pa.types.is_null(array.type) else array
    except NO_ARRAY:
        pass
    for i, value in enumerate(values):
        try:
            own = pa.array([value]).type
            good = _like(own, kind)
        except NO_ARRAY:
            good = False
        if not good:
            before = "" if pa.types.is_null(kind) else f", {kind} as in the rows before"
            expected = f"hold values of one kind{before}"
            came = json.dumps(value)[:60]
            refuse(f"{path}: column {name!r}", expected, came, row=row + i, error=TableError)
        if pa.types.is_null(kind):
            kind = own
    return pa.array(values)


def _like(kind: pa.DataType, first: pa.DataType) -> bool:
    if pa.types.is_list(kind) and pa.types.is_list(first):
        return _like(kind.value_type, first.value_type)
    if pa.types.is_struct(kind) and pa.types.is_struct(first):
        return True
    nothing = pa.types.is_null(kind) or pa.types.is_null(first)
    return bool(nothing or kind == first or (_is_number(kind) and _is_number(first)))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
