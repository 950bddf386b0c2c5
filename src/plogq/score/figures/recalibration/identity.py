"""No recalibration: what every other is held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from plogq.score.figures.recalibration.evidence import Evidence
from plogq.tables.arrays import Array


@dataclass(frozen=True)
class Identity:
    """The predictions as they are."""

    name = "identity"
    mends = False

    @staticmethod
    def size(classes: int) -> int:
        """How many parameters it has."""
        return 0

    @classmethod
    def fit(cls, rows: Evidence, start: Self | None = None) -> Self:
        """Learn nothing."""
        return cls()

    def losses(self, rows: Evidence) -> Array:
        """Give −log q(y) of each row, in nats."""
        row, label, share = rows.events
        return np.bincount(row, share * -rows.log_q[row, label], len(rows))

    def parameters(self) -> dict[str, Any]:
        """Give none."""
        return {}
