"""The kernel of rows: the statistics, the loss and the gradient of softmax rows.

It restates `native/row.hpp`: sums over the classes of a row, and from these its loss and the
gradient g_j = a e_j + b w_j + c [j = y], with e_j = exp((x_j − m) / T); c w_j t_j for a
distribution t. Tiles are (rows, classes); a row longer than its tile is read block by block, twice.
"""

from __future__ import annotations

import triton
import triton.language as tl

from plogq.torch.engines.triton.kernels.functions import INFINITY, capped, log1p, power, zeroed
from plogq.torch.engines.triton.kernels.state import (
    absorb,
    absorb_gaps,
    absorb_moment,
    merged,
    merged_gaps,
    merged_moment,
)


@triton.jit
def load_logits(x, at, j, inside, step, softcap, UNIT: tl.constexpr, CAP: tl.constexpr):
    """Return logits in float32, −inf outside; after the softcap, if there is one."""
    offset = j if UNIT else j.to(tl.int64) * step
    z = tl.load(x + (at + offset), mask=inside, other=-INFINITY).to(tl.float32)
    return capped(z, softcap) if CAP else z


@triton.jit
def load_other(t, at, j, inside, step, UNIT: tl.constexpr):
    """Return class weights or targets in float32, 0 outside."""
    offset = j if UNIT else j.to(tl.int64) * step
    return tl.load(t + (at + offset), mask=inside, other=0.0).to(tl.float32)


@triton.jit
def see(
    seen, z, w, t, j, inverse_t,
    SMOOTH: tl.constexpr, WEIGHT: tl.constexpr, SOFT: tl.constexpr, MOMENT: tl.constexpr,
):  # fmt: skip
    """Return what is known of each lane, with logits z of classes j, their weights and targets."""
    state, moment, open_count, of_weight, of_target, total, least = seen
    m, r, _ = state
    if MOMENT:
        moment = absorb_moment(moment, m, r, z, inverse_t)
    if SMOOTH:
        is_open = tl.where(z == -INFINITY, 0.0, 1.0)
        open_count += is_open
        of_weight = absorb_gaps(of_weight, m, z, w * is_open if WEIGHT else is_open)
    if SOFT:
        of_target = absorb_gaps(of_target, m, z, w * t if WEIGHT else t)
        total += t
        least = tl.minimum(least, t)
    state = absorb(state, z, j, inverse_t)
    return state, moment, open_count, of_weight, of_target, total, least


@triton.jit
def tile_mask(begin, lead, live, classes, BLOCK: tl.constexpr, EDGE: tl.constexpr):
    """Return columns (1, BLOCK) from where the rows' tiles begin, and which of them are read.

    A tile without an edge has a mask that is one for each row, so that it is read in whole vectors.
    """
    j = begin + tl.arange(0, BLOCK)[None, :]
    inside = tl.broadcast_to(live, [live.shape[0], BLOCK])
    if EDGE:
        inside = inside & (j >= lead) & (j < lead + classes)
    return j, inside


@triton.jit
def read_tile(
    x, target, weight, j, inside, x_first, t_first, lead, x_c, t_c, softcap,
    UNIT: tl.constexpr, SOFT: tl.constexpr, SPREAD: tl.constexpr, WEIGHT: tl.constexpr,
    CAP: tl.constexpr,
):  # fmt: skip
    """Return logits, class weights and targets of a tile; weights only where they are spread."""
    z = load_logits(x, x_first, j, inside, x_c, softcap, UNIT, CAP)
    w = z
    t = z
    if WEIGHT and SPREAD:
        w = load_other(weight, -lead, j, inside, 1, True)
    if SOFT:
        t = load_other(target, t_first, j, inside, t_c, UNIT)
    return z, w, t


@triton.jit
def gradient_of_tile(
    z, w, t, j, top, first, label, inverse_t, a, b, c, at_top, softcap,
    SOFT: tl.constexpr, SMOOTH: tl.constexpr, WEIGHT: tl.constexpr, CAP: tl.constexpr,
):  # fmt: skip
    """Return a e_j + b w_j + c [j = y], or c w_j t_j; and its own number at the argmax."""
    g = a * tl.exp((z - top) * inverse_t)
    if SMOOTH:
        g += tl.where(z == -INFINITY, 0.0, b * w if WEIGHT else b)
    if SOFT:
        g += c * (w * t if WEIGHT else t)
    else:
        g += tl.where(j == label, c, 0.0)
    g = tl.where(j == first, at_top, g)
    if CAP:  # the derivative of c tanh(x / c); where x was infinite it is 0
        slope = tl.maximum(1.0 - (z / softcap) * (z / softcap), 0.0)
        g *= tl.where(tl.abs(z) < INFINITY, slope, 0.0)
    return g


@triton.jit
def write_tile(
    given, begin, at, of_row, lead, live, there, classes,
    BLOCK: tl.constexpr, EDGE: tl.constexpr, WHOLE: tl.constexpr, UNIT: tl.constexpr,
    SOFT: tl.constexpr, SMOOTH: tl.constexpr, WEIGHT: tl.constexpr, CAP: tl.constexpr,
):  # fmt: skip
    """Write the gradient of a tile, 0 in rows that are left out; the tile is given, or read."""
    x, target, weight, x_first, t_first, x_c, t_c, gradient, g_first, g_c = at
    top, first, label, inverse_t, a, b, c, at_top, softcap = of_row
    j, z, w, t = given
    if not WHOLE:
        j, inside = tile_mask(begin, lead, live, classes, BLOCK, EDGE)
        z, w, t = read_tile(
            x, target, weight, j, inside, x_first, t_first, lead, x_c, t_c, softcap,
            UNIT, SOFT, SMOOTH or SOFT, WEIGHT, CAP,
        )  # fmt: skip
    g = gradient_of_tile(
        z, w, t, j - lead, top, first, label, inverse_t, a, b, c, at_top, softcap,
        SOFT, SMOOTH, WEIGHT, CAP,
    )  # fmt: skip
    g = tl.where(live, g, 0.0)
    _, inside = tile_mask(begin, lead, there[:, None], classes, BLOCK, EDGE)
    offset = j if UNIT else j.to(tl.int64) * g_c
    tl.store(gradient + (g_first + offset), g.to(gradient.dtype.element_ty), mask=inside)


@triton.jit
def row_kernel(
    x, target, weight, keep, scale, divisor, loss, figures, argmax, gradient,
    count, classes, places,
    x_n, x_s, x_c, t_n, t_s, t_c, g_n, g_s, g_c, scale_step,
    ignore_index, smoothing, gamma, temperature, z_loss, softcap, tolerance,
    ROWS: tl.constexpr, BLOCK: tl.constexpr, WHOLE: tl.constexpr, VECTOR: tl.constexpr,
    UNIT: tl.constexpr, SOFT: tl.constexpr, SMOOTH: tl.constexpr, WEIGHT: tl.constexpr,
    FOCAL: tl.constexpr, CAP: tl.constexpr, MOMENT: tl.constexpr, GRADIENT: tl.constexpr,
    KEEP: tl.constexpr, SCALE: tl.constexpr, DIVISOR: tl.constexpr,
    ALIKE: tl.constexpr, EVEN: tl.constexpr,
):  # fmt: skip
    """Write losses, figures and gradients of `count` rows of `classes` logits each.

    Row i lies at (i // places) x_n + (i % places) x_s, and its classes x_c apart; the gradient and
    the targets likewise. A label that is no class, or a distribution that is none within
    `tolerance`, makes its row NaN. WHOLE: a row fits into its tile, and is read once. VECTOR > 1:
    rows begin anywhere, and their first tile where memory is aligned, at most so many elements
    before; otherwise it is 1, and rows begin and end at multiples of EVEN elements.
    """
    LEADS: tl.constexpr = VECTOR > 1
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    there = row < count
    kept = there
    image, place = row // places, row % places
    # These quotients change no number: by them the compiler knows of what it is a multiple.
    classes = classes // EVEN * EVEN
    x_at = (image * x_n + place * x_s) // EVEN * EVEN
    t_at = image * t_n + place * t_s
    if KEEP:
        kept = kept & (tl.load(keep + row, mask=there, other=0) != 0)
    label = tl.zeros([ROWS], tl.int64)
    bad = row < 0
    if not SOFT:
        label = tl.load(target + t_at, mask=there, other=0)
        kept = kept & (label != ignore_index)
        bad = kept & ((label < 0) | (label >= classes))
        label = tl.where(kept & (bad == 0), label, 0)
    x_first = x_at // VECTOR * VECTOR
    lead = (x_at - x_first).to(tl.int32)[:, None]
    t_first = t_at[:, None] - lead
    if SOFT and not LEADS:
        t_first = (t_at // EVEN * EVEN)[:, None]
    live = kept[:, None]
    inverse_t = 1.0 / temperature
    SPREAD: tl.constexpr = SMOOTH or SOFT
    # The tiles from BLOCK to here have no edge.
    middle = tl.maximum(BLOCK, classes // BLOCK * BLOCK)
    end = classes + VECTOR - 1

    # 1. The state of each lane, and of the row.
    zeros = tl.zeros([ROWS, BLOCK], tl.float32)
    state = (zeros - INFINITY, zeros, tl.zeros([ROWS, BLOCK], tl.int32) + classes)
    seen = (state, zeros, zeros, (zeros, zeros, zeros), (zeros, zeros, zeros), zeros, zeros)
    j, inside = tile_mask(0, lead, live, classes, BLOCK, True)
    z, w, t = read_tile(
        x, target, weight, j, inside, x_first[:, None], t_first, lead, x_c, t_c, softcap,
        UNIT, SOFT, SPREAD, WEIGHT, CAP,
    )  # fmt: skip
    if WHOLE:  # each lane has seen one class, which is its maximum
        is_open = tl.where(z == -INFINITY, 0.0, 1.0)
        of_weight = (zeros, w * is_open if WEIGHT and SPREAD else is_open, zeros)
        of_target = (zeros, w * t if WEIGHT and SPREAD else t, zeros)
        seen = ((z, zeros, j - lead), zeros, is_open, of_weight, of_target, t, t)
    else:
        seen = see(seen, z, w, t, j - lead, inverse_t, SMOOTH, WEIGHT, SOFT, MOMENT)
        if LEADS:
            for begin in range(BLOCK, middle, BLOCK):
                j, inside = tile_mask(begin, lead, live, classes, BLOCK, False)
                z, w, t = read_tile(
                    x, target, weight, j, inside, x_first[:, None], t_first, lead, x_c, t_c,
                    softcap, UNIT, SOFT, SPREAD, WEIGHT, CAP,
                )  # fmt: skip
                seen = see(seen, z, w, t, j - lead, inverse_t, SMOOTH, WEIGHT, SOFT, MOMENT)
        for begin in range(middle if LEADS else BLOCK, end, BLOCK):
            j, inside = tile_mask(begin, lead, live, classes, BLOCK, True)
            z, w, t = read_tile(
                x, target, weight, j, inside, x_first[:, None], t_first, lead, x_c, t_c, softcap,
                UNIT, SOFT, SPREAD, WEIGHT, CAP,
            )  # fmt: skip
            seen = see(seen, z, w, t, j - lead, inverse_t, SMOOTH, WEIGHT, SOFT, MOMENT)
    state, moment, open_count, of_weight, of_target, total_target, least = seen
    m_lane, r_lane, k_lane = state
    top, rest, first, e_lane = merged(state, classes, inverse_t)
    total = 1.0 + rest
    log_total = log1p(rest)

    # 2. The loss, and v: the gradient of sum_j v_j (lse − z_j) is V p − v. At the argmax, where
    # 1 − p = rest / total, that is (V − v) p − v (1 − p): nothing cancels.
    none = tl.zeros([ROWS], tl.float32)
    if SOFT:
        beside, u_top, gaps = merged_gaps(of_target, m_lane, k_lane, top, first)
        v_top = (1.0 - smoothing) * u_top
        v_beside = (1.0 - smoothing) * beside
        surprisal = gaps * inverse_t + log_total * (beside + u_top)
        value = zeroed(1.0 - smoothing, surprisal)
        c = none + (smoothing - 1.0)
        excess = tl.abs(tl.sum(total_target, axis=1) - 1.0)
        no_distribution = (tl.min(least, axis=1) < 0) | (excess > tolerance) | (excess != excess)
        bad = kept & no_distribution & (tolerance >= 0)
    else:
        z_label = tl.load(x + (x_at + label * x_c), mask=kept, other=0.0).to(tl.float32)
        if CAP:
            z_label = capped(z_label, softcap)
        surprisal = (top - z_label) * inverse_t + log_total
        u = none + (1.0 - smoothing)
        if WEIGHT:
            u *= tl.load(weight + label, mask=kept, other=0.0).to(tl.float32)
        is_top = label == first
        v = u
        if FOCAL:
            e = tl.where(is_top, 1.0, tl.exp((z_label - top) * inverse_t))
            miss = tl.where(is_top, rest, total - e) / total
            u = u * power(miss, gamma)
            # −log p / (1 − p) is 1 at p = 1, and p (−log p) is 0 at p = 0.
            slope = tl.where(miss > 0, surprisal / tl.where(miss > 0, miss, 1.0), 1.0)
            v = u * (1.0 + gamma * zeroed(e / total, slope))
        value = zeroed(u, surprisal)
        v_top = tl.where(is_top, v, 0.0)
        v_beside = tl.where(is_top, 0.0, v)
        c = -v
    b = none
    if SMOOTH:
        beside, w_top, gaps = merged_gaps(of_weight, m_lane, k_lane, top, first)
        share = smoothing / tl.sum(open_count, axis=1)
        value += share * (gaps * inverse_t + log_total * (beside + w_top))
        v_top += share * w_top
        v_beside += share * beside
        b = -share
    lse = top * inverse_t + log_total
    value += zeroed(z_loss, lse * lse)
    spoilt = tl.where(bad, float("nan"), 0.0)
    tl.store(loss + row, tl.where(kept, value + spoilt, 0.0), mask=there)
    if MOMENT:
        sum_of_gaps = merged_moment(moment, m_lane, r_lane, e_lane, top, inverse_t)
        entropy = log_total + sum_of_gaps / total
        tl.store(figures + row, tl.where(kept, lse + spoilt, 0.0), mask=there)
        tl.store(figures + count + row, tl.where(kept, entropy + spoilt, 0.0), mask=there)
        tl.store(argmax + row, tl.where(kept, first, 0).to(tl.int64), mask=there)

    # 3. The gradient, which may overwrite the logits.
    if GRADIENT:
        factor = inverse_t + spoilt
        if SCALE:
            factor *= tl.load(scale + row * scale_step, mask=there, other=0.0).to(tl.float32)
        if DIVISOR:
            of_all = tl.load(divisor).to(tl.float32)
            factor = factor / tl.where(of_all == 0, 1.0, of_all)
        z_slope = zeroed(2.0 * z_loss, lse)
        a = (factor * (v_beside + v_top + z_slope) / total)[:, None]
        at_top = (factor * ((v_beside + z_slope) - v_top * rest) / total)[:, None]
        b, c = (b * factor)[:, None], (c * factor)[:, None]
        top, first, label = top[:, None], first[:, None], label.to(tl.int32)[:, None]
        g_first = x_first[:, None]
        if not ALIKE:
            g_first = (image * g_n + place * g_s)[:, None] // EVEN * EVEN - lead
        given = (j, z, w, t)
        of_row = (top, first, label, inverse_t, a, b, c, at_top, softcap)
        at = (x, target, weight, x_first[:, None], t_first, x_c, t_c, gradient, g_first, g_c)
        write_tile(
            given, 0, at, of_row, lead, live, there, classes,
            BLOCK, True, WHOLE, UNIT, SOFT, SMOOTH, WEIGHT, CAP,
        )  # fmt: skip
        if not WHOLE:
            if LEADS:
                for begin in range(BLOCK, middle, BLOCK):
                    write_tile(
                        given, begin, at, of_row, lead, live, there, classes,
                        BLOCK, False, False, UNIT, SOFT, SMOOTH, WEIGHT, CAP,
                    )  # fmt: skip
            for begin in range(middle if LEADS else BLOCK, end, BLOCK):
                write_tile(
                    given, begin, at, of_row, lead, live, there, classes,
                    BLOCK, True, False, UNIT, SOFT, SMOOTH, WEIGHT, CAP,
                )  # fmt: skip
