"""The words on all figures, and on the labels as compressed bytes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from plogq.reports.findings.finding import Finding
from plogq.reports.findings.headline import per_row
from plogq.reports.numbers import figure, percent, perplexity_text, rows
from plogq.score.result import Result
from plogq.tables.sums.level import PERCENT

# By field of the result: its name in a report, and its meaning. A figure of `PLAIN` has no unit.
PER_ROW = {
    "cross_entropy": ("cross-entropy", "what a label costs"),
    "cross_entropy_finite": ("where possible", "of rows with q(label) > 0"),
    "label_entropy": ("label entropy", "what it costs with no model"),
    "information_gain": ("information gain", "what the model saves of it"),
    "refinement": ("refinement", "what recalibrating leaves"),
    "miscalibration": ("miscalibration", "what recalibrating saves"),
    "resolution": ("resolution", "label entropy − refinement"),
    "prediction_entropy": ("prediction entropy", "what the model expects"),
    "overconfidence": ("overconfidence", "paid beyond that; best is 0"),
    "entropy_floor": ("entropy floor", "the labels' own doubt"),
    "kl": ("divergence (KL)", "a better model could save it"),
}
PLAIN = {
    "explained": ("explained", "of the label entropy"),
    "perplexity": ("perplexity", "as if among so many classes"),
    "accuracy": ("accuracy", "the top class is right"),
    "brier": ("Brier score", "squared error of q"),
}
SHARES = ("explained", "accuracy")
# The parts of the bytes: by field, its name in a report, and its colour.
CODED = {
    "bits_per_row": ("compressed", "keep"),
    "exact_bits_per_row": ("cross-entropy", "gain"),
    "quantisation_kl": ("rounding (KL)", "waste"),
    "coder_bits_per_row": ("coder", "rest"),
    "framing_bits_per_row": ("framing", "rest"),
}


@dataclass(frozen=True)
class Figure:
    """A figure with its unit, meaning and interval."""

    name: str
    value: float
    unit: str
    meaning: str
    interval: tuple[float, float] | None = None
    kind: str = "number"
    """How it is shown: as a "number" or in "percent"."""

    def text(self) -> str:
        """Return its value as text."""
        return self._show(self.value)

    def between(self) -> str:
        """Return its interval as text; empty where it has none."""
        return "" if self.interval is None else " to ".join(map(self._show, self.interval))

    def _show(self, value: float) -> str:
        return figure(value) if self.kind == "number" else percent(value)


@dataclass(frozen=True)
class FiguresFinding(Finding):
    """The words on all figures, and the figures."""

    figures: tuple[Figure, ...] = ()
    level: str = PERCENT


@dataclass(frozen=True)
class CodePart:
    """A part of what the labels cost as bytes, in bits per row."""

    name: str
    value: float
    color: str


@dataclass(frozen=True)
class CodeFinding(Finding):
    """The words on the labels as bytes, and the parts of these."""

    parts: tuple[CodePart, ...] = ()


def figures(r: Result) -> FiguresFinding:
    """Return every figure with its interval, unit and meaning."""
    found = [*_per_row(r), *_plain(r)]
    if (fit := r.temperature) is not None:
        meaning = "that fits best" if fit.identified else "not identified: at a bound"
        found.append(Figure("temperature", fit.value, "", meaning, fit.interval))
    if r.floor is not None:
        meaning = f"{rows(r.floor.rows)} raised to {figure(r.floor.p)}"
        found.append(Figure("with a floor", r.floor.cross_entropy, per_row(r), meaning))
    text = []
    if r.intervals:
        text.append(f"An interval holds the figure in {PERCENT} of tables like this one.")
    if r.entropy_floor is None:
        text.append(
            "Hard labels cannot tell how much of the cost no model could save: that takes soft "
            "labels, or several annotators' labels."
        )
    return FiguresFinding("All figures", " ".join(text), None, tuple(found))


def _per_row(r: Result) -> Iterator[Figure]:
    """Return the costs that are known."""
    for key, (name, meaning) in PER_ROW.items():
        value = getattr(r, key)
        if value is not None and (key != "cross_entropy_finite" or r.zero_probability_rows):
            yield Figure(name, value, per_row(r), meaning, r.intervals.get(key))


def _plain(r: Result) -> Iterator[Figure]:
    """Return the figures without a unit that are known."""
    for key, (name, meaning) in PLAIN.items():
        if (value := getattr(r, key)) is not None:
            kind = "percent" if key in SHARES else "number"
            if key == "perplexity" and value == math.inf > r.cross_entropy:
                meaning += f": {perplexity_text(r.cross_entropy, r.unit)}, beyond a float64"
            yield Figure(name, value, "", meaning, r.intervals.get(key), kind)


def code(r: Result) -> CodeFinding | None:
    """Return how many bytes the labels took, and what that costs beyond the cross-entropy."""
    found = r.code
    if found is None:
        return None
    text = (
        "The labels were compressed with the model's probabilities, and decoded again: every label "
        "is the same. What the bytes cost beyond the cross-entropy is the coder's rounding of the "
        "probabilities, and the counts and checksums around them."
    )
    if found.overhead is not None:
        text += f" That is {percent(found.overhead)} here."
    if found.escaped_rows:
        text += f" Labels of probability 0 ({rows(found.escaped_rows)}) are coded at 24 bits each."
    parts = tuple(
        CodePart(name, value, color)
        for key, (name, color) in CODED.items()
        if (value := getattr(found, key)) is not None
    )
    return CodeFinding(f"The labels fit into {found.bytes:,} bytes", text, None, parts)
