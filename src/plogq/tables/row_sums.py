"""Rows that should sum to 1: how far off they may be, what explains it, and what else to do."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from plogq.tables.arrays import Array

# How far from 1 the sum of a row's probabilities may be. Single precision and text of five digits
# stay well inside 1e-4, and a sum wrong by ε shifts a cross-entropy by at most about ε nats; half
# precision rounds each number by up to 5e-4.
TOLERANCE = 1e-4
HALF_TOLERANCE = 1e-2
# A sum further from 1 than this is not explained by rounding.
MOST_ROUNDED = 0.1
DIGITS = range(2, 7)  # one digit would explain too much


class Rounding(NamedTuple):
    """To how many digits all of some numbers were rounded, in three ways; None: not in this way."""

    decimals: int | None  # digits after the point
    digits: int | None  # significant digits
    bits: int | None  # significant bits: 8 of bfloat16, 11 of float16

    def bound(self, x: Array, q: Array, logs: bool) -> Array:
        """Return how far from 1 rounding alone may take the sums of rows, (n, C) → (n,).

        x is as it was printed, q the probabilities that it stands for.
        """
        size = np.abs(x)
        half = np.zeros_like(size)
        if self.decimals is not None:
            half[:] = 0.5 * 10.0**-self.decimals
        if self.digits is not None:
            np.maximum(half, 0.5 * _unit(size, self.digits), out=half)
        if self.bits is not None:
            np.maximum(half, size * 2.0**-self.bits, out=half)
        each = q * np.expm1(half) if logs else half
        # Errors of rounding are independent and uniform: five standard deviations of their sum.
        spread = 5 * np.sqrt((each * each).sum(axis=1) / 3)
        bound: Array = np.minimum(np.minimum(each.sum(axis=1), spread), MOST_ROUNDED) * (1 + 1e-6)
        return bound

    def __str__(self) -> str:
        if self.digits is not None and self.digits < (self.decimals or np.inf):
            return f"{self.digits} significant digits"
        if self.decimals is not None:
            return f"{self.decimals} digits after the point"
        return f"{self.bits} significant bits"


@np.errstate(over="ignore", invalid="ignore")  # numbers far above 1 are no shares
def rounding_of(x: Array) -> Rounding:
    """Return to how many digits the numbers of an array were rounded."""
    wide = x[np.isfinite(x)].astype(np.float64)
    size = np.abs(wide[wide != 0])
    close = 2e-7 if x.dtype == np.float32 else 1e-12

    def same(rounded: Array) -> bool:
        return bool((np.abs(rounded - size) <= close * size).all())

    decimals = next((d for d in DIGITS if same(np.rint(size * 10.0**d) / 10.0**d)), None)
    digits = next((s for s in DIGITS if same(_rounded(size, s))), None)
    narrow = size.astype(np.float32)
    bits = None
    if (narrow == size).all():
        low = narrow.view(np.uint32)
        bits = next((b for b in (8, 11) if not (low & ((1 << (24 - b)) - 1)).any()), None)
    return Rounding(decimals, digits, bits)


def _unit(size: Array, digits: int) -> Array:
    """Return the value of one unit in the last of `digits` significant digits."""
    with np.errstate(divide="ignore"):
        order = np.floor(np.log10(size))
    unit: Array = np.where(size > 0, 10.0 ** (np.where(size > 0, order, 0.0) - digits + 1), 0.0)
    return unit


def _rounded(size: Array, digits: int) -> Array:
    unit = _unit(size, digits)  # 0 where so small a unit is no number: there is nothing to round
    rounded: Array = np.where(unit > 0, np.rint(size / np.where(unit > 0, unit, 1.0)) * unit, size)
    return rounded


@np.errstate(over="ignore", invalid="ignore")  # rows far above 1 are refused
def not_distributions(
    x: Array,
    q: Array,
    kind: pa.DataType,
    *,
    logs: bool = False,
    rounding: Rounding | None = None,
    normalise: bool = False,
) -> tuple[Array, Array]:
    """Return the sums of rows, and which rows are no distributions within what is allowed, (n,)."""
    total = q.sum(axis=1)
    positive = (q >= 0).all(axis=1)  # NaN fails
    if normalise:
        return total, ~(positive & (total > 0) & np.isfinite(total))
    allowed = np.full(len(q), HALF_TOLERANCE if pa.types.is_float16(kind) else TOLERANCE)
    if rounding is not None:
        np.maximum(allowed, rounding.bound(x, q, logs), out=allowed)
    return total, ~(positive & (np.abs(total - 1) <= allowed))


@np.errstate(over="ignore", invalid="ignore")
def remedy(row: Array, logs: bool) -> str:
    """Return a hint on what a row that is no distribution may be, and what to do then."""
    if not np.isfinite(row).all():
        return ""
    if logs:
        return _remedy_of_logs(row)
    total = row.sum()
    if (row < 0).any():
        logs_of = np.abs(np.exp(row).sum() - 1) < 0.01
        return " (log-probabilities? then --logprobs)" if logs_of else " (logits? then --logits)"
    if abs(total - 100) < 1.5:
        return " (in percent? then --normalise divides each row by its sum)"
    if (row <= 1).all() and len(row) > 1 and not 0.9 < total < 1.1:
        return (
            " (each number alone is in [0, 1]: several yes-or-no predictions in a row? then score "
            "each by itself: --probs COLUMN --label ITS_LABEL; else --normalise divides each row "
            "by its sum)"
        )
    return " (--normalise divides each row by its sum)" if total > 0 else ""


def _remedy_of_logs(row: Array) -> str:
    if (row >= 0).all() and (row <= 1).all() and abs(row.sum() - 1) < 0.01:
        return " (probabilities? then --probs)"
    for base in (2.0, 10.0):
        if abs((base**row).sum() - 1) < 0.01:
            return f" (logarithms to base {base:g}? multiply them by ln {base:g})"
    return " (up to a constant in each row? then they are logits: --logits)"
