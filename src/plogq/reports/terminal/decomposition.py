"""The decomposition on the terminal: the stack of bits, what it says to do, the families."""

from __future__ import annotations

import math
from typing import Any

from rich.table import Table
from rich.text import Text

from plogq.reports.numbers import UNKNOWN, count, figure, percent
from plogq.reports.terminal.text import table
from plogq.reports.verdict import LEAVE, how, untried
from plogq.score.result import Result

# Resolution, refinement, miscalibration: told apart without colours too.
MARKS = (("━", "cyan"), ("█", "blue"), ("░", "yellow"))
LABELS = 15
WIDEST = 100


def stack(result: Result, width: int) -> list[Text]:
    """Draw label entropy = resolution + refinement over cross-entropy = refinement + the rest.

    To one scale, the refinement of both in the same place. What is infinite runs out of the
    picture.
    """
    assert result.refinement is not None
    assert result.miscalibration is not None
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


def advice(result: Result) -> Text:
    """Say what the decomposition says to do."""
    found = result.recalibration
    if found is None or result.refinement is None or result.miscalibration is None:
        return Text(
            "Too few rows to learn from how to mend labels of probability 0, and what that costs."
        )
    if why := untried(found):
        return Text.assemble(
            ("No recalibration could be tried", "bold"),
            f" ({why}): {LEAVE}.",
        )
    left = f"{figure(result.refinement)} {result.unit}s"
    if found["family"] == "identity":
        ends = result.intervals.get("miscalibration")
        more = f" At most {figure(ends[1])} would be saved." if ends and ends[1] > 0 else ""
        return Text.assemble(
            ("No recalibration helps", "bold"),
            f", as far as {count(found['rows'], 'row')} can tell: {LEAVE}.{more} "
            f"What is left, {left}, takes a better model or better features.",
        )
    text = Text.assemble(("Recalibrate", "bold"), f": {_how(result, found)}. ")
    if math.isinf(result.miscalibration):
        return text.append(f"Then no label is impossible, and one costs {left}.")
    share = result.miscalibration / result.cross_entropy
    return text.append(
        f"That saves {figure(result.miscalibration)} {result.unit}s per row{_interval(result)}, "
        f"{percent(share)} of the cross-entropy. What is left, {left}, takes a better model or "
        "better features."
    )


def _interval(result: Result) -> str:
    ends = result.intervals.get("miscalibration")
    return f" ({figure(ends[0])} to {figure(ends[1])})" if ends else ""


def _how(result: Result, found: dict[str, Any]) -> str:
    parameters = found["parameters"]
    if found["family"] == "vector":
        return "give each class a scale and a bias of its own (they are in the JSON)"
    if found["family"] == "isotonic":
        each = "the probabilities" if len(result.classes) == 2 else "each class, then normalise"
        return f"isotonic regression of {each} (its steps are in the JSON)"
    if "temperature" not in parameters:
        return f"recalibrate by {how(found['family'])} (its parameters are in the JSON)"
    t = parameters["temperature"]
    text = f"divide the logits by {figure(t)}"
    if result.kind != "logits":
        text = f"raise the probabilities to the power {figure(1 / t)} and normalise"
    if found["family"] == "temperature+base":
        text += f", then mix in {parameters['epsilon']:.2g} of the classes' frequencies"
    return text


def families(found: dict[str, Any], unit: str) -> Table:
    """Give what each family of recalibrations costs on rows that it was not fitted to."""
    out = table("held out, under", ("right", unit + "s"), ("right", "saved"), "")
    base = found["cross_entropy"]["identity"]
    for family, cost in found["cross_entropy"].items():
        saved = None if math.isinf(base) or family == "identity" else base - cost
        name = "as they are" if family == "identity" else family
        taken = "← taken: the simplest of the best" if family == found["family"] else ""
        out.add_row(name, figure(cost), figure(saved), Text(taken, style="dim"))
    for family, why in found["aside"].items():
        out.add_row(family, UNKNOWN, UNKNOWN, Text(f"not tried: {why}", style="dim"))
    return out
