"""The loss: how much of the labels' entropy the model saves, and what the rest is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass

from plogq.reports.findings.finding import Finding
from plogq.reports.numbers import amount, percent, rows, said
from plogq.reports.verdict import taken
from plogq.score.result import Result

NO_MODEL_SAVES = "the labels' own doubt: no model saves it"


@dataclass(frozen=True)
class Part:
    """A part of the loss; those that are drawn stand end to end from 0 to the loss."""

    name: str
    value: float
    color: str
    text: str
    drawn: bool = False


@dataclass(frozen=True)
class LossFinding(Finding):
    """The words on the loss, and its parts."""

    parts: tuple[Part, ...] = ()


def loss(r: Result) -> LossFinding:
    """Return what part of the label entropy is saved, and what the rest is made of."""
    loss, gain, labels = r.cross_entropy, r.information_gain, r.label_entropy
    if math.isinf(loss):
        title = "Labels of probability 0 occurred"
        text = f"The model gave probability 0 to the label of {rows(r.zero_probability_rows)}."
        if r.cross_entropy_finite is not None:
            text += f" All others cost {amount(r.cross_entropy_finite, r.unit)} per row."
    elif gain < 0:
        title = f"The model costs {amount(-gain, r.unit)} per row more than no model"
        text = (
            f"Guessing by the frequency of each class costs {amount(labels, r.unit)} per row; "
            f"this model costs {said(loss)}."
        )
    elif labels == 0:
        title = "All labels are alike"
        text = f"With no model they would cost nothing; with this one a label costs {said(loss)}."
    else:
        title = f"The model explains {percent(gain / labels)} of what the labels cost"
        text = (
            f"A label costs {amount(labels, r.unit)} with no model and {said(loss)} with this "
            f"one: the model knows {amount(gain, r.unit)} about each label."
        )
    parts = _parts(r)
    return LossFinding(title, f"{text}{_of_parts(r)}", None, parts)


def _of_parts(r: Result) -> str:
    """Return what refinement and miscalibration mean here."""
    if r.refinement is None or r.miscalibration is None:
        return ""
    if taken(r.recalibration) is None:
        return " No recalibration is taken: the whole loss is refinement."
    return (
        " Refinement is what the recalibration that was taken leaves, on rows that it was not "
        "fitted to; miscalibration is what it saves."
    )


def _parts(r: Result) -> tuple[Part, ...]:
    gain = Part("information gain", r.information_gain, "gain", "what the model saves")
    waste, floor, kl = r.miscalibration, r.entropy_floor, r.kl
    parts: list[Part] = []
    if r.refinement is None or waste is None:
        if floor is not None and kl is not None and math.isfinite(kl):
            parts = [
                Part("entropy floor", floor, "rest", NO_MODEL_SAVES),
                Part("divergence (KL)", kl, "waste", "a better model could save it"),
            ]
    elif floor is not None and kl is not None and math.inf > kl >= waste >= 0:
        parts = [
            Part("entropy floor", floor, "rest", NO_MODEL_SAVES),
            Part("beyond the floor", kl - waste, "keep", "a better model could save it"),
            Part("miscalibration", waste, "waste", "what recalibrating saves"),
        ]
    else:
        parts = [
            Part("refinement", r.refinement, "keep", "what recalibrating leaves"),
            Part("miscalibration", waste, "waste", "what recalibrating saves"),
        ]
    drawn = math.isfinite(r.cross_entropy) and all(part.value >= 0 for part in parts)
    return (*(Part(p.name, p.value, p.color, p.text, drawn) for p in parts), gain)
