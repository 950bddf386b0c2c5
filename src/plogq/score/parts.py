"""The parts of a score's result, with the names they have in its JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from plogq.kinds import Count, Finite, Flag, Interval, Number, Positive, Scalar, Share, Text


@dataclass(frozen=True, kw_only=True)
class Floor:
    """The score with small probabilities of labels raised to a floor."""

    p: Positive
    """The floor."""
    rows: Count
    """How many rows it raised."""
    cross_entropy: Number
    """Mean −log max(q(y), p) per row, in the result's unit."""


@dataclass(frozen=True, kw_only=True)
class RecalibrationFigures:
    """The recalibration that was taken, and what each one that was tried costs."""

    family: Text
    """The name of the family that was taken; "identity" leaves the predictions as they are."""
    asked: Flag = False
    """Whether the family was asked for, and not chosen by what it costs."""
    parameters: dict[Text, Any]
    """What the family learnt from all sampled rows; `docs/recalibration.md` applies it."""
    rows: Count
    """How many sampled rows the families were fitted to."""
    folds: Count
    """How many folds took turns in being held out."""
    cross_entropy: dict[Text, Number | None]
    """By family: cross-entropy per held-out row, in the result's unit."""
    aside: dict[Text, Text] = field(default_factory=dict)
    """By family that was not tried: the reason why not."""


@dataclass(frozen=True, kw_only=True)
class Temperature:
    """The temperature T of least cross-entropy, of predictions softmax(log q / T)."""

    value: Positive
    """T."""
    interval: tuple[Positive, Positive] | None
    """The interval of T; null where no T is identified, or there is only one row or group."""
    identified: Flag
    """Whether one T within the bounds is best."""
    cross_entropy: Number
    """Cross-entropy per row at T, in the result's unit, over rows with q(y) > 0."""
    rows: Count
    """How many sampled rows T was fitted to."""
    curve: tuple[tuple[Positive, Number], ...] = ()
    """Pairs of a temperature and the cross-entropy per row there, in the result's unit."""


@dataclass(frozen=True, kw_only=True)
class ClassFigures:
    """What one class costs."""

    name: Text
    """The class."""
    rows: Count
    """How many rows have it as their label."""
    cross_entropy: Number | None
    """Cross-entropy per row of the class, in the result's unit; null where it has no rows."""
    share: Share | None
    """Its share of the finite cost; null where that is 0."""
    accuracy: Share | None
    """The share of its rows whose top class it is; null where it has no rows."""
    mistaken_for: tuple[tuple[Text, Count, Number | None], ...]
    """The classes it is taken for most often: the name, the rows, and the cost per row."""


@dataclass(frozen=True, kw_only=True)
class ConfusionCell:
    """What the rows cost that have one label and were predicted to be of one class."""

    label: Text
    """The label."""
    predicted: Text
    """The top class."""
    rows: Count
    """How many rows."""
    cost: Number
    """Their cost per row of the table, in the result's unit: all costs add up to cross_entropy."""


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """The rows whose top class has a probability within some bounds."""

    bin: tuple[Share, Share]
    """The bounds of the probability."""
    rows: Count
    """How many rows."""
    confidence: Share | None
    """The mean probability of the top class; null where there are no rows."""
    accuracy: Share | None
    """The share of rows whose top class is right; null where there are no rows."""


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Shares of all rows, by bins of a quantity in the result's unit."""

    edges: tuple[Finite, ...]
    """The edges of the bins, rising: one more than there are bins."""
    weight: tuple[Share, ...]
    """The share of rows in each bin."""
    beyond: Share = 0.0
    """The share of rows above the last edge."""
    infinite: Share = 0.0
    """The share of rows where the quantity is infinite."""

    def __post_init__(self) -> None:
        """Refuse edges that make no bins."""
        if not self.weight or len(self.edges) != len(self.weight) + 1:
            raise ValueError("edges: expected one more than there are weights, and those not empty")
        if any(low >= high for low, high in pairwise(self.edges)):
            raise ValueError("edges: expected numbers that rise")


@dataclass(frozen=True, kw_only=True)
class Histograms:
    """How costs are spread over the rows."""

    surprisal: Histogram | None = None
    """Of −log q(y)."""
    pointwise_information: Histogram | None = None
    """Of log q(y) − log P(y), with P the frequencies of the labels."""


@dataclass(frozen=True, kw_only=True)
class Surprise:
    """A row of high cost."""

    row: Count | None = None
    """Its number, from 0; null where rows have ids."""
    id: Scalar | None = None
    """Its id, where rows have ids."""
    label: Text
    """The label."""
    predicted: Text
    """The top class."""
    q_label: Number
    """The probability of the label."""
    surprisal: Number
    """−log q(y), in the result's unit."""


@dataclass(frozen=True, kw_only=True)
class Slice:
    """The rows of one value of a column."""

    rows: Count
    """How many rows."""
    cross_entropy: Number | None
    """Cross-entropy per row of the slice, in the result's unit; null where no row has weight."""
    information_gain: Number | None
    """The entropy of the slice's labels less its cross-entropy, in the result's unit."""


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What other reports show beside the cross-entropy, over sampled rows: of few rows, over all.

    Those by class are null with more than 128 classes.
    """

    rows: Count
    """How many rows they are computed from."""
    ece: Share
    """The expected calibration error of the top class: mean |confidence − accuracy| over 15 bins
    of equal width."""
    ece_of_chance: Finite
    """What calibrated predictions of as many rows would show as `ece` in the mean."""
    ece_equal_mass: Share
    """The same over 15 bins of equal weight."""
    smooth_ece: Share
    """The smooth calibration error of Błasiok and Nakkiran (2023), without bins."""
    classwise_ece: Share | None = None
    """The mean over classes of the calibration error of the class's probability."""
    brier_reliability: Finite | None = None
    """Murphy's reliability: how far probabilities are from frequencies, squared, over 15 bins."""
    brier_resolution: Finite | None = None
    """Murphy's resolution: how far the frequencies of bins are from those of all rows, squared."""
    brier_uncertainty: Finite | None = None
    """Murphy's uncertainty: the Brier score of the classes' frequencies."""
    brier_within: Finite | None = None
    """What differs inside the bins: the Brier score is reliability − resolution + uncertainty +
    this."""
    auc: Share | None = None
    """The area under the ROC curve of each class against the rest, averaged; null where no class
    has both rows and others."""
    auc_weighted: Share | None = None
    """The same, averaged by the classes' frequencies."""
    top_accuracy: dict[Text, Share] = field(default_factory=dict)
    """By "top_k": how often the label is among the k most probable classes."""
    selective_risk: Share
    """The area under the risk–coverage curve: the mean error rate when only the most confident rows
    are answered."""
    selective: tuple[tuple[Share, Share], ...] = ()
    """Points of that curve: the share of rows that is answered, and the accuracy there."""
    intervals: dict[Text, Interval] = field(default_factory=dict)
    """By the name of a field, or of a top_k: its lower and upper end."""


@dataclass(frozen=True, kw_only=True)
class LabelsCode:
    """The labels, compressed with the model's probabilities and decoded again."""

    bytes: Count
    """All bytes of the code."""
    bits_per_row: Number
    """8 · bytes / rows."""
    exact_bits_per_row: Number | None
    """Σ −log₂ q(y) / rows; infinite where labels of probability 0 were escaped."""
    quantised_bits_per_row: Number | None = None
    """The same under the probabilities as the coder holds them."""
    coder_bits_per_row: Number | None = None
    """What the coder wrote beyond quantised_bits_per_row."""
    framing_bits_per_row: Number | None = None
    """What counts and checksums take."""
    quantisation_kl: Number | None
    """Mean D(q ‖ q̂) in bits, q̂ as the coder holds q: what quantising is expected to cost."""
    overhead: Number | None
    """bits_per_row / exact_bits_per_row − 1; null where exact_bits_per_row is 0 or infinite."""
    escaped_rows: Count = 0
    """How many labels had probability 0; each is coded with 24 bits."""
