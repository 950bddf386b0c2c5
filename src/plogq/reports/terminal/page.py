"""A report of sections on the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from plogq.reports.findings.lists import MOST_LISTED
from plogq.reports.findings.page import Cell, Page, Section
from plogq.reports.findings.words import plain
from plogq.reports.numbers import UNKNOWN, count, figure, percent, span
from plogq.reports.terminal.text import caution, headline, name, print_sections, section
from plogq.reports.terminal.text import table as empty_table

LONGEST = 36  # characters of a name


def print_page(page: Page, console: Console | None = None) -> None:
    """Print the first screen, and each section with its table."""
    print_sections(_sections(page), console)


def _sections(page: Page) -> Iterator[list[Text | Table]]:
    first = page.headline
    yield [
        Text(plain(first.read), style="dim"),
        Text(),
        *headline(*(each.text for each in first.answers)),
    ]
    yield from (section(each.words, _table(each)) for each in page.sections)
    yield from ([caution(warning)] for warning in first.warnings)


def _table(of: Section) -> Table:
    texts = ("name", "words")
    out = empty_table(*(c.name if c.kind in texts else ("right", c.name) for c in of.columns))
    for row in of.rows[:MOST_LISTED]:
        out.add_row(*(_cell(row[column.key], column.kind) for column in of.columns))
    return out


def _cell(value: Any, kind: Cell) -> str | Text:
    if value is None:
        return UNKNOWN
    match kind:
        case "number":
            return figure(value)
        case "percent":
            return percent(value)
        case "count":
            return count(value)
        case "interval":
            return span(value)
    return name(str(value), LONGEST)
