"""Sigmoid losses, element by element, against mpmath."""

import mpmath as mp
import numpy as np
import pytest

from plogq.kernels import elements

pytestmark = pytest.mark.usefixtures("instruction_set")

DTYPES = [np.float16, np.float32, np.float64]


def softplus(z):
    return mp.log1p(mp.exp(-abs(z))) + max(z, 0)


def sigmoid(z):
    return 1 / (1 + mp.exp(-z))


def expected(z, t, w):
    """The losses, the gradients, and the sizes of the terms of those."""
    with mp.workprec(120):
        losses, grads, sizes = [], [], []
        for zj, tj, wj in zip(*(map(mp.mpf, map(float, a)) for a in (z, t, w)), strict=True):
            losses.append(float(wj * tj * softplus(-zj) + (1 - tj) * softplus(zj)))
            no, yes = (1 - tj) * sigmoid(zj), wj * tj * sigmoid(-zj)
            grads.append(float(no - yes))
            sizes.append(float(no + yes))
    return np.array(losses), np.array(grads), np.array(sizes)


def arguments(n, dtype):
    rng = np.random.default_rng(n)
    z = rng.normal(size=n) * 10.0 ** rng.integers(-3, 2, n)
    t = rng.choice([0, 1, 0.5, 0.25], n)
    z[: n // 4], t[: n // 4] = 0, 1
    return z.astype(dtype), t.astype(dtype)


@pytest.mark.parametrize("weight", [None, 3.0, "of the last axis", "of each"])
@pytest.mark.parametrize("shape", [(1,), (5,), (200,), (40, 7), (3, 5, 37), (0, 4)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_against_mpmath(dtype, shape, weight):
    n = int(np.prod(shape))
    z, t = (a.reshape(shape) for a in arguments(n, dtype))
    w = np.arange(shape[-1]) / 4 if weight == "of the last axis" else weight
    w = None if weight == "of each" else w
    wide = np.broadcast_to(1 if w is None else w, shape).ravel()
    want, want_grad, size = expected(z.ravel(), t.ravel(), wide)
    options = {"pos_weight": w}
    if weight == "of each":  # 0 too
        each = (np.arange(n) % 5 / 4).astype(np.float64 if dtype == np.float64 else np.float32)
        options["weight"] = each.reshape(shape)
        want, want_grad, size = (a * each.astype(float) for a in (want, want_grad, size))

    arithmetic = np.float64 if dtype == np.float64 else np.float32
    losses, grad = np.empty(shape, arithmetic), np.empty_like(z)
    total = elements.binary_loss(z, t, **options, scale=0.5, losses=losses, gradient=grad)
    eps = np.finfo(arithmetic).eps
    np.testing.assert_allclose(losses.ravel(), want, rtol=6 * eps)
    np.testing.assert_allclose(total, want.sum(), rtol=6 * eps)
    room = 3 * eps * size
    if dtype == np.float16:
        room += np.spacing(abs(want_grad / 2).astype(np.float16)).astype(float)
    assert (abs(2 * grad.astype(np.float64).ravel() - want_grad) <= 2 * room).all()
    assert elements.binary_loss(z, t, **options) == total
    place = z.copy()
    assert elements.binary_loss(place, t, **options, scale=0.5, gradient=place) == total
    np.testing.assert_array_equal(place, grad)


@pytest.mark.parametrize("columns", [1, 3, 16, 17, 1001])
def test_no_number_of_threads_changes_a_bit(columns):
    rng = np.random.default_rng(0)
    shape = (600_000 // columns, columns)
    z = rng.normal(size=shape).astype(np.float32)
    t = rng.random(shape).astype(np.float32)
    w = rng.random(columns)
    found = []
    for threads in (1, 2, 5):
        grad = np.empty_like(z)
        found.append(
            (elements.binary_loss(z, t, pos_weight=w, gradient=grad, threads=threads), grad)
        )
    for total, grad in found[1:]:
        assert total == found[0][0]
        np.testing.assert_array_equal(grad, found[0][1])


@pytest.mark.parametrize("dtype", DTYPES)
def test_certain_and_extreme(dtype):
    z = np.array([np.inf, -np.inf, 200, -200, np.inf, -np.inf], dtype)
    t = np.array([1, 0, 0, 1, 0, 1], dtype)
    losses = np.empty(6, np.float64 if dtype == np.float64 else np.float32)
    grad = np.empty_like(z)
    assert elements.binary_loss(z, t, losses=losses, gradient=grad) == np.inf
    np.testing.assert_array_equal(losses, [0, 0, 200, 200, np.inf, np.inf])
    np.testing.assert_array_equal(grad, [0, 0, 1, -1, 1, -1])
    assert np.isnan(elements.binary_loss(np.full(3, np.nan), np.zeros(3)))


def test_tiny_losses_keep_their_digits():
    total = elements.binary_loss(np.array([80.0], np.float32), np.array([1.0], np.float32))
    np.testing.assert_allclose(total, 1.8048513878454153e-35, rtol=1e-6)


@pytest.mark.parametrize("bad", [-0.25, 1.5, np.nan])
@pytest.mark.parametrize("dtype", DTYPES)
def test_targets_at_fault(dtype, bad):
    z, t = np.ones((50, 7), dtype), np.zeros((50, 7), dtype)
    t[11, 3] = t[12, 0] = bad
    message = rf"target must be in \[0, 1\]; got {bad:.9g} \(first at row \(11, 3\)\)"
    with pytest.raises(ValueError, match=message):
        elements.binary_loss(z, t)
    place = z.copy()
    with pytest.raises(ValueError, match=message):  # and what was there may be gone
        elements.binary_loss(place, t, gradient=place)
    elements.binary_loss(z, t, validate=False)
    with pytest.raises(ValueError, match=r"first at row 1\)"):
        elements.binary_loss(z[11, 2:4], t[11, 2:4])


X = np.zeros((4, 3), np.float32)


@pytest.mark.parametrize(
    ("logits", "target", "options", "error", "message"),
    [
        (X.astype(int), X, {}, TypeError, "logits must be float32, float64, .*; got int64"),
        (X, X.astype(int), {}, TypeError, "target must be float32, float64, .*; got int64"),
        (X, X.astype(float), {}, ValueError, r"target must be float32 \(4, 3\); got float64"),
        (X, X[:2], {}, ValueError, r"target must be float32 \(4, 3\); got float32 \(2, 3\)"),
        (X, X.T.copy().T, {}, ValueError, "target must be contiguous; got strides"),
        (X.T.copy().T, X, {}, ValueError, "logits must be contiguous; got strides"),
        (X, X, {"pos_weight": np.ones(4)}, ValueError, r"pos_weight must .*got shape \(4,\)"),
        (X, X, {"weight": np.ones((4, 3))}, ValueError, r"weight must be float32 \(4, 3\)"),
        (X, X, {"gradient": X[:2].copy()}, ValueError, r"gradient must be float32 \(4, 3\)"),
        (X, X, {"losses": np.zeros((4, 3))}, ValueError, r"losses must be float32 \(4, 3\)"),
        (X, X, {"threads": 0}, ValueError, "threads must be at least 1; got 0"),
    ],
)
def test_wrong_arguments(logits, target, options, error, message):
    with pytest.raises(error, match=message):
        elements.binary_loss(logits, target, **options)


def test_read_only_and_overlapping_room():
    room = X.copy()
    room.flags.writeable = False
    with pytest.raises(ValueError, match="gradient must be writable"):
        elements.binary_loss(X, X, gradient=room)
    memory = np.zeros(5, np.float32)
    with pytest.raises(ValueError, match="gradient must be the logits or share no memory"):
        elements.binary_loss(memory[:4], np.zeros(4, np.float32), gradient=memory[1:])
