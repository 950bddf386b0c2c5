"""Families of inputs, ordinary and extreme, in float32 and float64, one row after another."""

from collections.abc import Iterator
from typing import Any

import numpy as np

Rng = np.random.Generator
Family = tuple[str, tuple[Any, ...]]

ROWS = 4
CLASSES = (2, 5, 50)


def logits(rng: Rng, dtype: type) -> Iterator[Family]:
    """Rows of finite and masked logits; huge ones only as far as their squares are finite."""
    for scale in (1e-3, 1.0, 30.0, 1e4):
        for classes in CLASSES:
            yield f"scale {scale:g}", (rng.normal(0, scale, (ROWS, classes)).astype(dtype),)
    masked = rng.normal(0, 5, (ROWS, 8)).astype(dtype)
    masked[:, 1:][rng.random((ROWS, 7)) < 0.5] = -np.inf
    yield "-inf masks", (masked,)
    yield "ties", (rng.integers(0, 3, (ROWS, 5)).astype(dtype),)
    yield "one class", (rng.normal(0, 3, (ROWS, 1)).astype(dtype),)
    yield "near one-hot", (np.tile(np.array([0, -27.63, -30, -28.5], dtype), (2, 1)),)
    gap = 600 if dtype == np.float64 else 80
    yield f"gap {gap}", (np.array([[gap, 0, 1], [0, gap, gap / 3]], dtype),)
    huge = 1e30 if dtype == np.float64 else 1e15
    yield "huge", (np.array([[huge, -huge, 1], [-huge, -huge, -huge], [huge, huge, 0]], dtype),)


def small_gaps(rng: Rng, dtype: type) -> Iterator[Family]:
    """The logits whose softmax does not underflow in float32."""
    for family, (x,) in logits(rng, dtype):
        kept = _gap(x) < 80
        if kept.any():
            yield family, (x[kept],)


def _gap(x: np.ndarray) -> np.ndarray:
    """The largest finite difference in each row."""
    return np.ptp(np.where(np.isfinite(x), x, x[:, :1]), axis=-1)


def with_index(rng: Rng, dtype: type) -> Iterator[Family]:
    """Logits and a class that is not masked: the first row's most likely one, then any."""
    for family, (x,) in logits(rng, dtype):
        y = np.argmax(np.where(np.isfinite(x), rng.random(x.shape), -1), axis=-1)
        y[0] = np.argmax(x[0])
        yield family, (x, y)


def with_distribution(rng: Rng, dtype: type) -> Iterator[Family]:
    """Logits and soft targets, 0 on masked classes."""
    for family, (x,) in logits(rng, dtype):
        t = np.where(np.isfinite(x), rng.gamma(0.5, size=x.shape) + 1e-9, 0)
        yield family, (x, (t / t.sum(-1, keepdims=True)).astype(dtype))


def logit_pairs(rng: Rng, dtype: type) -> Iterator[Family]:
    """Two rows of logits that have little in common."""
    for (family, (a,)), (_, (b,)) in zip(logits(rng, dtype), logits(rng, dtype), strict=True):
        b = rng.permuted(b, axis=-1)
        yield family, (a, np.where(np.isfinite(a), np.where(np.isfinite(b), b, 0), -np.inf))


def logit_pairs_of_small_gaps(rng: Rng, dtype: type) -> Iterator[Family]:
    """Those whose softmaxes do not underflow in float32: a slope would multiply a lost digit."""
    for family, (a, b) in logit_pairs(rng, dtype):
        kept = (_gap(a) < 80) & (_gap(b) < 80)
        if kept.any():
            yield family, (a[kept], b[kept])


def near_logit_pairs(rng: Rng, dtype: type) -> Iterator[Family]:
    """Two rows of logits that differ in the last digits, and by a shift that changes nothing."""
    for relative in (1e-2, 1e-6, 1e-12) if dtype == np.float64 else (1e-2, 1e-5):
        for classes in CLASSES:
            a = rng.normal(0, 3, (ROWS, classes)).astype(dtype)
            b = (a * (1 + relative * rng.normal(size=a.shape))).astype(dtype)
            yield f"relative {relative:g}", (a, b)
    masked = np.array([[1, -np.inf, 2, 0]], dtype)
    yield "masked alike", (masked, (masked + np.array([0, 0, 0, 2**-10], dtype)).astype(dtype))
    whole = rng.integers(-4, 5, (ROWS, 5)).astype(dtype)
    step = np.zeros(5, dtype)
    step[3] = 2**-12
    yield "shifted by 64", (whole, whole + 64 + step)


def normalised(p: np.ndarray, dtype: type) -> np.ndarray:
    return (p / p.sum(-1, keepdims=True)).astype(dtype)


def probabilities(rng: Rng, dtype: type) -> Iterator[Family]:
    """Distributions as they are in practice: they sum to 1 within rounding."""
    for concentration in (1.0, 0.05):
        for classes in CLASSES:
            p = rng.dirichlet(np.full(classes, concentration), ROWS)
            yield f"Dirichlet {concentration:g}", (normalised(p, dtype),)
    p = rng.dirichlet(np.ones(6), ROWS) * (rng.random((ROWS, 6)) < 0.6)
    p[:, 0] += 0.1
    yield "zeros", (normalised(p, dtype),)
    small = 1e-12 if dtype == np.float64 else 1e-7
    yield "near one-hot", (np.array([[1 - small, small], [small, 1 - small], [1, 0]], dtype),)
    tiny = np.finfo(dtype).smallest_subnormal
    yield "subnormal", (np.array([[1, 3 * tiny, 0], [0.5, 0.5, 1000 * tiny]], dtype),)
    yield "equal", (np.full((2, 7), 1 / 7, dtype),)
    yield "one class", (np.ones((2, 1), dtype),)


def distribution_pairs(rng: Rng, dtype: type) -> Iterator[Family]:
    """p and q of every kind, near ones to the last digits, and q = 0 < p."""
    for (family, (p,)), (_, (q,)) in zip(
        probabilities(rng, dtype), probabilities(rng, dtype), strict=True
    ):
        yield family, (p, rng.permuted(q, axis=-1))
    for relative in (1e-2, 1e-6, 1e-12) if dtype == np.float64 else (1e-2, 1e-6):
        for classes in CLASSES:
            p = rng.dirichlet(np.ones(classes), ROWS)
            q = normalised(p * (1 + relative * rng.normal(size=p.shape)), dtype)
            yield f"relative {relative:g}", (p.astype(dtype), q)
    p = rng.dirichlet(np.ones(5), ROWS).astype(dtype)
    last = np.where(rng.random(p.shape) < 0.5, np.nextafter(p, dtype(0)), p)
    yield "last digit", (p, last)


def overlapping_pairs(rng: Rng, dtype: type) -> Iterator[Family]:
    """The pairs whose cross-entropy is finite."""
    for family, (p, q) in distribution_pairs(rng, dtype):
        kept = ~np.any((p > 0) & (q == 0), axis=-1)
        if kept.any():
            yield family, (p[kept], q[kept])


def indexed_probabilities(rng: Rng, dtype: type) -> Iterator[Family]:
    for family, (p,) in probabilities(rng, dtype):
        yield family, (p, rng.integers(0, p.shape[-1], len(p)))


def tables(rng: Rng, dtype: type) -> Iterator[Family]:
    """Joint distributions of two variables."""
    for shape in ((2, 2), (3, 5), (8, 4)):
        p = rng.dirichlet(np.full(shape[0] * shape[1], 0.5), ROWS)
        yield "Dirichlet 0.5", (p.reshape(ROWS, *shape).astype(dtype),)
    p = rng.dirichlet(np.ones(4), ROWS)[:, :, None] * rng.dirichlet(np.ones(3), ROWS)[:, None, :]
    yield "independent", (p.astype(dtype),)
    small = 1e-12 if dtype == np.float64 else 1e-7
    yield "near one-hot", (np.array([[[1 - small, small / 2], [small / 2, 0]]], dtype),)
    yield "y known from x", (np.array([[[0.5, 0], [0, 0.25], [0.25, 0]]], dtype),)


def counts(rng: Rng, dtype: type) -> Iterator[Family]:
    for classes in (1, *CLASSES):
        yield "counts", (rng.poisson(3, (ROWS, classes)).astype(dtype),)
    yield "none", (np.zeros((1, 3), dtype),)
    yield "one rare", (np.array([[2**20, 1, 0], [3, 2**23, 5]], dtype),)
    yield "weights", (np.array([[1e-12, 1, 1e-9], [0.3, 0.3, 1e5]], dtype),)


def splits(rng: Rng, dtype: type) -> Iterator[Family]:
    """Counts by branch and class."""
    for shape in ((2, 2), (3, 4)):
        yield "counts", (1 + rng.poisson(4, (ROWS, *shape)).astype(dtype),)
    yield "pure", (np.array([[[4, 0], [0, 4]], [[7, 0], [0, 1]]], dtype),)
    yield "no gain", (np.array([[[2, 4], [1, 2]]], dtype),)


def one_logit(rng: Rng, dtype: type) -> Iterator[Family]:
    for scale in (1e-3, 1.0, 20.0):
        yield f"scale {scale:g}", (rng.normal(0, scale, 30).astype(dtype),)
    far = [0, 600, -600, 1e30, -1e30] if dtype == np.float64 else [0, 80, -80, 1e30, -1e30]
    yield "extreme", (np.array(far, dtype),)


def one_logit_with_target(rng: Rng, dtype: type) -> Iterator[Family]:
    for family, (z,) in one_logit(rng, dtype):
        yield f"{family}, hard", (z, rng.integers(0, 2, z.shape).astype(dtype))
        yield f"{family}, soft", (z, rng.random(z.shape).astype(dtype))


def one_probability_with_target(rng: Rng, dtype: type) -> Iterator[Family]:
    tiny = np.finfo(dtype).smallest_subnormal
    p = np.concatenate([rng.random(30), 1e-9 * rng.random(5)]).astype(dtype)
    edges = np.array([0, 1, tiny, 1 - np.finfo(dtype).epsneg, 1e-9], dtype)
    for family, x in (("random", p), ("edges", edges)):
        yield f"{family}, hard", (x, rng.integers(0, 2, x.shape).astype(dtype))
        yield f"{family}, soft", (x, rng.random(x.shape).astype(dtype))


def normals(rng: Rng, dtype: type) -> Iterator[Family]:
    """Means and log-variances of p, then of q."""
    for scale in (1e-6, 1e-2, 1.0, 10.0):
        yield f"scale {scale:g}", tuple(rng.normal(0, scale, (4, ROWS, 5)).astype(dtype))
    narrow = np.array([[-80.0]], dtype)
    yield "narrow", (np.array([[3.0]], dtype), narrow, np.array([[3.0]], dtype), narrow)


def codes(rng: Rng, dtype: type) -> Iterator[Family]:
    """A reconstruction's log-likelihood, then means and log-variances of the code."""
    for family, (mean, v, *_) in normals(rng, dtype):
        for scale in (1e-3, 1.0, 1e3):
            r = rng.normal(0, scale, len(mean)).astype(dtype)
            yield f"{family}, reconstruction {scale:g}", (r, mean, v)
    least, most = -1e30, 80.0 if dtype is np.float32 else 700.0
    extreme = np.array([[0.0, least], [0.0, most], [3.0, least], [1e-6, 1e-6], [0.0, 0.0]], dtype)
    r = np.array([-1.0, -1e30, 0.0, -1e-12, -np.inf], dtype)
    yield "extreme", (r, extreme[:, :1], extreme[:, 1:])


def log_variances(rng: Rng, dtype: type) -> Iterator[Family]:
    for family, (_, v, _, _) in normals(rng, dtype):
        yield family, (v,)
