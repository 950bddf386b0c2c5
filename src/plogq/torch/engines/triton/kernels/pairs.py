"""The kernel of pairs of rows: divergences of a model's softmax q from another, p.

It restates `plogq.formulas.softmax_core`: KL is Σ p (expm1 d − d) with d = log(q/p), whose terms do
not cancel where the two are near. The model's logits x have the gradient. Beside D_KL(p ‖ q) there
may be a cross-entropy of labels, at temperature 1: that is a distillation.
"""

from __future__ import annotations

import triton
import triton.language as tl

from plogq.torch.engines.triton.kernels.functions import (
    INFINITY,
    expm1,
    expm1_minus,
    log1p,
    zeroed,
)
from plogq.torch.engines.triton.kernels.rows import load_logits, tile_mask
from plogq.torch.engines.triton.kernels.state import absorb, merged

FORWARD: tl.constexpr = tl.constexpr(0)  # D_KL(p ‖ q)
REVERSE: tl.constexpr = tl.constexpr(1)  # D_KL(q ‖ p)
MIXED: tl.constexpr = tl.constexpr(2)  # β D_KL(p ‖ m) + (1 − β) D_KL(q ‖ m), m = β p + (1 − β) q


@triton.jit
def kl_terms(p, q, d):
    """Give p log(p/q) − p + q for d = log(q/p), each at least 0."""
    return tl.where(tl.abs(d) <= 1.0, p * expm1_minus(d), (q - p) - zeroed(p, d))


@triton.jit
def log_mixture(d, share, rest):
    """Give log(rest + share · exp d) for d ≤ 0 and rest + share = 1, near 1 and near 0."""
    below = share * expm1(d)
    near = below > -0.5
    far = rest + share * tl.exp(d)
    return tl.where(near, log1p(tl.where(near, below, 0.0)), tl.log(tl.where(near, 1.0, far)))


@triton.jit
def of_smaller(of_larger, d, share):
    """Give log(m/q) of log(m/p) for d = log(p/q) ≥ 0 and the share of p in m."""
    some = (d >= 0) & (d < 80.0)
    rise = share * expm1(tl.where(some, d, 0.0))
    near = some & (rise <= 1.0)
    return tl.where(near, log1p(tl.where(near, rise, 0.0)), of_larger + d)


@triton.jit
def terms_and_slopes(p, q, d, beta, KIND: tl.constexpr):
    """Return the terms of the divergence, and s: its gradient is proportional to q (s − Σ q s)."""
    if KIND == FORWARD:
        return kl_terms(p, q, d), d
    if KIND == REVERSE:
        return kl_terms(q, p, -d), d
    p_is_more = d <= 0
    of_p = log_mixture(tl.where(p_is_more, d, 0.0), 1.0 - beta, beta)
    of_q = log_mixture(tl.where(p_is_more, 0.0, -d), beta, 1.0 - beta)
    p_share = tl.where(p_is_more, of_p, of_smaller(of_q, d, 1.0 - beta))
    q_share = tl.where(p_is_more, of_smaller(of_p, -d, beta), of_q)
    m = beta * p + (1.0 - beta) * q
    terms = beta * kl_terms(p, m, p_share) + (1.0 - beta) * kl_terms(q, m, q_share)
    return terms, q_share


@triton.jit
def pair_of_tile(x, y, of_x, of_y, inverse_t):
    """Return q, p and log(q/p) of logits x and y; what both mask has 0 of all."""
    x_top, x_total, x_log = of_x
    y_top, y_total, y_log = of_y
    q = tl.exp((x - x_top) * inverse_t) / x_total
    p = tl.exp((y - y_top) * inverse_t) / y_total
    neither = (x == -INFINITY) & (y == -INFINITY)
    # The differences of near logits are exact, as those from their maxima are not.
    apart = (x - y) - (x_top - y_top)
    return q, p, tl.where(neither, 0.0, apart * inverse_t - (x_log - y_log))


@triton.jit
def pair_kernel(
    x, y, target, keep, scale, divisor, loss, gradient,
    count, classes, places,
    x_n, x_s, x_c, y_n, y_s, y_c, g_n, g_s, g_c, target_step, scale_step,
    ignore_index, temperature, beta, size, limit, share_of_labels, z_loss,
    KIND: tl.constexpr, ROWS: tl.constexpr, BLOCK: tl.constexpr, WHOLE: tl.constexpr,
    UNIT: tl.constexpr, LABELS: tl.constexpr, COUNTS: tl.constexpr,
    GRADIENT: tl.constexpr, KEEP: tl.constexpr, SCALE: tl.constexpr, DIVISOR: tl.constexpr,
    EVEN: tl.constexpr,
):  # fmt: skip
    """Write `size` times the divergence, plus the share of the cross-entropy, and its gradient.

    Rows lie and are cut as `row_kernel` says. COUNTS: rows with the ignored label are left out;
    LABELS: their cross-entropy is a part of the loss.
    """
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    there = row < count
    kept = there
    image, place = row // places, row % places
    classes = classes // EVEN * EVEN
    x_at = (image * x_n + place * x_s) // EVEN * EVEN
    if KEEP:
        kept = kept & (tl.load(keep + row, mask=there, other=0) != 0)
    label = tl.zeros([ROWS], tl.int64)
    bad = row < 0
    if COUNTS:
        label = tl.load(target + row * target_step, mask=there, other=0)
        kept = kept & (label != ignore_index)
        bad = kept & ((label < 0) | (label >= classes))
        label = tl.where(kept & (bad == 0), label, 0)
    x_first = x_at[:, None]
    y_first = ((image * y_n + place * y_s) // EVEN * EVEN)[:, None]
    g_first = ((image * g_n + place * g_s) // EVEN * EVEN)[:, None]
    live = kept[:, None]
    inverse_t = 1.0 / temperature
    end = BLOCK if WHOLE else classes

    # 1. The states of both, and that of the model at temperature 1.
    zeros = tl.zeros([ROWS, BLOCK], tl.float32)
    empty = (zeros - INFINITY, zeros, tl.zeros([ROWS, BLOCK], tl.int32) + classes)
    of_model, of_truth, of_labels = empty, empty, empty
    a, b = zeros, zeros
    j, inside = tile_mask(0, 0, live, classes, BLOCK, True)
    for begin in range(0, end, BLOCK):
        j, inside = tile_mask(begin, 0, live, classes, BLOCK, True)
        a = load_logits(x, x_first, j, inside, x_c, 0.0, UNIT, False)
        b = load_logits(y, y_first, j, inside, y_c, 0.0, UNIT, False)
        of_model = absorb(of_model, a, j, inverse_t)
        of_truth = absorb(of_truth, b, j, inverse_t)
        if LABELS:
            of_labels = absorb(of_labels, a, j, 1.0)
    x_top, x_rest, x_argmax, _ = merged(of_model, classes, inverse_t)
    y_top, y_rest, _, _ = merged(of_truth, classes, inverse_t)
    x_log, y_log = log1p(x_rest), log1p(y_rest)
    model = (x_top[:, None], (1.0 + x_rest)[:, None], x_log[:, None])
    truth = (y_top[:, None], (1.0 + y_rest)[:, None], y_log[:, None])
    is_argmax = x_argmax[:, None]

    # 2. The divergence; of the slopes, those beside the argmax and there apart.
    divergence, beside, at_top = zeros, zeros, zeros
    for begin in range(0, end, BLOCK):
        if not WHOLE:
            j, inside = tile_mask(begin, 0, live, classes, BLOCK, True)
            a = load_logits(x, x_first, j, inside, x_c, 0.0, UNIT, False)
            b = load_logits(y, y_first, j, inside, y_c, 0.0, UNIT, False)
        q, p, d = pair_of_tile(a, b, model, truth, inverse_t)
        terms, slope = terms_and_slopes(p, q, d, beta, KIND)
        divergence += tl.where(inside, terms, 0.0)
        if KIND != FORWARD:
            top = j == is_argmax
            beside += tl.where(inside & (top == 0), zeroed(q, slope), 0.0)
            at_top += tl.where(inside & top, slope, 0.0)
    value = tl.sum(divergence, axis=1)
    value = size * tl.where(value > limit, limit, value)
    lse = x_top * inverse_t + x_log
    value += zeroed(z_loss, lse * lse)
    one_rest = x_rest
    if LABELS:
        _, one_rest, _, _ = merged(of_labels, classes, 1.0)
        x_label = tl.load(x + (x_at + label * x_c), mask=kept, other=0.0).to(tl.float32)
        value += zeroed(share_of_labels, (x_top - x_label) + log1p(one_rest))
    spoilt = tl.where(bad, float("nan"), 0.0)
    tl.store(loss + row, tl.where(kept, value + spoilt, 0.0), mask=there)

    # 3. The gradient.
    if GRADIENT:
        factor = spoilt + 1.0
        if SCALE:
            factor *= tl.load(scale + row * scale_step, mask=there, other=0.0).to(tl.float32)
        if DIVISOR:
            of_all = tl.load(divisor).to(tl.float32)
            factor = factor / tl.where(of_all == 0, 1.0, of_all)
        outer = (factor * inverse_t * size)[:, None]
        if KIND == MIXED:
            outer *= beta - 1.0
        z_slope = (factor * inverse_t * 2.0 * z_loss * lse)[:, None]
        of_label = (factor * share_of_labels)[:, None]
        others, slope_top = tl.sum(beside, axis=1)[:, None], tl.sum(at_top, axis=1)[:, None]
        miss = (x_rest / (1.0 + x_rest))[:, None]
        one_miss, one_total = (one_rest / (1.0 + one_rest))[:, None], (1.0 + one_rest)[:, None]
        inner = others + zeroed(1.0 / (1.0 + x_rest)[:, None], slope_top)
        label = label.to(tl.int32)[:, None]
        for begin in range(0, end, BLOCK):
            if not WHOLE:
                j, inside = tile_mask(begin, 0, live, classes, BLOCK, True)
                a = load_logits(x, x_first, j, inside, x_c, 0.0, UNIT, False)
                b = load_logits(y, y_first, j, inside, y_c, 0.0, UNIT, False)
            q, p, d = pair_of_tile(a, b, model, truth, inverse_t)
            top = j == is_argmax
            if KIND == FORWARD:
                slope = tl.where(tl.abs(d) <= 0.5, p * expm1(d), q - p)
            else:
                s = terms_and_slopes(p, q, d, beta, KIND)[1]
                slope = zeroed(q, tl.where(top, s * miss - others, s - inner))
                if KIND == REVERSE:  # p masks what q does not
                    slope = tl.where((d == INFINITY) & (q > 0), INFINITY, slope)
            g = outer * slope + z_slope * q
            if LABELS:
                e = tl.exp(a - model[0]) / one_total
                is_label = j == label
                off = tl.where(is_label, tl.where(top, -one_miss, e - 1.0), e)
                g += of_label * off
            g = tl.where(live, g, 0.0)
            written = tile_mask(begin, 0, there[:, None], classes, BLOCK, True)[1]
            offset = j if UNIT else j.to(tl.int64) * g_c
            tl.store(gradient + (g_first + offset), g.to(gradient.dtype.element_ty), mask=written)
