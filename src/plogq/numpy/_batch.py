"""A batch of logits in NumPy's layout: classes last for the engines, and the gradient back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from plogq.errors import refuse
from plogq.formulas import softmax_core
from plogq.kernels import memory
from plogq.kernels.arguments import (
    check_classes,
    check_ignore_index,
    check_out,
    check_softcap,
    check_target,
)
from plogq.kernels.arrays import to_numpy
from plogq.kernels.question import Options, Question
from plogq.numpy._reducer import Array


@dataclass(slots=True)
class Batch:
    """Logits in the layout of the engines, and the question about their rows.

    Attributes
    ----------
    logits
        The logits as they were given.
    x
        The rows, (R, C), or (N, S, C) if there are more axes: a view where memory allows.
    softcap
        c, if x is c tanh(logits / c), else None.
    question
        The targets, the rows that count, and the options.
    """

    logits: Array
    x: Array
    softcap: float | None
    question: Question

    @classmethod
    def of(
        cls,
        logits: npt.ArrayLike,
        target: npt.ArrayLike,
        options: Options,
        *,
        ignore_index: int,
        mask: npt.ArrayLike | None,
        softcap: float | None,
    ) -> Self:
        """Check shapes and dtypes, and bring the classes to the end."""
        given, t = to_numpy("logits", logits), to_numpy("target", target)
        check_classes(given)
        shape = _row_shape(given)
        soft = t.shape == given.shape
        if not soft and t.shape != shape:
            expected = f"be class indices of shape {shape} or distributions of shape {given.shape}"
            came = f"shape {t.shape}"
            if given.ndim > 2 and t.shape == given.shape[:-1]:
                came += ": classes are on axis 1, where np.moveaxis(logits, -1, 1) brings them"
            refuse("target", expected, came)
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
            x = softmax_core.capped(np, wide, softcap)
        keep = None
        if mask is not None:
            keep = to_numpy("mask", mask)
            if keep.dtype != np.bool_ or keep.shape != shape:
                refuse("mask", f"be bool of shape {shape}", f"{keep.dtype} {keep.shape}")
            keep = keep.reshape(-1)
        question = Question(y, soft, ignore_index, None, keep, options, shape)
        return cls(given, x, softcap, question)

    def room(self, out: Array | None) -> tuple[Array, Array]:
        """Give room for the gradient in the shape of the logits, and in that of the rows."""
        if out is None:
            plain = self.logits.flags.c_contiguous
            shape, dtype = self.logits.shape, self.logits.dtype
            out = memory.empty(shape, dtype) if plain else np.empty_like(self.logits)
        else:
            check_out(out, self.logits)
            if self.question.soft and np.may_share_memory(out, self.question.target):
                refuse("out", "be the logits or share no memory with anything", "the target's")
        rows = _classes_last(out)
        if self.x.dtype == out.dtype and np.may_share_memory(rows, out):
            return out, rows
        return out, np.empty_like(self.x)

    def finish(self, out: Array, rows: Array) -> None:
        """Write the gradient of the rows into the array in the shape of the logits."""
        if self.softcap is not None:
            rows *= 1 - np.where(np.isfinite(self.x), self.x / self.softcap, 0) ** 2
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
