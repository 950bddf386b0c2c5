"""Predictions in fixed point, with which a range coder codes."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from plogq.errors import refuse
from plogq.kernels import quantise as kernel
from plogq.kernels.arrays import to_numpy

Kind = Literal["probs", "logprobs", "logits"]

PRECISION = 24  # bits of constriction's probabilities
MOST_CLASSES = 2**PRECISION - 2
# How far from 1 a row of probabilities may sum; it is then normalised, as the rows of a table are.
TOLERANCE = 1e-4
HALF_TOLERANCE = 1e-2


class Quantised(NamedTuple):
    """n rows over C classes.

    Attributes
    ----------
    weights
        w − 1, float32 of shape (n, C), where q̂ = w / 2²⁴ is the coder's distribution: w ≥ 1,
        Σ w = 2²⁴.
    divergence
        D_KL(q ‖ q̂) in nats, shape (n,).
    surprisal
        −log q(label) in nats, shape (n,); inf where q(label) = 0. None if there are no labels.
    """

    weights: npt.NDArray[np.float32]
    divergence: npt.NDArray[np.float64]
    surprisal: npt.NDArray[np.float64] | None


def quantise(
    predictions: npt.ArrayLike,
    labels: npt.NDArray[np.int64] | None = None,
    *,
    kind: Kind = "probs",
    name: str = "probs",
    first: int = 0,
) -> Quantised:
    """Round distributions q to q̂ = w / 2²⁴ with integers w ≥ 1.

    w_j is the difference of ⌊(2²⁴ − C) Σ_{i ≤ j} q_i⌋ + j + 1 and its predecessor (2²⁴ at the
    last class), with the sums in float64 from the first class on: the same integers everywhere.

    Parameters
    ----------
    predictions
        Shape (n, C): probabilities, or logits or natural log-probabilities, whose softmax is taken.
    labels
        Shape (n,), in [0, C).
    kind
        The kind of the predictions.
    name, first
        The name of the predictions in errors, and the number of the first row.

    Raises
    ------
    ValueError
        If a row has NaN, or is no distribution (within 1e-4; 1e-2 for half precision).

    Examples
    --------
    >>> q = quantise([[0.5, 0.5, 0.0]])
    >>> (q.weights + 1).astype(int)
    array([[8388607, 8388608,       1]])
    >>> q.divergence < 1e-6
    array([ True])

    References
    ----------
    Bamler (2022), Understanding entropy coding with asymmetric numeral systems, section 4;
    constriction's `fast` quantisation is the same rounding.
    """
    x, tolerance = as_predictions(predictions, name)
    if kind not in ("probs", "logprobs", "logits"):
        refuse("kind", 'be "probs", "logprobs" or "logits"', repr(kind))
    n, classes = x.shape
    weights = np.empty((n, classes), np.float32)
    divergence = np.empty(n)
    surprisal = None if labels is None else np.empty(n)
    bad = kernel.quantise(x, kind != "probs", tolerance, labels, weights, divergence, surprisal)
    if bad >= 0:
        _refuse_row(x[bad], kind, name, first + bad)
    return Quantised(weights, divergence, surprisal)


def as_predictions(predictions: npt.ArrayLike, name: str) -> tuple[npt.NDArray[Any], float]:
    """Give predictions as float32 or float64, (n, C), and how far from 1 the rows may sum."""
    x = to_numpy(name, predictions)
    tolerance = HALF_TOLERANCE if x.dtype.itemsize == 2 else TOLERANCE
    if x.dtype.kind in "biu" or x.dtype.name in ("float16", "bfloat16"):
        x = x.astype(np.float32 if x.dtype.itemsize < 4 else np.float64)
    if x.dtype.name not in ("float32", "float64"):
        refuse(name, "be real numbers", x.dtype, error=TypeError)
    x = x.astype(x.dtype.newbyteorder("="), copy=False)
    if x.ndim != 2 or not 1 <= x.shape[1] <= MOST_CLASSES:
        refuse(name, f"have shape (rows, classes), 1 to {MOST_CLASSES:,} classes", x.shape)
    if not x.flags.aligned or any(stride % x.itemsize for stride in x.strides):
        x = x.copy()
    return x, tolerance


def _refuse_row(row: npt.NDArray[Any], kind: Kind, name: str, number: int) -> None:
    shown = "[" + ", ".join(f"{x:.6g}" for x in row[:6]) + (", …]" if len(row) > 6 else "]")
    if kind == "probs":
        expected = "be probabilities that sum to 1"
        came = f"{shown}, sum {row.sum(dtype=np.float64):.9g}"
    else:
        expected, came = "be numbers below inf, one at least above -inf", shown
    refuse(name, expected, came, row=number)
