"""The parts of every report on the terminal: tables, numbers, names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, RenderableType
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from plogq.errors import printable
from plogq.reports.findings.finding import QUESTIONS, Finding
from plogq.reports.findings.words import plain

NARROWEST = 12  # of a column that is cut to fit
NARROWEST_NAME = 4


def table(*columns: str | tuple[str, str]) -> Table:
    """Return an empty table without lines: columns of names, of numbers ("right"), then of notes.

    On a narrow terminal notes are cut to fit; those that are "whole" are left out instead.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        kind, header = column if isinstance(column, tuple) else ("left", column)
        table.add_column(
            header,
            justify="right" if kind == "right" else "left",
            no_wrap=True,
            overflow="crop" if kind == "whole" else "ellipsis",
        )
    return table


def print_sections(sections: Iterable[list[Text | Table]], console: Console | None = None) -> None:
    """Print texts and tables, and which columns were left out on a narrow terminal."""
    console = console or Console(highlight=False)
    left_out: dict[str, None] = {}
    for number, section in enumerate(sections):
        if number:
            console.print()
        for piece in section:
            if isinstance(piece, Table):
                left_out |= dict.fromkeys(_fit(piece, console))
            print_piece(piece, console)
    if left_out:
        console.print()
        said = f"{console.width} columns are too few for: {', '.join(left_out)}."
        print_piece(Text(said, style="dim"), console)


def print_piece(piece: RenderableType, console: Console) -> None:
    """Print without the spaces that line ends are filled up with."""
    for line in Segment.split_lines(console.render(piece)):
        while line and not line[-1].text.strip():
            line.pop()
        if line:
            line[-1] = Segment(line[-1].text.rstrip(), line[-1].style)
        console.print(Segments([*line, Segment.line()]), end="", crop=False)


def _fit(table: Table, console: Console) -> list[str]:
    """Fit a table to the terminal, and return the headers of the columns that are left out.

    The notes behind the numbers are cut first, then the names. Numbers stay whole; where that is
    not enough, the last ones are left out.
    """
    widths = [
        max((cell if isinstance(cell, Text) else Text(str(cell))).cell_len for cell in cells)
        for cells in ([column.header, *column.cells] for column in table.columns)
    ]
    spare = console.width - sum(widths) - 2 * (len(widths) - 1)
    numbers = [i for i, column in enumerate(table.columns) if column.justify == "right"]
    dropped = set()
    for i in [i for i in range(len(widths) - 1, numbers[0], -1) if i not in numbers]:
        may_cut = table.columns[i].overflow == "ellipsis"
        if spare < 0 and may_cut and widths[i] + spare >= NARROWEST:
            widths[i], spare = widths[i] + spare, 0
        elif spare < 0:
            spare += widths[i] + 2
            dropped.add(i)
    names = range(numbers[0])
    while spare < 0 and any(widths[i] > NARROWEST_NAME for i in names):
        widths[max(names, key=lambda i: widths[i])] -= 1
        spare += 1
    while spare < 0 and len(numbers) > 1:
        spare += widths[numbers[-1]] + 2
        dropped.add(numbers.pop())
    for column, width in zip(table.columns, widths, strict=True):
        column.min_width = column.max_width = width
    headers = [" ".join(str(table.columns[i].header).split()) or "notes" for i in sorted(dropped)]
    table.columns = [column for i, column in enumerate(table.columns) if i not in dropped]
    for i, column in enumerate(table.columns):
        column._index = i  # the last one is not padded
    return headers


def name(name: str, width: int = 16) -> Text:
    """Return a name to print as it is: a string would be read as rich's markup."""
    shown = printable(name)
    return Text(shown if len(shown) <= width else shown[: width - 1] + "…")


def headline(*answers: str | None) -> list[Text | Table]:
    """Return the lines of the first screen: how good, against what, what to do, how sure.

    A question without an answer is not shown.
    """
    styles = ("bold green", *["bold"] * (len(QUESTIONS) - 1))
    return [
        Text.assemble((f"{question}: ", style), plain(answer))
        for style, question, answer in zip(styles, QUESTIONS, answers, strict=True)
        if answer
    ]


def section(finding: Finding, *body: Table) -> list[Text | Table]:
    """Return a finding: its title, its tables, what that means, what to do."""
    text = [_plain(finding.text, "dim")] if finding.text else []
    advice = [_plain(finding.advice)] if finding.advice else []
    return [_plain(finding.title, "bold"), *body, *text, *advice]


def _plain(text: str, style: str = "") -> Text:
    return Text(plain(text), style=style)


def caution(warning: str) -> Text | Table:
    """Return a warning to print."""
    return _plain(f"! {warning}", "yellow")


def notes(source: dict[str, Any]) -> list[Text | Table]:
    """Return the line on how a table was read."""
    said = " ".join(source.get("notes", []))
    return [_plain(said, "dim")] if said else []
