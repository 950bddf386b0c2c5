"""Vector scaling: a scale and a bias for each class."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np

from plogq.kernels.rows import softmax_loss
from plogq.score.recalibration.families.temperature import Temperature
from plogq.score.recalibration.labelled_rows import LabelledRows, dot, softmax
from plogq.score.recalibration.solve import inverse_of
from plogq.tables.arrays import Array
from plogq.tables.sums.products import product

# The ridge is a normal prior on how far a class departs from the common temperature: half of its
# scale, and half a nat of bias.
RIDGE = 1 / 0.5**2
TOLERANCE = 1e-10  # nats per row that another step could save
FAR = 1e-3  # nats per row: if a step promises more, the curvature is computed anew
CURVATURE_ROWS = 1 << 13  # taken evenly among all: an approximate curvature is enough


@dataclass(frozen=True)
class Vector:
    """−log softmax(β (1 + v) z + b)_y: v and b by class, drawn towards 0, a mere temperature.

    The fit has the least loss + ½ (|v|² + |b|²) / 0.5², which is convex; Newton's method finds it.
    β is that of the best temperature alone.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks.
    """

    temperature: Temperature
    change: Array = field(repr=False)  # (2 C,): v, then b
    inverse: Array | None = field(repr=False, default=None)  # of the curvature

    name = "vector"
    mends = False

    @staticmethod
    def size(classes: int) -> int:
        """How many parameters it has."""
        return 2 * classes

    @classmethod
    def fit(cls, rows: LabelledRows, start: Self | None = None) -> Self:
        """Return the fit of v and b; it begins at `start`, if given, and with its curvature."""
        rows = rows.only_possible()
        temperature = Temperature.fit(rows, None if start is None else start.temperature)
        logits = _Logits(rows, temperature)
        change = np.zeros(2 * rows.classes) if start is None else start.change
        inverse = None if start is None else start.inverse
        here = logits.at(change)
        promised = 0.0
        for _ in range(50):
            if inverse is None or promised > FAR * len(rows):
                inverse = inverse_of(logits.curvature(here))
            step = -np.einsum("ij,j->i", inverse, here.slope)
            promised = -dot(here.slope, step)
            there = logits.at(change + step)
            while not there.value <= here.value and promised > TOLERANCE * len(rows):
                step /= 2
                promised /= 2
                there = logits.at(change + step)
            change, here = change + step, there
            if promised <= TOLERANCE * len(rows):
                break
        return cls(temperature, change, inverse)

    def losses(self, rows: LabelledRows) -> Array:
        """Return the loss of each row in nats, (n,); inf where its label has probability 0."""
        out = np.full(len(rows), np.inf)
        at = np.flatnonzero(rows.possible)
        rows = rows.take(at)
        x = _Logits(rows, self.temperature).scaled(self.change)
        out[at] = softmax_loss(x, rows.target, validate=False, check_logits=False).loss
        return out

    @staticmethod
    def probabilities(log_q: Array, scale: list[float], bias: list[float]) -> Array:
        """Return softmax(s z + b), (n, C); a class of probability 0 keeps it."""
        masked = np.isneginf(log_q)
        x = np.where(masked, 0.0, log_q) * np.array(scale) + np.array(bias)
        return softmax(np.where(masked, -np.inf, x))

    def parameters(self) -> dict[str, Any]:
        """Return the factors of log q by class, and what is added to it."""
        v, b = np.split(self.change, 2)
        return {
            "scale": (2**self.temperature.log2_beta * (1 + v)).tolist(),
            "bias": b.tolist(),
        }


class _Point(NamedTuple):
    """The objective at one change (v, b) of the classes."""

    value: float
    slope: Array
    off: Array  # weight · (softmax − label), (n, C)


class _Logits:
    """β z of some rows, and the objective as a function of the change (v, b)."""

    def __init__(self, rows: LabelledRows, temperature: Temperature) -> None:
        z = 2**temperature.log2_beta * rows.log_q
        masked = np.isneginf(z)
        self._rows = rows
        self._masked = masked if masked.any() else None
        self._z: Array = np.where(masked, 0.0, z) if masked.any() else z

    def scaled(self, change: Array) -> Array:
        """Return β (1 + v) z + b, (n, C)."""
        v, b = np.split(change, 2)
        x: Array = self._z * (1 + v)
        x += b
        if self._masked is not None:
            x[self._masked] = -np.inf
        return x

    def at(self, change: Array) -> _Point:
        x = self.scaled(change)
        rows = self._rows
        loss = softmax_loss(
            x,
            rows.target,
            gradient=x,
            row_scale=rows.weight,
            validate=False,
            check_logits=False,
        ).loss
        slope = np.concatenate([(x * self._z).sum(axis=0), x.sum(axis=0)]) + RIDGE * change
        return _Point(dot(rows.weight, loss) + RIDGE / 2 * dot(change, change), slope, x)

    def curvature(self, at: _Point) -> Array:
        """Return the second derivative, (2 C, 2 C): lse's by the chain rule, and the ridge."""
        rows, some = self._rows, slice(None, None, max(1, len(self._rows) // CURVATURE_ROWS))
        z, weight, label = self._z[some], rows.weight[some, None], rows.label[some]
        p = at.off[some] / weight
        if label.ndim == 1:
            p[np.arange(len(p)), label] += 1
        else:
            p += label
        u = np.concatenate([p * z, p], axis=1)
        # Where every label has probability 0, there is no row to learn from, and no weight.
        more = rows.weight.sum() / weight.sum() if len(rows) else 1.0
        weighted = u * (weight * more)
        out: Array = -product(u, weighted)
        first, second = np.split(weighted.sum(axis=0), 2)
        v = np.arange(rows.classes)
        b = v + rows.classes
        out[v, v] += (weighted[:, : rows.classes] * z).sum(axis=0)
        out[v, b] += first
        out[b, v] += first
        out[b, b] += second
        out[np.diag_indices_from(out)] += RIDGE
        return out
