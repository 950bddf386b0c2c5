"""What each output should be, exactly, and the number whose ulp its error is measured in.

Most are measured in ulp of themselves. Where a formula must cancel, p − t say, the unit is an ulp
of the largest term. Where exp magnifies the rounding of a gap between logits, which no formula in
the same precision escapes, the unit grows by as much.
"""

from typing import Any

import numpy as np

from tests import oracles
from tests.oracles import Softmax, exact, mp, one_hot

Pair = tuple[Any, Any]  # the exact number, and the unit's


def plain(numbers: Any) -> list[Pair]:
    """Units of the last place of the result itself."""
    numbers = numbers if isinstance(numbers, list) else [numbers]
    return [(x, abs(x)) for x in numbers]


# --- the condition of a softmax
#
# m − x_j is rounded by up to half an ulp, whatever the formula, and exp multiplies that by m − x_j
# (Blanchard, Higham, Higham 2021, Accurately computing the log-sum-exp and softmax functions).


def by_gaps(x: Any, value: Any, gradient: list[Any]) -> list[Pair]:
    """|f| + Σ_j |∂f/∂x_j| (m − x_j)."""
    moved = sum((abs(g) * d for g, d in zip(gradient, Softmax(x).drop, strict=True) if g), mp.zero)
    return [(value, abs(value) + moved)]


def moved_probs(s: Softmax) -> list[Any]:
    """Σ_i |∂p_k/∂x_i| (m − x_i) of each class."""
    weighted = [p * d if p else mp.zero for p, d in zip(s.probs, s.drop, strict=True)]
    total = sum(weighted, mp.zero)
    return [
        w * miss + p * (total - w)
        for w, p, miss in zip(weighted, s.probs, s.complements, strict=True)
    ]


def probs(x: Any, temperature: float = 1.0) -> list[Pair]:
    s = Softmax(x, temperature)
    return [(p, p + moved) for p, moved in zip(s.probs, moved_probs(s), strict=True)]


def log_probs(x: Any, temperature: float = 1.0) -> list[Pair]:
    s = Softmax(x, temperature)
    pairs = zip(s.probs, s.surprisals, moved_probs(s), strict=True)
    return [(-h, h + moved / p if p else h) for p, h, moved in pairs]


def linear_gradient(x: Any, v: Any, also: Any = 0) -> list[Pair]:
    """(Σ v) p − v, whose largest term is |v − v_k| p_k or v_k (1 − p_k)."""
    s, v = Softmax(x), exact(v)
    total = sum(v)
    return [
        (g, (1 + also) * (max((total - a) * p, a * miss) + total * moved))
        for g, a, p, miss, moved in zip(
            oracles.linear_gradient(x, v), v, s.probs, s.complements, moved_probs(s), strict=True
        )
    ]


def linear_loss(x: Any, u: Any) -> list[Pair]:
    value = oracles.cross_entropy_from_logits(x, u)
    return by_gaps(x, value, oracles.linear_gradient(x, u))


def focal(x: Any, y: int) -> list[Pair]:
    u = one_hot(y, len(x))
    v = oracles.focal_slopes(x, u, 2)
    return by_gaps(x, oracles.focal_from_logits(x, u, 2), oracles.linear_gradient(x, v))


def focal_gradient(x: Any, y: int) -> list[Pair]:
    s = Softmax(x)
    share = 3 * moved_probs(s)[y] / s.complements[y] if s.complements[y] else 0
    return linear_gradient(x, oracles.focal_slopes(x, one_hot(y, len(x)), 2), share)


def surprisal_loss(loss: str, parameter: float, x: Any, y: int) -> list[Pair]:
    u = one_hot(y, len(x))
    v = oracles.surprisal_slopes(x, u, loss, parameter)
    of = {"generalised": oracles.generalised_from_logits, "poly": oracles.poly_from_logits}[loss]
    return by_gaps(x, of(x, u, parameter), oracles.linear_gradient(x, v))


def surprisal_gradient(loss: str, parameter: float, x: Any, y: int) -> list[Pair]:
    """The slope p^q of the target has the rounding of the exponent, too."""
    v = oracles.surprisal_slopes(x, one_hot(y, len(x)), loss, parameter)
    exponent = Softmax(x).surprisals[y] if loss == "generalised" else mp.zero
    return linear_gradient(x, v, parameter * exponent if mp.isfinite(exponent) else 0)


def brier(x: Any, t: Any) -> list[Pair]:
    value = oracles.squared_error_from_logits(x, t)
    return by_gaps(x, value, oracles.squared_error_gradient(x, t))


def brier_gradient(x: Any, t: Any) -> list[Pair]:
    """2 p_k (d_k (1 − p_k) − Σ_{j≠k} p_j d_j) with d = p − t."""
    s, d = Softmax(x), oracles.linear_gradient(x, t)
    moved = moved_probs(s)
    right = oracles.squared_error_gradient(x, t)
    pd = [p * abs(a) for p, a in zip(s.probs, d, strict=True)]
    pd_moved = [p * m + m * abs(a) for p, m, a in zip(s.probs, moved, d, strict=True)]
    out = []
    for k, (p, m, miss) in enumerate(zip(s.probs, moved, s.complements, strict=True)):
        terms = abs(d[k]) * miss + sum(pd) - pd[k]
        shifts = m * (abs(d[k]) + miss) + sum(pd_moved) - pd_moved[k]
        out.append((right[k], 2 * (p * terms + m * terms + p * shifts)))
    return out


def kl_near(a: Any, b: Any, temperature: float = 1.0, factor: float = 1.0) -> list[Pair]:
    return plain(factor * oracles.kl_from_logits(a, b, temperature))


def kl_apart(a: Any, b: Any, temperature: float = 1.0, factor: float = 1.0) -> list[Pair]:
    """Both rows' gaps count."""
    p, q = Softmax(a, temperature), Softmax(b, temperature)
    value = factor * oracles.kl_from_logits(a, b, temperature)
    if mp.isinf(value):
        return plain(value)
    moved = mp.zero
    for i in range(len(a)):
        if p.probs[i]:
            d = p.surprisals[i] - q.surprisals[i]
            moved += p.probs[i] * (abs(d) + 1) * p.drop[i]
        if q.probs[i]:
            moved += abs(q.probs[i] - p.probs[i]) * q.drop[i]
    return [(value, value + factor * moved)]


def kl_gradient(a: Any, b: Any, temperature: float = 1.0, factor: float = 1.0) -> list[Pair]:
    """q − p, whose error is that of log(q/p) at the most: |h| + |log Σ p exp h| on p."""
    p, q = Softmax(a, temperature), Softmax(b, temperature)
    out = []
    for k, (one, other) in enumerate(zip(moved_probs(p), moved_probs(q), strict=True)):
        right = factor * (q.probs[k] - p.probs[k])
        out.append((right, factor * max(p.probs[k] + one, q.probs[k] + other)))
    return out


def kl_near_gradient(a: Any, b: Any) -> list[Pair]:
    """q − p = p expm1(h − log Σ p exp h) with h = b − a less its value at the top of p."""
    p, q = Softmax(a), Softmax(b)
    h = [mp.zero if mp.isinf(u) else v - u for u, v in zip(exact(a), exact(b), strict=True)]
    h = [u - h[p.drop.index(0)] for u in h]
    gaps = [1 + d if d < mp.inf else mp.zero for d in p.drop]
    mean = sum(one * abs(u) * gap for one, u, gap in zip(p.probs, h, gaps, strict=True))
    return [
        (q.probs[k] - p.probs[k], p.probs[k] * gaps[k] * (abs(u) + mean)) for k, u in enumerate(h)
    ]


def js_near(beta: float, a: Any, b: Any) -> list[Pair]:
    return plain(oracles.js_from_logits(a, b, beta))


def js_apart(beta: float, a: Any, b: Any) -> list[Pair]:
    """Both rows' gaps count."""
    value, logs = oracles.js_from_logits(a, b, beta), oracles.js_logs(a, b, beta)
    drops = zip(Softmax(a).drop, Softmax(b).drop, logs, strict=True)
    moved = mp.zero
    for da, db, (p, s, q, t) in drops:
        moved += beta * p * (1 + abs(s)) * da if p else 0
        moved += (1 - beta) * q * (1 + abs(t)) * db if q else 0
    return [(value, value + moved)]


def js_gradient(beta: float, a: Any, b: Any) -> list[Pair]:
    """q_k g_k − q_k Σ q g with g = log(q/m), or log(q/p) at β = 1, of which both are rounded."""
    p, q = Softmax(a), Softmax(b)
    right = oracles.js_gradient(a, b, beta)
    if beta == 1:
        pairs = zip(p.surprisals, q.surprisals, q.probs, strict=True)
        logs = [abs(s - t) if x else mp.zero for s, t, x in pairs]
    else:
        logs = [abs(t) for *_, t in oracles.js_logs(a, b, beta)]
    gaps = [1 + d + e if x else mp.zero for d, e, x in zip(p.drop, q.drop, q.probs, strict=True)]
    rough = [x * (g + 1) * gap for x, g, gap in zip(q.probs, logs, gaps, strict=True)]
    total, moved = sum(rough), moved_probs(q)
    mean = sum(x * g for x, g in zip(q.probs, logs, strict=True))
    return [
        (g, r + x * total + m * (size + mean))
        for g, r, x, m, size in zip(right, rough, q.probs, moved, logs, strict=True)
    ]


def js_near_gradient(beta: float, a: Any, b: Any) -> list[Pair]:
    """An ulp of the largest slope that any class could have."""
    right, q = oracles.js_gradient(a, b, beta), Softmax(b)
    gaps = [1 + d if d < mp.inf else mp.zero for d in q.drop]
    most = max(abs(g) / x if x else mp.zero for g, x in zip(right, q.probs, strict=True))
    return [(g, x * gap * most) for g, x, gap in zip(right, q.probs, gaps, strict=True)]


def z_loss(x: Any) -> list[Pair]:
    lse, s = oracles.logsumexp(x), Softmax(x)
    largest = max(abs(max(exact(x))), mp.log1p(sum(s.probs) / max(s.probs) - 1))
    return [(lse**2, 2 * abs(lse) * largest)]


def z_gradient(x: Any) -> list[Pair]:
    lse, largest = oracles.logsumexp(x), abs(max(exact(x))) + mp.log(len(x))
    return [(2 * lse * p, 2 * largest * scale) for p, scale in probs(x)]


def lse(x: Any) -> list[Pair]:
    """m + log1p(r) cancels where the two are opposite."""
    value, m = oracles.logsumexp(x), max(exact(x))
    return [(value, max(abs(m), value - m))]


def rest(x: Any) -> list[Pair]:
    """Σ exp(x_j − m) but the top's."""
    s = Softmax(x)
    k = s.drop.index(0)
    gaps = [d for d in s.drop[:k] + s.drop[k + 1 :] if d < mp.inf]
    return [
        (
            sum((mp.exp(-d) for d in gaps), mp.zero),
            sum(((1 + d) * mp.exp(-d) for d in gaps), mp.zero),
        )
    ]


# --- one logit


def binary_gradient(z: Any, t: Any) -> list[Pair]:
    z, t = exact((z, t))
    up, down = (1 - t) * oracles.sigmoid(z), 3 * t * oracles.sigmoid(-z)
    return [(up - down, max(up, down))]


def binary_focal_gradient(z: Any, t: Any) -> list[Pair]:
    z, t = exact((z, t))

    def slope(z: Any) -> Any:
        p, miss = oracles.sigmoid(z), oracles.sigmoid(-z)
        return miss**2 * (miss + 2 * p * oracles.softplus(-z))

    yes, no = mp.mpf(0.25) * t * slope(z), mp.mpf(0.75) * (1 - t) * slope(-z)
    return [(no - yes, max(no, yes))]


def asymmetric(z: Any, t: Any) -> list[Pair]:
    """p − m is rounded as p is."""
    z, t = exact((z, t))
    negative = oracles.asymmetric_from_logits(z, mp.zero)
    r = max(oracles.sigmoid(z) - mp.mpf(0.05), mp.zero)
    rounded = 5 * negative / r if r else mp.zero
    value = oracles.asymmetric_from_logits(z, t)
    return [(value, value + (1 - t) * rounded)]


def asymmetric_gradient(z: Any, t: Any) -> list[Pair]:
    z, t = exact((z, t))
    p, miss, m = oracles.sigmoid(z), oracles.sigmoid(-z), mp.mpf(0.05)
    r = max(p - m, mp.zero)
    yes = t * miss * (miss + p * oracles.softplus(-z))
    surprisal = -mp.log(miss + m)
    no = (1 - t) * p * miss * r**4 * (4 * surprisal / r + 1 / (miss + m)) if r else mp.zero
    return [(no - yes, max(2 * yes, no * (1 + 5 / r) if r else mp.zero))]


def binary_probs_gradient(p: Any, t: Any) -> list[Pair]:
    p, t = exact((p, t))
    up = (1 - t) / (1 - p) if p < 1 else (oracles.INF if t < 1 else mp.zero)
    down = t / p if p else (oracles.INF if t else mp.zero)
    return [(up - down, max(up, down))]


def probs_gradient(p: Any, q: Any) -> list[Pair]:
    """−p/q, and 0 where p = 0."""
    return plain(
        [
            mp.zero if a == 0 else -oracles.INF if b == 0 else -a / b
            for a, b in zip(exact(p), exact(q), strict=True)
        ]
    )


def binary_probs(p: Any, t: Any) -> list[Pair]:
    p, t = exact((p, t))
    return plain(oracles.cross_entropy([t, 1 - t], [p, 1 - p]))


# --- measures


def information(table: Any, total: Any = 1) -> list[Pair]:
    """Σ p log(p/q) has terms of both signs."""
    joint, product = oracles.product_of_margins(
        [[mp.mpf(float(n)) / total for n in r] for r in table]
    )
    terms = [abs(term) for term in oracles.log_ratio_terms(joint, product)]
    return [(oracles.kl_divergence(joint, product), max(terms))]


def gain(table: Any) -> list[Pair]:
    return information(table, int(np.sum(table)))


def decomposition(p: Any, q: Any) -> list[Pair]:
    return plain(
        [
            oracles.cross_entropy(p, q),
            oracles.entropy(p),
            oracles.kl_divergence(p, q),
            *oracles.cross_entropy_terms(p, q),
            *oracles.cross_entropy_terms(p, p),
            *oracles.log_ratio_terms(p, q),
        ]
    )


def perplexity(p: Any, q: Any) -> list[Pair]:
    """exp makes of an ulp of H that many of the result."""
    h = oracles.cross_entropy(p, q)
    return [(mp.exp(h), mp.exp(h) * (1 + h))]


def normal_entropy(v: Any) -> list[Pair]:
    return [(oracles.normal_entropy(v), sum(max(abs(x), 3) for x in exact(v)) / 2)]


def normal_kl(*columns: Any) -> list[Pair]:
    """v − w is rounded, and exp(v − w) multiplies that by |v − w|."""
    value = unit = mp.zero
    for mu, v, m, w in zip(*map(exact, columns), strict=True):
        value += oracles.normal_kl(mu, v, m, w)
        unit += oracles.normal_kl(mu, v, m, w) + abs(mp.expm1(v - w) * (v - w)) / 2
    return [(value, unit)]


def elbo(r: Any, mean: Any, v: Any) -> list[Pair]:
    """Two terms of either sign: the reconstruction, and the divergence of the code."""
    value, first = oracles.elbo(r, mean, v), mp.mpf(float(r))
    return [(value, max(abs(first), abs(value - first)))]
