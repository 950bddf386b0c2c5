"""How a text table is written, found by a look at its head; what an option says is not guessed."""

from __future__ import annotations

import codecs
import functools
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from plogq.errors import TableError, refuse
from plogq.tables.formats.percents import are_percents
from plogq.tables.formats.text_lists import are_lists, has_two_separators
from plogq.tables.formats.text_options import TextOptions

DELIMITERS = ",;\t|"
NAMES = {"\t": "tabs", " ": "blanks"}
BOMS = {  # the longer first: that of UTF-32 begins with that of UTF-16
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
RUN = re.compile(rb"[\x80-\xff]+")
OF_MANY_BYTES = ("gb18030", "shift_jis", "euc_kr", "cp1251")
SEP = re.compile(r"\"?sep=(.)\"?", re.IGNORECASE)
NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?")
FRACTION = re.compile(r"[.,]\d*[1-9]|\d[eE]|%")
WITH_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
WITH_POINT = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+")
MOST_ROWS = 50  # so many are looked at
MOST_CHARACTERS = 1 << 16  # the delimiter is looked for in so many


@dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    Attributes
    ----------
    encoding, delimiter, quote, decimal
        The encoding of the text, the marks between and around cells, and the decimal mark.
    skip
        How many lines come before the names; before the first row, where `names` are given.
    names
        Names of the columns; None where the first line that is not skipped has them.
    blanks
        Whether there are blanks around cells.
    lists
        Columns whose cells are lists of numbers.
    percents
        Columns whose cells are numbers with percent signs.
    breaks
        Whether cells hold line breaks.
    fractions
        Columns whose first cell is a number with a decimal mark, so that they can only be floats.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    decimal: str = "."
    skip: int = 0
    names: tuple[str, ...] | None = None
    blanks: bool = False
    lists: tuple[str, ...] = ()
    percents: tuple[str, ...] = ()
    breaks: bool = False
    fractions: tuple[str, ...] = ()

    def notes(self) -> list[str]:
        """Return notes on how the table is read, where most tables are written otherwise."""
        said = []
        if self.delimiter != ",":
            said.append(f"{NAMES.get(self.delimiter, repr(self.delimiter))} between columns")
        if self.decimal != ".":
            said.append(f"{self.decimal!r} as decimal mark")
        if self.encoding != "utf-8":
            said.append(f"the encoding {self.encoding}")
        notes = [f"Read with {' and '.join(said)}."] if said else []
        if self.names and self.names[0] == "":
            notes.append("The first cell of each row has no name above it: it names the row.")
        if self.lists:
            columns = ", ".join(self.lists)
            notes.append(f"The lists in {columns} were written as text.")
        if self.percents:
            notes.append(f"Percents, in {', '.join(self.percents)}: 70% is 0.7.")
        return notes


def find_dialect(path: str, head: bytes, whole: bool, text: TextOptions) -> Dialect:
    """Return how a text table is written, by its first bytes.

    Parameters
    ----------
    path
        What messages call it.
    head, whole
        The first bytes, and whether there are no others.
    text
        What the user says of it.

    Raises
    ------
    TableError
        It is empty, no text of the encoding, or begins with numbers where names belong.
    """
    encoding = find_encoding(path, head, whole, text.encoding)
    content = decoded(path, head, whole, encoding)
    start = _start(content)
    rest = content[start.end :]
    if not rest.strip():
        if start.comments:
            raise TableError(f"{path}: has nothing but comments")
        raise TableError(f"{path}: not a readable CSV file: it is empty")
    quote = _quote(rest)
    delimiter = text.delimiter or start.delimiter or _delimiter(path, rest, whole, quote)
    rows = list(_rows(rest, delimiter, quote, whole))
    first = rows[0].cells
    names, skip = None, start.lines
    blanks = rows[0].blanks or any(name != name.strip() for name in first)
    body = rows[1:]
    if text.header is not None:
        if _counts_columns(first, body):  # the numbers that pandas writes for want of names
            names, skip = text.header, skip + rows[0].lines
        elif list(text.header) != first:
            names, body = text.header, rows
    elif named := _named_by_comment(start.comments, first, delimiter, quote):
        names, body = named, rows
    elif rows[0].complete:
        _refuse_numbers(path, first, [row.cells for row in body if row.complete])
        unnamed = ("",) if _has_row_names(first, body) else ()
        if blanks or unnamed:
            names = (*unnamed, *(name.strip().strip(quote) for name in first))
            skip += rows[0].lines
    body = [row for row in body if row.complete][:MOST_ROWS]
    columns = names or tuple(first)
    cells = {name: [row.cells[j] for row in body if j < len(row.cells)]
             for j, name in enumerate(columns)}  # fmt: skip
    lists = tuple(name for name, column in cells.items() if are_lists(column))
    if text.decimal is None:
        for name in lists:
            _refuse_two_separators(path, name, cells[name])
    decimal = text.decimal or _decimal(cell.strip(" %") for row in body for cell in row.cells)
    fraction = WITH_POINT if decimal == "." else WITH_COMMA
    return Dialect(
        encoding,
        delimiter,
        quote,
        decimal,
        skip,
        names,
        blanks,
        lists,
        tuple(name for name, column in cells.items() if are_percents(column)),
        any("\n" in cell for row in rows for cell in row.cells),
        tuple(name for name, column in cells.items() if column and fraction.fullmatch(column[0])),
    )


# The encoding


def find_encoding(path: str, head: bytes, whole: bool, asked: str | None = None) -> str:
    """Return the encoding of a text: what is asked for, or by its first bytes, or UTF-8.

    Raises
    ------
    TableError
        It is another encoding, which could only be guessed.
    """
    if asked is not None:
        return asked
    for bom, name in BOMS.items():
        if head.startswith(bom):
            return name
    if b"\0" in head:
        even, odd = head[::2].count(0), head[1::2].count(0)
        if max(even, odd) < len(head) // 8 or min(even, odd) > max(even, odd) // 8:
            raise TableError(f"{path}: not a text file: it holds zero bytes")
        guess = "utf-16-le" if odd > even else "utf-16-be"
        _refuse_encoding(path, guess, "zero bytes")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=whole)
    except UnicodeDecodeError as error:
        line = head.count(b"\n", 0, error.start) + 1
        _refuse_encoding(path, _likely(head), f"byte {head[error.start]:#04x} in line {line}")
    return "utf-8"


def refuse_not_utf8(path: str, head: bytes) -> NoReturn:
    """Refuse text that turned out not to be UTF-8 beyond its head."""
    _refuse_encoding(path, _likely(head), "other bytes further on")


def decoded(path: str, head: bytes, whole: bool, encoding: str) -> str:
    r"""Return the text of a head, without a byte order mark, its lines ended by \n alone."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head, final=whole)
    except UnicodeError as error:
        refuse_coded(path, encoding, error)
    return io.StringIO(text, newline=None).read().removeprefix("\ufeff")


def refuse_coded(path: str, encoding: str, error: UnicodeError) -> NoReturn:
    """Refuse text that is not of the encoding it should be of."""
    reason = getattr(error, "reason", str(error))
    refuse(path, f"be text in the encoding {encoding}", f"bytes that are none: {reason}",
           error=TableError)  # fmt: skip


def _refuse_encoding(path: str, likely: str, came: str) -> NoReturn:
    expected = f"be UTF-8, or be told its encoding, perhaps --encoding {likely}"
    refuse(path, expected, came, error=TableError)


def _likely(head: bytes) -> str:
    """Return a guess: accented letters of Latin stand alone, letters of other scripts in runs."""
    runs = RUN.findall(head) or [b""]
    if sum(len(run) > 1 for run in runs) * 2 > len(runs):
        for name in OF_MANY_BYTES:
            try:
                codecs.getincrementaldecoder(name)().decode(head)
            except UnicodeDecodeError:
                continue
            return name
    return "cp1252"


# The lines before the names


class Start(NamedTuple):
    """What stands before the names."""

    lines: int
    end: int  # where the last of them ends, in characters
    delimiter: str | None  # as a line of spreadsheets says: sep=;
    comments: list[str]


def _start(text: str) -> Start:
    lines, end, delimiter = 0, 0, None
    comments: list[str] = []
    while end < len(text):
        stop = text.find("\n", end) + 1 or len(text)
        line = text[end:stop].strip()
        if lines == 0 and (found := SEP.fullmatch(line)):
            delimiter = found[1]
        elif lines == 0 and line.strip('"').lower() == "sep=":
            delimiter = "\t"  # which was stripped
        elif line.startswith("#"):
            comments.append(line)
        elif line:
            break
        lines, end = lines + 1, stop
    return Start(lines, end, delimiter, comments)


def _named_by_comment(
    comments: Sequence[str], first: Sequence[str], delimiter: str, quote: str
) -> tuple[str, ...] | None:
    """Return the names that the last comment has, as numpy.savetxt writes them, or #id,label."""
    if not comments or not any(NUMBER.fullmatch(cell.strip()) for cell in first):
        return None
    line = comments[-1]
    line = line[1:].strip() if line[1:2].isspace() else line
    [row] = list(_rows(line, delimiter, quote, True))[:1] or [Row([], 0, True, False)]
    names = tuple(name.strip() for name in row.cells)
    fits = len(names) == len(first) and not any(NUMBER.fullmatch(name) for name in names)
    return names if fits else None


def _has_row_names(first: Sequence[str], body: Sequence[Row]) -> bool:
    """Return whether rows begin with a name that has no name above it, as R writes them."""
    cells = [row.cells for row in body if row.complete]
    more = bool(cells) and all(len(row) == len(first) + 1 and row[-1].strip() for row in cells)
    named = [row[0] for row in cells] if more else []
    counted = named == [str(i + 1) for i in range(len(named))]
    texts = len(set(named)) == len(named) and not any(NUMBER.fullmatch(name) for name in named)
    return more and (counted or texts)


def _all_numbers(cells: Sequence[str]) -> bool:
    return all(NUMBER.fullmatch(cell.strip()) for cell in cells)


def _counts_columns(first: Sequence[str], body: Sequence[Row]) -> bool:
    """Return whether the first line only counts the columns, above rows with fractions."""
    cells = [cell.strip() for cell in first]
    counted = any(cells == [str(j + k) for j in range(len(cells))] for k in (0, 1))
    fractions = any(FRACTION.search(cell) for row in body for cell in row.cells)
    return len(cells) > 2 and counted and fractions


def _refuse_numbers(path: str, first: Sequence[str], body: Sequence[Sequence[str]]) -> None:
    """Refuse a first line of numbers; names that count the columns are pandas' own."""
    cells = [cell.strip() for cell in first]
    if not _all_numbers(cells):
        _refuse_a_row(path, cells, body)
        return
    if len(cells) > 1 and cells in ([str(j + k) for j in range(len(cells))] for k in (0, 1)):
        return
    shown = ",".join(cells[:6]) + (",…" if len(cells) > 6 else "")
    expected = "have names in its first line, or be told them: --header A,B,…"
    refuse(path, expected, f"numbers: {shown}", error=TableError)


def _refuse_a_row(path: str, first: Sequence[str], body: Sequence[Sequence[str]]) -> None:
    """Refuse a first line that is a row: with fractions, or words that come below again."""
    numbers = [cell for cell in first if NUMBER.fullmatch(cell.rstrip("% "))]
    again = [
        cell
        for j, cell in enumerate(first)
        if numbers and cell and cell not in numbers
        and any(row[j].strip() == cell for row in body if j < len(row))
    ]  # fmt: skip
    odd = [cell for cell in numbers if FRACTION.search(cell)] or again
    if odd:
        expected = (
            "have names in its first line, or be told them: --header A,B,… (the line itself, if "
            "these are names)"
        )
        refuse(path, expected, f"{odd[0]!r} in {','.join(first[:6])}", error=TableError)


# The cells


class Row(NamedTuple):
    """A row of cells."""

    cells: list[str]
    lines: int
    complete: bool
    blanks: bool  # whether there is a blank before a cell


@functools.cache
def _cell(delimiter: str, quote: str) -> re.Pattern[str]:
    d, q = re.escape(delimiter), re.escape(quote)
    quoted = rf" *{q}([^{q}]*(?:{q}{q}[^{q}]*)*)(?:{q}[^{d}\n]*|\Z)"
    return re.compile(rf"{quoted}|([^{d}\n]*)")


def _rows(text: str, delimiter: str, quote: str, whole: bool) -> Iterator[Row]:
    """Yield the first rows of a head, without blank lines; the last may be incomplete."""
    cell = _cell(delimiter, quote)
    at, count = 0, 0
    while at < len(text) and count <= MOST_ROWS:
        start, cells, blanks = at, [], False
        while True:
            blanks = blanks or text.startswith(" ", at)
            found = cell.match(text, at)
            assert found is not None  # the pattern also matches an empty cell
            plain = found[1] is None
            cells.append(found[2] if plain else found[1].replace(quote * 2, quote))
            at = found.end()
            if at == len(text) or text[at] == "\n":
                break
            at += 1
        line, complete = text[start:at], at < len(text) or whole
        at += 1
        if line.strip() or len(cells) > 1:
            count += 1
            yield Row(cells, line.count("\n") + 1, complete, blanks)


def _quote(text: str) -> str:
    """Return the quote: ' where all cells of the first line have it, and the text has no "."""
    line = text[: text.find("\n") + 1 or len(text)].strip()
    if not line.startswith("'"):
        return '"'
    for delimiter in DELIMITERS:
        cells = [cell.strip() for cell in line.split(delimiter)]
        single = all(len(cell) > 1 and cell[0] == cell[-1] == "'" for cell in cells)
        if single and '"' not in text:
            return "'"
    return '"'


def _delimiter(path: str, text: str, whole: bool, quote: str) -> str:
    """Return the character that cuts each row into as many cells as the first, more than one."""
    widths: dict[str, list[int]] = {}
    some, whole = text[:MOST_CHARACTERS], whole and len(text) <= MOST_CHARACTERS
    for delimiter in DELIMITERS + " ":
        rows = list(_rows(some, delimiter, quote, whole)) if delimiter in some else []
        widths[delimiter] = [len(row.cells) for row in rows if row.complete or row is rows[0]]
    cut = {delimiter: found for delimiter, found in widths.items() if found and found[0] > 1}
    blank = cut.pop(" ", None)
    even = {delimiter: found[0] for delimiter, found in cut.items() if _is_even(found)}
    best = [delimiter for delimiter, width in even.items() if width == max(even.values())]
    for delimiter in best:  # cut elsewhere, a line of numbers would not be all numbers
        if len(best) > 1 and _all_numbers(next(_rows(some, delimiter, quote, whole)).cells):
            return delimiter
    if len(best) > 1:
        shown = " or ".join(NAMES.get(delimiter, repr(delimiter)) for delimiter in best)
        expected = "be told what is between its columns, with --delimiter"
        refuse(path, expected, f"{shown}, either of which fits", error=TableError)
    if best:
        return best[0]
    if cut:  # rows of several lengths, which the reader refuses
        return max(cut, key=lambda delimiter: (delimiter == ",", cut[delimiter][0]))
    if blank is not None:
        one_row = len(blank) == 1 and not NUMBER.search(text)  # a name with a blank in it
        if _is_even(blank) and not one_row:
            return " "
        lengths = {len(line.split()) for line in text.split("\n")[: MOST_ROWS // 2] if line.strip()}
        if len(lengths) == 1 and "  " in text:
            refuse(
                path,
                "have one character between columns (tr -s ' ' makes one blank of several)",
                "columns that are padded with blanks",
                error=TableError,
            )
    return ","


def _is_even(widths: Sequence[int]) -> bool:
    """Return whether rows have one width; the first may lack a name above the names of rows."""
    return len(set(widths[1:])) <= 1 and widths[-1] - widths[0] in (0, 1)


# The numbers


def _decimal(cells: Iterator[str]) -> str:
    """Return the decimal mark.

    It is a comma where some numbers have a comma and none has a point. A number such as 1,234,
    whose comma may mark thousands, does not count; if the mark is then a point, that number is
    refused when it is read.
    """
    commas = False
    for cell in cells:
        if WITH_POINT.fullmatch(cell):
            return "."
        commas = commas or bool(WITH_COMMA.fullmatch(cell) and not THOUSANDS.fullmatch(cell))
    return "," if commas else "."


def _refuse_two_separators(path: str, name: str, cells: Sequence[str]) -> None:
    for cell in cells:
        if has_two_separators(cell):
            refuse(
                f"{path}: column {name!r}",
                "hold lists with one kind of separator, or be told what a comma is with --decimal",
                repr(cell[:60]),
                error=TableError,
            )
