"""The labels that are likely wrong, in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

from plogq.formulas.units import plural
from plogq.reports.findings.finding import Finding
from plogq.reports.findings.source import files
from plogq.reports.findings.warnings import warning_text
from plogq.reports.findings.words import name
from plogq.reports.numbers import amount, count, percent, rows
from plogq.score.label_noise.result import LabelErrors
from plogq.tables.sums.level import PERCENT

OUT_OF_FOLD = (
    "This holds for out-of-fold predictions (scikit-learn's cross_val_predict): a model that was "
    "fitted to a wrong label repeats it"
)
BEYOND = (
    "Where classes overlap, so that the model is certain of no row, right labels that are in doubt "
    "look like wrong ones: the upper end counts them, and the number leaves them out"
)


@dataclass(frozen=True)
class LabelErrorsWords:
    """The words of each section of the report, in its order; None where there is nothing to say."""

    read: Finding
    answers: tuple[str, str, str, str]
    warnings: list[str]
    confused: Finding | None
    suspects: Finding | None


def findings(found: LabelErrors) -> LabelErrorsWords:
    """Return the words on the labels that are likely wrong."""
    unit = found.unit
    read = f"{rows(found.rows)}, {count(len(found.classes), 'class', 'classes')}."
    suspects = confused = None
    if found.suspects:
        first = found.suspects[0]
        where = f"row {first.row}" if first.row is not None else name(str(first.id))
        suspects = Finding(
            f"Most suspicious: {where}, labelled {name(first.label)}, likely "
            f"{name(first.suggested)}",
            f"{_these(len(found.suspects))} most likely wrong, with the probability of that and "
            f"what the label costs, recalibrated, in {plural(unit)}.",
        )
    if found.confused:
        most = found.confused[0]
        confused = Finding(
            f"Most often {name(most.suggested)} is labelled {name(most.label)}",
            "The expected number of rows that have one label and are of another class.",
        )
    return LabelErrorsWords(
        read=Finding(files(found.source.paths), " ".join([read, *found.source.notes])),
        answers=(_how_many(found), _against(found), _advice(found), _sure(found)),
        warnings=[warning_text(each, "row") for each in found.warnings],
        confused=confused,
        suspects=suspects,
    )


def _these(n: int) -> str:
    return (
        "This is the row whose label is" if n == 1 else f"These are the {rows(n)} whose labels are"
    )


def _number(expected: float) -> str:
    return f"{round(expected):,}" if expected >= 0.5 else "none"


def _how_many(found: LabelErrors) -> str:
    few = found.expected < 0.5
    said = (
        f"No label of {found.rows:,} is expected to be wrong"
        if few
        else f"About {_number(found.expected)} of {found.rows:,} labels "
        f"({percent(found.expected / found.rows)}) are likely wrong"
    )
    if found.interval is not None:
        low, high = found.interval
        said += f", {PERCENT} interval {round(low):,} to {round(high):,}"
    return f"{said}."


def _against(found: LabelErrors) -> str:
    costs = f"A label costs {amount(found.cross_entropy, found.unit)} per row"
    if math.isinf(found.cost):
        return f"{costs}: a label that is likely wrong had probability 0."
    if found.cost == 0:
        return f"{costs}, none of it for wrong labels."
    return f"{costs}: wrong labels are expected to pay {amount(found.cost, found.unit)} of that."


def _advice(found: LabelErrors) -> str:
    if not found.suspects and found.expected >= 0.5:
        return "No row stands out: leave the labels as they are."
    if not found.suspects and found.interval is not None and found.interval[1] >= 1:
        return "Leave the labels as they are; --top N lists the most surprising ones."
    if not found.suspects:
        return "Leave the labels as they are."
    return (
        f"Have {'this row' if len(found.suspects) == 1 else 'these rows'} labelled again, the "
        "first ones first: --csv FILE writes them for annotators."
    )


def _sure(found: LabelErrors) -> str:
    said = f"By {rows(found.rows)}. {OUT_OF_FOLD}."
    doubted = found.interval is not None and found.interval[1] >= 0.5
    return f"{said} {BEYOND}." if doubted else said
