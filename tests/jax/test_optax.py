"""Beside optax: the same numbers where it is right, and each case where it is not by its name."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from optax import losses as optax

import plogq
import plogq.jax as pj

pytestmark = pytest.mark.slow  # each case is compiled by XLA

RNG = np.random.default_rng(2)
X = jnp.asarray(RNG.normal(size=(2, 3, 4)))
Y = jnp.asarray(RNG.integers(4, size=(2, 3)))
SOFT = jnp.asarray(RNG.dirichlet(np.ones(4), (2, 3)))
ROWS = jnp.asarray([[True, False, True], [True, True, False]])
CLASSES = (X > -0.8) | (jnp.arange(4) == Y[..., None])
LOG_Q = jax.nn.log_softmax(X)

LABELS = (
    pj.softmax_cross_entropy_with_integer_labels,
    optax.softmax_cross_entropy_with_integer_labels,
)
DISTRIBUTIONS = (pj.softmax_cross_entropy, optax.softmax_cross_entropy)
SAME = {
    "labels": (*LABELS, (X, Y), {}),
    "labels, rows left out": (*LABELS, (X, Y), {"where": ROWS}),
    "labels, classes left out": (*LABELS, (X, Y), {"where": CLASSES}),
    "labels on another axis": (*LABELS, (X, Y[:, 0] % 3), {"axis": (1, 2)}),
    "distributions": (*DISTRIBUTIONS, (X, SOFT), {}),
    "distributions, rows left out": (*DISTRIBUTIONS, (X, SOFT), {"where": ROWS}),
    "distributions, classes left out": (
        *DISTRIBUTIONS, (X, jax.nn.one_hot(Y, 4)), {"where": CLASSES},
    ),
    "distributions on another axis": (
        *DISTRIBUTIONS, (X.swapaxes(1, 2), SOFT.swapaxes(1, 2)), {"axis": 1},
    ),
    "distributions on two axes": (*DISTRIBUTIONS, (X, SOFT / 3), {"axis": (1, 2)}),
    "distributions on all axes": (*DISTRIBUTIONS, (X, SOFT / 6), {"axis": None}),
    "safe": (
        pj.safe_softmax_cross_entropy, optax.safe_softmax_cross_entropy,
        (X.at[..., 0].set(-jnp.inf), jax.nn.one_hot(jnp.maximum(Y, 1), 4)), {},
    ),
    "sigmoid": (
        pj.sigmoid_binary_cross_entropy, optax.sigmoid_binary_cross_entropy, (5 * X, SOFT), {},
    ),
    "sigmoid focal": (
        pj.binary_focal_loss, optax.sigmoid_focal_loss, (X, (SOFT > 0.3) * 1.0),
        {"gamma": 1.5, "alpha": 0.3},
    ),
    "Poly-1": (
        pj.poly_loss_cross_entropy, optax.poly_loss_cross_entropy, (X, SOFT), {"epsilon": 1.5},
    ),
    "KL": (pj.kl_divergence, optax.kl_divergence, (LOG_Q, SOFT), {}),
    "KL, terms left out": (
        pj.kl_divergence, optax.kl_divergence, (LOG_Q, SOFT), {"where": CLASSES},
    ),
    "KL of logs": (
        pj.kl_divergence_with_log_targets, optax.kl_divergence_with_log_targets,
        (LOG_Q, jnp.log(SOFT)), {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_same_numbers_and_gradients(name):
    ours, theirs, args, options = SAME[name]
    np.testing.assert_allclose(ours(*args, **options), theirs(*args, **options), rtol=1e-12)
    upstream = jnp.cos(jnp.arange(theirs(*args, **options).size))

    def gradient(loss):
        return jax.grad(lambda x: jnp.vdot(loss(x, *args[1:], **options), upstream))(args[0])

    np.testing.assert_allclose(gradient(ours), gradient(theirs), rtol=1e-10, atol=1e-14)


def test_smoothing_is_that_of_smooth_labels():
    smooth = optax.smooth_labels(jax.nn.one_hot(Y, 4), 0.1)
    expected = optax.softmax_cross_entropy(X, smooth)
    np.testing.assert_allclose(pj.cross_entropy(X, Y, label_smoothing=0.1), expected, rtol=1e-12)


def test_1786_gradient_of_kl_to_a_target_of_0():
    log_q, t = jnp.log(jnp.asarray([0.25, 0.75])), jnp.asarray([0.0, 1.0])
    assert jnp.isnan(jax.grad(optax.kl_divergence, 1)(log_q, t)[0])
    to_q, to_t = jax.grad(pj.kl_divergence, (0, 1))(log_q, t)
    np.testing.assert_allclose(to_q, -t)
    np.testing.assert_allclose(to_t, [0, 1 - np.log(0.75)])
    # What is impossible on both sides costs nothing either.
    log_q = jnp.asarray([-jnp.inf, 0.0])
    assert jnp.isnan(optax.kl_divergence(log_q, t))
    assert pj.kl_divergence(log_q, t) == 0
    assert pj.kl_divergence_with_log_targets(log_q, log_q) == 0
    to_q, to_t = jax.grad(pj.kl_divergence, (0, 1))(log_q, t)
    assert (to_q.tolist(), to_t.tolist()) == ([0, -1], [0, 1])


def test_1762_a_masked_class_under_a_target_of_0():
    x, t = jnp.asarray([0.5, -jnp.inf, 0.0]), jnp.asarray([0.5, 0.0, 0.5])
    assert jnp.isnan(optax.softmax_cross_entropy(x, t))
    assert jnp.isnan(jax.jvp(optax.safe_softmax_cross_entropy, (x, t), (x * 0, t))[1])
    value, slope = jax.jvp(pj.softmax_cross_entropy, (x, t), (jnp.ones(3), jnp.zeros(3)))
    expected = plogq.cross_entropy_from_logits(x[jnp.asarray([0, 2])], t[::2]).value
    np.testing.assert_allclose((value, slope), (expected, 0), atol=1e-15)


def test_1185_labels_are_not_looked_at():
    x, bad = X[0], jnp.asarray([0, -1, 4])
    wrong = optax.softmax_cross_entropy_with_integer_labels(x, bad)
    assert wrong[1] == optax.softmax_cross_entropy_with_integer_labels(x[1], jnp.asarray(3))
    with pytest.raises(ValueError, match=r"class index in \[0, 4\); .* got -1 \(first at row 1\)"):
        pj.softmax_cross_entropy_with_integer_labels(x, bad)
    compiled = jax.jit(pj.softmax_cross_entropy_with_integer_labels)(x, bad)
    assert jnp.isnan(compiled).tolist() == [False, True, True]


def test_a_label_that_is_left_out():
    x, left_out = X[0, 0], jnp.asarray([False, True, True, True])
    assert jnp.isfinite(optax.softmax_cross_entropy_with_integer_labels(x, 0, where=left_out))
    assert pj.softmax_cross_entropy_with_integer_labels(x, 0, where=left_out) == jnp.inf


def test_1020_bfloat16():
    x = jnp.asarray(RNG.normal(size=(8, 1000)) * 4, jnp.bfloat16)
    y = jnp.arange(8)
    exact = plogq.cross_entropy_from_logits(np.asarray(x, float), np.arange(8)).value
    theirs, ours = (f(x, y) for f in LABELS[::-1])
    assert theirs.dtype == jnp.bfloat16
    assert abs(np.asarray(theirs, float) - exact).max() > 0.01
    np.testing.assert_allclose(ours, exact, rtol=1e-6)


def test_three_logits_of_1e8():
    x, y = jnp.full(3, 1e8, jnp.float32), jnp.asarray(0)
    assert optax.softmax_cross_entropy_with_integer_labels(x, y) == 0
    assert pj.softmax_cross_entropy_with_integer_labels(x, y) == jnp.log(jnp.float32(3))


def test_a_confident_right_prediction_keeps_its_loss():
    x, y = jnp.asarray([0.0, -40.0], jnp.float32), jnp.asarray(0)
    assert optax.softmax_cross_entropy_with_integer_labels(x, y) == 0
    loss, grad = jax.value_and_grad(pj.softmax_cross_entropy_with_integer_labels)(x, y)
    np.testing.assert_allclose([loss, -grad[0], grad[1]], np.exp(-40), rtol=1e-5)
