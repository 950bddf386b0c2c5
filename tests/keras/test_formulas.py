"""Losses beside their formulas, in value and gradient, on this backend: shapes, axes, edges.

`tests/parity` has each option, alone and with all others, in every dtype.
"""

import math

import numpy as np
import pytest

keras = pytest.importorskip("keras")

import plogq.formulas as pf  # noqa: E402
import plogq.keras as pk  # noqa: E402
from tests import oracles  # noqa: E402

EPS = {"float32": 2.0**-23, "float64": 2.0**-52}
SHAPES = [((7, 5), -1), ((3, 4, 6), 1), ((3, 4, 6), -1), ((0, 3), -1)]
FOCAL = {True: pk.categorical_focal_crossentropy, False: pk.sparse_categorical_focal_crossentropy}
PLAIN = {True: pk.categorical_crossentropy, False: pk.sparse_categorical_crossentropy}
ALL = pytest.mark.slow  # normal runs have the first case of each test


def draw(shape, axis, dtype, seed=0):
    """Give logits as a tensor and in float64, labels and distributions."""
    r = np.random.default_rng(seed)
    x = keras.ops.cast(keras.ops.convert_to_tensor(3 * r.normal(size=shape)), dtype)
    rows = tuple(np.delete(shape, axis % len(shape)))
    y = r.integers(0, shape[axis], rows)
    t = r.dirichlet(np.ones(shape[axis]), rows).reshape(*rows, shape[axis])
    exact = keras.ops.convert_to_numpy(keras.ops.cast(x, "float64"))
    return x, exact, y, np.moveaxis(t, -1, axis)


def agree(found, expected):
    """Hold a value and a gradient of float32 against the formula's: a few ulp."""
    for came, right in zip(found, expected, strict=True):
        right = np.asarray(right)
        assert came.shape == right.shape
        assert (np.abs(came - right) <= 16 * EPS["float32"] * np.maximum(np.abs(right), 0.1)).all()


def cases(*values, first):
    return [first, *(pytest.param(value, marks=ALL) for value in values)]


@pytest.mark.parametrize(
    ("shape", "axis"), [SHAPES[0], *(pytest.param(*s, marks=ALL) for s in SHAPES[1:])]
)
@pytest.mark.parametrize("gamma", cases(0.5, 2.0, first=0.0))
@pytest.mark.parametrize("by_class", cases(False, first=True))
@pytest.mark.parametrize("soft", cases(True, first=False))
def test_softmax_losses(shape, axis, gamma, by_class, soft, value_and_gradient):
    x, exact, y, t = draw(shape, axis, "float32")
    w = np.linspace(0.5, 2, shape[axis]) if by_class else None
    target = t.astype("float32") if soft else y
    options = {"axis": axis, "label_smoothing": 0.25, "from_logits": True}
    scale = 0.75 if gamma and not by_class else 1.0
    if gamma:
        alpha = w if by_class else scale
        found = value_and_gradient(lambda x: FOCAL[soft](target, x, alpha, gamma, **options), x)
    else:
        found = value_and_gradient(lambda x: PLAIN[soft](target, x, class_weight=w, **options), x)
    formula = pf.focal_from_logits(
        exact, target, gamma=gamma, axis=axis, weight=w, label_smoothing=0.25
    )
    agree(found, (scale * formula.value, scale * formula.grad))


@pytest.mark.parametrize("gamma", cases(2.0, first=0.0))
@pytest.mark.parametrize("balanced", cases(True, first=False))
def test_a_binary_loss_is_a_mean_along_an_axis(gamma, balanced, value_and_gradient):
    z, exact, _, _ = draw((6, 4), -1, "float32")
    t = np.random.default_rng(2).integers(0, 2, (6, 4)).astype(float)
    options = {"from_logits": True, "label_smoothing": 0.25, "axis": 0}
    if gamma or balanced:
        loss = lambda z: pk.binary_focal_crossentropy(t, z, balanced, 0.25, gamma, **options)  # noqa: E731
    else:
        loss = lambda z: pk.binary_crossentropy(t, z, **options)  # noqa: E731
    formula = pf.binary_focal_from_logits(
        exact, 0.75 * t + 0.125, gamma=gamma, alpha=0.25 if balanced else None
    )
    agree(value_and_gradient(loss, z), (formula.value.mean(0), formula.grad / 6))


@pytest.mark.parametrize("dtype", cases("float64", first="float32"))
@pytest.mark.parametrize("gamma", cases(2.0, first=0.0))
@pytest.mark.parametrize("soft", cases(True, first=False))
@pytest.mark.parametrize("smoothing", cases(0.0, first=0.25))
def test_losses_of_probabilities(dtype, gamma, soft, smoothing, value_and_gradient):
    _, exact, y, t = draw((7, 5), -1, dtype)
    p = np.exp(exact) / np.exp(exact).sum(-1, keepdims=True)
    p = p.astype(dtype)
    target = t.astype(dtype) if soft else y
    options = {"from_logits": False, "label_smoothing": smoothing}
    loss = FOCAL[soft]
    found = value_and_gradient(
        lambda p: loss(target, p, 1.0, gamma, **options), keras.ops.convert_to_tensor(p)
    )
    p, target = p.astype(float), target.astype(float) if soft else np.eye(5)[y]
    u = (1 - smoothing) * target + smoothing / 5
    value = (u * (1 - p) ** gamma * -np.log(p)).sum(-1)
    slope = gamma * (1 - p) ** max(gamma - 1, 0) * np.log(p) - (1 - p) ** gamma / p
    arithmetic = EPS[dtype]
    assert np.allclose(found[0], value, rtol=32 * arithmetic, atol=0)
    assert np.allclose(found[1], u * slope, rtol=64 * arithmetic, atol=0)


def test_binary_cross_entropy_of_probabilities(value_and_gradient):
    p = np.array([[1e-30, 1e-9, 0.25, 0.5, 1 - 2.0**-24]], "float32")
    for t in (0.0, 1.0, 0.25):
        given = keras.ops.convert_to_tensor(p)
        value, gradient = value_and_gradient(
            lambda p, t=t: 5 * pk.binary_crossentropy(np.full((1, 5), t), p), given
        )
        formula = pf.binary_cross_entropy_from_probs(p.astype(float), np.full((1, 5), t))
        assert np.allclose(value, formula.value.sum(-1), rtol=1e-6)
        assert np.allclose(gradient, formula.grad, rtol=1e-6)


def test_kl_divergence(value_and_gradient):
    r = np.random.default_rng(3)
    t, p = (r.dirichlet(np.ones(5), 7).astype("float32") for _ in range(2))
    value, _ = value_and_gradient(lambda p: pk.kl_divergence(t, p), keras.ops.convert_to_tensor(p))
    right = [float(oracles.kl_divergence(a, b)) for a, b in zip(t, p, strict=True)]
    assert np.allclose(value, right, rtol=1e-5, atol=1e-6)
    same, _ = value_and_gradient(lambda p: pk.kl_divergence(p, p), keras.ops.convert_to_tensor(p))
    assert (same == 0).all()


def test_edges_beside_mpmath(value_and_gradient):
    x = np.array([[0.0, 60.0, -40.0], [1e4, -1e4, 0.0], [-np.inf, 2.0, 1.0], [1e8, 1e8, 1e8]])
    y = np.array([1, 1, 2, 0])
    value, gradient = value_and_gradient(
        lambda x: pk.sparse_categorical_crossentropy(y, x, from_logits=True),
        keras.ops.convert_to_tensor(x),
    )
    for row, label, loss, slope in zip(x, y, value, gradient, strict=True):
        mp = oracles.mp
        terms = [mp.exp(mp.mpf(float(a)) - mp.mpf(float(row[label]))) for a in row]
        others = sum((term for j, term in enumerate(terms) if j != label), mp.zero)
        assert math.isclose(loss, float(mp.log1p(others)), rel_tol=1e-14)
        assert math.isclose(slope[label], float(-others / (1 + others)), rel_tol=1e-14)
        assert (slope[np.isinf(row)] == 0).all()


def test_an_impossible_label_costs_inf():
    x = np.array([[0.0, -np.inf]])
    assert float(pk.sparse_categorical_crossentropy([1], x, from_logits=True)[0]) == math.inf
    assert float(pk.sparse_categorical_crossentropy([1], np.array([[1.0, 0.0]]))[0]) == math.inf


@pytest.mark.parametrize("eps", [1e-6, 0.1])
def test_a_floor_that_is_named(eps, value_and_gradient):
    p = keras.ops.convert_to_tensor(np.array([[1.0, 0.0]]))
    value, gradient = value_and_gradient(
        lambda p: pk.sparse_categorical_crossentropy([1], p, eps=eps), p
    )
    assert math.isclose(value[0], -math.log(eps), rel_tol=1e-12)
    assert (gradient == 0).all()
    binary = pk.binary_crossentropy(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), eps=eps)
    assert math.isclose(float(binary[0]), -math.log(eps), rel_tol=1e-12)
