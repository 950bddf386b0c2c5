"""Statistics, losses and gradients of the rows of a matrix of logits, by native code."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from plogq.formulas.arrays import EPS, unmasked
from plogq.kernels import _native, arguments
from plogq.kernels import threads as machine
from plogq.kernels.question import PLAIN, Options, check_options

__all__ = [
    "Floats",
    "ReducedLoss",
    "RowStatistics",
    "reduced_softmax_loss",
    "row_statistics",
    "softmax_loss",
]

Floats = npt.NDArray[Any]
Array = Any  # on the CPU and with __dlpack__: a NumPy array, or a detached torch.Tensor

_INT64, _FLOAT32, _FLOAT64 = np.dtype(np.int64), np.dtype(np.float32), np.dtype(np.float64)


class RowStatistics(NamedTuple):
    """The results of one pass over logits x; every array has shape (N,).

    With z = x / T, (max, rest) is the state of a log-sum-exp: lse = max + log(1 + rest). Leaving
    the largest term out of the sum keeps all of its digits when the others are tiny.

    Attributes
    ----------
    max
        max_j z_j.
    rest
        Σ_{j ≠ argmax} e_j, where e_j = exp(z_j − max).
    argmax
        The first class at the maximum, int64; −1 on a row that is left out.
    loss
        The loss in nats. For `row_statistics` it is −log softmax(x)_y = (max − x_y) + log(1 + rest)
        with y the target. 0 on a row that is left out; None without target.
    entropy
        H(softmax(z)) in nats: log(1 + rest) + Σ_j p_j (max − z_j). None without moments.
    rest_squares
        Σ_{j ≠ argmax} e_j². None without moments.
    """

    max: Floats
    rest: Floats
    argmax: npt.NDArray[np.int64]
    loss: Any
    entropy: Any
    rest_squares: Any


class ReducedLoss(NamedTuple):
    """One number for many rows, in nats.

    Attributes
    ----------
    loss
        Σ_i v_i loss_i / denominator, summed in float64.
    denominator
        The divisor of the sum, 1 in place of 0.
    rows
        The statistics of each row, with moments. None if they were not asked for.
    """

    loss: float
    denominator: float
    rows: RowStatistics | None


def row_statistics(
    logits: Array,
    target: npt.NDArray[np.integer[Any]] | None = None,
    *,
    ignore_index: int | None = None,
    moments: bool = False,
    dtype: npt.DTypeLike | None = None,
    threads: int | None = None,
) -> RowStatistics:
    """Give lse, argmax, loss and entropy of each row: plogq.formulas.cross_entropy_from_logits.

    loss = −log softmax(x)_y = (max − x_y) + log(1 + rest): two terms that are not negative, and
    so cannot cancel.

    Parameters
    ----------
    logits
        float32, float64, bfloat16 or float16, shape (N, C), any strides. −inf is a masked class.
    target
        Class of each row, integers, shape (N,).
    ignore_index
        A row with this target is left out, and its logits are not read.
    moments
        Compute entropy and rest_squares, too.
    dtype
        The dtype of the arithmetic and the result; float32 logits may have float64. By default
        float64 for float64, else float32.
    threads
        The most threads to use; the result does not depend on it.

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
    logits, target = unmasked("logits", logits), unmasked("target", target)
    if dtype is not None:
        arguments.check_arithmetic(dtype, logits)
    room = _room_for_statistics(logits, 5 if moments else 3, dtype)
    _run(logits, target, ignore_index=ignore_index, room=room, threads=threads)
    found = _statistics(room)
    return found._replace(loss=None) if target is None else found


def softmax_loss(
    logits: Array,
    target: Array,
    options: Options = PLAIN,
    *,
    weight: Floats | None = None,
    ignore_index: int | None = None,
    keep: npt.NDArray[np.bool_] | None = None,
    row_scale: npt.NDArray[np.float64] | None = None,
    gradient: Array | None = None,
    moments: bool = False,
    validate: bool = True,
    check_logits: bool = True,
    threads: int | None = None,
) -> RowStatistics:
    """Give the losses of rows, and write their gradients in the same pass.

    With z = x / T, p = softmax(z), lse = log Σ exp z, and t' = (1 − ε) t + ε/K over the K classes
    that are not masked, the loss of a row is Σ_j w_j t'_j (1 − p_j)^γ (−log p_j) + ζ lse²:
    plogq.formulas.cross_entropy_from_logits, plogq.formulas.focal_from_logits and
    plogq.formulas.z_loss_from_logits. Each gradient is a p_j + b w_j + c [j = y], with a, b and c
    by row (c w_j t_j for a distribution); p − 1 at the argmax is computed without cancellation.

    Parameters
    ----------
    logits
        x: float32, float64, bfloat16 or float16, shape (N, C), any strides. −inf masks a class.
    target
        y: int64 classes, shape (N,), any integers where NumPy's; or distributions t of any of the
        dtypes above, shape (N, C), any strides.
    weight
        w, by class, shape (C,).
    options
        ε, γ, T and ζ, the numbers that change the loss.
    ignore_index
        A row with this class is left out.
    keep
        bool, shape (N,): rows that are False are left out. Their logits may be anything.
    row_scale
        The factor of the gradient of each row, shape (1,) or (N,); 1 by default.
    gradient
        Receives row_scale_i ∂loss_i/∂x_i: like the logits, any strides. May be the logits
        themselves. If the logits are refused, its content is undefined.
    moments
        Compute entropy and rest_squares, too.
    validate
        Refuse distributions that are negative or do not sum to 1, within √eps of their dtype or
        of the arithmetic's.
    check_logits
        Refuse logits at fault; if it is False, they give NaN.
    threads
        The most threads to use; the result does not depend on it.

    Returns
    -------
    RowStatistics
        In nats, not scaled: float64 for float64 logits, else float32.

    Raises
    ------
    ValueError, TypeError
        If arguments do not fit together, a row has NaN, +inf or nothing but −inf, or a target is no
        class; then nothing has been overwritten. If a target is no distribution; then logits that
        are also the gradient may have been overwritten.
    NotImplementedError
        γ > 0 with label smoothing or distributions.

    Examples
    --------
    >>> logits = np.array([[0.0, 0.0]])
    >>> softmax_loss(logits, np.array([1]), Options(label_smoothing=0.5), gradient=logits).loss
    array([0.69314718])
    >>> logits
    array([[ 0.25, -0.25]])
    """
    room = _room_for_statistics(logits, 5 if moments else 3)
    _run(
        logits,
        target,
        options,
        weight=weight,
        ignore_index=ignore_index,
        keep=keep,
        row_weight=row_scale,
        denominator=1.0,
        gradient=gradient,
        room=room,
        validate=validate,
        check_logits=check_logits,
        threads=threads,
    )
    return _statistics(room)


def reduced_softmax_loss(
    logits: Array,
    target: Array,
    options: Options = PLAIN,
    *,
    weight: Floats | None = None,
    ignore_index: int | None = None,
    keep: npt.NDArray[np.bool_] | None = None,
    row_weight: npt.NDArray[np.float64] | None = None,
    denominator: float | None = None,
    by_class: bool = False,
    scale: float = 1.0,
    gradient: Array | None = None,
    statistics: bool = False,
    validate: bool = True,
    check_logits: bool = False,
    threads: int | None = None,
) -> ReducedLoss:
    """Give Σ_i v_i loss_i / d of the losses of `softmax_loss`, and write scale times its gradient.

    Parameters
    ----------
    logits, target, options, weight, ignore_index, keep
        As for `softmax_loss`. Logits may also have shape (K, M, C), any strides, with
        distributions in that shape, and arrays of one number per row in shape (K M,).
    row_weight
        v: shape (1,) or (N,); 1 by default. A row of weight 0 adds nothing, even if its loss is
        inf.
    denominator
        d, 1 where it is 0. None: Σ v over the rows that are not left out.
    by_class
        Whether that d has the class weights of the labels, too: Σ v w_y.
    scale
        The factor of the gradient.
    statistics
        Return the statistics of each row, too.
    gradient, validate, check_logits, threads
        As for `softmax_loss`; logits at fault give NaN unless they are checked.

    Returns
    -------
    ReducedLoss
        In nats.

    Raises
    ------
    ValueError, TypeError, NotImplementedError
        As `softmax_loss`.

    Examples
    --------
    >>> found = reduced_softmax_loss(np.zeros((3, 2)), np.array([0, 1, 7]), ignore_index=7)
    >>> print(f"{found.loss:.6f}", found.denominator)
    0.693147 2.0
    """
    room = None
    if statistics or check_logits:
        room = _room_for_statistics(logits, 5 if statistics else 3)
    loss, divisor = _run(
        logits,
        target,
        options,
        weight=weight,
        ignore_index=ignore_index,
        keep=keep,
        row_weight=row_weight,
        denominator=denominator,
        by_class=by_class,
        scale=scale,
        gradient=gradient,
        room=room,
        validate=validate,
        check_logits=check_logits,
        threads=threads,
    )
    return ReducedLoss(loss, divisor, _statistics(room) if statistics and room else None)


class _Room(NamedTuple):
    """The arrays into which the native code writes the statistics of each row."""

    figures: Floats  # (3 or 5, N): max, rest, loss and, with moments, entropy and rest_squares
    argmax: npt.NDArray[np.int64]


def _room_for_statistics(logits: Array, figures: int, dtype: npt.DTypeLike | None = None) -> _Room:
    arguments.check_matrix(logits)
    rows = math.prod(logits.shape[:-1])
    return _Room(np.empty((figures, rows), dtype or _arithmetic(logits)), np.empty(rows, _INT64))


def _statistics(room: _Room) -> RowStatistics:
    figures, argmax = room
    entropy, squares = figures[3:] if len(figures) == 5 else (None, None)
    return RowStatistics(figures[0], figures[1], argmax, figures[2], entropy, squares)


def _run(
    logits: Array,
    target: Array | None,
    options: Options = PLAIN,
    *,
    weight: Floats | None = None,
    ignore_index: int | None = None,
    keep: npt.NDArray[np.bool_] | None = None,
    row_weight: npt.NDArray[np.float64] | None = None,
    denominator: float | None = 1.0,
    by_class: bool = False,
    scale: float = 1.0,
    gradient: Array | None = None,
    room: _Room | None,
    validate: bool = True,
    check_logits: bool = True,
    threads: int | None = None,
) -> tuple[float, float]:
    """Call the native code; only if it refuses, look for the argument at fault."""
    check_options(options)
    label, soft, tolerance = target, None, -1.0
    figures, argmax = (None, None) if room is None else room
    try:
        shape = logits.shape
        if target is not None and target.ndim > 1:
            label, soft = None, target
            if validate:
                eps = EPS[arguments.dtype_name(target)]
                tolerance = max(eps, EPS[_arithmetic(logits, figures).name]) ** 0.5
        elif isinstance(target, np.ndarray) and target.dtype != _INT64:
            arguments.check_target(target, logits)
            label = target.astype(_INT64)
        if options.gamma and (options.label_smoothing or soft is not None):
            raise NotImplementedError("gamma > 0 with label smoothing or distributions")
        if weight is not None:
            weight = np.ascontiguousarray(weight, _arithmetic(logits, figures))
        if keep is not None:
            keep = np.ascontiguousarray(keep)
        loss, divisor, bad_target, bad_logits = _native.rows(
            logits,
            label,
            soft,
            weight,
            keep,
            row_weight,
            gradient,
            figures,
            argmax,
            denominator,
            by_class,
            scale,
            ignore_index,
            *options,
            tolerance,
            check_logits,
            machine.threads_for(threads, math.prod(shape)),
            machine.INSTRUCTION_SET,
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        arguments.check_rows(logits, target, weight, keep, row_weight, gradient, ignore_index)
        raise
    if bad_target >= 0:
        arguments.refuse_row_of_target(target, bad_target, logits.shape, ignore_index)
    if bad_logits >= 0 and figures is not None:
        arguments.refuse_row_of_logits(figures[0, bad_logits], bad_logits)
    return loss, divisor


def _arithmetic(logits: Array, statistics: Floats | None = None) -> np.dtype[Any]:
    if statistics is not None:
        return statistics.dtype
    return _FLOAT64 if logits.itemsize == 8 else _FLOAT32
