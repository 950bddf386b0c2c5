"""Every loss with every argument that it has, beside its equation in plain NumPy, in float64."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import plogq.jax as pj

pytestmark = pytest.mark.slow  # each case is compiled by XLA

N, C = 6, 5
RNG = np.random.default_rng(0)
X, OTHER = RNG.normal(size=(2, N, C))
Y = np.array([0, 1, 4, 2, 2, 3])
SOFT = RNG.dirichlet(np.ones(C), N)
W = np.array([0.5, 2.0, 1.0, 0.25, 3.0])
ROW_WEIGHT = np.array([1.0, 0.5, 0.0, 2.0, 0.25, 1.5])
MASK = np.array([True, False, True, True, True, True])


def softmax(z):
    return np.exp(z) / np.exp(z).sum(1, keepdims=True)


def capped(x, softcap):
    return x if softcap is None else softcap * np.tanh(x / softcap)


def one_hot(target):
    return target if target.ndim == 2 else np.eye(C)[target]


def focal(z, target, gamma=0.0, weight=None, label_smoothing=0.0):
    t = (1 - label_smoothing) * one_hot(target) + label_smoothing / C
    t = t if weight is None else t * weight
    p = softmax(z)
    return -(t * (1 - p) ** gamma * np.log(p)).sum(1)


def kl(p, q):
    return (p * (np.log(p) - np.log(q))).sum(1)


def js(z, other):
    p, q = softmax(z), softmax(other)
    m = (p + q) / 2
    return (kl(p, m) + kl(q, m)) / 2


SHARED = {
    "softcap": 2.0,
    "z_loss": 0.3,
    "row_weight": ROW_WEIGHT,
    "where": MASK,
    "denominator": 7.0,
    "return_stats": True,
    "validate": False,
}
CLASSES = {"weight": W, "label_smoothing": 0.2}
TEMPERED = {"temperature": 1.7}
FOCAL = CLASSES | TEMPERED | {"gamma": 1.5}

# name: (loss, its equation of (z, options), the arrays of a batch, its own arguments)
LOSSES = {
    "cross_entropy": (pj.cross_entropy, lambda z, **o: focal(z, Y, **o), (X, Y), FOCAL),
    "softmax_cross_entropy": (
        pj.softmax_cross_entropy, lambda z, **o: focal(z, SOFT, **o), (X, SOFT), FOCAL,
    ),
    "softmax_cross_entropy_with_integer_labels": (
        pj.softmax_cross_entropy_with_integer_labels,
        lambda z, **o: focal(z, Y, **o), (X, Y), FOCAL,
    ),
    "focal_loss": (
        pj.focal_loss, lambda z, gamma=2.0, **o: focal(z, Y, gamma, **o), (X, Y), FOCAL,
    ),
    "brier_loss": (
        pj.brier_loss, lambda z: ((softmax(z) - one_hot(Y)) ** 2).sum(1), (X, Y), TEMPERED,
    ),
    "confidence_penalty": (
        pj.confidence_penalty,
        lambda z, beta=0.1: beta * (softmax(z) * np.log(softmax(z))).sum(1),
        (X,), TEMPERED | {"beta": 0.7},
    ),
}  # fmt: skip


def rows_of(equation, options, target=None):
    """Give the rows of the equation, and the divisor of their mean."""
    options = dict(options)
    shared = {name: options.pop(name, None) for name in (*SHARED, *TEMPERED)}
    z = capped(X, shared["softcap"]) / (shared["temperature"] or 1.0)
    rows = equation(z, **options) + (shared["z_loss"] or 0.0) * np.log(np.exp(z).sum(1)) ** 2
    counts = np.ones(N)
    if shared["where"] is not None:
        counts = counts * MASK
    if shared["row_weight"] is not None:
        counts = counts * ROW_WEIGHT
    total = counts * (one_hot(target) @ W) if options.get("weight") is not None else counts
    return rows * counts, shared["denominator"] or total.sum()


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_softmax_losses(name, together):
    loss, equation, batch, own = LOSSES[name]
    arguments = SHARED | own
    named = set(inspect.signature(loss).parameters) - {"options", "axis", "logits"}
    assert named - {"target", "labels"} <= arguments.keys()  # the table knows all of them
    cases = [arguments] if together else [{}, *({k: v} for k, v in arguments.items())]
    for options in cases:
        rows, total = rows_of(equation, options, batch[-1])
        given = {k: v for k, v in options.items() if k != "denominator"}
        found = [loss(*batch, **given), loss(*batch, reduction="sum", **given)]
        found.append(loss(*batch, reduction="mean", **options))
        if options.get("return_stats"):
            found = [value for value, _ in found]
        for a, b in zip(found, (rows, rows.sum(), rows.sum() / total), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14, err_msg=str(options.keys()))


@pytest.mark.parametrize("target", [None, Y, SOFT])
def test_distillation(target):
    for own in ({}, {"temperature": 3.0}, {"alpha": 0.25}, {"alpha": 1.0}):
        t, alpha = own.get("temperature", 2.0), own.get("alpha", 0.5)
        for options in ({}, {"softcap": 2.0}, {"z_loss": 0.1}, {"where": MASK, "denominator": 3.0}):
            z, teacher = (capped(x, options.get("softcap")) for x in (X, OTHER))
            rows = t**2 * kl(softmax(teacher / t), softmax(z / t))
            if target is not None:
                rows = alpha * rows + (1 - alpha) * focal(z, target)
            rows = rows + options.get("z_loss", 0.0) * np.log(np.exp(z / t).sum(1)) ** 2
            expected = rows.mean() if "where" not in options else (rows * MASK).sum() / 3
            found = pj.distillation_loss(X, OTHER, target, reduction="mean", **own, **options)
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_divergences():
    np.testing.assert_allclose(
        pj.js_divergence_loss(X, OTHER, temperature=1.7, softcap=2.0),
        js(capped(X, 2.0) / 1.7, capped(OTHER, 2.0) / 1.7), rtol=1e-12,
    )  # fmt: skip
    log_q, expected = np.log(softmax(X)), kl(SOFT, softmax(X))
    np.testing.assert_allclose(pj.kl_divergence(log_q, SOFT), expected, rtol=1e-12)
    np.testing.assert_allclose(
        pj.kl_divergence_with_log_targets(log_q, np.log(SOFT)), expected, rtol=1e-12
    )
    kept = pj.kl_divergence(log_q, SOFT, where=MASK, reduction="mean")
    np.testing.assert_allclose(kept, expected[MASK].mean(), rtol=1e-12)
    open_ = X > -0.5
    terms = SOFT * (np.log(SOFT) - log_q)
    np.testing.assert_allclose(
        pj.kl_divergence(log_q, SOFT, where=open_), (terms * open_).sum(1), rtol=1e-12, atol=1e-15
    )
    np.testing.assert_allclose(
        pj.nll_loss(log_q, Y, weight=W, where=MASK, reduction="mean"),
        (focal(X, Y, weight=W) * MASK).sum() / (W[Y] * MASK).sum(), rtol=1e-12,
    )  # fmt: skip
    m, v = X[:, :2], X[:, 2:4]
    w = np.array([0.2, -1.0])
    terms = (((m - 0.5) ** 2 + np.exp(v)) / np.exp(w) - 1 - v + w) / 2
    found = pj.gaussian_kl(m, v, 0.5, w, reduction="mean")
    np.testing.assert_allclose(found, terms.sum(1).mean(), rtol=1e-12)


def test_binary_losses():
    z, t = X, SOFT
    p = 1 / (1 + np.exp(-z))
    keep = OTHER > -0.5
    pos, v = np.array([0.5, 2.0, 1.0, 0.25, 3.0]), ROW_WEIGHT[:, None]
    rows = -(pos * t * np.log(p) + (1 - t) * np.log(1 - p)) * keep * v
    options = {"weight": v, "pos_weight": pos, "where": keep}
    found = pj.sigmoid_binary_cross_entropy(z, t, **options)
    np.testing.assert_allclose(found, rows, rtol=1e-12)
    for kind, total in (({"denominator": 3.0}, 3.0), ({}, (keep * v).sum())):
        found = pj.sigmoid_binary_cross_entropy(z, t, reduction="mean", **kind, **options)
        np.testing.assert_allclose(found, rows.sum() / total, rtol=1e-12)
    focal_ = -(0.3 * t * (1 - p) ** 1.5 * np.log(p) + 0.7 * (1 - t) * p**1.5 * np.log(1 - p))
    np.testing.assert_allclose(pj.binary_focal_loss(z, t, 1.5, 0.3), focal_, rtol=1e-12)
    of_probs = pj.binary_cross_entropy(p, t, reduction="sum")
    np.testing.assert_allclose(of_probs, pj.sigmoid_binary_cross_entropy(z, t).sum(), rtol=1e-12)


@pytest.mark.parametrize("axis", [0, 1, (1, 2), (2, 0), None])
def test_axes(axis):
    x = RNG.normal(size=(2, 3, 4))
    axes = tuple(range(3)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    last = np.moveaxis(x, axes, range(-len(axes), 0)).reshape(*np.delete(x.shape, axes), -1)
    label = RNG.integers(last.shape[-1], size=last.shape[:-1])
    expected = pj.cross_entropy(last, label)
    np.testing.assert_array_equal(pj.cross_entropy(x, label, axis), expected)
    one_hot = np.moveaxis(
        np.eye(last.shape[-1])[label].reshape(*last.shape[:-1], *(x.shape[i] for i in axes)),
        range(-len(axes), 0), axes,
    )  # fmt: skip
    np.testing.assert_array_equal(pj.softmax_cross_entropy(x, one_hot, axis), expected)
    open_ = (x > -0.5) | (one_hot > 0)
    masked = pj.cross_entropy(np.where(open_, x, -np.inf), label, axis)
    np.testing.assert_array_equal(pj.cross_entropy(x, label, axis, open_), masked)
    gradient = jax.grad(lambda x: pj.cross_entropy(x, label, axis).sum())(jnp.asarray(x))
    p = np.exp(x) / np.exp(x).sum(axis, keepdims=True)
    np.testing.assert_allclose(gradient, p - one_hot, rtol=1e-10, atol=1e-14)


def test_statistics():
    keep = np.array([True, True, False, True, True, True])
    _, stats = pj.cross_entropy(X, Y, where=keep, temperature=1.7, return_stats=True)
    z, p = X / 1.7, softmax(X / 1.7)
    np.testing.assert_allclose(stats.lse[keep], np.log(np.exp(z).sum(1))[keep], rtol=1e-12)
    np.testing.assert_allclose(stats.entropy[keep], -(p * np.log(p)).sum(1)[keep], rtol=1e-12)
    assert stats.argmax.tolist() == np.where(keep, X.argmax(1), -1).tolist()
    assert stats.accuracy == (X.argmax(1) == Y)[keep].mean()
    assert (stats.lse[2], stats.entropy[2]) == (-np.inf, 0)
