"""How sure the model is: its temperature, its bins of confidence, and ways to recalibrate it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from plogq.reports.findings.finding import Finding
from plogq.reports.findings.words import sentence
from plogq.reports.numbers import amount, figure, percent, rows, span
from plogq.reports.verdict import LEAVE, how, recalibrate_or_leave, taken, untried
from plogq.score.parts import ReliabilityBin, Temperature
from plogq.score.result import Result
from plogq.tables.sums.level import PERCENT

AROUND = 4.0  # the curve is drawn from a quarter of the fitted temperature (or of 1) to 4 times it
APART = 0.3  # in log₂ T; dots nearer to each other would touch, so that one is drawn
NOT_BY_CHANCE = 3.0  # standard errors; with ten bins, by chance alone in about 3 tables of 100
AS_THEY_ARE = "as they are"
TAKEN = {True: "taken: as was asked", False: "taken: the simplest of the best"}


@dataclass(frozen=True)
class TemperatureFinding(Finding):
    """The words on temperature, and the curve of the loss over it."""

    level: str = PERCENT
    curve: tuple[tuple[float, float], ...] = ()
    points: tuple[dict[str, Any], ...] = ()
    ticks: tuple[float, ...] = ()


@dataclass(frozen=True)
class Way:
    """A way of recalibrating: what it costs and saves on rows that it was not fitted to."""

    name: str
    cross_entropy: float | None
    saved: float | None
    taken: bool
    outcome: str


@dataclass(frozen=True)
class RecalibrationFinding(Finding):
    """The words on recalibrating, and each way of doing it."""

    ways: tuple[Way, ...] = ()


def temperature(r: Result) -> TemperatureFinding | None:
    """Return whether dividing the logits by a temperature saves anything."""
    fit = r.temperature
    if fit is None:
        return None
    title, text = _of_temperature(r, fit)
    now = r.cross_entropy_finite
    points: list[dict[str, Any]] = []
    if now is not None:
        points.append({"x": 1, "y": now, "name": "now", "color": "ink"})
    low, high = 1 / AROUND, AROUND
    if fit.identified:
        t = fit.value
        low, high = low * min(1, t), high * max(1, t)
        fitted = {"x": t, "y": fit.cross_entropy, "name": f"T = {figure(t)}", "color": "gain"}
        points = [fitted] if abs(math.log2(t)) < APART else [*points, fitted]
    return TemperatureFinding(
        title,
        text,
        curve=tuple((t, loss) for t, loss in fit.curve if low <= t <= high),
        points=tuple(point for point in points if low <= point["x"] <= high),
        ticks=tuple(2.0**k for k in range(-10, 11) if low <= 2.0**k <= high),
    )


def _of_temperature(r: Result, fit: Temperature) -> tuple[str, str]:
    t, family = fit.value, taken(r.recalibration)
    if not fit.identified:
        least = f" Of those tried, {figure(t)} costs least." if family == "temperature" else ""
        return "No temperature is best", (
            "The loss falls all the way to a bound: the classes are separable in this table, or "
            f"the predictions say nothing about them.{least} More rows, or rows that the model has "
            "not seen, may tell one."
        )
    if fit.interval is None:
        return f"T = {figure(t)} fits best", (
            f"The temperature that fits best is {figure(t)}. One row or group alone cannot tell "
            "how sure that is."
        )
    low, high = fit.interval
    between = f"{PERCENT} interval {span(fit.interval)}"
    text = f"The temperature that fits best is {figure(t)}, {between}"
    asked = r.recalibration is not None and r.recalibration.asked
    if low <= 1 <= high and family == "temperature" and not asked:
        return "Held-out rows cost less with a temperature", (
            f"{text}. The interval holds 1, where nothing is changed; but rows that the "
            "temperature was not fitted to cost less with it."
        )
    if low <= 1 <= high:
        alone = "alone " if family else ""
        return f"No temperature {alone}is shown to help", (
            f"{text}. The interval holds 1, where nothing is changed."
        )
    saved = 0.0 if r.cross_entropy_finite is None else r.cross_entropy_finite - fit.cross_entropy
    gains = f"; on the rows it is fitted to it saves {amount(saved, r.unit)} each"
    gains = gains if saved > 0 else ""
    which = f"too {'sure' if t > 1 else 'timid'}"
    if family is None:
        return f"Slightly {which}; no recalibration is shown to help", f"{text}{gains}."
    return f"The predictions are {which}: T = {figure(t)} fits", f"{text}{gains}."


def reliability(r: Result) -> Finding | None:
    """Return where confidence and accuracy are furthest apart, weighed by the rows."""
    bins = [b for b in r.reliability if b.rows and b.confidence is not None]
    if not bins:
        return None
    text = "How sure the model is of its top class, against how often that is right."
    recalibrated = taken(r.recalibration) is not None
    clear = [b for b in bins if abs(_gap(b)) > NOT_BY_CHANCE * _standard_error(b)]
    if not clear:
        more = "No bin by itself is off by more than chance would do."
        return Finding(_together(bins), f"{text} {more}")
    worst = max(clear, key=lambda b: b.rows * abs(_gap(b)))
    text += f" That bin has {rows(worst.rows)}."
    return Finding(
        f"Where the model is {percent(worst.confidence)} sure, it is right "
        f"{percent(worst.accuracy)} of the time",
        text if recalibrated else f"{text} No recalibration that was tried is shown to mend it.",
        "Recalibrate before you take these confidences as frequencies." if recalibrated else None,
    )


def _together(bins: list[ReliabilityBin]) -> str:
    """Return what all bins show together, even where no single bin shows it."""
    n = sum(b.rows for b in bins)
    right = sum(b.rows * (b.accuracy or 0.0) for b in bins) / n
    sure = sum(b.rows * (b.confidence or 0.0) for b in bins) / n
    chance = math.sqrt(sum((b.rows * _standard_error(b)) ** 2 for b in bins)) / n
    if abs(right - sure) <= NOT_BY_CHANCE * chance:
        return "The model is right about as often as it says"
    more = "more" if right > sure else "less"
    return f"Right {more} often than it says: {percent(right)} of the time, {percent(sure)} sure"


def _gap(b: ReliabilityBin) -> float:
    return (b.accuracy or 0.0) - (b.confidence or 0.0)


def _standard_error(b: ReliabilityBin) -> float:
    """Return √(p(1 − p)/n), an accuracy's standard error if rows are right as often as said."""
    p = min(1.0, b.confidence or 0.0)
    return math.sqrt(p * (1 - p) / b.rows)


def recalibration(r: Result) -> RecalibrationFinding | None:
    """Return which way of recalibrating does best on rows that it was not fitted to."""
    found = r.recalibration
    if found is None:
        return None
    advice = recalibrate_or_leave(r)
    if why := untried(found):
        return RecalibrationFinding("No recalibration could be tried", sentence(why), advice)
    text = (
        "Each way is fitted on some of the rows and scored on the others, so that none wins by "
        "fitting noise."
    )
    family = taken(found)
    if found.asked:
        title = LEAVE if family is None else f"Recalibrate by {how(family)}"
        text += " This way was asked for, whatever the others save."
    elif family is None:
        title = "No recalibration is shown to help"
        text += " None saves more than chance would."
    else:
        title = f"Recalibrate by {how(family)}"
        text += (
            " This is the simplest of those within one standard error of the best. Fit it on a "
            "validation set, and keep it with the model."
        )
    return RecalibrationFinding(title, text, advice, _ways(r))


def _ways(r: Result) -> tuple[Way, ...]:
    found = r.recalibration
    assert found is not None
    now = found.cross_entropy.get("identity")
    ways = []
    for family, cost in found.cross_entropy.items():
        compared = family != "identity" and now is not None and cost is not None
        saved = now - cost if compared and math.isfinite(now) else None  # type: ignore[operator, arg-type]
        is_taken = family == found.family
        outcome = TAKEN[found.asked] if is_taken else ""
        name = AS_THEY_ARE if family == "identity" else family
        ways.append(Way(name, cost, saved, is_taken, outcome))
    for family, why in found.aside.items():
        ways.append(Way(family, None, None, False, f"not tried: {why}"))
    return tuple(ways)
