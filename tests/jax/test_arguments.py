"""What the losses of `plogq.jax` have beside those of other doors, beside equations in NumPy."""

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


def kl(p, q):
    return (p * (np.log(p) - np.log(q))).sum(1)


def test_divergences():
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
        -(W[Y] * log_q[range(N), Y] * MASK).sum() / (W[Y] * MASK).sum(), rtol=1e-12,
    )  # fmt: skip
    m, v = X[:, :2], X[:, 2:4]
    w = np.array([0.2, -1.0])
    terms = (((m - 0.5) ** 2 + np.exp(v)) / np.exp(w) - 1 - v + w) / 2
    found = pj.gaussian_kl(m, v, 0.5, w, reduction="mean")
    np.testing.assert_allclose(found, terms.sum(1).mean(), rtol=1e-12)


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
