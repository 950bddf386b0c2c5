"""The kernel of elements: binary cross-entropy of logits through a sigmoid."""

from __future__ import annotations

import triton
import triton.language as tl

from plogq.torch.engines.triton.kernels.functions import log1p, zeroed


@triton.jit
def element_kernel(
    z, target, weight, positive, upstream, divisor, loss, sums, gradient,
    count, places, positive_step, upstream_step,
    BLOCK: tl.constexpr, WEIGHT: tl.constexpr, POSITIVE: tl.constexpr, UPSTREAM: tl.constexpr,
    DIVISOR: tl.constexpr, LOSSES: tl.constexpr, SUMS: tl.constexpr, GRADIENT: tl.constexpr,
    CHECK: tl.constexpr,
):  # fmt: skip
    """Write v (w t softplus(−z) + (1 − t) softplus(z)), its sum over the block, and its gradient.

    The gradient is v ((1 − t) σ(z) − w t σ(−z)), times upstream over the divisor. w is that of the
    place along the last axis, if it has `places`. CHECK: a target outside [0, 1] is NaN.
    """
    at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = at < count
    x = tl.load(z + at, mask=inside, other=0.0).to(tl.float32)
    t = tl.load(target + at, mask=inside, other=0.0).to(tl.float32)
    if CHECK:
        t = tl.where((t >= 0) & (t <= 1), t, float("nan"))
    w = 1.0
    if POSITIVE:
        place = at % places * positive_step
        w = tl.load(positive + place, mask=inside, other=0.0).to(tl.float32)
    e = tl.exp(-tl.abs(x))
    log_e = log1p(e)
    rising = tl.where(x < 0, -x, 0.0) + log_e  # softplus(−z)
    falling = tl.where(x > 0, x, 0.0) + log_e  # softplus(z)
    value = zeroed(w * t, rising) + zeroed(1.0 - t, falling)
    yes = tl.where(x >= 0, 1.0, e) / (1.0 + e)
    no = tl.where(x >= 0, e, 1.0) / (1.0 + e)
    spoilt = tl.where(x == x, 0.0, x)  # NaN of NaN, whose comparisons are all false
    slope = (1.0 - t) * yes - w * t * no + spoilt
    value += spoilt
    if WEIGHT:
        v = tl.load(weight + at, mask=inside, other=0.0).to(tl.float32)
        value = zeroed(v, value)
        slope *= v
    if LOSSES:
        tl.store(loss + at, value, mask=inside)
    if SUMS:
        total = tl.sum(tl.where(inside, value, 0.0), axis=0)
        tl.store(sums + tl.program_id(0), total)
    if GRADIENT:
        if UPSTREAM:
            slope *= tl.load(upstream + at * upstream_step, mask=inside, other=0.0).to(tl.float32)
        if DIVISOR:
            slope = slope / tl.load(divisor).to(tl.float32)
        tl.store(gradient + at, slope.to(gradient.dtype.element_ty), mask=inside)


@triton.jit
def multiply_kernel(gradient, upstream, count, BLOCK: tl.constexpr):
    """Multiply a gradient by upstream, (), in its memory; where that is 1, touch nothing."""
    factor = tl.load(upstream).to(tl.float32)
    if factor != 1.0:
        at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
        inside = at < count
        g = tl.load(gradient + at, mask=inside, other=0.0)
        tl.store(gradient + at, (g.to(tl.float32) * factor).to(g.dtype), mask=inside)
