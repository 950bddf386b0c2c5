"""Labels have a formula of their own: its numbers are those of the same one-hot distributions."""

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest

import plogq.jax as pj

INF, NAN = np.inf, np.nan
RNG = np.random.default_rng(4)
N, C = 7, 5
Y = RNG.integers(C, size=N)
NORMAL = 3 * RNG.normal(size=(N, C))
EYE = np.eye(C)[Y]
LOGITS = {
    "normal": NORMAL,
    "sure": NORMAL + 60 * EYE,
    "wrong": NORMAL - 60 * EYE,
    "tied": np.zeros((N, C)),
    "two tied": np.maximum(NORMAL, 0) + 3 * (np.arange(C) < 2),
    "nearly tied": 1 + 1e-7 * NORMAL,
    "large": 1e8 + 8 * np.round(NORMAL),
    "masked": np.where(np.eye(C)[(Y + 1) % C] > 0, -INF, NORMAL),
    "the label masked": np.where(EYE > 0, -INF, NORMAL),
    "all masked": np.full((N, C), -INF),
    "infinite": np.where(np.arange(C) == 2, INF, NORMAL),
    "NaN": np.where(np.arange(C) == 2, NAN, NORMAL),
}
ALL, LABELS = np.concatenate(list(LOGITS.values())), np.tile(Y, len(LOGITS))
ONE_HOT = np.eye(C)[LABELS]
W = jnp.asarray([0.5, 2.0, 0.0, 1.0, 3.0])
OPTIONS = {
    "plain": {},
    "rows": {"where": LABELS != 3},
    "classes": {"where": (np.arange(C) != 1) | (ONE_HOT > 0)},
    "bent": {"weight": W, "z_loss": 0.3, "temperature": 1.7, "softcap": 20.0},
    "row_weight": {"row_weight": jnp.arange(len(ALL)) / 9},
}


@pytest.mark.parametrize("dtype", ["float64", pytest.param("float32", marks=pytest.mark.slow)])
@pytest.mark.parametrize("options", OPTIONS)
def test_as_the_same_distributions(options, dtype):
    """Losses, gradients, and the gradients' derivatives along one direction."""
    upstream = jnp.cos(jnp.arange(len(ALL))).astype(dtype)
    along = jnp.cos(jnp.arange(float(ALL.size))).reshape(ALL.shape).astype(dtype)

    @jax.jit
    def found(x, target):
        def loss(x):
            return pj.cross_entropy(x, target, validate=False, **OPTIONS[options])

        gradient = jax.grad(lambda x: (loss(x) * upstream).sum())
        return loss(x), *jax.jvp(gradient, (x,), (along,))

    x, rtol = jnp.asarray(ALL, dtype), 1e-13 if dtype == "float64" else 6e-6
    pairs = zip(found(x, jnp.asarray(LABELS)), found(x, jnp.asarray(ONE_HOT)), strict=True)
    for ours, general in pairs:
        # What is flushed to 0 may differ, since products are formed in another order.
        tiny = 4 * float(jnp.finfo(dtype).tiny)
        for i, name in enumerate(LOGITS):
            part = slice(i * N, (i + 1) * N)
            np.testing.assert_allclose(ours[part], general[part], rtol, tiny, err_msg=name)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32", "float64"])
def test_dtypes_and_one_class(dtype):
    x = jnp.asarray(NORMAL, dtype)
    wide = jnp.float64 if dtype == "float64" else jnp.float32
    labels, grad = jax.value_and_grad(lambda x: pj.cross_entropy(x, Y).sum())(x)
    rows, same = jax.value_and_grad(lambda x: pj.cross_entropy(x, EYE).sum())(x)
    assert (labels.dtype, grad.dtype) == (wide, x.dtype)
    np.testing.assert_allclose(labels, rows, rtol=1e-6)
    eps = float(jnp.finfo(x.dtype).eps)
    np.testing.assert_allclose(np.asarray(grad, float), np.asarray(same, float), rtol=4 * eps)
    one = jax.value_and_grad(lambda x: pj.cross_entropy(x, jnp.zeros(N, int)).sum())(x[:, :1])
    assert (float(one[0]), one[1].any()) == (0, False)


def test_a_label_that_is_no_class_makes_its_row_nan():
    def loss(x, y):
        return pj.cross_entropy(x, y, z_loss=0.1, weight=W, reduction="sum")

    y = jnp.asarray([0, -1, C, 1])
    found = jax.jit(jax.grad(loss))(jnp.asarray(NORMAL[:4]), y)
    assert jnp.isnan(found).all(axis=1).tolist() == [False, True, True, False]
    assert jnp.isnan(found).any(axis=1).tolist() == [False, True, True, False]


def test_class_weights_are_learned_and_an_infinite_loss_of_weight_0_costs_nothing():
    x = jnp.asarray(LOGITS["the label masked"]).at[0].set(NORMAL[0])
    y = jnp.asarray([1, *[2] * (N - 1)])  # the class of weight 0
    x = x.at[1:, 2].set(-INF)
    loss, slopes = jax.value_and_grad(lambda w: pj.cross_entropy(x, y, weight=w).sum())(W)
    cost = jax.nn.logsumexp(x[0]) - x[0, 1]
    np.testing.assert_allclose([loss, *slopes], [2 * cost, 0, cost, 0, 0, 0], rtol=1e-14)


def test_export_of_a_symbolic_batch_and_rows_in_two_axes():
    loss = jax.jit(lambda x, y: pj.cross_entropy(x, y, reduction="mean"))
    x, y = jnp.asarray(NORMAL), jnp.asarray(Y)
    shape = jax.export.symbolic_shape("n, 5")
    exported = jax.export.export(loss)(
        jax.ShapeDtypeStruct(shape, x.dtype), jax.ShapeDtypeStruct(shape[:1], y.dtype)
    )
    expected = jax.grad(loss)(x, y)
    np.testing.assert_allclose(jax.grad(exported.call)(x, y), expected, rtol=1e-14)
    pair = jax.grad(loss)(jnp.stack([x, x]), jnp.stack([y, y]))
    np.testing.assert_allclose(pair, jnp.stack([expected, expected]) / 2, rtol=1e-14)
