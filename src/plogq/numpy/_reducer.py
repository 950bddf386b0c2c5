"""The reduction of the losses of rows to one number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import numpy as np
import numpy.typing as npt

from plogq.errors import refuse
from plogq.formulas.arrays import first_row
from plogq.kernels.arguments import check_denominator
from plogq.kernels.arrays import to_numpy

Reduction = Literal["none", "mean", "sum"]
Array = npt.NDArray[Any]
Loss = Any  # a NumPy scalar, or an array of one number per row if reduction is "none"


def checked_weights(
    name: str, weight: npt.ArrayLike, shape: tuple[int, ...], kept: Array | None = None
) -> Array:
    """Return float64 weights; those of rows that count are checked."""
    w = np.asarray(to_numpy(name, weight), np.float64)
    if w.shape != shape:
        refuse(name, f"have shape {shape}", f"shape {w.shape}")
    bad = ~((w >= 0) & (w < np.inf))
    if kept is not None:
        bad &= kept.reshape(shape)
    row = first_row(np, bad)
    if row is not None:
        refuse(name, "be finite and not negative", w[row], row=row)
    return w


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
        """Give the factor of the gradient of each row, shape (1,) or (R,)."""
        return np.atleast_1d(1.0 if self.weight is None else self.weight) / self.divisor

    def reduce(self, loss: Array, shape: tuple[int, ...]) -> Loss:
        """Give the weighted losses in their shape, or their sum divided by the divisor."""
        weighed: Any = loss
        if self.weight is not None:
            # A row of weight 0 adds nothing, even if its loss is infinite.
            weighed = np.zeros(len(loss))
            np.multiply(loss, self.weight, where=self.weight > 0, out=weighed)
        if self.reduction != "none":
            weighed = np.sum(weighed, dtype=np.float64) / self.divisor
        with np.errstate(over="ignore"):  # a loss beyond float32 becomes inf
            weighed = weighed.astype(loss.dtype, copy=False)
        return weighed.reshape(shape)[()] if self.reduction == "none" else weighed
