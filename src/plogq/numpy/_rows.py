"""What the losses share: rows and who counts, gradients, statistics, reductions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self, get_args

import numpy as np
import numpy.typing as npt

from plogq.formulas._check import refuse
from plogq.kernels import memory
from plogq.kernels._arguments import check_logits, check_out, check_target
from plogq.kernels.cpu import RowStatistics

Reduction = Literal["none", "mean", "sum"]
Array = npt.NDArray[Any]
Loss = Any  # a NumPy scalar, or one number per row where reduction is "none"


class Statistics(NamedTuple):
    """What the pass that computed a loss knows of its rows, in nats.

    Attributes
    ----------
    lse
        log Σ exp z of each row, z the logits after the temperature; −inf where it is left out.
    entropy
        H(softmax(z)) of each row.
    argmax
        The predicted class of each row, −1 where it is left out.
    accuracy
        The share of rows, among those that count, whose prediction is the target (for a
        distribution, its most likely class); 0 where none counts.
    """

    lse: Array
    entropy: Array
    argmax: npt.NDArray[np.int64]
    accuracy: float


def rows_of(
    logits: npt.ArrayLike, target: npt.ArrayLike, ignore_index: int, mask: npt.ArrayLike | None
) -> tuple[Array, Array, Array | None]:
    """Give logits, targets, and which rows count: None for all."""
    x, y = np.asarray(logits), np.asarray(target)
    check_logits(x)
    check_target(y, x)
    kept = y != ignore_index if y.ndim == 1 else None
    if mask is None:
        return x, y, kept
    shown = np.asarray(mask)
    if shown.dtype != np.bool_ or shown.shape != x.shape[:1]:
        refuse("mask", f"be bool of shape {x.shape[:1]}", f"{shown.dtype} {shown.shape}")
    return x, y, shown if kept is None else shown & kept


def checked_weights(name: str, weight: npt.ArrayLike, shape: tuple[int, ...]) -> Array:
    """Give float64 weights, after checking each."""
    w = np.asarray(weight, np.float64)
    if w.shape != shape:
        refuse(name, f"have shape {shape}", f"shape {w.shape}")
    bad = ~((w >= 0) & (w < np.inf))
    if bad.any():
        row = int(bad.argmax())
        refuse(name, "be finite and not negative", w[row], row=row)
    return w


def room_for(x: Array, out: Array | None) -> Array:
    """Give the array that takes the gradient."""
    if out is None:
        return memory.empty(x.shape, x.dtype) if x.flags.c_contiguous else np.empty_like(x)
    check_out(out, x)
    return out


def by_formula(
    formula: Callable[[Array, Array], tuple[Array, Array]],
    x: Array,
    y: Array,
    kept: Array | None,
    row_scale: Array,
    grad: Array | None,
) -> Array:
    """Give the loss of each row, and row_scale · its gradient into grad."""
    if x.dtype == np.float16:
        x = x.astype(np.float32)
    if kept is None:
        kept = np.ones(len(x), np.bool_)
    x = np.where(kept[:, None], x, 0)
    y = np.where(kept, y, 0) if y.ndim == 1 else np.where(kept[:, None], y, 1 / y.shape[1])
    loss, slope = formula(x, y)
    if grad is not None:
        scale = np.where(kept, row_scale, 0)
        np.multiply(slope, scale[:, None], out=grad, casting="same_kind")
    return np.where(kept, loss, 0)


def statistics(found: RowStatistics, y: Array, kept: Array | None) -> Statistics:
    """Add the accuracy, and blank what a row that is left out has."""
    if kept is None:
        kept = np.ones(len(y), np.bool_)
    argmax = np.where(kept, found.argmax, -1)
    correct = (argmax == (y if y.ndim == 1 else y.argmax(axis=1))) & kept
    lse = np.where(kept, found.max + np.log1p(found.rest), -np.inf)
    accuracy = int(np.count_nonzero(correct)) / max(1, int(np.count_nonzero(kept)))
    return Statistics(lse, np.where(kept, found.entropy, 0), argmax, accuracy)


@dataclass(slots=True)
class Reducer:
    """How the losses of rows become one number: by their weights (None for 1), and a divisor."""

    weight: Array | None
    divisor: float
    reduction: Reduction

    @classmethod
    def of(
        cls,
        kept: Array | None,
        reduction: Reduction,
        row_weight: npt.ArrayLike | None,
        denominator: float | None,
        label_weight: Array | None = None,
        *,
        rows: int,
    ) -> Self:
        """Check the arguments; a mean divides by the sum of row_weight · label_weight."""
        weight = None
        if row_weight is not None:
            weight = checked_weights("row_weight", row_weight, (rows,))
            weight = weight if kept is None else np.where(kept, weight, 0)
        if reduction not in get_args(Reduction):
            refuse("reduction", f"be one of {get_args(Reduction)}", repr(reduction))
        if denominator is not None:
            if reduction != "mean":
                refuse("denominator", "come with reduction='mean'", f"reduction={reduction!r}")
            if not 0 < denominator < np.inf:
                refuse("denominator", "be finite and above 0", denominator)
            return cls(weight, denominator, reduction)
        if reduction != "mean":
            return cls(weight, 1.0, reduction)
        counts = (
            weight if label_weight is None else label_weight * (1 if weight is None else weight)
        )
        if counts is None:
            total = rows if kept is None else np.count_nonzero(kept)
        else:
            total = counts.sum() if kept is None else counts.sum(where=kept)
        return cls(weight, float(total) or 1.0, reduction)

    def row_scale(self) -> Array:
        """Give what the gradient of each row is multiplied by."""
        return np.atleast_1d(1.0 if self.weight is None else self.weight) / self.divisor

    def reduce(self, loss: Array) -> Loss:
        """Give the losses, weighed, or their sum over the divisor."""
        weighed: Any = loss
        if self.weight is not None:
            # A row without weight has no say, even where its loss is infinite.
            weighed = np.zeros(len(loss))
            np.multiply(loss, self.weight, where=self.weight > 0, out=weighed)
        if self.reduction != "none":
            weighed = np.sum(weighed, dtype=np.float64) / self.divisor
        with np.errstate(over="ignore"):  # what exceeds float32 is inf
            return weighed.astype(loss.dtype, copy=False)
