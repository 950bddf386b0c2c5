"""Matrix products whose every bit is the same in whatever order a library adds them up.

BLAS chooses its order by the processor and by how many threads it has. Here all terms of a sum
are whole multiples of one number, and small enough that no sum is rounded: then every order gives
the same bits.
"""

from __future__ import annotations

import functools

import numpy as np

from plogq.tables.arrays import Array

BITS = 52  # of a sum: one less than a double holds
LEAST_EXPONENT = -900  # of a column; one of smaller values is rounded as if it were this large
FACTOR_BITS = 20
# Multiplications of a product that OpenBLAS still does on the thread that asks for it. The threads
# that it wakes for more go on spinning for longer than all of it takes.
MOST_AT_ONCE = 1 << 18
FEWEST_TERMS = 16  # of a piece; pieces of fewer would cost more than they save


def weighted_sums(weights: Array, values: Array) -> Array:
    """Return Σ_i w_ai v_ij, (m, n) × (n, k) → (m, k), for weights that are whole numbers.

    Each value is the sum of two parts: a multiple of 2^−52 of the most that Σ w |v| can be in its
    column, and the rest, rounded likewise. The result is the exact sum to about its own rounding.

    Examples
    --------
    >>> weights, values = np.array([[1.0, 2.0, 0.0]]), np.array([[0.5], [0.25], [9.0]])
    >>> weighted_sums(weights, values)
    array([[1.]])
    """
    largest = np.abs(weights).max(initial=0.0)
    whole, scale = _whole(values, largest)
    sums = _multiply(weights, whole) / scale
    rest = values - whole / scale
    if rest.any():
        whole, scale = _whole(rest, largest)
        sums += _multiply(weights, whole) / scale
    return sums


def product(a: Array, b: Array) -> Array:
    """Return Σ_i a_ij b_ik of rounded a and b, (n, j) × (n, k) → (j, k).

    a is rounded to 20 bits of the largest value in its column, b to a multiple of 2^−32 of Σ |b|
    in its column.

    Examples
    --------
    >>> product(np.array([[0.5], [1.0]]), np.array([[2.0], [0.25]]))
    array([[1.25]])
    """
    scale_a = _scale(np.abs(a).max(axis=0, initial=0.0), FACTOR_BITS)
    whole, scale_b = _whole(b, 2.0**FACTOR_BITS)
    return _multiply(np.rint(a * scale_a).T, whole) / scale_b / scale_a[:, None]


def _multiply(a: Array, b: Array) -> Array:
    """Return a b, (m, n) × (n, k) → (m, k), of whole numbers: no sum of pieces is rounded."""
    terms = MOST_AT_ONCE // max(1, len(a) * (b.size // max(1, len(b))))
    step = terms if terms >= FEWEST_TERMS else max(1, len(b))
    pieces = (a[:, i : i + step] @ b[i : i + step] for i in range(0, max(1, len(b)), step))
    return functools.reduce(np.add, pieces)


def _whole(values: Array, largest: float) -> tuple[Array, Array]:
    """Return whole numbers (n, k) and the scale of each column (k,): values ≈ whole / scale."""
    scale = _scale(largest * np.abs(values).sum(axis=0), BITS)
    whole = values * scale
    np.rint(whole, out=whole)
    return whole, scale


def _scale(most: Array, bits: int) -> Array:
    """Return the power of two that scales `most` to a number of `bits` bits."""
    exponent = np.maximum(np.frexp(most)[1], LEAST_EXPONENT)
    scale: Array = np.ldexp(1.0, bits - exponent)
    return scale
