"""Questions to a loss that is a function of weights and of a batch, whatever computes it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol

import numpy as np

from plogq.doctor.readings import Array, step
from plogq.doctor.runtime.by_heart import RATES, ROWS, Cost, follow
from plogq.doctor.runtime.training import OverfitTrial, ShuffledLabels, SplitBatch
from plogq.doctor.values import Values

ORDERS = 3  # in which the labels are tried
ALIKE = 1e-4  # of outputs, in which they differ by chance behind many layers

Batch = list[Any]


@dataclass(frozen=True)
class Answer:
    """What a loss gives for a batch.

    `gradient` holds an array for each weight; None where none reaches it. `given` is what the loss
    is given, if that is known.
    """

    loss: float
    gradient: list[Array | None]
    given: Values | None


class Loss(Protocol):
    """A loss as a function of weights and the arrays of a batch."""

    def value(self, weights: Sequence[Any], batch: Batch) -> float:
        """Return the loss."""

    def answer(self, weights: Sequence[Any], batch: Batch) -> Answer:
        """Return the loss, its gradient, and what it is given."""


def rows_of(batch: Batch, target: int) -> int:
    """Return how many rows the target has."""
    shape = np.shape(batch[target])
    return int(shape[0]) if shape else 0


def of_rows(batch: Batch, target: int, rows: Any) -> Batch:
    """Return some rows of all arrays that have as many rows as the target."""
    size = rows_of(batch, target)
    return [
        each[rows] if len(np.shape(each)) and np.shape(each)[0] == size else each for each in batch
    ]


def with_target(batch: Batch, target: int, other: Any) -> Batch:
    """Return a batch with another target."""
    return [other if i == target else each for i, each in enumerate(batch)]


def shuffled_labels(
    loss: Loss, weights: Sequence[Any], batch: Batch, target: int
) -> ShuffledLabels | None:
    """Return the loss with the labels of other rows; None if it says nothing.

    Of outputs that are all alike it says nothing, and neither where the gradient moves.
    """
    labels = np.asarray(batch[target])
    rows = len(labels) if labels.ndim else 0
    if rows < 2 or (labels == labels[:1]).all():
        return None
    first = loss.answer(weights, batch)
    if first.given is not None and _all_alike(first.given.outputs):
        return None
    found = []
    for turn in range(1, ORDERS + 1):
        other = np.roll(labels, -turn, axis=0)
        if (other == labels).all():
            continue
        moved = loss.answer(weights, with_target(batch, target, other))
        if first.given is None and not _same(first.gradient, moved.gradient):
            return None
        found.append(moved.loss)
    size = step("float32") * max(abs(first.loss), 1.0)
    return ShuffledLabels(first.loss, tuple(found), size, rows) if found else None


def _all_alike(x: Array) -> bool:
    """Return whether the rows differ by no more than what sums leave of rounding."""
    x = x.astype(np.float64)
    return bool(np.abs(x - x[:1]).max() <= ALIKE * max(1.0, np.abs(x).max()))


def _same(a: Sequence[Array | None], b: Sequence[Array | None]) -> bool:
    pairs = [(x, y) for x, y in zip(a, b, strict=True) if x is not None and y is not None]
    return all(np.allclose(x, y, rtol=ALIKE, atol=1e-12) for x, y in pairs)


def split_batch(
    loss: Loss, weights: Sequence[Any], batch: Batch, target: int, whole: float, *, use_seen: bool
) -> SplitBatch | None:
    """Return the loss of the whole batch, which is given, and of its halves."""
    rows = rows_of(batch, target)
    if rows < 2:
        return None
    halves = [
        loss.value(weights, of_rows(batch, target, part))
        for part in (slice(None, rows // 2), slice(rows // 2, None))
    ]
    return SplitBatch(whole, (halves[0], halves[1]), rows, use_seen)


def overfit(loss: Loss, weights: Sequence[Any], batch: Batch, target: int) -> OverfitTrial | None:
    """Return how far weights learn some rows by heart; None where they have no classes.

    A model with fewer parameters than rows is not tried. Adam is written out.
    """
    size = rows_of(batch, target)
    if sum(math.prod(np.shape(each)) for each in weights) < ROWS or size == 0:
        return None
    kept = np.linspace(0, size - 1, min(ROWS, size)).round().astype(np.int64)
    small = of_rows(batch, target, kept)
    return follow(_costs(loss, weights, small, rate) for rate in RATES)


def _costs(loss: Loss, weights: Sequence[Any], batch: Batch, rate: float) -> Iterator[Cost | None]:
    """Yield what rows cost before each step of Adam; None where they have no classes."""
    dtypes = [np.asarray(each).dtype for each in weights]
    wide = [np.asarray(each).astype(np.float32) for each in weights]
    means = [np.zeros_like(each) for each in wide]
    squares = [np.zeros_like(each) for each in wide]
    for turn in count(1):
        now = [each.astype(dtype) for each, dtype in zip(wide, dtypes, strict=True)]
        answer = loss.answer(now, batch)
        yield None if answer.given is None else Cost.of(answer.given.scored)
        for i, gradient in enumerate(answer.gradient):
            if gradient is None:
                continue
            g = np.asarray(gradient, dtype=np.float32)
            means[i] += 0.1 * (g - means[i])
            squares[i] += 0.001 * (g * g - squares[i])
            m, v = means[i] / (1 - 0.9**turn), squares[i] / (1 - 0.999**turn)
            wide[i] -= rate * m / (np.sqrt(v) + 1e-8)
