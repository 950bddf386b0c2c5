"""What every report on the terminal is made of: tables, numbers, names."""

from __future__ import annotations

import math

from rich.console import Console
from rich.table import Table
from rich.text import Text

from plogq.score.errors import printable

NARROWEST = 12  # of a column that is cut to fit
NARROWEST_NAME = 4


def table(*columns: str | tuple[str, str]) -> Table:
    """Make a table without lines: of names, of numbers ("right"), of what may be left out.

    What may be left out is cut to fit, unless it is to be "whole" or not there.
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


def fit(table: Table, console: Console) -> None:
    """Cut what stands behind the numbers for a narrow terminal, then names; numbers stay whole.

    Where that does not do, the last numbers are left out.
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
    table.columns = [column for i, column in enumerate(table.columns) if i not in dropped]
    for i, column in enumerate(table.columns):
        column._index = i  # the last one is not padded


def number(value: float | None) -> str:
    """Show a figure in four decimals, or three digits where it is very small or large."""
    if value is None:
        return "-"
    if value == 0 or 1e-3 <= abs(value) < 1e6 or math.isinf(value):
        return f"{value:.4f}"
    return f"{value:.3g}"


def rows(n: int) -> str:
    """Show how many rows."""
    return "1 row" if n == 1 else f"{n:,} rows"


def percent(value: float | None) -> str:
    """Show a share."""
    return "-" if value is None else f"{value:.1%}"


def name(name: str, width: int = 16) -> Text:
    """Show a name as it is: a string would be read as rich's markup."""
    shown = printable(name)
    return Text(shown if len(shown) <= width else shown[: width - 1] + "…")
