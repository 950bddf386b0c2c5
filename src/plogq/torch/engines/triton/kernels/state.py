"""The mergeable state of a row, lane by lane: every lane sees some classes, and then all merge.

`plogq.formulas.softmax_state.LogSumExp` says what a state is: the maximum m and the rest
r = Σ exp(z_j − m) over the others. To absorb one more logit takes one exponential, whether or not
it is the new maximum. Sums of gaps, Σ v_j (m − x_j), move with m by Σ v_j times the rise.
"""

from __future__ import annotations

import triton
import triton.language as tl

from plogq.torch.engines.triton.kernels.functions import INFINITY, zeroed


@triton.jit
def absorb(state, x, j, inverse_t):
    """Return (m, r, k) with logits x at classes j; k is the class of m. −inf is no class."""
    m, r, k = state
    higher = x > m
    e = tl.exp(-tl.abs(x - m) * inverse_t)
    rest = tl.where(higher, (1.0 + r) * e, r + e)
    return (
        tl.where(higher, x, m),
        tl.where(x == -INFINITY, r, rest),
        tl.where(higher, j, k),
    )


@triton.jit
def absorb_gaps(sums, m, x, v):
    """Return (Σ v beside m, v at m, Σ v · gap) with weights v of logits x; m is still the old."""
    beside, at_top, gaps = sums
    higher = x > m
    risen = gaps + zeroed(beside + at_top, x - m)
    fallen = gaps + zeroed(v, tl.where(x == -INFINITY, INFINITY, m - x))
    return (
        beside + tl.where(higher, at_top, v),
        tl.where(higher, v, at_top),
        tl.where(higher, risen, fallen),
    )


@triton.jit
def absorb_moment(moment, m, r, x, inverse_t):
    """Return Σ e · gap / T with logits x; m and r are still the old."""
    higher = x > m
    gap = tl.abs(x - m) * inverse_t
    e = tl.exp(-gap)
    # The lower of the two states falls by the gap: each of its terms by e, and each gap grows.
    fallen = tl.where(e > 0, e * (moment + gap * (1.0 + r)), 0.0)
    added = moment + tl.where(e > 0, e * gap, 0.0)
    return tl.where(x == -INFINITY, moment, tl.where(higher, fallen, added))


@triton.jit
def merged(state, classes, inverse_t):
    """Return (m, r, k) of each row of lanes, and the factor of each lane's terms."""
    m, r, k = state
    top = tl.max(m, axis=1)
    first = tl.min(tl.where(m == top[:, None], k, classes), axis=1)
    e = tl.where(m == -INFINITY, 0.0, tl.exp((m - top[:, None]) * inverse_t))
    rest = tl.sum(tl.where(k == first[:, None], r, (1.0 + r) * e), axis=1)
    return top, rest + (top - top), first, e  # NaN where the top is infinite


@triton.jit
def merged_gaps(sums, m, k, top, first):
    """Return the sums of `absorb_gaps` for each row of lanes."""
    beside, at_top, gaps = sums
    is_top = k == first[:, None]
    gaps += zeroed(beside + at_top, top[:, None] - m)
    return (
        tl.sum(beside + tl.where(is_top, 0.0, at_top), axis=1),
        tl.sum(tl.where(is_top, at_top, 0.0), axis=1),
        tl.sum(gaps, axis=1),
    )


@triton.jit
def merged_moment(moment, m, r, e, top, inverse_t):
    """Return the sum of `absorb_moment` for each row of lanes."""
    gap = (top[:, None] - m) * inverse_t
    return tl.sum(tl.where(e > 0, e * (moment + gap * (1.0 + r)), 0.0), axis=1)
