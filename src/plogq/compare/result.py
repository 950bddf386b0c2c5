"""What a comparison found out: plain records with the names of the JSON."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from plogq.formulas.units import Unit
from plogq.records import to_json

SCHEMA = 1
Pairing = Literal["row order", "id", "doc", "text"]
Winner = Literal["a", "b"] | None


@dataclass(frozen=True)
class Comparison:
    """Two models on the same rows or documents; costs are in `unit`, per row or per `per`.

    A difference is A's cost minus B's: where it is negative, A is better. An interval is that of
    `plogq.tables.sums.level`; a winner is named where it does not hold 0.
    """

    kind: Literal["predictions", "tokens"]
    pairing: Pairing
    unit: Unit
    per: str  # row, byte or token
    rows: int  # or documents
    weight: float
    a: dict[str, Any]  # source, and each model's own figures
    b: dict[str, Any]
    difference: float | None  # inf where it is; None where both costs are infinite
    difference_finite: float | None  # over what is possible under both
    accuracy_difference: float | None
    intervals: dict[str, list[float]]  # of difference_finite, accuracy_difference
    winner: Winner
    wins: dict[str, float | None]  # shares of rows or documents: a, b, tie
    per_class: list[dict[str, Any]]
    slices: dict[str, dict[str, dict[str, Any]]]
    largest: dict[str, list[dict[str, Any]]]  # rows or documents, by who is better: a, b
    warnings: list[dict[str, Any]]

    def to_json(self) -> str:
        """Give the result as JSON text; infinities, which JSON lacks, as "inf" and "-inf"."""
        return to_json({"schema": SCHEMA} | asdict(self))


def winner_of(ends: tuple[float, float] | None, difference: float | None) -> Winner:
    """Name who is clearly better, by the interval of A's cost minus B's.

    An infinite cost is worse than any other, without an interval.
    """
    if difference is not None and math.isinf(difference):
        return "b" if difference > 0 else "a"
    if difference is None or ends is None or ends[0] <= 0 <= ends[1]:
        return None
    return "a" if ends[1] < 0 else "b"


def difference_of(a: float, b: float, finite: float | None) -> float | None:
    """Give A's cost minus B's where one is infinite, or else what it is over all rows."""
    if math.isinf(a) and math.isinf(b):
        return None
    return a - b if math.isinf(a) or math.isinf(b) else finite
