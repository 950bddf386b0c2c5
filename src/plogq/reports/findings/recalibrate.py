"""The words on a recalibration that is fitted, applied, or tried on rows that it has not seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

from plogq.compare.validate import Validation
from plogq.kinds import Interval
from plogq.reports.findings.calibration import RecalibrationFinding, recalibration
from plogq.reports.findings.finding import Finding
from plogq.reports.findings.headline import headline
from plogq.reports.numbers import amount, rows, span
from plogq.reports.verdict import LEAVE, how, recalibrate_or_leave
from plogq.score.recalibrate import IDENTITY, Recalibration
from plogq.score.result import Result
from plogq.tables.sums.level import PERCENT

OUTCOMES = {
    "kept": "The promise is kept",
    "more": "It saves more than was promised",
    "less": "It saves less than was promised",
    None: "What it saves on rows that it was not fitted to",
}


@dataclass(frozen=True)
class FitFindings:
    """The words on a fit: what was read, the warnings, and the way that was taken."""

    read: Finding
    warnings: tuple[str, ...]
    taken: RecalibrationFinding


def fit(r: Result) -> FitFindings:
    """Return what a fit is made of, which way it takes and why, and what that promises."""
    head = headline(r)
    found = recalibration(r)
    if found is None:
        found = RecalibrationFinding(LEAVE, advice=recalibrate_or_leave(r))
    return FitFindings(Finding(r.source.paths[0], head.read), head.warnings, found)


def applied(kept: Recalibration, done: int, path: str) -> Finding:
    """Return what was done to how many rows, and where they are."""
    if kept.family == IDENTITY:
        return Finding(f"{path}: {rows(done)}, their probabilities as they were",
                       "The calibration leaves the predictions as they are.")  # fmt: skip
    return Finding(f"{path}: {rows(done)}, recalibrated by {how(kept.family)}")


def validation(v: Validation) -> Finding:
    """Return whether a recalibration saves what was promised, and what to do."""
    if v.family == IDENTITY:
        cost = f"A label costs {amount(v.before, v.unit)} per row."
        return Finding("The calibration leaves the predictions as they are", cost)
    title = OUTCOMES[v.outcome]
    if v.saved is None:
        text = "Labels have probability 0 before and after: both cost infinitely much."
        return Finding(title, text, LEAVE + ".")
    text = (
        f"Over {rows(v.rows)} a label costs {amount(v.before, v.unit)} as it is, and "
        f"{amount(v.after, v.unit)} recalibrated."
    )
    if v.beyond is not None:
        text += f" That is {amount(abs(v.beyond), v.unit)} {_than(v.beyond)} was promised"
        text += f"{_between(v.beyond_interval)}."
    return Finding(title, text, _advice(v.saved, v.interval))


def figures(v: Validation) -> tuple[tuple[str, float | None, Interval | None], ...]:
    """Return the name, the number and the interval of each line of the table."""
    return (
        ("before", v.before, None),
        ("after", v.after, None),
        ("saved", v.saved, v.interval),
        ("promised", v.promise.saved, v.promise.interval),
    )


def _than(beyond: float) -> str:
    return "less than" if beyond < 0 else "more than"


def _between(ends: Interval | None) -> str:
    """Return the interval of what is saved beyond the promise, in brackets; '' without one."""
    if ends is None:
        return ""
    zero = "inside" if ends[0] <= 0 <= ends[1] else "outside"
    return f" ({PERCENT} interval of saved − promised {span(ends)}; 0 is {zero})"


def _advice(saved: float, ends: Interval | None) -> str | None:
    """Return what to do with a recalibration that saves so much of these rows."""
    if saved == math.inf or (ends is not None and ends[0] > 0):
        return "Recalibrate: these rows cost less with it."
    if saved == -math.inf or (ends is not None and ends[1] < 0):
        return f"{LEAVE}: these rows cost more with it. Fit it anew, to rows like these."
    return None if ends is None else "These rows do not show whether it helps: try it on more."
