"""What rows of numbers can be read as: distributions, their logarithms, one-hot rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from plogq.formulas.arrays import EPS

Array = npt.NDArray[Any]

TOLERANCE = 1e-3  # of a sum of probabilities that are printed with four or more digits


def step(dtype: str) -> float:
    """Return the distance from 1 to the next number of a type."""
    return EPS.get(dtype, EPS["float64"])


def tolerance(dtype: str) -> float:
    """Return how far from 1 a sum of probabilities may be.

    Rounding moves each probability by at most half a step of its own size, and so their sum by at
    most half a step; the softmax before it moves the sum by about as much.
    """
    return max(TOLERANCE, step(dtype))


def logsumexp(x: Array) -> Array:
    """Return log Σ exp over the last axis; −inf where all is −inf."""
    top = x.max(axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    found: Array = np.log(np.exp(x - top).sum(axis=-1)) + top[..., 0]
    return found


def log_softmax(x: Array) -> Array:
    """Return the logarithms of the softmax over the last axis."""
    found: Array = x - logsumexp(x)[..., None]
    return found


def are_distributions(x: Array, dtype: str) -> bool:
    """Return whether each row (over the last axis) is of 0 or more, and sums to 1."""
    if x.size == 0 or x.shape[-1] < 2 or not np.isfinite(x).all() or x.min() < 0:
        return False
    return bool(np.abs(x.sum(axis=-1) - 1).max() <= tolerance(dtype))


def are_log_probabilities(x: Array, dtype: str) -> bool:
    """Return whether the exponentials of each row (over the last axis) sum to 1."""
    if x.size == 0 or x.shape[-1] < 2 or np.isnan(x).any():
        return False
    sums = np.exp(np.minimum(x, 1.0)).sum(axis=-1)
    # A log-probability near log C is rounded by half a step of its own size.
    largest = np.abs(np.where(np.isfinite(x), x, 0)).max()
    slack = tolerance(dtype) + step(dtype) * min(float(largest), 20.0)
    return bool(np.abs(sums - 1).max() <= slack)


def are_hot(target: Array) -> bool:
    """Return whether the target holds 0 and 1 alone."""
    return target.size > 0 and bool(((target == 0) | (target == 1)).all())


def are_one_hot(target: Array) -> bool:
    """Return whether each row (over the last axis) has one 1, and otherwise 0."""
    return are_hot(target) and bool((target.sum(axis=-1) == 1).all())


def entropy(p: Array) -> Array:
    """Return −Σ p log p over the last axis, in nats."""
    found: Array = -np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0).sum(axis=-1)
    return found


def standard_error(x: Array) -> float:
    """Return the standard error of a mean; infinity where fewer than two numbers are there."""
    return float(x.std(ddof=1) / np.sqrt(len(x))) if len(x) > 1 else float("inf")


def log_of_shares(x: Array, eps: float) -> Array:
    """Return the logarithms that Keras takes: of each row over its sum, cut to [eps, 1 − eps]."""
    found: Array = np.log(np.clip(x / x.sum(axis=-1, keepdims=True), eps, 1 - eps))
    return found


def first_row(bad: Array) -> int:
    """Return the first index, along the first axis, at which something is true."""
    rows = np.atleast_1d(bad)
    return int(np.argmax(rows.reshape(len(rows), -1).any(axis=1)))
