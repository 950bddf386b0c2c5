"""What a score found out: a plain record with the names of the JSON, in the unit asked for."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from plogq.formulas.units import Unit

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
    temperature: dict[str, Any] | None  # value, interval, identified, cross_entropy, rows
    entropy_floor: float | None  # mean H(p), from soft labels alone
    kl: float | None  # mean KL(p ‖ q), from soft labels alone
    perplexity: float
    accuracy: float
    brier: float
    prediction_entropy: float  # mean H(q): what the model expects to pay
    overconfidence: float  # cross_entropy − prediction_entropy
    # A class's share is of the finite part of the cost, and None where that is 0.
    per_class: list[dict[str, Any]]
    reliability: list[dict[str, Any]]
    surprises: list[dict[str, Any]]
    slices: dict[str, dict[str, dict[str, Any]]]
    warnings: list[dict[str, Any]]

    def to_json(self) -> str:
        """Give the result as JSON text; infinities, which JSON lacks, as "inf" and "-inf"."""
        return json.dumps({"schema": SCHEMA} | _plain(asdict(self)), indent=1, allow_nan=False)


def _plain(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case dict():
            return {name: _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case str() | int() | float() | None:
            return value
        case _:
            return str(value)  # an id may be a date, a decimal, bytes
