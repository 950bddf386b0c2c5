"""A comparison of two models in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

from plogq.compare.result import Comparison, PredictionFigures, TokenFigures
from plogq.formulas.units import plural
from plogq.records import Caution
from plogq.reports.findings.compare_advice import FEW, READING, advice
from plogq.reports.findings.compare_groups import groups
from plogq.reports.findings.compare_phrases import better_first, costs, each, paired_what, same
from plogq.reports.findings.finding import Finding
from plogq.reports.findings.source import files, read_as
from plogq.reports.findings.warnings import warning_text
from plogq.reports.numbers import amount, count, percent, span
from plogq.tables.sums.level import PERCENT

PAIRED = {"row order": "by their order", "id": "by id", "doc": "by name", "text": "by text"}


@dataclass(frozen=True)
class ComparisonWords:
    """The words of each section of the report, in its order; None where it has nothing to say."""

    a: Finding  # which file, and how it was read
    b: Finding
    paired: str
    doubts: list[str]  # warnings that the figures may not mean what they seem to
    headline: Finding  # how much better which model is, against what, and what to do
    sure: str  # how sure that is
    alone: Finding
    classes: Finding | None
    slices: dict[str, Finding]  # by column
    largest_a: Finding | None
    largest_b: Finding | None
    warnings: list[str]  # all other warnings


def findings(result: Comparison) -> ComparisonWords:
    """Return the words of a comparison."""
    what = paired_what(result)
    classes = result.per_class

    left = [w for w in result.warnings if w not in _narrow(result)]
    return ComparisonWords(
        a=_source("A", result.a),
        b=_source("B", result.b),
        paired=f"{_size(result)}, paired {PAIRED[result.pairing]}",
        doubts=[warning_text(w, what) for w in left if w.code in READING],
        headline=Finding(_title(result), _against(result), advice(result)),
        sure=_sure(result),
        alone=Finding("Each model by itself"),
        classes=groups(result, "Classes", classes, "class") if classes else None,
        slices={
            column: groups(result, f"Slices of {column}", values, column)
            for column, values in result.slices.items()
        },
        largest_a=_largest("A", bool(result.largest.a), what),
        largest_b=_largest("B", bool(result.largest.b), what),
        warnings=[warning_text(w, what) for w in left if w.code not in READING],
    )


def _source(who: str, side: PredictionFigures | TokenFigures) -> Finding:
    read = [f"{read_as(side.source)}."] if isinstance(side, TokenFigures) else []
    return Finding(f"{who} {files(side.source.paths)}", " ".join([*read, *side.source.notes]))


def _size(result: Comparison) -> str:
    size = count(result.rows, paired_what(result))
    if result.per != "row":
        size += f" of {count(round(result.weight), result.per)} that A scored"
    return size


def _title(result: Comparison) -> str:
    d = result.difference
    if d is None:
        return "Both A and B cost infinitely much"
    if same(result):
        return f"A and B cost the same: {each(result, costs(result)[0])}"
    better, other = better_first(d)
    if math.isinf(d):
        return f"{better} is clearly better: the cost of {other} is infinite"
    less = f"{better} costs {each(result, abs(d))} less than {other}"
    return f"{less}: clearly better" if result.winner is not None else f"{less}: not clear"


def _against(result: Comparison) -> str:
    """Return what each model costs, also without infinite costs, and where each is better."""
    a, b = costs(result)
    found = []
    if result.difference is not None and not same(result):
        found.append(f"A costs {each(result, a)}, B {amount(b, result.unit)}.")
    rest = result.difference_finite
    if math.isinf(max(a, b)) and rest is not None:
        gap = "both cost the same"
        if rest:
            gap = f"{better_first(rest)[0]} costs {each(result, abs(rest))} less"
        found.append(f"{_possible(result).capitalize()}, {gap}.")
    wins = result.wins
    if wins is not None and wins.tie == 1:
        found.append(f"Neither is better on any {paired_what(result)}.")
    elif wins is not None:
        ties = f", neither on {percent(wins.tie)}" if wins.tie else ""
        on = f"{percent(wins.a)} of the {paired_what(result)}s"
        found.append(f"A is better on {on}, B on {percent(wins.b)}{ties}.")
    return " ".join(found)


def _possible(result: Comparison) -> str:
    if result.per == "row":
        return "over the rows that are possible under both"
    return "without the tokens of probability 0"


def _sure(result: Comparison) -> str:
    """Return how far the interval reaches, and whether it is too narrow."""
    ends = result.intervals.get("difference_finite")
    if ends is None and not math.isfinite(max(costs(result))):
        return "An infinite difference has no interval."
    if ends is None:
        return "No interval says how sure that is."
    over = f", {_possible(result)}" if math.isinf(max(costs(result))) else ""
    zero = "inside" if ends[0] <= 0 <= ends[1] else "outside"
    few = "".join(f" But {w.message}." for w in _narrow(result))
    reach = f"{span(ends)} {plural(result.unit)} per {result.per}"
    return f"{PERCENT} interval of A − B{over}: {reach}; 0 is {zero}.{few}"


def _narrow(result: Comparison) -> list[Caution]:
    """Return the warnings that the interval of the difference is too narrow."""
    some = "difference_finite" in result.intervals
    return [w for w in result.warnings if some and w.code in FEW]


def _largest(who: str, some: bool, what: str) -> Finding | None:
    return Finding(f"{what.capitalize()}s where {who} is better by most") if some else None
