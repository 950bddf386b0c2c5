"""What to do about a score: all reports take their advice from here."""

from __future__ import annotations

import math

from plogq.formulas.units import NATS_PER_UNIT
from plogq.records import READING
from plogq.reports.numbers import amount, figure, percent, rows, span
from plogq.reports.surprises import dearest
from plogq.score.parts import RecalibrationFigures
from plogq.score.result import Result
from plogq.tables.sums.level import LEVEL, PERCENT

LEAVE = "Leave the predictions as they are"  # what every report says where `taken` is None
REST = "The rest takes a better model, better inputs or cleaner labels."
WRONG_LABELS = "Look for wrong labels among the rows that cost most"
MORE_CLASSES = "Score rows of several classes: where all labels are alike, no model beats none."
CHECK_COLUMNS = (
    "Check first that the columns are in the order of the classes, and that the predictions are "
    "of the kind that they were read as."
)

# What a family of recalibrations does.
HOW = {
    "temperature": "one temperature for all logits",
    "temperature+base": "one temperature and a share of the class frequencies",
    "vector": "a scale and a shift for each class's logit",
    "isotonic": "an isotonic map of the probabilities",
}


def how(family: str) -> str:
    """Return what a family of recalibrations does."""
    return HOW.get(family, family)


def taken(recalibration: RecalibrationFigures | None) -> str | None:
    """Return the family to recalibrate by; None where predictions are best left as they are."""
    if recalibration is None or recalibration.family == "identity":
        return None
    return recalibration.family


def untried(recalibration: RecalibrationFigures) -> str | None:
    """Return why no family was tried; None where one was."""
    if len(recalibration.cross_entropy) > 1:
        return None
    return recalibration.aside.get("temperature", "too few rows")


def what_to_do(r: Result) -> str:
    """Return the one advice of a score, the most urgent first.

    Impossible rows come before all else, since they alone decide the number. Then comes a model
    that is worse than none at any confidence, since its columns may have been misread; then labels
    that even the recalibrated model can hardly believe; then what a recalibration saves.
    """
    if math.isinf(r.cross_entropy):
        return look_at_impossible(r)
    if r.label_entropy == 0 and r.cross_entropy > 0:
        return MORE_CLASSES
    if _clearly_worse(r) and not _knows_something(r):
        return CHECK_COLUMNS
    if suspect := implausible(r):
        return (
            f"{WRONG_LABELS}. {_of_those(suspect)} so improbable that chance alone gives such a "
            f"row in less than {percent(1 - LEVEL)} of tables like this."
        )
    return recalibrate_or_leave(r)


def _clearly_worse(r: Result) -> bool:
    """Return whether the model costs more than none, and clearly so if there is an interval."""
    low_high = r.intervals.get("information_gain")
    return r.information_gain < 0 and (low_high is None or low_high[1] < 0)


def _knows_something(r: Result) -> bool:
    """Return whether the model would be better than none if it were less or more sure.

    That is so where one temperature makes it better, unless the table may have been misread.
    """
    doubted = any(warning.code == READING for warning in r.warnings)
    found = r.recalibration.cross_entropy.get("temperature") if r.recalibration else None
    return found is not None and found < r.label_entropy and not doubted


def look_at_impossible(r: Result) -> str:
    """Return what to do about labels of probability 0."""
    n = r.zero_probability_rows
    text = (
        f"Look first at the {'row' if n == 1 else rows(n)} whose label had probability 0: the "
        "label may be wrong, or the probability was rounded or clipped to 0."
    )
    if r.kind == "probs":
        text += " Score the logits or log-probabilities if there are any."
    if r.floor is None:
        text += " The option --floor shows what a least probability would cost."
    return text


def recalibrate_or_leave(r: Result) -> str:
    """Return whether and how to recalibrate, and what that saves on held-out rows."""
    found = r.recalibration
    if r.cross_entropy == 0:
        return f"{LEAVE}: no label costs anything."
    if found is None:
        return f"{LEAVE}: there are too few rows to learn a recalibration from."
    if why := untried(found):
        return f"{LEAVE}: no recalibration could be tried ({why})."
    if taken(found) is None and found.asked:
        return f"{LEAVE}, as was asked."
    if taken(found) is None:
        ends = r.intervals.get("miscalibration")
        most = ""
        if ends and ends[1] > 0:
            saved = amount(ends[1], r.unit)
            most = f" By the {PERCENT} interval it would save {saved} per row at most."
        return f"{LEAVE}: no recalibration that was tried is shown to help.{most} {REST}"
    rest = "" if r.refinement == 0 else f" {REST}"
    return f"{_steps(r, found)}.{_saving(r)}{rest}"


def implausible(r: Result) -> int:
    """Return how many listed rows have labels that chance hardly explains.

    If the probabilities are right, a row has a label of probability q or less with a chance of at
    most (classes − 1) q. With n rows, labels of n (classes − 1) q < 1 − `LEVEL` are counted. Where
    a recalibration is taken and T is above 1, q is first raised to the power 1/T.
    """
    if r.entropy_floor is not None or len(r.classes) < 2:
        return 0
    fit = r.temperature
    too_sure = fit is not None and fit.identified and taken(r.recalibration) is not None
    t = max(1.0, fit.value) if fit is not None and too_sure else 1.0
    least = math.log(r.rows * (len(r.classes) - 1) / (1 - LEVEL))
    nats = NATS_PER_UNIT[r.unit] / t
    return sum(item.surprisal * nats > least for item in dearest(r.surprises))


def _of_those(number: int) -> str:
    return "One label is" if number == 1 else f"{number:,} labels are"


def _saving(r: Result) -> str:
    """Return the sentence on what the recalibration saves; '' where it saves nothing."""
    if r.miscalibration is None or r.refinement is None:
        return ""
    if math.isinf(r.miscalibration):
        return f" Then no label is impossible, and one costs {amount(r.refinement, r.unit)}."
    if r.miscalibration <= 0:
        asked = r.recalibration is not None and r.recalibration.asked
        if r.miscalibration == 0 or not asked:
            return ""
        return f" On held-out rows that costs {amount(-r.miscalibration, r.unit)} more per row."
    ends = r.intervals.get("miscalibration")
    between = f" ({PERCENT} interval {span(ends)})" if ends else ""
    share = r.miscalibration / r.cross_entropy
    doubt = (
        " The interval reaches below 0: try it on other rows first." if ends and ends[0] < 0 else ""
    )
    return (
        f" On held-out rows that saves {amount(r.miscalibration, r.unit)} per row{between}: "
        f"{percent(share)} of the cross-entropy.{doubt}"
    )


def _steps(r: Result, found: RecalibrationFigures) -> str:
    """Return how the family that was taken is applied, with what it learnt."""
    if found.family == "vector":
        return "Give each class a scale and a shift of its own (they are in the JSON)"
    if found.family == "isotonic":
        what = "the probabilities" if len(r.classes) == 2 else "each class, then normalise"
        return f"Recalibrate by isotonic regression of {what} (its steps are in the JSON)"
    t = found.parameters.get("temperature")
    if not isinstance(t, float):
        return f"Recalibrate by {how(found.family)} (its parameters are in the JSON)"
    text = {
        "logits": f"Divide the logits by {figure(t)}",
        "logprobs": f"Divide the log-probabilities by {figure(t)} and normalise",
    }.get(r.kind, f"Raise the probabilities to the power {figure(1 / t)} and normalise")
    if found.family == "temperature+base":
        text += f", then mix in {figure(found.parameters['epsilon'])} of the class frequencies"
    return text
