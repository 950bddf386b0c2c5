"""The smooth calibration error: without bins.

References
----------
Błasiok, Nakkiran (2023), Smooth ECE: principled reliability diagrams via kernel smoothing.
"""

from __future__ import annotations

import math

import numpy as np

from plogq.score.figures.measures.bins import MEAN_SIZE
from plogq.score.figures.measures.estimate import Estimate, average
from plogq.tables.arrays import Array

CELLS = 1 << 12  # of [0, 1]: a row's mass is shared by the two centres beside it
HALVINGS = 50
STEP = 1e-3  # of the width, relative, in its derivative


def smooth_error(q: Array, hit: Array, weight: Array) -> Estimate:
    """Return the σ at which ∫ |r_σ(t)| dt = σ, r_σ being w (q − hit) smoothed by a Gaussian.

    The Gaussian of width σ is reflected at 0 and 1, as heat is. The integral falls as σ rises, so
    there is one such σ; the cells make it wrong by about (1 / 4096 σ)² of itself.
    """
    grid = _Grid(q)
    total = weight.sum()
    residual = grid.spread(weight * (q - hit)) / total

    def integral(width: float) -> float:
        return float(np.abs(_smoothed(residual, width)).sum())

    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if integral(middle) > middle else (low, middle)
    width = high
    sign = _smoothed(np.sign(_smoothed(residual, width)), width)
    rows = (q - hit) * grid.at(sign)
    # Where σ = s(σ), a change of s by δ moves σ by δ / (1 − s'(σ)), and s falls.
    slope = (integral(width * (1 + STEP)) - integral(width * (1 - STEP))) / (2 * STEP * width)
    influence = (rows - average(rows, weight)) / (1 - min(0.0, slope))
    return Estimate(
        width, influence, _noise(grid.spread(weight**2 * q * (1 - q)) / total**2, width)
    )


def _noise(variance: Array, width: float) -> float:
    """Return the mean of ∫ |r_σ| for residuals of mean 0 whose variances are in the cells."""
    # The square of a Gaussian is one of width σ/√2, divided by 2 σ √π.
    held = _smoothed(variance, width / math.sqrt(2)) * CELLS / (2 * width * math.sqrt(math.pi))
    return MEAN_SIZE * float(np.sqrt(np.maximum(held, 0.0)).sum()) / CELLS


class _Grid:
    """Places in [0, 1] on the centres of cells, each between two of them."""

    def __init__(self, q: Array) -> None:
        place = np.clip(q * CELLS - 0.5, 0.0, CELLS - 1.0)
        self._low = np.minimum(place.astype(np.int64), CELLS - 2)
        self._part = place - self._low

    def spread(self, mass: Array) -> Array:
        """Return the mass of each cell, (cells,)."""
        low = np.bincount(self._low, mass * (1 - self._part), CELLS)
        return low + np.bincount(self._low + 1, mass * self._part, CELLS)

    def at(self, values: Array) -> Array:
        """Return values of cells between their centres, (n,)."""
        found: Array = values[self._low] * (1 - self._part) + values[self._low + 1] * self._part
        return found


def _smoothed(mass: Array, width: float) -> Array:
    """Return the masses of cells after smoothing by a Gaussian reflected at both ends, (cells,).

    Mirrored, the cells are one period of an even function, whose frequency k the Gaussian damps
    by exp(−(π k σ)² / 2).
    """
    waves = np.fft.rfft(np.concatenate([mass, mass[::-1]]))
    waves *= np.exp(-((np.pi * width * np.arange(len(waves))) ** 2) / 2)
    return np.fft.irfft(waves, 2 * CELLS)[:CELLS]
