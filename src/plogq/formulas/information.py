"""Surprisal, entropy, cross-entropy, relative entropy: measures of one and two distributions."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from plogq.errors import refuse
from plogq.formulas.arrays import Array, sum_tolerance, to_arrays
from plogq.formulas.distributions import (
    check_distribution,
    check_probabilities,
    distributions,
)
from plogq.formulas.terms import js_terms, kl_terms, log_ratio, neg_log, times
from plogq.formulas.units import Unit, from_nats


def surprisal(p: Array, *, unit: Unit = "nat") -> Array:
    """h(p) = −log p of each probability, in its shape; +inf for an impossible event.

    Raises
    ------
    ValueError
        If a number is outside [0, 1] or NaN.

    Examples
    --------
    >>> import numpy as np
    >>> surprisal(np.array([0.5, 0.125, 1.0, 0.0]), unit="bit")
    array([ 1.,  3.,  0., inf])

    References
    ----------
    Cover, Thomas (2006), Elements of Information Theory, 2nd ed., section 2.1; the name is
    Samson's (1953).
    """
    xp, p = to_arrays(p=p)
    p = check_probabilities(xp, p, "p")
    return from_nats(neg_log(xp, p), unit)


def entropy(p: Array, *, axis: int = -1, unit: Unit = "nat") -> Array:
    """H(p) = −Σ p log p along `axis`, with 0 log 0 = 0.

    0 for a certain outcome, log C for C equally likely ones.

    Raises
    ------
    ValueError
        If p is negative or NaN somewhere, or does not sum to 1 (within √eps of its dtype).

    Examples
    --------
    >>> import numpy as np
    >>> float(entropy(np.array([0.5, 0.25, 0.25]), unit="bit"))
    1.5

    References
    ----------
    Shannon (1948), A Mathematical Theory of Communication, section 6.
    """
    xp, p = distributions(axis, p=p)
    return from_nats(xp.sum(times(xp, p, neg_log(xp, p)), axis=-1), unit)


def cross_entropy(p: Array, q: Array, *, axis: int = -1, unit: Unit = "nat") -> Array:
    """H(p, q) = −Σ p log q = H(p) + D_KL(p ‖ q): p is the truth, q the model, in probabilities.

    +inf where the model rules out what can happen. For logits see `cross_entropy_from_logits`.
    Raises as `entropy` does, and where the shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> p, q = np.array([0.6, 0.3, 0.1]), np.array([0.33, 0.33, 0.34])
    >>> round(float(cross_entropy(p, q, unit="bit")), 4)
    1.5952

    References
    ----------
    Good (1952), Rational decisions; Cover, Thomas (2006), section 5.4.
    """
    xp, p, q = distributions(axis, p=p, q=q)
    return from_nats(xp.sum(times(xp, p, neg_log(xp, q)), axis=-1), unit)


def kl_divergence(p: Array, q: Array, *, axis: int = -1, unit: Unit = "nat") -> Array:
    """D_KL(p ‖ q) = Σ p log(p/q) ≥ 0: what it costs to believe q where p is true.

    Summed as p log(p/q) − p + q, which is the same for distributions, never negative, and right to
    a few ulp however near p and q are. +inf where q = 0 < p. Raises as `cross_entropy` does.

    Examples
    --------
    >>> import numpy as np
    >>> p, q = np.array([0.6, 0.3, 0.1]), np.array([0.33, 0.33, 0.34])
    >>> round(float(kl_divergence(p, q, unit="bit")), 4)
    0.2997

    References
    ----------
    Kullback, Leibler (1951), On information and sufficiency. The summed form is Csiszár's
    I-divergence (1991, Why least squares and maximum entropy?).
    """
    xp, p, q = distributions(axis, p=p, q=q)
    return from_nats(xp.sum(kl_terms(xp, p, q, log_ratio(xp, p, q)), axis=-1), unit)


def js_divergence(
    p: Array,
    q: Array | None = None,
    *,
    weights: Any = None,
    axis: int = -1,
    unit: Unit = "nat",
) -> Array:
    """JS(p, q) = ½ D_KL(p ‖ m) + ½ D_KL(q ‖ m) with m = (p + q)/2: symmetric, in [0, ln 2].

    With `weights` w, or without q of all the distributions along the first axis of p, it is
    Σ_i w_i D_KL(p_i ‖ m) with m = Σ_i w_i p_i: what an outcome tells of the distribution that it
    was drawn from, at most the entropy of w. Always finite.

    Parameters
    ----------
    p, q
        Two arrays of distributions of one shape; or p alone, (K, …, C), of K distributions.
    weights : (K,)
        A distribution, (2,) for p and q; equal without.

    Raises
    ------
    ValueError
        As `cross_entropy`; weights that are no distribution over the K; K = 0.

    Examples
    --------
    >>> import numpy as np
    >>> float(js_divergence(np.array([1.0, 0.0]), np.array([0.0, 1.0]), unit="bit"))
    1.0
    >>> float(js_divergence(np.eye(4), unit="bit"))
    2.0

    References
    ----------
    Lin (1991), Divergence measures based on the Shannon entropy, section IV for several.
    """
    if q is None or weights is not None:
        return from_nats(_js_of_several(p, q, weights, axis), unit)
    xp, p, q = distributions(axis, p=p, q=q)
    # Rounding may exceed ln 2, the mathematical bound.
    nats = xp.clip(xp.sum(js_terms(xp, p, q), axis=-1), max=math.log(2))
    return from_nats(nats, unit)


def _js_of_several(p: Array, q: Array | None, weights: Any, axis: int) -> Array:
    """Σ_i w_i D_KL(p_i ‖ m) in nats, of the p_i along the first axis or of p and q."""
    if q is None:
        xp, each = distributions(axis, p=p)
        if each.ndim < 2 or axis in (0, -each.ndim) or not each.shape[0]:
            expected = "have a first axis of distributions, not empty, beside that of classes"
            refuse("p", expected, f"shape {tuple(each.shape)}, axis {axis}")
    else:
        xp, p, q = distributions(axis, p=p, q=q)
        each = xp.stack([p, q])
    count = each.shape[0]
    _, w, _ = to_arrays(weights=[1 / count] * count if weights is None else weights, p=each)
    if w.shape != (count,):
        refuse("weights", f"have shape ({count},)", tuple(w.shape))
    w = xp.astype(check_distribution(xp, w, "weights", sum_tolerance(xp, weights)), each.dtype)
    by_one = xp.reshape(w, (count,) + (1,) * (each.ndim - 1))
    m = xp.sum(by_one * each, axis=0)
    total = xp.zeros_like(m[..., 0])
    for i in range(count):
        own = each[i, ...]
        # Not m − p_i of the rounded m: near distributions would lose their digits.
        beyond = xp.sum(by_one * (each - own), axis=0)
        near = xp.abs(beyond) <= own / 2
        close = xp.log1p(xp.where(near, beyond, 0.0) / xp.where(near & (own > 0), own, 1.0))
        d = xp.where(near, close, log_ratio(xp, own, m))
        total = total + times(xp, w[i], xp.sum(kl_terms(xp, own, own + beyond, d), axis=-1))
    limit = xp.sum(times(xp, w, neg_log(xp, w)), axis=-1)  # which rounding may exceed
    return xp.where(total > limit, limit, total)


def js_distance(p: Array, q: Array, *, axis: int = -1, unit: Unit = "nat") -> Array:
    """√JS(p, q), the Jensen-Shannon distance: a metric, at most 1 with `unit="bit"`.

    Examples
    --------
    >>> import numpy as np
    >>> float(js_distance(np.array([1.0, 0.0]), np.array([0.0, 1.0]), unit="bit"))
    1.0

    References
    ----------
    Endres, Schindelin (2003), A new metric for probability distributions.
    """
    divergence = js_divergence(p, q, axis=axis, unit=unit)
    xp, divergence = to_arrays(divergence=divergence)
    return xp.sqrt(divergence)


def perplexity(p: Array, q: Array | None = None, *, axis: int = -1) -> Array:
    """exp H(p), or exp H(p, q) with a model q, as a number of equally likely outcomes.

    Examples
    --------
    >>> import numpy as np
    >>> float(perplexity(np.array([0.25, 0.25, 0.25, 0.25])))
    4.0

    References
    ----------
    Jelinek, Mercer, Bahl, Baker (1977), Perplexity: a measure of the difficulty of speech
    recognition tasks.
    """
    nats = entropy(p, axis=axis) if q is None else cross_entropy(p, q, axis=axis)
    xp, nats = to_arrays(nats=nats)
    return xp.exp(nats)


class Decomposition(NamedTuple):
    """H(p, q) = H(p) + D_KL(p ‖ q), in total and outcome by outcome."""

    cross_entropy: Array
    entropy: Array
    kl_divergence: Array
    cross_entropy_terms: Array  # −p log q
    entropy_terms: Array  # −p log p
    kl_terms: Array  # p log(p/q), negative where the model expects more than happens


def decompose(p: Array, q: Array, *, axis: int = -1, unit: Unit = "nat") -> Decomposition:
    """Split H(p, q) into H(p), which no model can save, and D_KL(p ‖ q), which this one wastes.

    The totals have the shape of p without `axis`, the terms that of p. Raises as `cross_entropy`.

    Examples
    --------
    >>> import numpy as np
    >>> parts = decompose(np.array([0.6, 0.3, 0.1]), np.array([0.33, 0.33, 0.34]), unit="bit")
    >>> [round(float(x), 4) for x in (parts.entropy, parts.kl_divergence, parts.cross_entropy)]
    [1.2955, 0.2997, 1.5952]
    """
    xp, a, b = distributions(axis, p=p, q=q)
    terms = (
        times(xp, a, neg_log(xp, b)),
        times(xp, a, neg_log(xp, a)),
        times(xp, a, log_ratio(xp, b, a)),
    )
    return Decomposition(
        cross_entropy(p, q, axis=axis, unit=unit),
        entropy(p, axis=axis, unit=unit),
        kl_divergence(p, q, axis=axis, unit=unit),
        *(from_nats(xp.moveaxis(term, -1, axis), unit) for term in terms),
    )
