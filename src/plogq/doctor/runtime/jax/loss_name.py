"""Which loss a function of JAX computes, of which numbers: told by what it gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from plogq.doctor.readings import Array, are_hot, log_softmax
from plogq.doctor.values import Values, values_of

CLOSE = 1e-4  # of the loss: sums in half precision, or in another order
LABELS = "softmax_cross_entropy_with_integer_labels"


@dataclass(frozen=True)
class NamedLoss:
    """A loss, and where what it is given stands.

    Attributes
    ----------
    name, reduction
        Its name in optax, and how the losses of rows become one number.
    outputs
        Which number, among the arrays that were computed, its outputs have.
    target
        Which number, among the arrays of the batch, its target has.
    shift
        Whether each position is about the next one.
    hot
        Whether labels become rows with one 1 before.
    """

    name: str
    reduction: str
    outputs: int
    target: int
    shift: bool = False
    hot: bool = False

    def values(self, outputs: Any, target: Any, *, at_start: bool = False) -> Values:
        """Return what the loss is given, as the checks of values look at it."""
        x, y = np.asarray(outputs), np.asarray(target)
        if self.shift:
            x, y = x[:, : y.shape[1] - 1], y[:, 1:]
        if self.hot:
            y = np.eye(x.shape[-1])[y]
        return values_of(x, y, self.name, "jax", at_start=at_start, reduction=self.reduction)


def named(computed: Sequence[Array], batch: Sequence[Any], loss: float) -> NamedLoss | None:
    """Return the loss that gives the same number, of the first arrays that do; None if none does.

    Parameters
    ----------
    computed
        The arrays of the graph, in order: logits come before what a softmax makes of them.
    batch
        The arrays of the batch.
    loss
        The number.
    """
    for i, x in enumerate(computed):
        for j, y in enumerate(batch):
            if not np.shape(y) or not np.issubdtype(getattr(y, "dtype", None), np.number):
                continue
            for name, rows, how in _losses(x, np.asarray(y)):
                for reduction in ("mean", "sum"):
                    number = float(getattr(rows, reduction)())
                    if abs(number - loss) <= CLOSE * max(abs(loss), 1e-3):
                        return NamedLoss(name, reduction, _last_alike(computed, i), j, **how)
    return None


def _last_alike(computed: Sequence[Array], first: int) -> int:
    """Return the last array that holds the same: a bias that is 0 today is not so tomorrow."""
    x = computed[first]
    alike = [i for i, each in enumerate(computed) if np.array_equal(each, x)]
    return alike[-1]


def of_labels_outside(computed: Sequence[Array], batch: Sequence[Any]) -> NamedLoss | None:
    """Return a loss of labels of which one is no class: it is NaN, and no number can tell it."""
    for i, x in reversed(list(enumerate(computed))):
        for j, y in enumerate(batch):
            y = np.asarray(y)
            fits = y.dtype.kind in "iu" and x.ndim > 1 and x.shape[:-1] == y.shape and y.size > 0
            if fits and y.max() >= x.shape[-1] > 1:
                return NamedLoss(LABELS, "mean", i, j)
    return None


Losses = Iterator[tuple[str, Array, dict[str, bool]]]


def _losses(x: Array, y: Array) -> Losses:
    """Yield the losses that two arrays may be given to, and what each row then costs."""
    x = x.astype(np.float64)
    if y.dtype.kind in "iu" and x.ndim > 1 and x.shape[-1] > 1:
        if x.shape[:-1] == y.shape:
            yield from _of_labels(x, y)
        if x.ndim == 3 and y.ndim == 2 and len(x) == len(y):
            length = y.shape[1] - 1
            if x.shape[1] in (length, length + 1) and length:
                yield from _of_labels(x[:, :length], y[:, 1:], shift=True)
    if x.shape != y.shape or x.ndim == 0:
        return
    t = y.astype(np.float64)
    if t.ndim > 1 and t.shape[-1] > 1 and np.allclose(t.sum(-1), 1):
        yield "softmax_cross_entropy", -(t * log_softmax(x)).sum(-1), {}
    if are_hot(t):
        rows = np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x)))
        yield "sigmoid_binary_cross_entropy", rows, {}
        yield "sigmoid_binary_cross_entropy", rows.sum(-1), {}
    yield "squared_error", np.square(x - t), {}


def _of_labels(x: Array, y: Array, *, shift: bool = False) -> Losses:
    if y.min() >= 0 and y.max() < x.shape[-1]:
        log_q = np.take_along_axis(log_softmax(x), y[..., None].astype(np.int64), axis=-1)
        yield LABELS, -log_q[..., 0], {"shift": shift}
        yield "squared_error", np.square(x - np.eye(x.shape[-1])[y]), {"shift": shift, "hot": True}
