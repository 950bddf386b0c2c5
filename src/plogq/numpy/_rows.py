"""What the losses share: rows and who counts, gradients, statistics, reductions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self, get_args

import numpy as np
import numpy.typing as npt

from plogq.errors import refuse
from plogq.formulas.arrays import first_row
from plogq.kernels import memory
from plogq.kernels.arguments import (
    check_classes,
    check_denominator,
    check_ignore_index,
    check_out,
    check_softcap,
    check_target,
)
from plogq.kernels.rows import RowStatistics

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


@dataclass(slots=True)
class Batch:
    """Rows of logits, their targets, and which of them count."""

    logits: Array  # as they were given
    x: Array  # (R, C), or (N, S, C) of more axes: a view where memory allows
    y: Array  # (R,) labels, or distributions like x
    keep: Array | None  # (R,), of the mask; None for all
    ignore_index: int
    softcap: float | None

    @classmethod
    def of(
        cls,
        logits: npt.ArrayLike,
        target: npt.ArrayLike,
        ignore_index: int,
        mask: npt.ArrayLike | None,
        softcap: float | None,
    ) -> Self:
        """Check shapes and dtypes, and bring the classes to the end."""
        given, t = np.asarray(logits), np.asarray(target)
        check_classes(given)
        shape = _row_shape(given)
        soft = t.shape == given.shape
        if not soft and t.shape != shape:
            expected = f"be class indices of shape {shape} or distributions of shape {given.shape}"
            refuse("target", expected, f"shape {t.shape}")
        if not t.size and not soft:  # an empty list is floating point to NumPy
            t = t.astype(np.int64)
        x, y = _classes_last(given), _classes_last(t) if soft else t.reshape(-1)
        check_target(y, x)
        check_ignore_index(ignore_index)
        if soft and ignore_index >= 0:
            expected = "be left out with distributions, where `mask` leaves rows out"
            refuse("ignore_index", expected, ignore_index)
        if softcap is not None:
            check_softcap(softcap)
            wide = x.astype(np.float32 if x.dtype == np.float16 else x.dtype, copy=False)
            x = np.where(wide == -np.inf, wide, softcap * np.tanh(wide / softcap))
        keep = None
        if mask is not None:
            keep = np.asarray(mask)
            if keep.dtype != np.bool_ or keep.shape != shape:
                refuse("mask", f"be bool of shape {shape}", f"{keep.dtype} {keep.shape}")
            keep = keep.reshape(-1)
        return cls(given, x, y, keep, ignore_index, softcap)

    @property
    def soft(self) -> bool:
        """Tell whether the targets are distributions."""
        return self.y.ndim > 1

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the losses, one by one."""
        return _row_shape(self.logits)

    def kept(self) -> Array | None:
        """(R,) bool, without the ignored rows; None where all count."""
        if self.soft:
            return self.keep
        counted: Array = self.y != self.ignore_index
        return counted if self.keep is None else counted & self.keep

    def room(self, out: Array | None) -> tuple[Array, Array]:
        """Give the gradient in the shape of the logits, and what takes it row by row."""
        if out is None:
            plain = self.logits.flags.c_contiguous
            shape, dtype = self.logits.shape, self.logits.dtype
            out = memory.empty(shape, dtype) if plain else np.empty_like(self.logits)
        else:
            check_out(out, self.logits)
            if self.soft and np.may_share_memory(out, self.y):
                refuse("out", "be the logits or share no memory with anything", "the target's")
        rows = _classes_last(out)
        if self.x.dtype == out.dtype and np.may_share_memory(rows, out):
            return out, rows
        return out, np.empty_like(self.x)

    def finish(self, out: Array, rows: Array) -> None:
        """Bring the gradient of the rows to where it belongs."""
        if self.softcap is not None:
            rows *= 1 - np.where(self.x == -np.inf, 0, self.x / self.softcap) ** 2
        place = _classes_last(out)
        if np.may_share_memory(place, out):
            if place is not rows and not np.may_share_memory(rows, place):
                place[...] = rows
        else:
            axes = self.logits.shape[:1] + self.logits.shape[2:] + self.logits.shape[1:2]
            out[...] = np.moveaxis(rows.reshape(axes), -1, 1)


def _row_shape(logits: Array) -> tuple[int, ...]:
    return logits.shape[:1] + logits.shape[2:] if logits.ndim > 1 else ()


def _classes_last(a: Array) -> Array:
    if a.ndim < 3:
        return a[np.newaxis] if a.ndim == 1 else a
    a = np.moveaxis(a, 1, -1)
    return a.reshape(a.shape[0], math.prod(a.shape[1:-1]), a.shape[-1])


def checked_weights(
    name: str, weight: npt.ArrayLike, shape: tuple[int, ...], kept: Array | None = None
) -> Array:
    """Give float64 weights, after checking each that counts."""
    w = np.asarray(weight, np.float64)
    if w.shape != shape:
        refuse(name, f"have shape {shape}", f"shape {w.shape}")
    bad = ~((w >= 0) & (w < np.inf))
    if kept is not None:
        bad &= kept.reshape(shape)
    row = first_row(np, bad)
    if row is not None:
        refuse(name, "be finite and not negative", w[row], row=row)
    return w


def by_formula(
    formula: Callable[[Array, Array], tuple[Array, Array]],
    batch: Batch,
    row_scale: Array,
    grad: Array | None,
) -> Array:
    """Give the loss of each row, and row_scale · its gradient into grad."""
    classes, kept = batch.x.shape[-1], batch.kept()
    x, y = batch.x.reshape(-1, classes), batch.y
    if x.dtype == np.float16:
        x = x.astype(np.float32)
    if kept is None:
        kept = np.ones(len(x), np.bool_)
    x = np.where(kept[:, None], x, 0)
    if batch.soft:
        y = np.where(kept[:, None], y.reshape(-1, classes), 1 / classes)
    else:
        y = np.where(kept, y, 0)
    loss, slope = formula(x, y)
    if grad is not None:
        slope *= np.where(kept, row_scale, 0)[:, None]
        grad[...] = slope.reshape(grad.shape)
    return np.where(kept, loss, 0)


def statistics(found: RowStatistics, batch: Batch) -> Statistics:
    """Add the accuracy, and blank what a row that is left out has."""
    kept = batch.kept()
    if kept is None:
        kept = np.ones(len(found.argmax), np.bool_)
    argmax = np.where(kept, found.argmax, -1)
    label = batch.y.argmax(axis=-1).reshape(-1) if batch.soft else batch.y
    accuracy = np.count_nonzero((argmax == label) & kept) / max(1, int(np.count_nonzero(kept)))
    lse = np.where(kept, found.max + np.log1p(found.rest), -np.inf)
    entropy = np.where(kept, found.entropy, 0)
    lse, entropy, argmax = (a.reshape(batch.shape) for a in (lse, entropy, argmax))
    return Statistics(lse, entropy, argmax, float(accuracy))


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
        shape: tuple[int, ...],
    ) -> Self:
        """Check the arguments; a mean divides by the sum of row_weight · label_weight."""
        weight = None
        if row_weight is not None:
            weight = checked_weights("row_weight", row_weight, shape, kept).reshape(-1)
            weight = weight if kept is None else np.where(kept, weight, 0)
        if reduction not in get_args(Reduction):
            refuse("reduction", f"be one of {get_args(Reduction)}", repr(reduction))
        if denominator is not None:
            if reduction != "mean":
                refuse("denominator", "come with reduction='mean'", f"reduction={reduction!r}")
            check_denominator(denominator)
            return cls(weight, float(denominator) or 1.0, reduction)
        if reduction != "mean":
            return cls(weight, 1.0, reduction)
        counts = (
            weight if label_weight is None else label_weight * (1 if weight is None else weight)
        )
        if counts is None:
            total = math.prod(shape) if kept is None else np.count_nonzero(kept)
        else:
            total = counts.sum() if kept is None else counts.sum(where=kept)
        return cls(weight, float(total) or 1.0, reduction)

    def row_scale(self) -> Array:
        """Give what the gradient of each row is multiplied by."""
        return np.atleast_1d(1.0 if self.weight is None else self.weight) / self.divisor

    def reduce(self, loss: Array, shape: tuple[int, ...]) -> Loss:
        """Give the losses, weighed, in their shape; or their sum over the divisor."""
        weighed: Any = loss
        if self.weight is not None:
            # A row without weight has no say, even where its loss is infinite.
            weighed = np.zeros(len(loss))
            np.multiply(loss, self.weight, where=self.weight > 0, out=weighed)
        if self.reduction != "none":
            weighed = np.sum(weighed, dtype=np.float64) / self.divisor
        with np.errstate(over="ignore"):  # what exceeds float32 is inf
            weighed = weighed.astype(loss.dtype, copy=False)
        return weighed.reshape(shape)[()] if self.reduction == "none" else weighed
