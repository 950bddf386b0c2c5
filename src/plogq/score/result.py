"""What a score found out: a plain record with the names of the JSON, in the unit asked for."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from plogq.formulas.units import Unit
from plogq.records import to_json

SCHEMA = 1


@dataclass(frozen=True)
class Result:
    """The figures of a table; entropies and losses are in `unit` per row (weighted) on average.

    `to_json` gives them under these same names.
    """

    source: dict[str, Any]
    kind: str
    unit: Unit
    rows: int
    weight: float
    classes: tuple[str, ...]
    cross_entropy: float  # inf where an impossible event happened
    cross_entropy_finite: float | None  # over the rows with q(y) > 0
    zero_probability_rows: int
    floor: dict[str, Any] | None  # p, rows, cross_entropy
    label_entropy: float  # H(Y): what the labels cost with no model at all
    information_gain: float  # H(Y) − cross_entropy
    explained: float | None  # information_gain / H(Y)
    # What no recalibration that was tried saves, by cross-fit; what one does: cross_entropy −
    # refinement; what the predictions tell of the labels: H(Y) − refinement. None where q(y) = 0
    # happened and rows are too few to learn how to mend it.
    refinement: float | None
    miscalibration: float | None
    resolution: float | None
    # family, parameters, rows, folds; cross_entropy: what each family costs on held-out rows;
    # aside: why a family was not tried. None where no family could be.
    recalibration: dict[str, Any] | None
    # value, interval, identified, cross_entropy, rows; curve: [[T, cross-entropy at T], …]
    temperature: dict[str, Any] | None
    entropy_floor: float | None  # mean H(p), from soft labels alone
    kl: float | None  # mean KL(p ‖ q), from soft labels alone
    perplexity: float
    accuracy: float
    brier: float
    prediction_entropy: float  # mean H(q): what the model expects to pay
    overconfidence: float  # cross_entropy − prediction_entropy
    # A class's share is of the finite part of the cost, and None where that is 0.
    per_class: list[dict[str, Any]]
    confusion: list[dict[str, Any]]  # label, predicted, rows, cost per row of the table
    reliability: list[dict[str, Any]]
    # surprisal: edges, weight, beyond, infinite; pointwise_information: edges, weight, infinite
    histograms: dict[str, dict[str, Any]]
    surprises: list[dict[str, Any]]
    slices: dict[str, dict[str, dict[str, Any]]]
    intervals: dict[str, list[float]]  # of `plogq.tables.sums.level`, by name of the figure
    # bytes; in bits per row, what they are and what makes them: see `plogq.score.labels_code`
    code: dict[str, Any] | None = field(default=None, kw_only=True)
    warnings: list[dict[str, Any]]

    def to_json(self) -> str:
        """Give the result as JSON text; infinities, which JSON lacks, as "inf" and "-inf"."""
        return to_json({"schema": SCHEMA} | asdict(self))
