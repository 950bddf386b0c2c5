"""The labels that are likely wrong on the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from plogq.formulas.units import plural
from plogq.reports.findings.label_errors import findings
from plogq.reports.findings.lists import MOST_LISTED
from plogq.reports.numbers import figure, percent
from plogq.reports.terminal.text import caution, headline, name, print_sections, section, table
from plogq.score.label_noise.result import LabelErrors

MOST_PAIRS = 5


def print_report(found: LabelErrors, console: Console | None = None) -> None:
    """Print how many labels are likely wrong, which classes they confuse, and which rows."""
    print_sections(_sections(found), console)


def _sections(found: LabelErrors) -> Iterator[list[Text | Table]]:
    words = findings(found)
    yield [
        *section(words.read),
        Text(),
        *headline(*words.answers),
        *map(caution, words.warnings),
    ]
    if words.confused is not None:
        yield section(words.confused, _confused(found))
    if words.suspects is not None:
        yield [*section(words.suspects, _suspects(found)), *_cut(len(found.suspects))]


def _confused(found: LabelErrors) -> Table:
    out = table("label", "likely", ("right", "expected rows"))
    for each in found.confused[:MOST_PAIRS]:
        out.add_row(name(each.label), name(each.suggested), figure(each.rows, 1))
    return out


def _suspects(found: LabelErrors) -> Table:
    named = any(each.id is not None for each in found.suspects)
    out = table("id" if named else "row", "label", "likely", ("right", "probability"),
                ("right", plural(found.unit)))  # fmt: skip
    for each in found.suspects[:MOST_LISTED]:
        where: Any = each.id if named else each.row
        out.add_row(
            name(str(where), 24),
            name(each.label),
            name(each.suggested),
            percent(each.probability),
            figure(each.surprisal),
        )
    return out


def _cut(count: int) -> list[Text | Table]:
    """Return a line that says so where the table has only the first rows."""
    if count <= MOST_LISTED:
        return []
    return [Text(f"The first {MOST_LISTED} of {count:,}: --csv writes all.", style="dim")]
