"""The formulas once more, in mpmath to 80 digits, on the exact values of the floats they are given.

Nothing here imports plogq, and nothing is shared with it. A row is a sequence of numbers; index
targets are already one-hot. log1p stands where 80 digits would not hold the sum, 1 + 1e-261 say.
"""

import itertools
from collections.abc import Sequence
from typing import Any

from mpmath import MPContext

mp = MPContext()
mp.dps = 80

Row = Sequence[Any]
INF = mp.inf


def exact(row: Any) -> list[Any]:
    """Take floats (NumPy's too) for exactly what they are, and decimal strings likewise."""
    return [mp.mpf(x) if isinstance(x, str | mp.mpf) else mp.mpf(float(x)) for x in row]


def one_hot(index: int, classes: int) -> list[float]:
    return [float(j == index) for j in range(classes)]


def sums_of_others(terms: list[Any]) -> list[Any]:
    """The sum of all terms but the k-th, for each k, with nothing taken away again."""
    before = itertools.accumulate(terms[:-1], initial=mp.zero)
    after = [*itertools.accumulate(terms[:0:-1], initial=mp.zero)][::-1]
    return [a + b for a, b in zip(before, after, strict=True)]


# --- measures: p the truth, q the model


def surprisal(p: Any) -> Any:
    return -mp.log(p) if p > 0 else INF


def cross_entropy_terms(p: Row, q: Row) -> list[Any]:
    return [a * surprisal(b) if a > 0 else mp.zero for a, b in zip(exact(p), exact(q), strict=True)]


def cross_entropy(p: Row, q: Row) -> Any:
    return sum(cross_entropy_terms(p, q), mp.zero)


def entropy(p: Row) -> Any:
    return cross_entropy(p, p)


def log_ratio_terms(p: Row, q: Row) -> list[Any]:
    """p log(p/q)."""
    return [
        mp.zero if a == 0 else INF if b == 0 else a * mp.log(a / b)
        for a, b in zip(exact(p), exact(q), strict=True)
    ]


def kl_divergence(p: Row, q: Row) -> Any:
    """Σ p log(p/q) − p + q: rows of floats do not sum to 1 exactly, and this form is ≥ 0 anyway."""
    return sum(log_ratio_terms(p, q), mp.zero) - sum(exact(p)) + sum(exact(q))


def js_divergence(p: Row, q: Row) -> Any:
    m = [(a + b) / 2 for a, b in zip(exact(p), exact(q), strict=True)]
    return (kl_divergence(p, m) + kl_divergence(q, m)) / 2


def js_of_several(rows: Sequence[Row], weights: Row) -> Any:
    w = exact(weights)
    m = [
        sum(a * x for a, x in zip(w, column, strict=True))
        for column in zip(*map(exact, rows), strict=True)
    ]
    return sum(a * kl_divergence(row, m) for a, row in zip(w, rows, strict=True) if a)


# --- two variables, in a table with x on rows and y on columns


def conditional_entropy(table: Sequence[Row]) -> Any:
    """H(Y | X)."""
    total = mp.zero
    for row in map(exact, table):
        for k, cell in enumerate(row):
            if cell > 0:
                total += cell * mp.log1p(sum(row[:k] + row[k + 1 :]) / cell)
    return total


def product_of_margins(table: Sequence[Row]) -> tuple[list[Any], list[Any]]:
    """p(x, y) and p(x) p(y), both flat."""
    rows = [exact(row) for row in table]
    columns = [sum(column) for column in zip(*rows, strict=True)]
    return [cell for row in rows for cell in row], [sum(row) * c for row in rows for c in columns]


def mutual_information(table: Sequence[Row]) -> Any:
    return kl_divergence(*product_of_margins(table))


def entropy_of_counts(counts: Row, miller_madow: bool = False) -> Any:
    n = exact(counts)
    total = sum(n)
    if total == 0:
        return mp.zero
    seen = sum(x > 0 for x in n)
    bias = mp.mpf(seen - 1) / (2 * total) if miller_madow else 0
    return conditional_entropy([n]) / total + bias


# --- softmax


def logsumexp(x: Row) -> Any:
    z = exact(x)
    k = z.index(max(z))
    return z[k] + mp.log1p(sum(mp.exp(v - z[k]) for v in z[:k] + z[k + 1 :]))


class Softmax:
    """p, −log p and 1 − p of a row of logits, each to full relative accuracy."""

    def __init__(self, x: Row, temperature: float = 1.0):
        z = [v / mp.mpf(temperature) for v in exact(x)]
        top = max(z)
        e = [mp.exp(v - top) for v in z]
        total = sum(e)
        others = sums_of_others(e)
        self.drop = [top - v for v in z]
        self.probs = [v / total for v in e]
        self.surprisals = [
            INF if a == 0 else mp.log1p(b / a) for a, b in zip(e, others, strict=True)
        ]
        self.complements = [b / total for b in others]


# --- losses of logits: u = weight · target


def smoothed(target: Row, x: Row, smoothing: float) -> list[Any]:
    kept = sum(v > -INF for v in exact(x))
    e = mp.mpf(smoothing)
    return [
        (1 - e) * t + (e / kept if v > -INF else 0)
        for t, v in zip(exact(target), exact(x), strict=True)
    ]


def cross_entropy_from_logits(x: Row, u: Row) -> Any:
    s = Softmax(x).surprisals
    return sum((a * b for a, b in zip(exact(u), s, strict=True) if a > 0), mp.zero)


def linear_gradient(x: Row, v: Row) -> list[Any]:
    """(Σ v) p − v = v_others p − v (1 − p), of which the second form keeps the digits."""
    s, v = Softmax(x), exact(v)
    terms = zip(sums_of_others(v), s.probs, v, s.complements, strict=True)
    return [others * p - own * miss for others, p, own, miss in terms]


def focal_from_logits(x: Row, u: Row, gamma: float) -> Any:
    s, g = Softmax(x), mp.mpf(gamma)
    return sum(
        (
            a * miss**g * surprise
            for a, miss, surprise in zip(exact(u), s.complements, s.surprisals, strict=True)
            if a > 0
        ),
        mp.zero,
    )


def focal_slopes(x: Row, u: Row, gamma: float) -> list[Any]:
    """v of the focal loss, whose gradient is (Σ v) p − v."""
    s, g = Softmax(x), mp.mpf(gamma)
    return [
        a * (miss**g + g * p * miss ** (g - 1) * surprise) if a > 0 and miss > 0 else a * 0**g
        for a, p, miss, surprise in zip(exact(u), s.probs, s.complements, s.surprisals, strict=True)
    ]


def generalised_from_logits(x: Row, u: Row, q: float) -> Any:
    """Σ u (1 − p^q)/q; at q = 0 cross-entropy."""
    s, q = Softmax(x).surprisals, mp.mpf(q)
    if q == 0:
        return cross_entropy_from_logits(x, u)
    return sum(-a * mp.expm1(-q * b) / q for a, b in zip(exact(u), s, strict=True))


def poly_from_logits(x: Row, u: Row, epsilon: float) -> Any:
    missed = sum(a * miss for a, miss in zip(exact(u), Softmax(x).complements, strict=True))
    return cross_entropy_from_logits(x, u) + mp.mpf(epsilon) * missed


def surprisal_slopes(x: Row, u: Row, loss: str, parameter: float) -> list[Any]:
    """v of either, whose gradient is (Σ v) p − v."""
    p = Softmax(x).probs
    if loss == "poly":
        return [a * (1 + mp.mpf(parameter) * b) for a, b in zip(exact(u), p, strict=True)]
    return [a * b ** mp.mpf(parameter) for a, b in zip(exact(u), p, strict=True)]


def squared_error_from_logits(x: Row, t: Row) -> Any:
    return sum(d**2 for d in linear_gradient(x, t))


def squared_error_gradient(x: Row, t: Row) -> list[Any]:
    """2 p_k (d_k − Σ p d) with d = p − t, as 2 p_k (d_k (1 − p_k) − Σ_{j≠k} p_j d_j)."""
    s, d = Softmax(x), linear_gradient(x, t)
    pd = sums_of_others([a * b for a, b in zip(s.probs, d, strict=True)])
    terms = zip(s.probs, d, s.complements, pd, strict=True)
    return [2 * p * (own * miss - others) for p, own, miss, others in terms]


def kl_from_logits(a: Row, b: Row, temperature: float = 1.0) -> Any:
    p, q = Softmax(a, temperature), Softmax(b, temperature)
    total = mp.zero
    for k in range(len(p.probs)):
        if q.probs[k] == 0 < p.probs[k]:
            return INF
        d = p.surprisals[k] - q.surprisals[k] if p.probs[k] else mp.zero
        total += (
            q.probs[k] - p.probs[k] - p.probs[k] * d
            if abs(d) > 1 or not p.probs[k]
            else (p.probs[k] * (mp.expm1(d) - d))
        )
    return total


def js_logs(a: Row, b: Row, beta: float, temperature: float = 1.0) -> list[tuple[Any, ...]]:
    """p, log(p/m), q and log(q/m) of each class, with m = β p + (1 − β) q."""
    w, out = mp.mpf(beta), []
    pairs = zip(Softmax(a, temperature).probs, Softmax(b, temperature).probs, strict=True)
    for p, q in pairs:
        m = w * p + (1 - w) * q
        logs = (mp.log(x / m) if x else mp.zero for x in (p, q))
        out.append((p, next(logs), q, next(logs)))
    return out


def js_from_logits(a: Row, b: Row, beta: float, temperature: float = 1.0) -> Any:
    if beta in (0, 1):
        return kl_from_logits(*((b, a) if beta else (a, b)), temperature)
    w = mp.mpf(beta)
    return sum(w * p * s + (1 - w) * q * t for p, s, q, t in js_logs(a, b, beta, temperature))


def js_gradient(a: Row, b: Row, beta: float) -> list[Any]:
    """In b: (1 − β) q_k (log(q_k/m_k) − Σ q log(q/m)); β = 1 is the reverse KL, undivided."""
    if beta == 1:
        logs = [(q, s - t if q else mp.zero) for q, s, t in _with_surprisals(a, b)]
        return [q * (d - sum(x * y for x, y in logs)) for q, d in logs]
    logs = js_logs(a, b, beta)
    mean = sum(q * t for _, _, q, t in logs)
    return [(1 - mp.mpf(beta)) * q * (t - mean) for _, _, q, t in logs]


def _with_surprisals(a: Row, b: Row) -> Any:
    p, q = Softmax(a), Softmax(b)
    return zip(q.probs, p.surprisals, q.surprisals, strict=True)


# --- losses of one logit


def softplus(z: Any) -> Any:
    return max(z, mp.zero) + mp.log1p(mp.exp(-abs(z)))


def sigmoid(z: Any) -> Any:
    return 1 / (1 + mp.exp(-z))


def binary_cross_entropy_from_logits(z: Any, t: Any, w: Any = 1) -> Any:
    return w * t * softplus(-z) + (1 - t) * softplus(z)


def binary_focal_from_logits(z: Any, t: Any, gamma: float, yes: Any = 1, no: Any = 1) -> Any:
    g, p, miss = mp.mpf(gamma), sigmoid(z), sigmoid(-z)
    return yes * t * miss**g * softplus(-z) + no * (1 - t) * p**g * softplus(z)


def asymmetric_from_logits(
    z: Any, t: Any, gamma_neg: float = 4, gamma_pos: float = 1, margin: float = 0.05, yes: Any = 1
) -> Any:
    p, m = sigmoid(z), mp.mpf(margin)
    r = max(p - m, mp.zero)
    positive = sigmoid(-z) ** mp.mpf(gamma_pos) * softplus(-z)
    negative = r ** mp.mpf(gamma_neg) * -mp.log(sigmoid(-z) + m) if r else mp.zero
    return yes * t * positive + (1 - t) * negative


# --- normals


def normal_entropy(log_variance: Row) -> Any:
    return sum((mp.log(2 * mp.pi) + 1 + v) / 2 for v in exact(log_variance))


def normal_kl(mean: Any, log_variance: Any, q_mean: Any = 0, q_log_variance: Any = 0) -> Any:
    """Of one dimension."""
    mu, v, m, w = (mp.mpf(x) for x in (mean, log_variance, q_mean, q_log_variance))
    return ((mu - m) ** 2 * mp.exp(-w) + mp.expm1(v - w) - (v - w)) / 2


def elbo(reconstruction: Any, mean: Row, log_variance: Row) -> Any:
    """Of one example, by the terms of Kingma and Welling's appendix B."""
    code = sum(
        1 + v - mu**2 - mp.exp(v) for mu, v in zip(*map(exact, (mean, log_variance)), strict=True)
    )
    return mp.mpf(float(reconstruction)) + code / 2


# --- derivatives


def derivative(of: Any, x: Row, k: int) -> Any:
    """∂of/∂x_k by a central difference of step 1e-30, good to about 50 digits."""
    step = mp.mpf(10) ** -30
    z = exact(x)
    up, down = ([*z[:k], z[k] + h, *z[k + 1 :]] for h in (step, -step))
    return (of(up) - of(down)) / (2 * step)
