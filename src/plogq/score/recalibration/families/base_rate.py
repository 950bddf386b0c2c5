"""A temperature, mixed with the frequency of each class."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from plogq.score.recalibration.families.temperature import LOG2_BOUND
from plogq.score.recalibration.labelled_rows import LabelledRows, dot, softmax
from plogq.score.recalibration.solve import lowest_point
from plogq.tables.arrays import Array

PRIOR_ROWS = 0.5
LEAST = 1e-12


@dataclass(frozen=True)
class TemperatureAndBase:
    """−log((1 − ε) softmax(z / T)_y + ε π_y): with π the base rates, no label is impossible.

    −½ log ε is added to the loss, as for half an imaginary row that only the base rates explain,
    which keeps ε above 0 (the ½ is Krichevsky and Trofimov's, 1981). The loss is convex in ε; the
    best ε is found anew for each T that the search for T tries.
    """

    log2_beta: float
    epsilon: float
    base: Array = field(repr=False)

    name = "temperature+base"
    mends = True

    @staticmethod
    def size(classes: int) -> int:
        """How many parameters it has, beside the base rates."""
        return 2 if classes > 1 else 0

    @classmethod
    def fit(cls, rows: LabelledRows, start: Self | None = None) -> Self:
        """Return the fit with the T and the ε of least cross-entropy."""
        epsilon = 0.01 if start is None else start.epsilon
        row, label, share = rows.events
        weight, base = rows.weight[row] * share, rows.base[label]

        def slope(t: float) -> float:
            nonlocal epsilon
            at = rows.tempered(t)
            q = np.exp(-at.surprisal)
            epsilon = _best_epsilon(q, base, weight, epsilon)
            # dq/dt = −q (s − H); the change of ε with t does not count, since ε is the best.
            q *= (1 - epsilon) / ((1 - epsilon) * q + epsilon * base)
            beyond = np.where(q > 0, at.surprisal, 0.0) - at.entropy[row]
            return dot(weight, q * beyond)

        t = lowest_point(
            slope,
            0.0 if start is None else start.log2_beta,
            step=0.3 if start is None else 0.02,
            low=-LOG2_BOUND,
            high=LOG2_BOUND,
            tolerance=1e-6,
        )
        slope(t)
        return cls(t, epsilon, rows.base)

    def losses(self, rows: LabelledRows) -> Array:
        """Return the loss of each row in nats, (n,)."""
        row, label, share = rows.events
        q = np.exp(-rows.tempered(self.log2_beta).surprisal)
        mixed = _mixed(q, self.epsilon, self.base[label])
        return np.bincount(row, -share * np.log(mixed), len(rows))

    @staticmethod
    def probabilities(log_q: Array, temperature: float, epsilon: float, base: list[float]) -> Array:
        """Return (1 − ε) softmax(z / T) + ε π, (n, C)."""
        return _mixed(softmax(log_q / temperature), epsilon, np.array(base))

    def parameters(self) -> dict[str, Any]:
        """Return T, ε and π."""
        return {
            "temperature": 2.0**-self.log2_beta,
            "epsilon": self.epsilon,
            "base": self.base.tolist(),
        }


def _mixed(q: Array, epsilon: float, base: Array) -> Array:
    return (1 - epsilon) * q + epsilon * base


def _best_epsilon(q: Array, base: Array, weight: Array, start: float) -> float:
    """Return the ε of least −Σ w log((1 − ε) q + ε π) − ½ log ε, which is convex in ε.

    Newton's method inside a bracket finds the zero of the slope times ε, since that is nearly a
    line where ε is small.
    """
    low, high, epsilon = LEAST, 1.0, start
    gain = base - q
    for _ in range(60):
        gained = gain / (q + epsilon * gain)
        slope = -dot(weight, gained)
        curvature = dot(weight, gained * gained)
        rise = epsilon * slope - PRIOR_ROWS
        low, high = (epsilon, high) if rise < 0 else (low, epsilon)
        per = slope + epsilon * curvature
        new = epsilon - rise / per if per > 0 else high
        if not low < new < high:
            new = math.sqrt(low * high) if rise > 0 else (low + high) / 2
        moved, epsilon = abs(new - epsilon), new
        if moved <= 1e-6 * epsilon:
            break
    return epsilon
