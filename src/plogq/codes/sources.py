"""Checks of the arguments of codes: probabilities, weights, lengths, bases."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np
import numpy.typing as npt

from plogq.errors import refuse
from plogq.kernels.arrays import to_numpy

Floats = npt.NDArray[np.float64]
LONGEST = 1 << 20  # digits: no weights in float64 lead to longer words


def as_base(base: int) -> int:
    """Give D ≥ 2."""
    if index(base) < 2:
        refuse("base", "be at least 2", base)
    return index(base)


def as_lengths(lengths: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Give word lengths, shape (n,)."""
    x = to_numpy("lengths", lengths)
    if x.ndim != 1 or (x.dtype.kind not in "iu" and x.size):
        refuse("lengths", "be integers of shape (n,)", f"{x.dtype} of shape {x.shape}")
    _refuse_first("lengths", f"be from 0 to {LONGEST:,}", x, (x < 0) | (x > LONGEST))
    return x.astype(np.int64)


def as_weights(weights: npt.ArrayLike, name: str) -> Floats:
    """Give numbers ≥ 0, finite, shape (n,), n ≥ 1."""
    x = np.asarray(to_numpy(name, weights), np.float64)
    if x.ndim != 1 or not x.size:
        refuse(name, "have shape (n,), n at least 1", x.shape)
    _refuse_first(name, "be finite and at least 0", x, ~((x >= 0) & (x < np.inf)))
    return x


def as_positive(p: npt.ArrayLike, name: str) -> Floats:
    """Give probabilities above 0 that sum to 1, shape (n,)."""
    x = as_weights(p, name)
    _refuse_first(name, "be above 0: an impossible symbol has no word", x, x == 0)
    if abs(x.sum() - 1) > 1e-8:
        refuse(name, "sum to 1", f"sum {x.sum():.9g}")
    return x


def _refuse_first(name: str, expected: str, x: npt.NDArray[Any], bad: npt.NDArray[Any]) -> None:
    if bad.any():
        i = int(np.argmax(bad))
        refuse(name, expected, x[i], row=i)
