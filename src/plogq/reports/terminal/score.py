"""A result on the terminal: the words of `plogq.reports.findings`, and tables of numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from plogq.reports.findings import Findings, findings
from plogq.reports.findings.classes import by_cost
from plogq.reports.findings.figures import FiguresFinding
from plogq.reports.findings.finding import Finding
from plogq.reports.findings.rows import by_slice_cost
from plogq.reports.numbers import count, figure, percent, span
from plogq.reports.terminal.decomposition import stack, ways
from plogq.reports.terminal.labels_code import code_table
from plogq.reports.terminal.text import caution, headline, name, print_sections, section, table
from plogq.score.parts import ClassFigures, ConfusionCell, ReliabilityBin, Slice, Surprise
from plogq.score.result import Result
from plogq.tables.sums.level import PERCENT

MOST_LISTED = 20
MOST_CELLS = 5
BAR = 20
BIN_DECIMALS = 2

Section = list[Text | Table]


def print_report(result: Result, console: Console | None = None) -> None:
    """Print the first screen, the figures, and where the cost comes from."""
    console = console or Console(highlight=False)
    print_sections(_sections(result, findings(result), console.width), console)


def _sections(r: Result, found: Findings, width: int) -> Iterator[Section]:
    yield _first_screen(r, found)
    yield [*section(found.loss), *stack(r, width)]
    yield [*section(found.figures), _figures(found.figures, found.units)]
    if found.recalibration is not None:
        yield [*section(found.recalibration), *ways(found.recalibration.ways, found.units)]
    if found.temperature is not None:
        yield section(found.temperature)
    if found.reliability is not None:
        yield [*section(found.reliability), _reliability(r.reliability)]
    if found.classes is not None:
        yield [*section(found.classes), *_classes(by_cost(r), found.units)]
    if found.confusion is not None:
        yield [*section(found.confusion), *_confusion(r.confusion, found.units)]
    for finding in (found.surprisal, found.pointwise):
        if finding is not None:
            yield section(finding)
    if found.surprises is not None:
        yield [*section(found.surprises), _surprises(found.surprises.rows, found.units)]
    for each in found.slices:
        yield [*section(each), *_slices(by_slice_cost(r.slices[each.column]), found.units)]
    if found.code is not None and r.code is not None:
        yield [*section(found.code), code_table(r.code)]
    if found.measures is not None:
        yield [*section(found.measures), _figures(found.measures, "")]


def _first_screen(r: Result, found: Findings) -> Section:
    head = found.headline
    return [
        *section(Finding(r.source.paths[0], head.read)),
        Text(),
        *headline(*(each.text for each in head.answers)),
        *map(caution, head.warnings),
    ]


def _cut(out: Table, shown: int, of: int) -> Section:
    """Return a table, with a line that says so where it has only the first rows."""
    return [out] if of <= shown else [out, Text(f"The first {shown} of {of:,}.", style="dim")]


def _figures(found: FiguresFinding, units: str) -> Table:
    intervals = any(each.interval is not None for each in found.figures)
    out = table("", ("right", units), ("whole", f"{PERCENT} interval" if intervals else ""), "")
    for each in found.figures:
        out.add_row(each.name, each.text(), each.between(), Text(each.meaning, style="dim"))
    return out


def _reliability(bins: Sequence[ReliabilityBin]) -> Table:
    out = table("confidence", ("right", "rows"), ("right", "mean"), ("right", "accuracy"), "")
    for each in bins:
        if each.confidence is not None and each.accuracy is not None:
            out.add_row(
                span(each.bin, BIN_DECIMALS),
                count(each.rows),
                percent(each.confidence),
                percent(each.accuracy),
                _bar(each.accuracy, each.confidence),
            )
    out.columns[-1].header = Text("━ accuracy  │ confidence", style="dim")
    return out


def _bar(value: float, mark: float | None = None) -> Text:
    """Return a bar of a value in [0, 1], with a mark at another."""
    filled = round(value * BAR)
    text = Text("━" * filled + " " * (BAR + 1 - filled), style="cyan")
    if mark is not None:
        at = round(mark * BAR)
        text = Text.assemble(text[:at], ("│", "bold"), text[at + 1 :])
    return text


def _classes(classes: Sequence[ClassFigures], units: str) -> Section:
    out = table(
        "class",
        ("right", "rows"),
        ("right", units),
        ("right", "share"),
        "",
        ("right", "accuracy"),
        "mistaken for",
    )
    for each in classes[:MOST_LISTED]:
        mistaken = Text(", ").join(
            name(other, 12).append(f" ×{n:,}") for other, n, _ in each.mistaken_for[:2]
        )
        out.add_row(
            name(each.name),
            count(each.rows),
            figure(each.cross_entropy),
            percent(each.share),
            Text("━" * round((each.share or 0.0) * 10), style="cyan"),
            percent(each.accuracy),
            mistaken,
        )
    return _cut(out, MOST_LISTED, len(classes))


def _confusion(cells: Sequence[ConfusionCell], units: str) -> Section:
    wrong = [cell for cell in cells if cell.label != cell.predicted]
    if not wrong:
        return []
    out = table("label", "predicted", ("right", "rows"), ("right", units))
    for each in wrong[:MOST_CELLS]:
        out.add_row(name(each.label), name(each.predicted), count(each.rows), figure(each.cost))
    return _cut(out, MOST_CELLS, len(wrong))


def _slices(groups: Sequence[tuple[str, Slice]], units: str) -> Section:
    out = table("value", ("right", "rows"), ("right", units), ("right", "gain"))
    for value, each in groups[:MOST_LISTED]:
        out.add_row(
            name(value, 30),
            count(each.rows),
            figure(each.cross_entropy),
            figure(each.information_gain),
        )
    return _cut(out, MOST_LISTED, len(groups))


def _surprises(rows: Sequence[Surprise], units: str) -> Table:
    named = any(each.id is not None for each in rows)
    out = table("id" if named else "row", "label", "predicted", ("right", units),
                ("right", "q(label)"))  # fmt: skip
    for each in rows:
        where: Any = each.id if named else each.row
        out.add_row(
            name(str(where), 24),
            name(each.label),
            name(each.predicted),
            figure(each.surprisal),
            figure(each.q_label),
        )
    return out
