"""One temperature: z / T."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from plogq.score.recalibration.labelled_rows import LabelledRows, dot, softmax
from plogq.score.recalibration.solve import lowest_point
from plogq.tables.arrays import Array

BOUND = 64.0  # T is looked for in [1/64, 64]
LOG2_BOUND = math.log2(BOUND)


@dataclass(frozen=True)
class Temperature:
    """−log softmax(β z)_y, with β = 1 / T: sharper or flatter, with the classes in the same order.

    The loss is convex in β. With t = log β, its slope is dL/dt = L − H(softmax(β z)): what the
    prediction pays less what it expects to pay. So the best temperature is the one at which mean
    loss and mean entropy agree.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks.
    """

    log2_beta: float

    name = "temperature"
    mends = False

    @staticmethod
    def size(classes: int) -> int:
        """How many parameters it has."""
        return 1 if classes > 1 else 0

    @classmethod
    def fit(cls, rows: LabelledRows, start: Self | None = None) -> Self:
        """Return the fit of least cross-entropy over the possible rows; T = 1 without such."""
        rows = rows.only_possible()
        return cls(
            lowest_point(
                lambda t: dot(rows.weight, excess(rows, t)),
                0.0 if start is None else start.log2_beta,
                step=0.3 if start is None else 0.02,
                low=-LOG2_BOUND,
                high=LOG2_BOUND,
                # The loss error is quadratic in T's: a fold's T may be coarse, the reported
                # T may not.
                tolerance=1e-11 if start is None else 1e-6,
            )
        )

    def losses(self, rows: LabelledRows) -> Array:
        """Return the loss of each row in nats, (n,); inf where its label has probability 0."""
        return losses(rows, self.log2_beta)

    @staticmethod
    def probabilities(log_q: Array, temperature: float) -> Array:
        """Return softmax(z / T), (n, C)."""
        return softmax(log_q / temperature)

    def parameters(self) -> dict[str, Any]:
        """Return T."""
        return {"temperature": 2.0**-self.log2_beta}


def losses(rows: LabelledRows, log2_beta: float) -> Array:
    """Return the loss of each row at β in nats, (n,)."""
    row, _, share = rows.events
    return np.bincount(row, share * rows.tempered(log2_beta).surprisal, len(rows))


def excess(rows: LabelledRows, log2_beta: float) -> Array:
    """Return the slope of each row's loss in log β, (n,): its loss − its entropy, in nats."""
    at = rows.tempered(log2_beta)
    row, _, share = rows.events
    slope: Array = np.bincount(row, share * at.surprisal, len(rows)) - at.entropy
    return slope
