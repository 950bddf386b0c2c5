"""Where a function is least: the zero of a slope, and the inverse of a curvature."""

from __future__ import annotations

from collections.abc import Callable

from plogq.tables.arrays import Array


def lowest_point(
    slope: Callable[[float], float],
    start: float,
    *,
    step: float,
    low: float,
    high: float,
    tolerance: float,
) -> float:
    """Return the zero of a slope that goes from − to +; a bound where there is none inside.

    It goes downhill from `start` in growing steps until the slope has changed its sign; then it
    takes false positions, halving the slope of an end that stays (the Illinois method: Dowell,
    Jarratt, 1971).

    Examples
    --------
    >>> round(lowest_point(lambda x: x**3 - 8, 0.0, step=1, low=-9, high=9, tolerance=1e-12), 9)
    2.0
    >>> lowest_point(lambda x: -1.0, 0.0, step=1, low=-9, high=9, tolerance=1e-12)
    9
    """
    a, at_a = start, slope(start)
    while True:
        if at_a == 0:
            return a
        bound = high if at_a < 0 else low
        if a == bound:
            return bound
        b = min(high, a + step) if at_a < 0 else max(low, a - step)
        at_b = slope(b)
        if (at_a < 0) != (at_b < 0):
            break
        a, at_a, step = b, at_b, 4 * step
    for _ in range(100):
        if at_b == 0 or abs(b - a) <= tolerance:
            break
        c = b - at_b * (b - a) / (at_b - at_a)
        moved = abs(c - b)
        at_c = slope(c)
        if (at_c < 0) != (at_b < 0):
            a, at_a = b, at_b
        else:
            at_a /= 2
        b, at_b = c, at_c
        if moved <= tolerance:
            break
    return b


def inverse_of(curvature: Array) -> Array:
    """Return the inverse of a positive definite matrix, (n, n), by Gauss-Jordan elimination.

    LAPACK is not used, since its last bits depend on the processor and on its threads. A positive
    definite matrix needs no pivots (Goodnight, 1979, A tutorial on the SWEEP operator).

    Examples
    --------
    >>> import numpy as np
    >>> inverse_of(np.array([[2.0, 1.0], [1.0, 1.0]]))
    array([[ 1., -1.],
           [-1.,  2.]])
    """
    out: Array = curvature.copy()
    for k in range(len(out)):
        pivot = out[k, k]
        row, column = out[k] / pivot, out[:, k].copy()
        column[k] = 0.0
        out -= column[:, None] * row
        out[k], out[:, k] = row, column / -pivot
        out[k, k] = 1 / pivot
    return out
