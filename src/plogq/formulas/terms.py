"""The terms that measures and losses are sums of, exact at the edges, differentiable in between."""

from __future__ import annotations

import math
from types import ModuleType

from plogq.formulas.arrays import Array


def first_maximum(xp: ModuleType, x: Array) -> Array:
    """Return a mask of the first maximum of each row."""
    # Not array_api_compat.device, which torch.compile cannot follow; a traced array has none.
    position = xp.arange(x.shape[-1], device=getattr(x, "device", None))
    return position == xp.argmax(x, axis=-1, keepdims=True)


def neg_log(xp: ModuleType, p: Array) -> Array:
    """−log p, +inf at 0, never −0; NaN of NaN."""
    return xp.where(p <= 0, xp.inf, 0.0 - xp.log(xp.where(p <= 0, 1.0, p)))


def neg_log_share(xp: ModuleType, n: Array) -> Array:
    """−log(n_j / Σ n) of weights n ≥ 0 along the last axis, 0 where n_j = 0.

    For the largest it is log1p(others / n_j): a share near 1 has lost the digits of its surprisal.
    """
    is_top = first_maximum(xp, n)
    total = xp.broadcast_to(xp.sum(n, axis=-1, keepdims=True), n.shape)
    others = xp.sum(xp.where(is_top, 0.0, n), axis=-1, keepdims=True)
    some = n > 0
    at_top = xp.log1p(others / xp.where(is_top & some, n, 1.0))
    return xp.where(some, xp.where(is_top, at_top, log_ratio(xp, n, total)), 0.0)


def times(xp: ModuleType, weight: Array, value: Array) -> Array:
    """weight · value with 0 · inf = 0: what never happens costs nothing. Differentiable in both."""
    return weight * xp.where((weight == 0) & xp.isinf(value), 0.0, value)


def ratio(xp: ModuleType, u: Array, q: Array) -> Array:
    """u / q with 0 / 0 = 0 and u / 0 = inf."""
    quotient = u / xp.where(q == 0, 1.0, q)
    return xp.where(q == 0, xp.where(u > 0, xp.inf, xp.zeros_like(u)), quotient)


def power(xp: ModuleType, base: Array, exponent: float) -> Array:
    """Give base ** exponent for base ≥ 0; the derivative at 0 is taken as 0, not inf or NaN."""
    if exponent == 0:
        return xp.ones_like(base)
    some = base > 0
    return xp.where(some, xp.where(some, base, 1.0) ** exponent, 0.0)


def log_ratio(xp: ModuleType, p: Array, q: Array) -> Array:
    """log(q / p) to a few ulp, near p = q above all; ±inf where one of them is 0.

    Within a factor 1.5, q − p is exact (Sterbenz's lemma) and log1p keeps its digits. Farther apart
    the quotient keeps them; where it could overflow, the difference of the logarithms is so large
    that it does not cancel.
    """
    both = (p > 0) & (q > 0)
    p1, q1 = xp.where(both, p, 1.0), xp.where(both, q, 1.0)
    far = xp.log(q1) - xp.log(p1)
    near = (q1 <= 1.5 * p1) & (p1 <= 1.5 * q1)
    middle = ~near & (xp.abs(far) < 80)  # exp(80) is finite in float32
    close = xp.log1p(xp.where(near, q1 - p1, 0.0) / p1)
    quotient = xp.log(xp.where(middle, q1, 1.0) / xp.where(middle, p1, 1.0))
    edge = xp.where(p > 0, -xp.inf, xp.where(q > 0, xp.inf, xp.zeros_like(q)))
    return xp.where(both, xp.where(near, close, xp.where(middle, quotient, far)), edge)


def expm1_minus(xp: ModuleType, d: Array) -> Array:
    """exp(d) − 1 − d ≥ 0, by its Taylor series where the subtraction would cancel (|d| ≤ ½)."""
    small = xp.abs(d) <= 0.5
    s = xp.where(small, d, 0.0)
    series = xp.zeros_like(s)
    for n in range(17, 1, -1):  # the first term left out is below ½¹⁶ · 2 / 18! of the sum
        series = series * s + 1 / math.factorial(n)
    large = xp.where(small, 0.0, d)
    return xp.where(small, s * s * series, xp.expm1(large) - large)


def kl_terms(xp: ModuleType, p: Array, q: Array, d: Array) -> Array:
    """p log(p/q) − p + q for d = log(q/p): each ≥ 0, and their sum is KL where Σp = Σq.

    The plain terms p log(p/q) have both signs and cancel: for p near q the sum is far smaller than
    they are, and may come out negative. These cannot.
    """
    small = xp.abs(d) <= 0.5
    near = p * expm1_minus(xp, xp.where(small, d, 0.0))
    apart = (q - p) - times(xp, p, xp.where(small, 0.0, d))
    return xp.where(small, near, apart)


def js_share(xp: ModuleType, d: Array) -> Array:
    """(1 + t) log(1 + t) + (1 − t) log(1 − t) for d = log(q/p) and t = tanh(d/2) = (q − p)/(q + p).

    (p + q)/4 of it is the term of JS; at most 2 log 2. It is d t − 2 log cosh(d/2), where near 0
    nothing cancels but half of d²/2; and 2 log 2 − 2 log(1 + e) − 2 |d| e/(1 + e), e = exp(−|d|).
    Neither divides by a probability, so that the automatic derivative is as exact.
    """
    near = xp.abs(d) <= 2
    s = xp.where(near, d, 0.0)
    close = s * xp.tanh(s / 2) - 2 * xp.log1p(2 * xp.sinh(s / 4) ** 2)
    r = xp.where(near, 2.0, xp.abs(d))
    e = xp.exp(-r)
    return xp.where(near, close, 2 * (math.log(2) - xp.log1p(e) - r * (e / (1 + e))))


def mixture_log_ratios(xp: ModuleType, d: Array, beta: float) -> tuple[Array, Array]:
    """log(m/p) and log(m/q) for d = log(q/p), finite, and m = β p + (1 − β) q.

    The smaller of p and q is in exp(−|d|), which cannot overflow.
    """
    first_is_more = d <= 0
    of_p = _log_mixture(xp, xp.where(first_is_more, d, 0.0), 1 - beta, beta)
    of_q = _log_mixture(xp, xp.where(first_is_more, 0.0, -d), beta, 1 - beta)
    return (
        xp.where(first_is_more, of_p, _of_smaller(xp, of_q, d, 1 - beta)),
        xp.where(first_is_more, _of_smaller(xp, of_p, -d, beta), of_q),
    )


def _of_smaller(xp: ModuleType, of_larger: Array, d: Array, share: float) -> Array:
    """log(m/q) of log(m/p) for d = log(p/q) ≥ 0 and the share of p in m.

    It is log(m/p) + d, of which the share's digits are lost where the two nearly cancel.
    """
    some = (d >= 0) & (d < 80)  # exp(80) is finite in float32
    rise = share * xp.expm1(xp.where(some, d, 0.0))
    near = some & (rise <= 1)
    return xp.where(near, xp.log1p(xp.where(near, rise, 0.0)), of_larger + d)


def _log_mixture(xp: ModuleType, d: Array, share: float, rest: float) -> Array:
    """log(rest + share · exp d) for d ≤ 0 and rest + share = 1, near 1 and near 0."""
    below = share * xp.expm1(d)
    near = below > -0.5
    far = xp.where(near, 1.0, rest + share * xp.exp(d))
    return xp.where(near, xp.log1p(xp.where(near, below, 0.0)), xp.log(far))


def js_terms(xp: ModuleType, p: Array, q: Array) -> Array:
    """½ p log(p/m) + ½ q log(q/m) with m = (p + q)/2: each ≥ 0, and their sum is JS.

    It is ½ m g(t) with t = (q − p)/(q + p) and g(t) = (1 + t) log(1 + t) + (1 − t) log(1 − t)
    = Σ_n t²ⁿ / (n (2n − 1)). The series is for p near q, where the logarithms would cancel; apart,
    1 − t and 1 + t are p/m and q/m.
    """
    m = p / 2 + q / 2
    some = xp.where(m > 0, m, 1.0)
    t = (q / 2 - p / 2) / some
    small = xp.abs(t) <= 0.5
    square = xp.where(small, t * t, 0.0)
    series = xp.zeros_like(square)
    for n in range(25, 0, -1):  # the first term left out is below 4⁻²⁵ / 663 of the sum
        series = series * square + 1 / (n * (2 * n - 1))
    shares = (p / some, q / some)
    apart = 0.0 - sum(times(xp, s, neg_log(xp, s)) for s in shares)
    return m / 2 * xp.where(small, square * series, apart)


def normal_kl_terms(xp: ModuleType, mu: Array, v: Array, m: Array, w: Array) -> Array:
    """½ [(μ − m)²/s² + σ²/s² − 1 − log(σ²/s²)] by dimension, v = log σ² and w = log s²."""
    difference, half = mu - m, -w / 2
    # Where the means are equal, 1/s may overflow, and 0 · inf would be NaN.
    overflows = (difference == 0) & (half > math.log(float(xp.finfo(half.dtype).max)))
    # Squared at the end: (μ − m)² and 1/s² may overflow where their product does not.
    distance = difference * xp.exp(xp.where(overflows, 0.0, half))
    return (distance * distance + expm1_minus(xp, v - w)) / 2
