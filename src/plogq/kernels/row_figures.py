"""The figures of each row of a table of predictions, in one pass over the logits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from plogq.errors import refuse
from plogq.kernels import _native, arguments
from plogq.kernels import threads as machine

__all__ = ["RowFigures", "row_figures"]

Floats = npt.NDArray[np.floating[Any]]
_FIGURES = 5


class RowFigures(NamedTuple):
    """The figures of N rows in nats and float64, each of shape (N,), with q = softmax(x).

    Attributes
    ----------
    surprisal
        −log q_y.
    confidence
        max_j q_j.
    correct
        1 where y is the predicted class, else 0.
    entropy
        H(q).
    brier
        Σ_j (q_j − [j = y])².
    predicted
        The first class of highest probability, int64.
    """

    surprisal: npt.NDArray[np.float64]
    confidence: npt.NDArray[np.float64]
    correct: npt.NDArray[np.float64]
    entropy: npt.NDArray[np.float64]
    brier: npt.NDArray[np.float64]
    predicted: npt.NDArray[np.int64]


def row_figures(logits: Floats | Sequence[Floats], target: npt.NDArray[np.int64]) -> RowFigures:
    """Give surprisal, confidence, entropy and Brier score of each row, on the calling thread.

    It computes plogq.formulas.cross_entropy_from_logits and
    plogq.formulas.squared_error_from_logits in float64, without a difference of nearly equal
    numbers.

    Parameters
    ----------
    logits
        x: float32 or float64, shape (N, C); or its C columns, each of shape (N,), wherever they
        lie. −inf is a masked class.
    target
        y: class of each row, shape (N,), integers in [0, C).

    Raises
    ------
    ValueError, TypeError
        Wrong shape or dtype; a row with NaN, +inf or nothing but −inf; a target outside [0, C).

    Examples
    --------
    >>> found = row_figures([np.array([0.0, 0.0]), np.array([0.0, -80.0])], np.array([1, 0]))
    >>> found.surprisal
    array([6.93147181e-01, 1.80485139e-35])
    >>> found.confidence, found.correct, found.predicted
    (array([0.5, 1. ]), array([0., 1.]), array([0, 0]))
    """
    given = native_logits(logits, target)
    figures = np.empty((_FIGURES, len(given.target)))
    predicted = np.empty(len(given.target), np.int64)
    run = _native.float_figures if given.dtype == np.float32 else _native.double_figures
    bad = run(
        given.columns, given.matrix, given.target, figures, predicted, machine.INSTRUCTION_SET
    )
    if bad >= 0:
        arguments.refuse_row_of_logits(np.max(given.row(bad)), bad)
    surprisal, confidence, correct, entropy, brier = figures
    return RowFigures(surprisal, confidence, correct, entropy, brier, predicted)


class NativeLogits(NamedTuple):
    """Logits as the native code takes them, as columns or as a matrix, and their targets."""

    columns: list[Floats]
    matrix: Floats | None
    target: npt.NDArray[np.int64]
    dtype: np.dtype[Any]

    def row(self, i: int) -> Floats:
        """Give the logits of a row."""
        if self.matrix is not None:
            return np.asarray(self.matrix[i])
        return np.array([column[i] for column in self.columns])


def native_logits(logits: Floats | Sequence[Floats], target: npt.NDArray[np.int64]) -> NativeLogits:
    """Check what the native code does not check, and bring it into the layout that it reads."""
    if isinstance(logits, np.ndarray):
        arguments.check_arithmetic(np.float64, logits)
        columns: list[Floats] = []
        matrix, dtype = np.ascontiguousarray(logits), logits.dtype
        n, classes = matrix.shape
    else:
        dtype = np.result_type(*logits)
        if dtype not in (np.float32, np.float64) or any(x.ndim != 1 for x in logits):
            came = ", ".join(f"{x.dtype} {x.shape}" for x in logits[:4])
            refuse("logits", "be columns of float32 or float64", came)
        columns = [np.ascontiguousarray(column, dtype) for column in logits]
        matrix, n, classes = None, len(columns[0]), len(columns)
        if any(len(column) != n for column in columns):
            refuse("logits", "be columns of one length", [len(column) for column in columns])
    if target.shape != (n,) or target.dtype.kind not in "iu":
        refuse("target", f"be integers of shape ({n},)", f"{target.dtype} {target.shape}")
    label = np.ascontiguousarray(target, np.int64)
    if n and not (label.min() >= 0 and label.max() < classes):
        row = int(np.argmax((label < 0) | (label >= classes)))
        refuse("target", f"be a class index in [0, {classes})", int(label[row]), row=row)
    return NativeLogits(columns, matrix, label, dtype)
