"""A text table with delimiters: CSV and its kin, plain or compressed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, Any, ClassVar, NoReturn

import pyarrow as pa
from pyarrow import fs

from plogq.errors import TableError, refuse
from plogq.tables.formats.dialect import (
    WITH_COMMA,
    Dialect,
    find_dialect,
    refuse_coded,
    refuse_not_utf8,
)
from plogq.tables.formats.packed import open_unpacked, read_head
from plogq.tables.formats.percents import read_percents
from plogq.tables.formats.text_lists import read_lists
from plogq.tables.formats.text_options import TextOptions
from plogq.tables.formats.wanted import Types, Wanted

BAD_CELL = re.compile(
    r"In CSV column #(\d+): Row #(\d+): CSV conversion error to (\w+): invalid value (.*)",
    re.DOTALL,
)
BAD_LINE = re.compile(
    r"CSV parse error: Row #(\d+): Expected (\d+ columns), got (\d+): (.*)", re.DOTALL
)
NOT_UTF8 = re.compile(r"In CSV column #(\d+): .*invalid UTF8 data", re.DOTALL)
# Arrow says so where a row or the header is too long for a block, or nothing follows the header.
TOO_LONG = ("straddl", "Could not skip", "cannot infer number of columns")
CUT_IN_CELL = ("out of sync", "CSV parse error")  # perhaps a block ended inside a cell
ORANGE = ("c", "continuous", "d", "discrete")  # types, which Orange writes below the names
BLOCK, LARGEST_BLOCK = 4 << 20, 256 << 20
# Each column of a block has a fixed cost, so a block of very many columns holds more rows.
BLOCK_PER_COLUMN = 256
# What a cell without a value may hold. Arrow counts NaN among these; here NaN is a number, and is
# reported as one. A cell of blanks alone has no value, either.
BLANKS = [" " * n for n in range(1, 17)]
WORDS = ["#N/A", "#N/A N/A", "#NA", "N/A", "NA", "NULL", "n/a", "null"]
NULLS = ["", *BLANKS, *WORDS]


def _way_on(cell: str, *, first: bool, headed: bool) -> str:
    """Return a hint on a cell that is no number; `headed`: the user gave the names of columns."""
    if cell.endswith("%"):
        return " (a percent sign in some rows alone: in all of them, or in none)"
    if cell.startswith("{"):
        return " (records in cells: save them as a column for each class, or the table as JSON)"
    if cell.startswith('"'):
        return " (without blanks between its quotes and the delimiters)"
    if first and cell in ORANGE:
        return " (a header of three lines, as Orange's? then take out the second and the third)"
    if first and headed:
        return " (is the first line one of names? --header is for a file without: take it out)"
    return " (if it is none of the predictions: --exclude it)" if first else ""


class CsvFile:
    """A text table, plain or compressed; the columns that must be numbers are read as such."""

    format = "CSV"
    options: ClassVar[tuple[str, ...]] = ("encoding", "delimiter", "decimal", "header")
    rows = None
    missing: ClassVar[list[str]] = []  # what a cell without a value may hold, beside nothing
    more_parsing: ClassVar[dict[str, Any]] = {}  # options of Arrow's parser

    @staticmethod
    def writer(sink: IO[bytes], schema: pa.Schema) -> Any:
        """Return Arrow's writer of such a file, plain."""
        from pyarrow import csv

        return csv.CSVWriter(sink, schema)

    def __init__(self, system: fs.FileSystem, path: str, text: TextOptions) -> None:
        self.path = path
        self.system = system
        self.text = text
        self._block = BLOCK
        head, whole = read_head(system, path)
        self.dialect = self._look(head, whole)
        self._bytes = len(head) if whole else None
        self._breaks = self.dialect.breaks
        self.notes = self.dialect.notes()
        self.schema = self._find_schema()
        self._block = max(self._block, BLOCK_PER_COLUMN * len(self.schema))

    def _look(self, head: bytes, whole: bool) -> Dialect:
        return find_dialect(self.path, head, whole, self.text)

    def _find_schema(self) -> pa.Schema:
        """Return the columns, with the types that the first rows have."""
        from pyarrow import csv

        options = csv.ConvertOptions(decimal_point=self.dialect.decimal)
        options.null_values = [*options.null_values, *self._nulls()]
        # To find a type, Arrow tries one after the other, which takes long of very many columns.
        options.column_types = dict.fromkeys(self.dialect.fractions, pa.float64())
        schema = self._opened_schema(options)
        for i, field in enumerate(schema):
            if pa.types.is_binary(field.type):
                self._refuse_not_utf8(field.name)
            if field.name in self.dialect.lists:
                schema = schema.set(i, pa.field(field.name, pa.list_(pa.float64())))
            if field.name in self.dialect.percents:
                schema = schema.set(i, pa.field(field.name, pa.float64()))
        return schema

    def pieces(self, column: str) -> list[int]:
        """Count the rows by a pass over the file: its quotes say which line breaks end a row."""
        from pyarrow import csv

        # The cells are read as bytes, so that none is refused here, but only when it is used.
        options = csv.ConvertOptions(include_columns=[column], column_types={column: pa.binary()})
        return [sum(batch.num_rows for batch in self._stream(options, threads=False))]

    def batches(self, wanted: Wanted) -> Iterator[pa.RecordBatch]:
        """Yield batches as the parser makes them."""
        from pyarrow import csv

        readers = dict.fromkeys(self.dialect.lists, read_lists)
        readers |= dict.fromkeys(self.dialect.percents, read_percents)
        readers = {n: read for n, read in readers.items() if wanted.types.get(n) != pa.string()}
        asked = {name: kind for name, kind in wanted.types.items() if name not in readers}
        options = csv.ConvertOptions(
            include_columns=wanted.columns,
            column_types=self._seen_types(wanted.columns) | asked,
            null_values=self._nulls(),
            decimal_point=self.dialect.decimal,
        )
        row, changed = 0, None
        for batch in self._stream(options, threads=wanted.threads):
            if changed is None:
                changed = [
                    i for i, field in enumerate(batch.schema) if pa.types.is_string(field.type)
                ]
            for i in changed:
                name = batch.schema.names[i]
                column = batch.column(i)
                if name in readers:
                    column = readers[name](self.path, name, column, self.dialect.decimal, row)
                else:
                    column = self._read_text(column, is_label=name not in asked)
                batch = batch.set_column(i, name, column)
            yield batch
            row += batch.num_rows

    def _seen_types(self, columns: list[str]) -> Types:
        """Return the types that Arrow finds in the first rows, where it takes NaN for missing."""
        kinds = {name: self.schema.field(name).type for name in columns}
        texts = {*self.dialect.lists, *self.dialect.percents}
        return {
            name: pa.string() if name in texts else kind
            for name, kind in kinds.items()
            if not pa.types.is_null(kind)
        }

    def _nulls(self) -> list[str]:
        words = [*NULLS, *self.missing]
        return [*words, *(f" {word}" for word in words)] if self.dialect.blanks else words

    def _read_text(self, column: pa.Array, *, is_label: bool) -> pa.Array:
        """Return text without blanks around it, if the dialect has such; blank labels are null."""
        from pyarrow import compute as pc  # it takes long to load

        if self.dialect.blanks:
            column = pc.utf8_trim(pc.utf8_trim_whitespace(column), self.dialect.quote)
        if not is_label:
            return column
        labels = column.dictionary_encode()  # few of them differ
        if pc.any(self._is_missing(labels.dictionary)).as_py():
            nothing = pa.scalar(None, pa.string())
            labels = pc.if_else(self._is_missing(column), nothing, column).dictionary_encode()
        return labels

    def _is_missing(self, texts: pa.Array) -> pa.Array:
        from pyarrow import compute as pc  # it takes long to load

        words = pa.array(["", *self.missing])
        return pc.is_in(pc.utf8_trim_whitespace(texts), value_set=words)

    # How it is opened

    def _open(self, options: Any, *, threads: bool) -> Any:
        from pyarrow import csv

        dialect = self.dialect
        read = csv.ReadOptions(
            block_size=self._block,
            use_threads=threads,
            skip_rows=dialect.skip,
            column_names=None if dialect.names is None else list(dialect.names),
            encoding=dialect.encoding,
        )
        parse = csv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char=dialect.quote,
            newlines_in_values=self._breaks,
            **self.more_parsing,
        )
        file = open_unpacked(self.system, self.path)
        return csv.open_csv(file, read, parse, convert_options=options)

    def _opened_schema(self, options: Any) -> pa.Schema:
        try:
            with self._open(options, threads=False) as stream:
                return stream.schema
        except (pa.ArrowInvalid, UnicodeError):
            options.column_types = {}  # a later cell may be no number
        while True:
            try:
                with self._open(options, threads=False) as stream:
                    return stream.schema
            except (pa.ArrowInvalid, UnicodeError) as error:
                self._recover(error, options)

    def _stream(self, options: Any, *, threads: bool) -> Iterator[pa.RecordBatch]:
        """Yield all batches; where Arrow cannot go on, the file is opened again in another way."""
        done = 0
        while True:
            try:
                with self._open(options, threads=threads) as stream:
                    known = done  # rows that were given before the file was opened again
                    for batch in stream:
                        new = batch.slice(min(known, batch.num_rows))
                        known -= batch.num_rows - new.num_rows
                        done += new.num_rows
                        yield new
                return
            except (pa.ArrowInvalid, UnicodeError) as error:
                self._recover(error, options)

    def _recover(self, error: Exception, options: Any) -> None:
        """Prepare to open the file in another way, or refuse it."""
        if isinstance(error, UnicodeError):
            if self.dialect.encoding == "utf-8":
                self._refuse_not_utf8(None)
            refuse_coded(self.path, self.dialect.encoding, error)
        too_long = any(said in str(error) for said in TOO_LONG)
        if too_long and self._bytes is not None and 2 * self._bytes < self._block:
            raise TableError(f"{self.path}: no rows") from error
        if too_long and self._block < LARGEST_BLOCK:
            self._block *= 4
        elif not self._breaks and any(said in str(error) for said in CUT_IN_CELL):
            self._breaks = True  # what looks like a short row may be cut at a break in a cell
        else:
            self._explain(options)
            raise error

    def _refuse_not_utf8(self, column: str | None) -> NoReturn:
        """Refuse text that is not UTF-8 beyond the head; the head may show what encoding it is."""
        where = self.path if column is None else f"{self.path}: column {column!r}"
        refuse_not_utf8(where, read_head(self.system, self.path)[0])

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
            first = 1 + self.dialect.skip + (self.dialect.names is None)
            if found := NOT_UTF8.match(text):
                self._refuse_not_utf8(self.schema.names[int(found[1])])
            if found := BAD_CELL.match(text):
                column, line, kind, value = found.groups()
                name = f"{self.path}: column {self.schema.names[int(column)]!r}"
                expected = f"hold {'numbers' if kind == 'double' else kind}"
                if kind == "double":
                    expected += _way_on(
                        value.strip(" '"),
                        first=int(line) == first,
                        headed=self.text.header is not None,
                    )
                if self.dialect.decimal == "." and WITH_COMMA.fullmatch(value.strip("' ")):
                    expected += " (--decimal , where a comma is the decimal mark)"
            elif found := BAD_LINE.match(text):
                line, wanted, came, value = found.groups()
                name, expected = f"{self.path}: not a readable CSV file: a row", f"have {wanted}"
                if value.lstrip().startswith("#"):
                    expected += " (a comment may stand above the names alone: take this line out)"
                value = f"{came}: {value}"
            else:
                return
            row = f"row {int(line) - first}, counting from 0 below the header"
            refuse(name, expected, f"{value} ({row})", error=TableError)
