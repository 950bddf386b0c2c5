"""What the sentences about a comparison share: who is better, what each costs, what is paired."""

from __future__ import annotations

from plogq.compare.result import TIE, Comparison
from plogq.formulas.units import Unit, plural
from plogq.reports.findings.figures import PER_ROW, PLAIN
from plogq.reports.findings.lm import PARTS
from plogq.reports.numbers import amount


def impossible(result: Comparison) -> str:
    """Return what a probability of 0 may come from."""
    if result.per == "row":
        return "a wrong label, or a probability that was rounded or clipped to 0"
    return "a logprob that was rounded or cut off"


def same(result: Comparison) -> bool:
    """Return whether the difference is 0, or no more than rounding."""
    return result.difference is not None and abs(result.difference) <= TIE


def paired_what(result: Comparison) -> str:
    """Return what is paired: row or document."""
    return "row" if result.per == "row" else "document"


def grouped(result: Comparison) -> bool:
    """Return whether rows are drawn by groups."""
    return "group" in result.a.source.columns


def costs(result: Comparison) -> tuple[float, float]:
    """Return what A and B cost, unit per row or per part of the text."""
    name = "cross_entropy" if result.per == "row" else f"cross_entropy_per_{result.per}"
    return getattr(result.a, name), getattr(result.b, name)


def each(result: Comparison, cost: float) -> str:
    """Return a cost with its unit, per row or per part of the text."""
    return f"{amount(cost, result.unit)} per {result.per}"


def better_first(difference: float) -> tuple[str, str]:
    """Return the names of the better model and of the other one."""
    return ("A", "B") if difference < 0 else ("B", "A")


OF_ROWS = ("cross_entropy", "perplexity", "accuracy", "brier", "prediction_entropy",
           "overconfidence")  # fmt: skip


def own_figures(unit: Unit) -> dict[str, str]:
    """Return the figures of a model and their names: of predictions, then of tokens."""
    names = PER_ROW | PLAIN
    found = {key: names[key][0] for key in OF_ROWS}
    for of, (_, cost, perplexity) in PARTS.items():
        found[cost] = f"{plural(unit)} per {of}"
        if perplexity is not None:
            found[perplexity] = f"perplexity per {of}"
    return found
