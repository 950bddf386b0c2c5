"""No recalibration, with which all others are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from plogq.score.recalibration.labelled_rows import LabelledRows
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
    def fit(cls, rows: LabelledRows, start: Self | None = None) -> Self:
        """Return the one identity: there is nothing to learn."""
        return cls()

    def losses(self, rows: LabelledRows) -> Array:
        """Return −log q(y) of each row in nats, (n,)."""
        row, label, share = rows.events
        return np.bincount(row, share * -rows.log_q[row, label], len(rows))

    @staticmethod
    def probabilities(log_q: Array) -> Array:
        """Return the probabilities as they are, exp z, (n, C)."""
        q: Array = np.exp(log_q)
        return q

    def parameters(self) -> dict[str, Any]:
        """Return no parameters."""
        return {}
