"""Values and gradients are those of `plogq.formulas`, which mpmath is the oracle of."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import plogq
import plogq.jax as pj
from tests import oracles

RNG = np.random.default_rng(1)
Y = np.array([2, 0, 3])
W = np.array([0.5, 2.0, 1.0, 3.0])
NORMAL = RNG.normal(size=(3, 4))
LOGITS = {
    "normal": NORMAL,
    "sure": NORMAL + 25 * np.eye(4)[Y],
    "wrong": NORMAL - 25 * np.eye(4)[Y],
    "tied": np.zeros((3, 4)),
    "masked": np.where(np.eye(4)[[1, 2, 0]] > 0, -np.inf, NORMAL),
}


@pytest.mark.parametrize("z", [[0.0, 3.0, -2.0], [200.0, -200.0, 40.0], [np.inf, -np.inf, 0.0]])
@pytest.mark.parametrize("name", ["cross-entropy", "focal"])
def test_binary(name, z):
    z, t = np.array(z), np.array([1.0, 0.0, 0.25])
    focal = name == "focal"
    given = {"gamma": 1.5, "alpha": 0.3} if focal else {"pos_weight": 2.0}
    loss = pj.binary_focal_loss if focal else pj.sigmoid_binary_cross_entropy
    formula = plogq.binary_focal_from_logits if focal else plogq.binary_cross_entropy_from_logits
    value, grad = formula(z, t, **given)
    np.testing.assert_allclose(loss(z, t, **given), value, rtol=1e-12)
    found = jax.grad(lambda z: loss(z, t, **given).sum())(jnp.asarray(z))
    np.testing.assert_allclose(found, grad, rtol=1e-12)


def test_binary_of_probabilities():
    p, t = np.array([0.9, 0.0, 1.0, 0.25, 1e-300]), np.array([1.0, 0.0, 1.0, 0.5, 1.0])
    value, grad = plogq.binary_cross_entropy_from_probs(p, t)
    np.testing.assert_allclose(pj.binary_cross_entropy(p, t), value, rtol=1e-12)
    found = jax.grad(lambda p: pj.binary_cross_entropy(p, t).sum())(jnp.asarray(p))
    np.testing.assert_allclose(found, grad, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_float32_and_halves_beside_mpmath(dtype):
    x = jnp.asarray(LOGITS["sure"], dtype).at[0].set(jnp.asarray([60.0, 0, -30, 59], dtype))
    loss, grad = jax.value_and_grad(lambda x: pj.cross_entropy(x, Y).sum())(x)
    losses = pj.cross_entropy(x, Y)
    assert (loss.dtype, losses.dtype, grad.dtype) == (jnp.float32, jnp.float32, x.dtype)
    eps = float(jnp.finfo(x.dtype).eps)
    for i, row in enumerate(np.asarray(x, np.float64)):
        u = oracles.one_hot(Y[i], 4)
        exact = float(oracles.cross_entropy_from_logits(row, u))
        assert float(losses[i]) == pytest.approx(exact, rel=1e-6)
        slope = [float(g) for g in oracles.linear_gradient(row, u)]
        # A gradient of less than the least normal number may be flushed to 0.
        tiny = float(jnp.finfo(x.dtype).tiny)
        np.testing.assert_allclose(np.asarray(grad[i], float), slope, rtol=2e-5 + eps, atol=tiny)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_edges(dtype):
    x = jnp.asarray([[1e8, 1e8, 1e8], [3e38, -3e38, 0], [5, -jnp.inf, -jnp.inf]], dtype)
    y = jnp.asarray([0, 0, 0])
    np.testing.assert_allclose(pj.cross_entropy(x, y), [np.log(3), 0, 0], rtol=1e-6)
    grad = jax.grad(lambda x: pj.cross_entropy(x, y).sum())(x)
    np.testing.assert_allclose(grad, [[-2 / 3, 1 / 3, 1 / 3], [0, 0, 0], [0, 0, 0]], rtol=1e-6)
    assert pj.cross_entropy(x[2:], jnp.asarray([1])).tolist() == [np.inf]
    impossible = jax.grad(lambda x: pj.cross_entropy(x, jnp.asarray([1])).sum())(x[2:])
    assert impossible.tolist() == [[1, -1, 0]]
    assert pj.cross_entropy(jnp.zeros((1, 1), dtype), jnp.asarray([0])).tolist() == [0]


def test_nothing_left():
    x, y = jnp.full((2, 3), jnp.nan), jnp.asarray([-100, -100])
    for shape in ((0, 3), (2, 3)):
        for where in (jnp.zeros(shape[:1], bool), jnp.zeros(shape, bool)):
            args = x[: shape[0]], y[: shape[0]]
            loss, grad = jax.value_and_grad(pj.cross_entropy)(*args, where=where, reduction="mean")
            assert (float(loss), grad.tolist()) == (0, jnp.zeros(shape).tolist())
    assert pj.sigmoid_binary_cross_entropy(x[:0], x[:0], reduction="mean") == 0


def test_a_row_without_weight_has_no_say():
    x = jnp.asarray([[0.0, -jnp.inf], [0.0, 0.0]])
    given = {"row_weight": jnp.asarray([0.0, 1.0]), "reduction": "mean"}
    loss, grad = jax.value_and_grad(pj.cross_entropy)(x, jnp.asarray([1, 0]), **given)
    assert float(loss) == pytest.approx(np.log(2))
    assert grad.tolist() == [[0, 0], [-0.5, 0.5]]


def test_a_mean_weighs_labels_as_it_weighs_the_same_distributions():
    x = jnp.asarray(NORMAL)
    labels = pj.cross_entropy(x, Y, weight=W, reduction="mean")
    rows = pj.cross_entropy(x, np.eye(4)[Y], weight=W, reduction="mean")
    assert float(labels) == float(rows)


def test_parts_of_a_batch_add_up_to_the_whole():
    x, y = jnp.asarray(NORMAL), np.array([0, 3, -100])
    keep = y >= 0
    whole = pj.cross_entropy(x, y, where=keep, reduction="mean")
    parts = [
        pj.cross_entropy(
            x[i], y[i], where=keep[i], reduction="mean", denominator=jnp.asarray(keep.sum())
        )
        for i in (slice(0, 1), slice(1, 3))
    ]
    assert float(sum(parts)) == pytest.approx(float(whole), rel=1e-14)
