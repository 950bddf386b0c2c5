"""Elementary functions in Triton that keep the digits of small numbers.

They are written in what Triton's interpreter knows, too: the vendors' libraries are not among it.
"""

from __future__ import annotations

import triton
import triton.language as tl

INFINITY: tl.constexpr = tl.constexpr(float("inf"))


@triton.jit
def zeroed(weight, value):
    """Give weight · value with 0 · inf = 0."""
    return tl.where(weight == 0, 0.0, weight * value)


@triton.jit
def log1p(r):
    """Give log(1 + r) for r > −1: by 2 artanh(r / (2 + r)) where 1 + r would lose r's digits."""
    s = r / (2.0 + r)
    q = s * s
    # Below r = ½ the first term that is left out is less than 1e-9 of the sum.
    series = 2.0 / 13.0
    series = 2.0 / 11.0 + q * series
    series = 2.0 / 9.0 + q * series
    series = 2.0 / 7.0 + q * series
    series = 2.0 / 5.0 + q * series
    series = 2.0 / 3.0 + q * series
    series = 2.0 + q * series
    return tl.where(tl.abs(r) < 0.5, s * series, tl.log(1.0 + r))


@triton.jit
def expm1_minus(d):
    """Give exp(d) − 1 − d ≥ 0: by its Taylor series where the subtraction would cancel."""
    series = 1.0 / 39916800.0
    series = 1.0 / 3628800.0 + d * series
    series = 1.0 / 362880.0 + d * series
    series = 1.0 / 40320.0 + d * series
    series = 1.0 / 5040.0 + d * series
    series = 1.0 / 720.0 + d * series
    series = 1.0 / 120.0 + d * series
    series = 1.0 / 24.0 + d * series
    series = 1.0 / 6.0 + d * series
    series = 0.5 + d * series
    return tl.where(tl.abs(d) <= 1.0, d * d * series, tl.exp(d) - 1.0 - d)


@triton.jit
def expm1(d):
    """Give exp(d) − 1."""
    return tl.where(tl.abs(d) <= 1.0, d + expm1_minus(d), tl.exp(d) - 1.0)


@triton.jit
def tanh(u):
    """Give tanh u, by the polynomial of Cephes' tanhf where the quotient would cancel."""
    q = u * u
    series = 2.06390887954e-2 - q * 5.70498872745e-3
    series = -5.37397155531e-2 + q * series
    series = 1.33314422036e-1 + q * series
    series = -3.33332819422e-1 + q * series
    near = u + u * (q * series)
    e = tl.exp(-2.0 * tl.abs(u))
    far = (1.0 - e) / (1.0 + e)
    return tl.where(tl.abs(u) < 0.625, near, tl.where(u < 0, -far, far))


@triton.jit
def capped(x, softcap):
    """Give c tanh(x / c); what is infinite stays so: −inf is a masked class, and inf no logit."""
    return tl.where(tl.abs(x) < INFINITY, softcap * tanh(x / softcap), x)


@triton.jit
def power(base, exponent):
    """Give base ** exponent for base ≥ 0, and 0 at 0."""
    some = base > 0
    return tl.where(some, tl.exp2(exponent * tl.log2(tl.where(some, base, 1.0))), 0.0)
