"""How sure the model is: by temperature, by bins of confidence, by ways of recalibrating."""

from __future__ import annotations

import math
from typing import Any

from plogq.reports.document import Document
from plogq.reports.findings.words import amount, figure, finite, percent, rows
from plogq.reports.verdict import LEAVE, how, taken, untried
from plogq.tables.sums.level import PERCENT

AROUND = 4.0  # the curve is drawn from a quarter of the fitted temperature (or of 1) to 4 times it
NOT_BY_CHANCE = 3.0  # standard errors; with ten bins, by chance alone in about 3 tables of 100

NO_BIN = "No single bin is off by more than chance would do."


def temperature(d: Document) -> dict[str, Any] | None:
    """Say whether dividing the logits by a temperature saves anything."""
    fit = d["temperature"]
    if fit is None or not fit.get("curve"):
        return None
    words = _verdict(d, fit)
    now = finite(d["cross_entropy_finite"])
    points: list[dict[str, Any]] = []
    if now is not None:
        points.append({"x": 1, "y": now, "name": "now", "color": "ink"})
    low, high = 1 / AROUND, AROUND
    if fit["identified"]:
        t, best = fit["value"], finite(fit["cross_entropy"])
        low, high = low * min(1, t), high * max(1, t)
        if best is not None:
            fitted = {"x": t, "y": best, "name": f"T = {figure(t)}", "color": "gain"}
            # Two dots that would touch are one.
            points = [fitted] if abs(math.log2(t)) < 0.3 else [*points, fitted]
    curve = [[t, loss] for t, loss in fit["curve"] if low <= t <= high]
    return words | {
        "curve": curve,
        "level": PERCENT,
        "points": [point for point in points if low <= point["x"] <= high],
        "ticks": [2.0**k for k in range(-10, 11) if low <= 2.0**k <= high],
    }


def _verdict(d: Document, fit: dict[str, Any]) -> dict[str, Any]:
    t, family = fit["value"], taken(d.get("recalibration"))
    advice = _advice(d, t, family)
    if not fit["identified"] or fit["interval"] is None:
        least = f" Of those tried, {figure(t)} costs least." if family == "temperature" else ""
        return {
            "title": "No temperature is best",
            "text": "The loss falls all the way to a bound: the classes are separable in this "
            f"table, or the predictions say nothing about them.{least} More rows, or rows that the "
            "model has not seen, may tell one.",
            "advice": advice,
        }
    low, high = fit["interval"]
    between = f"{PERCENT} interval {figure(low)} to {figure(high)}"
    if low <= 1 <= high:
        alone = "alone " if family else ""
        return {
            "title": "Rows that it is not fitted to cost less with a temperature"
            if family == "temperature"
            else f"No temperature {alone}beats leaving the predictions as they are",
            "text": f"The best temperature is {figure(t)}; its {between} holds 1, where nothing "
            "is changed.",
            "advice": advice,
        }
    now, best = finite(d["cross_entropy_finite"]), finite(fit["cross_entropy"])
    saved = "" if now is None or best is None else (
        f"; on the rows it is fitted to it saves {amount(max(0.0, now - best), d['unit'])} each"
    )  # fmt: skip
    which = f"too {'sure' if t > 1 else 'timid'}"
    return {
        "title": f"The predictions are {which}: T = {figure(t)} fits"
        if family
        else f"Slightly {which}; no recalibration is shown to help",
        "text": f"T = {figure(t)}, {between}{saved}.",
        "advice": advice,
    }


def _advice(d: Document, t: float, family: str | None) -> str:
    """Say what was taken, be it this temperature or not."""
    if family is None:
        return f"{LEAVE.capitalize()}."
    if family != "temperature":
        return f"Recalibrate by {how(family)}."
    what = "Divide the logits by" if d["kind"] == "logits" else "Take the log-probabilities over"
    then = "" if d["kind"] == "logits" else " and normalise"
    return f"{what} {figure(t)}{then}. The top class of a row stays the same."


def reliability(d: Document) -> dict[str, Any] | None:
    """Say where confidence and accuracy are furthest apart, weighed by the rows."""
    bins = [
        b
        for b in d["reliability"]
        if b["rows"] and b["confidence"] is not None and b["accuracy"] is not None
    ]
    if not bins:
        return None
    text = (
        "Rows by how sure the model was of its top class, against how often that was right. "
        "The area of a point stands for its rows."
    )
    clear = [b for b in bins if abs(_gap(b)) > NOT_BY_CHANCE * _standard_error(b)]
    if not clear:
        return {"title": _together(bins), "text": f"{text} {NO_BIN}", "advice": None}
    worst = max(clear, key=lambda b: b["rows"] * abs(_gap(b)))
    sure = _gap(worst) < 0
    before = " before recalibrating" if taken(d.get("recalibration")) else ""
    return {
        "title": f"Where the model is {percent(worst['confidence'])} sure, it is right "
        f"{percent(worst['accuracy'])} of the time",
        "text": f"{text} That bin has {rows(worst['rows'])}.",
        "advice": f"Do not take these confidences as frequencies{before}: they are "
        f"too {'high' if sure else 'low'} there.",
    }


def _together(bins: list[dict[str, Any]]) -> str:
    """Say what all bins show together, which one alone may not."""
    n = sum(b["rows"] for b in bins)
    right = sum(b["rows"] * float(b["accuracy"]) for b in bins) / n
    said = sum(b["rows"] * float(b["confidence"]) for b in bins) / n
    chance = math.sqrt(sum((b["rows"] * _standard_error(b)) ** 2 for b in bins)) / n
    if abs(right - said) <= NOT_BY_CHANCE * chance:
        return "The model is right about as often as it says"
    more = "more" if right > said else "less"
    return f"Right {more} often than it says: {percent(right)} of the time, {percent(said)} sure"


def _gap(b: dict[str, Any]) -> float:
    return float(b["accuracy"]) - float(b["confidence"])


def _standard_error(b: dict[str, Any]) -> float:
    """Give √(p(1 − p)/n), the scatter of an accuracy whose rows are right as often as said."""
    p = min(1.0, float(b["confidence"]))
    return math.sqrt(p * (1 - p) / b["rows"])


def recalibration(d: Document) -> dict[str, Any] | None:
    """Say which way of recalibrating does best on rows that it was not fitted to."""
    fit = d.get("recalibration")
    if not fit or not fit["cross_entropy"]:
        return None
    if why := untried(fit):
        return {
            "title": "No recalibration could be tried",
            "text": f"{why[:1].upper()}{why[1:]}.",
            "advice": f"{LEAVE.capitalize()}.",
        }
    losses, family = fit["cross_entropy"], taken(fit)
    text = (
        "Each way is fitted on some of the rows and scored on the others, so that none wins by "
        "fitting noise."
    )
    if family is None:
        return {
            "title": "No recalibration helps",
            "text": f"{text} None saves more than chance would.",
            "advice": f"{LEAVE.capitalize()}.",
        }
    now, best = finite(losses.get("identity")), finite(losses.get(family))
    title = f"Recalibrate by {how(family)}"
    text += " This is the simplest of those within one standard error of the best."
    if now is not None and best is not None:
        text += f" It saves {amount(now - best, d['unit'])} per row."
    return {
        "title": title,
        "text": text,
        "advice": "Fit it on a validation set, and keep it with the model.",
    }
