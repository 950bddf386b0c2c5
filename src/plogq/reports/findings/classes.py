"""Which classes the loss falls on, and what they are taken for."""

from __future__ import annotations

import math

from plogq.reports.findings.finding import Finding
from plogq.reports.findings.words import name
from plogq.reports.numbers import HALF, amount, percent, rows, together
from plogq.reports.surprises import dearest, doubtful
from plogq.reports.verdict import WRONG_LABELS
from plogq.score.parts import ClassFigures
from plogq.score.result import Result


def by_cost(r: Result) -> list[ClassFigures]:
    """Return the classes, those of infinite cost first, then by their share of the loss."""
    return sorted(
        r.per_class, key=lambda c: (c.cross_entropy == math.inf, c.share or 0.0), reverse=True
    )


def classes(r: Result) -> Finding | None:
    """Return on how few classes half of the loss falls."""
    known = sorted((c for c in r.per_class if c.share is not None), key=_share, reverse=True)
    endless = any(c.cross_entropy == math.inf for c in r.per_class)
    if not known and not endless:
        return None
    what = "the finite loss" if endless else "the loss"
    half, total = 0, 0.0
    for c in known:
        if total >= HALF:
            break
        half, total = half + 1, total + _share(c)
    if half > 1 and len(r.per_class) > 2:
        carried = percent(together(map(_share, known[:half])))
        title = f"{half:,} of {len(r.per_class):,} classes carry {carried} of {what}"
    elif known:
        title = f"{name(known[0].name)} carries {percent(_share(known[0]))} of {what}"
    else:
        title = "Every class with rows has one that costs infinitely much"
    return Finding(title, f"Each class by its share of {what}.{_dearest(r)}{_mistaken(known)}")


def _share(c: ClassFigures) -> float:
    return c.share or 0.0


def _dearest(r: Result) -> str:
    costs = {c.name: c.cross_entropy for c in r.per_class if c.cross_entropy is not None}
    finite = {each: cost for each, cost in costs.items() if math.isfinite(cost)}
    if not finite:
        return ""
    worst = max(finite, key=finite.__getitem__)
    of_finite = "" if len(finite) == len(costs) else ", of those that cost finitely much"
    return f" A row of {name(worst)} costs most{of_finite}: {amount(finite[worst], r.unit)}."


def _mistaken(known: list[ClassFigures]) -> str:
    worst = next((c for c in known if c.mistaken_for), None)
    if worst is None:
        return ""
    other, n, _ = worst.mistaken_for[0]
    were = "was" if n == 1 else "were"
    return f" Of {name(worst.name)}, {rows(n)} {were} taken for {name(other)}."


def confusion(r: Result) -> Finding | None:
    """Return what confusion costs most, and how much is paid where the top class is right."""
    if not r.confusion:
        return None
    total = r.cross_entropy
    wrong = [c for c in r.confusion if c.label != c.predicted]
    text = "What each label costs, by what was predicted."
    if 0 < total < math.inf:
        right = math.fsum(c.cost for c in r.confusion if c.label == c.predicted)
        text += (
            f" {percent(min(1.0, right / total))} of the loss is paid on rows whose top class is "
            "right: the model was not sure."
        )
    if not wrong:
        return Finding("No label is taken for another", text)
    worst = max(wrong, key=lambda c: c.cost)
    pair = f"{name(worst.label)} taken for {name(worst.predicted)}"
    if math.isinf(worst.cost):
        title = f"{pair} costs infinitely much"
    elif 0 < total < math.inf:
        title = f"{pair} costs most: {percent(worst.cost / total)} of the loss"
    else:
        title = f"{pair} costs most of the confusions"
    if worst.rows > 1:
        return Finding(
            title, text,
            f"Look at these {rows(worst.rows)} side by side: what tells the two classes apart?",
        )  # fmt: skip
    suspect = doubtful(dearest(r.surprises))
    return Finding(title, f"{text} That is one row.", f"{WRONG_LABELS}." if suspect else None)
