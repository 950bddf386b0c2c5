"""A recalibration on the terminal: what was fitted, what was written, what was kept."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from plogq.compare.validate import Validation
from plogq.formulas.units import plural
from plogq.reports.findings.finding import Finding
from plogq.reports.findings.recalibrate import figures, fit, validation
from plogq.reports.findings.words import plain
from plogq.reports.numbers import figure, span
from plogq.reports.terminal.decomposition import ways
from plogq.reports.terminal.text import caution, section, table
from plogq.score.result import Result
from plogq.tables.sums.level import PERCENT

Section = list[Text | Table]


def of_fit(r: Result) -> list[Section]:
    """Return what was read, the way that was taken and why, and what it promises."""
    found = fit(r)
    return [
        [*section(found.read), *map(caution, found.warnings)],
        [*section(found.taken), *ways(found.taken.ways, plural(r.unit))],
    ]


def of_applied(found: Finding, notes: list[str]) -> Section:
    """Return what was written, and what to keep in mind."""
    return [*section(found), *(Text(plain(note), style="dim") for note in notes)]


def of_validation(v: Validation) -> Section:
    """Return what was saved beside what was promised."""
    out = table(v.source.paths[0], ("right", plural(v.unit)), ("whole", f"{PERCENT} interval"))
    for name, value, ends in figures(v):
        out.add_row(name, figure(value), "" if ends is None else span(ends))
    return [*section(validation(v), out), *(caution(each.message) for each in v.warnings)]
