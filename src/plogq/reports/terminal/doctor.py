"""A diagnosis on the terminal, and what the checks are."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from plogq.doctor.check import Check
from plogq.doctor.finding import Diagnosis
from plogq.reports.findings.doctor import Line, Role, listed, paragraphs
from plogq.reports.findings.words import plain
from plogq.reports.terminal.text import print_piece

STYLES: dict[Role, str] = {
    "headline": "bold",
    "title": "bold red",
    "evidence": "cyan",
    "words": "",
    "caution": "yellow",
    "aside": "dim",
}


def print_report(diagnosis: Diagnosis, console: Console | None = None) -> None:
    """Print how much was found, then each finding with its evidence."""
    console = console or Console(highlight=False)
    for number, lines in enumerate(paragraphs(diagnosis)):
        if number:
            console.print()
        for line in lines:
            print_piece(_shown(line), console)


def _shown(line: Line) -> Text | Padding:
    text = Text(plain(line.text), style=STYLES[line.role])
    return Padding(text, (0, 0, 0, 4)) if line.role in ("evidence", "words") else text


def print_list(checks: Iterable[Check]) -> None:
    """Print the code and the title of each check."""
    console = Console(highlight=False)
    for check in checks:
        console.print(Text.assemble((check.code, "bold"), f"  {listed(check)}"), soft_wrap=True)
