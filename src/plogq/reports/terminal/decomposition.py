"""The decomposition on the terminal: two bars for the loss, and the ways of recalibrating."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from plogq.reports.findings.calibration import Way
from plogq.reports.numbers import figure
from plogq.reports.terminal.text import table
from plogq.score.result import Result

# Resolution, refinement, miscalibration: marks that differ without colours, too.
MARKS = (("━", "cyan"), ("█", "blue"), ("░", "yellow"))
LABELS = 15
WIDEST = 100


def stack(result: Result, width: int) -> list[Text]:
    """Return label entropy = resolution + refinement over cross-entropy = refinement + the rest.

    Both bars have one scale, and the refinement of both is in the same place. A bar of infinite
    length ends in ∞. The list is empty where refinement is not known.
    """
    if result.refinement is None or result.resolution is None or result.miscalibration is None:
        return []
    start = min(0.0, result.label_entropy - result.refinement)
    knee, end = result.label_entropy - result.refinement, result.label_entropy
    infinite = math.isinf(result.miscalibration)
    last = end + (0.0 if infinite else result.miscalibration)
    cells = max(10, min(width, WIDEST) - LABELS - (6 if infinite else 0))
    per = cells / (last - start) if last > start else 0.0

    def at(value: float) -> int:
        return round((value - start) * per)

    top = Text.assemble(_label("label entropy"), " " * at(0), _mark(0, at(knee) - at(0)))
    top.append_text(_mark(1, at(end) - max(at(knee), at(0))))
    bottom = Text.assemble(
        _label("cross-entropy"), " " * at(knee), _mark(1, at(end) - at(knee)),
        _mark(2, 3 if infinite else at(last) - at(end)), "> ∞" if infinite else "",
    )  # fmt: skip
    figures = (result.resolution, result.refinement, result.miscalibration)
    names = ("resolution", "refinement", "miscalibration")
    legend = [
        Text.assemble(_mark(i, 1), f" {name} {figure(value)}")
        for i, (name, value) in enumerate(zip(names, figures, strict=True))
    ]
    one_line = Text("   ").join(legend)
    return [top, bottom, *([one_line] if one_line.cell_len <= width else legend)]


def _mark(which: int, cells: int) -> Text:
    mark, style = MARKS[which]
    return Text(mark * max(0, cells), style=style)


def _label(name: str) -> Text:
    return Text(f"{name:<{LABELS}}", style="dim")


def ways(found: Sequence[Way], units: str) -> list[Text | Table]:
    """Return what each way of recalibrating costs on rows that it was not fitted to, as a table."""
    if not found:
        return []
    out = table("held out, under", ("right", units), ("right", "saved"), "")
    for way in found:
        taken = f"← {way.outcome}" if way.taken else way.outcome
        cost, saved = figure(way.cross_entropy), figure(way.saved)
        out.add_row(way.name, cost, saved, Text(taken, style="dim"))
    return [out]
