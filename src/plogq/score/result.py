"""The result of a score, with the names of its JSON and in the unit asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from plogq.formulas.units import Unit
from plogq.kinds import Count, Finite, Interval, Number, Share, Text
from plogq.records import Caution, Document, Source
from plogq.score.parts import (
    ClassFigures,
    ConfusionCell,
    Floor,
    Histograms,
    LabelsCode,
    Measures,
    RecalibrationFigures,
    ReliabilityBin,
    Slice,
    Surprise,
    Temperature,
)


@dataclass(frozen=True, kw_only=True)
class Result(Document):
    """What a table of predictions costs, and what that cross-entropy is made of.

    Means are over rows, by their weights; entropies and losses are in `unit` per row.
    """

    COMMAND: ClassVar[str] = "plogq score"
    CELL: ClassVar[str] = "plogq.reports.cell:cell"
    TEXT: ClassVar[str] = "plogq.reports.cell:text"
    PAGE: ClassVar[str] = "plogq.reports.html:report_html"

    source: Source
    """Which files were read, and how."""
    kind: Text
    """What the predictions are: logits, logprobs or probs."""
    unit: Unit
    """The unit of every entropy and loss."""
    rows: Count
    """How many rows were scored."""
    weight: Finite
    """The weight of all rows."""
    classes: tuple[Text, ...]
    """The names of the classes, in the order of the predictions."""
    cross_entropy: Number
    """Mean −log q(y); infinite where a label had probability 0."""
    cross_entropy_finite: Number | None
    """The same over the rows with q(y) > 0; null where there are none."""
    zero_probability_rows: Count
    """How many rows have a label of probability 0."""
    floor: Floor | None = None
    """The score with probabilities of labels raised to a floor, where one was asked for."""
    label_entropy: Finite
    """H(Y), the entropy of the labels' frequencies: what a label costs with no model."""
    information_gain: Number
    """label_entropy − cross_entropy."""
    explained: Number | None
    """information_gain / label_entropy; null where all labels are alike."""
    refinement: Number | None = None
    """What the recalibration taken leaves, on held-out rows; null where none mends q(y) = 0."""
    miscalibration: Number | None = None
    """What that recalibration saves: cross_entropy − refinement."""
    resolution: Number | None = None
    """label_entropy − refinement."""
    recalibration: RecalibrationFigures | None = None
    """The recalibration that was taken; null where none could be."""
    temperature: Temperature | None
    """The temperature that fits; null where every row has q(y) = 0."""
    entropy_floor: Number | None
    """Mean H(p) of soft labels p: no model can save it; null of hard labels."""
    kl: Number | None
    """Mean D(p ‖ q) of soft labels p: a better model could save it; null of hard labels."""
    perplexity: Number
    """exp of the cross-entropy in nats; infinite, too, where a float64 cannot hold it."""
    accuracy: Share
    """The share of rows whose top class is right."""
    brier: Number
    """Mean squared error Σ (q − p)² of the probabilities."""
    prediction_entropy: Number
    """Mean H(q): what the model expects to pay."""
    overconfidence: Number
    """cross_entropy − prediction_entropy."""
    per_class: tuple[ClassFigures, ...]
    """What each class costs."""
    confusion: tuple[ConfusionCell, ...] = ()
    """What each label costs by what was predicted, the most costly first."""
    reliability: tuple[ReliabilityBin, ...]
    """How often the top class is right, by its probability."""
    histograms: Histograms = field(default_factory=Histograms)
    """How costs are spread over the rows."""
    surprises: tuple[Surprise, ...]
    """The rows of the highest cost, the highest first."""
    slices: dict[Text, dict[Text, Slice]]
    """By column, and by the column's value."""
    intervals: dict[Text, Interval] = field(default_factory=dict)
    """By the name of a field: its lower and upper end. `docs/score.md` says how sure they are."""
    measures: Measures | None = None
    """What other reports show beside the cross-entropy; null of a single class."""
    code: LabelsCode | None = None
    """The labels as compressed bytes, where that was asked for."""
    warnings: tuple[Caution, ...]
    """What to keep in mind when reading the figures."""

    def __post_init__(self) -> None:
        """Refuse a result without classes, or with two classes of one name."""
        if not self.classes:
            raise ValueError("classes: expected at least 1 item, got []")
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("classes: expected different names, got one of them twice")
