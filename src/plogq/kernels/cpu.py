"""Statistics, cross-entropy and gradient of the rows of a matrix of logits, by native code."""

from __future__ import annotations

import os
from operator import index
from typing import Any, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from plogq.formulas._check import refuse
from plogq.kernels import _native

__all__ = ["Floats", "RowStatistics", "cross_entropy", "default_threads", "row_statistics"]

Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]

_INSTRUCTION_SET = len(_native.instruction_sets()) - 1  # the best that this processor has
_NO_SCALE = np.ones(1)


class RowStatistics(NamedTuple):
    """What one pass over logits x says of each row; every array has shape (N,).

    (max, rest) is the state of a log-sum-exp: lse = max + log(1 + rest). Leaving the largest term
    out of the sum keeps all of its digits when the others are tiny.

    Attributes
    ----------
    max
        max_j x_j.
    rest
        Σ_{j ≠ argmax} e_j, where e_j = exp(x_j − max).
    argmax
        The first class at the maximum, int64; −1 on an ignored row.
    loss
        −log softmax(x)_y in nats, with y the target: (max − x_y) + log(1 + rest). 0 on an ignored
        row; None without target.
    entropy
        H(softmax(x)) in nats: log(1 + rest) + Σ_j p_j (max − x_j). None without moments.
    rest_squares
        Σ_{j ≠ argmax} e_j². None without moments.
    """

    max: Floats
    rest: Floats
    argmax: npt.NDArray[np.int64]
    loss: Any
    entropy: Any
    rest_squares: Any


def default_threads() -> int:
    """Return how many threads a call may use: the CPUs of this process, at most OMP_NUM_THREADS.

    Examples
    --------
    >>> default_threads() >= 1
    True
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cpus = len(affinity(0)) if affinity else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return min(cpus, int(asked)) if asked.isdecimal() and int(asked) else cpus


def row_statistics(
    logits: Floats,
    target: npt.NDArray[np.integer[Any]] | None = None,
    *,
    ignore_index: int | None = None,
    moments: bool = False,
    dtype: npt.DTypeLike | None = None,
    threads: int | None = None,
) -> RowStatistics:
    """Log-sum-exp, argmax, loss and entropy of each row: plogq.formulas.cross_entropy_from_logits.

    loss = −log softmax(x)_y = (max − x_y) + log(1 + rest): two terms that are not negative, so
    nothing cancels.

    Parameters
    ----------
    logits
        float32 or float64, shape (N, C), any strides. −inf is a masked class.
    target
        Class of each row, integers, shape (N,).
    ignore_index
        A target that says: leave this row out. Its logits are not looked at.
    moments
        Also entropy and rest_squares.
    dtype
        Of the arithmetic and the result: that of the logits, or float64.
    threads
        At most so many; the result does not depend on it.

    Returns
    -------
    RowStatistics
        In nats.

    Raises
    ------
    ValueError, TypeError
        Wrong shape or dtype; a row with NaN, +inf or nothing but −inf; a target outside [0, C).

    Examples
    --------
    >>> row_statistics(np.array([[0.0, 0.0], [0.0, -80.0]]), np.array([1, 0])).loss
    array([6.93147181e-01, 1.80485139e-35])
    """
    check_logits(logits)
    arithmetic = logits.dtype if dtype is None else np.dtype(dtype)
    if arithmetic not in (logits.dtype, np.float64):
        refuse("dtype", f"be {logits.dtype} or float64", arithmetic)
    return _rows(logits, target, ignore_index, None, _NO_SCALE, moments, arithmetic, threads)


def cross_entropy(
    logits: Floats,
    target: npt.NDArray[np.integer[Any]],
    *,
    row_scale: float | npt.NDArray[np.float64],
    out: Floats,
    ignore_index: int | None = None,
    moments: bool = False,
    threads: int | None = None,
) -> RowStatistics:
    """Row statistics, and the gradient of the loss: plogq.formulas.cross_entropy_from_logits.

    out_ij = row_scale_i · (p_ij − [j = y_i]), p = softmax(x); at the target, where it is the
    argmax, p − 1 is −rest / (1 + rest), without cancellation. An ignored row gets zeros.

    Parameters
    ----------
    logits, target, ignore_index, moments, threads
        As for row_statistics.
    row_scale
        A number, or one for each row, shape (N,).
    out
        Receives the gradient: shape and dtype of the logits, any strides. May be the logits
        themselves. When the logits are refused its content is undefined.

    Returns
    -------
    RowStatistics
        In nats, not scaled.

    Raises
    ------
    ValueError, TypeError
        As row_statistics; also an `out` that is read-only or overlaps the logits in part.

    Examples
    --------
    >>> logits = np.array([[0.0, 0.0]])
    >>> _ = cross_entropy(logits, np.array([1]), row_scale=1.0, out=logits)
    >>> logits
    array([[ 0.5, -0.5]])
    """
    check_logits(logits)
    check_out(out, logits)
    scale = np.ascontiguousarray(row_scale, np.float64)
    if scale.shape not in ((1,), (len(logits),)):
        refuse("row_scale", f"be a number or have shape ({len(logits)},)", f"shape {scale.shape}")
    return _rows(logits, target, ignore_index, out, scale, moments, logits.dtype, threads)


def check_logits(logits: Floats) -> None:
    """Refuse what is no matrix of logits that the kernel can read.

    Examples
    --------
    >>> check_logits(np.zeros((2, 3)))
    """
    if not isinstance(logits, np.ndarray):
        refuse("logits", "be a NumPy array", type(logits).__name__, error=TypeError)
    if logits.dtype not in (np.float32, np.float64):
        refuse("logits", "be float32 or float64", logits.dtype, error=TypeError)
    if logits.ndim != 2 or logits.shape[1] == 0:
        refuse("logits", "have shape (rows, classes), classes > 0", f"shape {logits.shape}")
    _check_aligned("logits", logits)


def check_target(target: npt.NDArray[np.integer[Any]], logits: Floats) -> None:
    """Refuse what is not one integer per row.

    Examples
    --------
    >>> check_target(np.array([0, 2]), np.zeros((2, 3)))
    """
    if not isinstance(target, np.ndarray):
        refuse("target", "be a NumPy array", type(target).__name__, error=TypeError)
    if target.shape != logits.shape[:1]:
        refuse("target", f"be class indices of shape {logits.shape[:1]}", f"shape {target.shape}")
    if target.dtype.kind not in "iu":
        refuse("target", "be integers, as class indices", target.dtype, error=TypeError)


def check_out(out: Floats, logits: Floats) -> None:
    """Refuse what cannot take the gradient of these logits.

    Examples
    --------
    >>> check_out(np.zeros((2, 3)), np.zeros((2, 3)))
    """
    like = f"{logits.dtype} {logits.shape}"
    if not isinstance(out, np.ndarray):
        refuse("out", f"be a NumPy array, {like}", type(out).__name__, error=TypeError)
    if out.dtype != logits.dtype or out.shape != logits.shape:
        refuse("out", f"be like the logits, {like}", f"{out.dtype} {out.shape}")
    if not out.flags.writeable:
        refuse("out", "be writable", "a read-only array")
    _check_aligned("out", out)
    if out is not logits and np.may_share_memory(out, logits):
        same = out.strides == logits.strides and out.ctypes.data == logits.ctypes.data
        if not same:
            refuse("out", "be the logits or share no memory with them", "an overlap")


def _check_aligned(name: str, array: Floats) -> None:
    if not array.flags.aligned or any(stride % array.itemsize for stride in array.strides):
        refuse(name, "be aligned, with strides that are whole elements", f"strides {array.strides}")


def _rows(
    logits: Floats,
    target: npt.NDArray[np.integer[Any]] | None,
    ignore_index: int | None,
    out: Floats | None,
    row_scale: npt.NDArray[np.float64],
    moments: bool,
    dtype: np.dtype[Any],
    threads: int | None,
) -> RowStatistics:
    n, classes = logits.shape
    labels = None
    if target is not None:
        check_target(target, logits)
        labels = np.ascontiguousarray(target, np.int64)
    if ignore_index is not None and not -(2**63) <= index(ignore_index) < 2**63:
        refuse("ignore_index", "fit in int64", ignore_index)
    if threads is None:
        threads = default_threads()
    elif index(threads) < 1:
        refuse("threads", "be at least 1", threads)
    statistics = np.empty((5 if moments else 3, n), dtype)
    argmax = np.empty(n, np.int64)
    bad_target, bad_logits = _native.rows(
        logits,
        labels,
        ignore_index,
        statistics,
        argmax,
        out,
        row_scale,
        threads,
        _INSTRUCTION_SET,
    )
    if target is not None and bad_target >= 0:
        expected = f"be a class index in [0, {classes})"
        if ignore_index is not None:
            expected += f" or the ignore_index {ignore_index}"
        refuse("target", expected, target[bad_target], row=bad_target)
    if bad_logits >= 0:
        _refuse_logits(statistics[0, bad_logits], bad_logits)
    return RowStatistics(
        statistics[0],
        statistics[1],
        argmax,
        None if target is None else statistics[2],
        statistics[3] if moments else None,
        statistics[4] if moments else None,
    )


def _refuse_logits(highest: np.floating[Any], row: int) -> NoReturn:
    # The gradient may have overwritten the row: what came is read off its maximum.
    came = {np.inf: "inf", -np.inf: "no finite number"}.get(float(highest), "NaN")
    expected = "be finite, or -inf for a masked class, with one class left in each row"
    refuse("logits", expected, came, row=row)
