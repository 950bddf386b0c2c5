"""How the loss is spread over the rows, and over groups of them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from plogq.formulas.units import plural
from plogq.reports.findings.finding import Finding
from plogq.reports.findings.words import name
from plogq.reports.numbers import HALF, amount, percent, rows, said, together
from plogq.reports.surprises import dearest, doubtful
from plogq.reports.verdict import WRONG_LABELS
from plogq.score.parts import Slice, Surprise
from plogq.score.result import Result


@dataclass(frozen=True)
class SurprisesFinding(Finding):
    """The words on the rows that cost most, and these rows."""

    rows: tuple[Surprise, ...] = ()


@dataclass(frozen=True)
class SliceFinding(Finding):
    """The words on the groups by one column."""

    column: str = ""
    anchor: str = ""
    """The column's name in characters that may stand in an address or a file's name."""


def surprisal(r: Result) -> Finding | None:
    """Return what half of the rows cost at most, and how many cost more than with no model."""
    found = r.histograms.surprisal
    if found is None or not any((*found.weight, found.beyond, found.infinite)):
        return None
    total, half = 0.0, math.inf
    for share, edge in zip(found.weight, found.edges[1:], strict=True):
        total += share
        if total >= HALF:
            half = edge
            break
    starts = zip(found.weight, found.edges, strict=False)
    above = (share for share, low in starts if low > r.label_entropy)
    dear = together([found.beyond, found.infinite, *above])
    title = (
        f"Half of the rows cost less than {amount(half, r.unit)}"
        if math.isfinite(half)
        else f"Half of the rows cost more than {amount(found.edges[-1], r.unit)}"
    )
    part = percent(dear)
    at_least = {">": f"More than{part[1:]}", "<": "Some"}.get(part[0], f"At least {part}")
    least = (
        f" {at_least} of the rows cost more than the "
        f"{amount(r.label_entropy, r.unit)} of a label with no model."
    )
    return Finding(
        title,
        f"The cost of a row is its surprisal −log q(label).{least if dear > 0 else ''} Where a "
        "row costs far more than the others, the model is sure and wrong: the label may be wrong, "
        "or the input of a kind that the model has not seen.",
    )


def pointwise(r: Result) -> Finding | None:
    """Return on what share of the rows the model knows less than the class frequencies."""
    found = r.histograms.pointwise_information
    if found is None or not any((*found.weight, found.infinite)):
        return None
    below = (w for w, high in zip(found.weight, found.edges[1:], strict=True) if high <= 0)
    worse = together([found.infinite, *below])
    return Finding(
        f"On {percent(worse)} of the rows the model is worse than no model",
        "How much more probable the model made each label than its class frequency does: "
        f"log q(label) − log frequency, in {plural(r.unit)}. The mean is the information gain.",
        "Look for what the rows below 0 have in common: --slice COLUMN scores groups of them."
        if worse > 0
        else None,
    )


def surprises(r: Result) -> SurprisesFinding | None:
    """Return which row costs most; None where no row has a cost that a report would show."""
    dear = dearest(r.surprises)
    if not dear:
        return None
    suspect = doubtful(dear)
    first = next(item for item in dear if not suspect or item.label != item.predicted)
    which = f"row {first.row}" if first.row is not None else name(str(first.id))
    these = "This is the row" if len(dear) == 1 else f"These are the {len(dear):,} rows"
    these += " of the highest cost."
    if not suspect:
        return SurprisesFinding(
            "The rows that cost most were predicted right",
            f"The label of {which} has a probability of {said(first.q_label)}. {these}",
            rows=dear,
        )
    among = "" if first is dear[0] else " among those predicted otherwise"
    return SurprisesFinding(
        f"Most surprising{among}: {which}, labelled {name(first.label)}, predicted "
        f"{name(first.predicted)}",
        f"The model gave that label a probability of {said(first.q_label)}. {these}",
        f"{WRONG_LABELS}.",
        dear,
    )


def by_slice_cost(groups: dict[str, Slice]) -> list[tuple[str, Slice]]:
    """Return the groups, those that cost most first."""
    return sorted(groups.items(), key=lambda item: -(item[1].cross_entropy or 0.0))


def slices(r: Result) -> tuple[SliceFinding, ...]:
    """Return which group of each column costs most."""
    return tuple(_slice(r, column, groups) for column, groups in r.slices.items() if groups)


def _slice(r: Result, column: str, groups: dict[str, Slice]) -> SliceFinding:
    costs = {value: g.cross_entropy for value, g in groups.items() if g.cross_entropy is not None}
    anchor = re.sub(r"\W+", "-", column)[:40]
    text = f"The rows by {name(column)}, each group scored by itself."
    if len(costs) < 2:
        return SliceFinding(f"Groups by {name(column)}", text, None, column, anchor)
    worst, best = max(costs, key=costs.__getitem__), min(costs, key=costs.__getitem__)
    if costs[worst] == costs[best]:
        title = f"All groups by {name(column)} cost {amount(costs[worst], r.unit)} per row"
        return SliceFinding(title, text, None, column, anchor)
    return SliceFinding(
        f"{name(worst)} costs {amount(costs[worst], r.unit)} per row, {name(best)} "
        f"{said(costs[best])}",
        f"{text} {name(worst)} has {rows(groups[worst].rows)}. Groups may differ in how hard their "
        "labels are: compare information gain, not cost alone.",
        None,
        column,
        anchor,
    )
