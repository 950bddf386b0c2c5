"""The NumPy front door: reductions, weights, gradients, buffers."""

from functools import partial

import mpmath as mp
import numpy as np
import pytest

import plogq.numpy as pn
from plogq.formulas import (
    asymmetric_from_logits,
    binary_cross_entropy_from_logits,
    binary_focal_from_logits,
    cross_entropy_from_logits,
    entropy,
    focal_from_logits,
    generalised_cross_entropy_from_logits,
    logsumexp,
    poly_from_logits,
    softmax,
    squared_error_from_logits,
    z_loss_from_logits,
)

rng = np.random.default_rng(5)
X = rng.normal(size=(40, 7)) * 3
Y = rng.integers(0, 7, 40)
W = rng.random(40)
IGNORED = np.where(np.arange(40) % 3 == 0, -100, Y)
KEPT = IGNORED != -100

LOSSES = {
    "cross_entropy": (pn.cross_entropy, cross_entropy_from_logits),
    "squared_error": (pn.squared_error, squared_error_from_logits),
    "generalised": (pn.generalised_cross_entropy, generalised_cross_entropy_from_logits),
    "poly": (pn.poly_loss, poly_from_logits),
}


@pytest.fixture(params=LOSSES)
def loss(request):
    return LOSSES[request.param][0]


@pytest.fixture
def formula(request, loss):
    return next(formula for door, formula in LOSSES.values() if door is loss)


def oracle(x, y):
    """Σ loss of cross-entropy, in 60 digits."""
    with mp.workdps(60):
        return mp.fsum(
            mp.log(mp.fsum(mp.exp(mp.mpf(float(v)) - mp.mpf(float(row[k]))) for v in row))
            for row, k in zip(x, y, strict=True)
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_mean_against_mpmath(dtype):
    x = X.astype(dtype)
    got = pn.cross_entropy(x, Y)
    assert got.dtype == dtype
    assert abs(float(got) - float(oracle(x, Y)) / 40) <= 4 * np.spacing(got)


@pytest.mark.parametrize("target", [Y, IGNORED], ids=["all", "some"])
@pytest.mark.parametrize("weight", [None, W])
@pytest.mark.parametrize(
    ("reduction", "denominator"), [("mean", None), ("mean", 123.0), ("sum", None), ("none", None)]
)
def test_reductions(loss, formula, target, weight, reduction, denominator):
    value, slope = formula(X, np.maximum(target, 0))
    w = (np.ones(40) if weight is None else weight) * (target != -100)
    divisor = (denominator or w.sum()) if reduction == "mean" else 1.0
    want = w * value if reduction == "none" else (w * value).sum() / divisor

    options = {"reduction": reduction, "row_weight": weight, "denominator": denominator}
    got, grad = loss(X, target, return_grad=True, **options)
    np.testing.assert_allclose(got, want, rtol=1e-14)
    np.testing.assert_allclose(grad, slope * w[:, None] / divisor, rtol=1e-12, atol=1e-300)
    np.testing.assert_array_equal(loss(X, target, **options), got)


def test_parts_add_up_to_the_batch(loss):
    whole, grad = loss(X, IGNORED, return_grad=True)
    count = KEPT.sum()
    parts = [
        loss(X[a:b], IGNORED[a:b], denominator=count, return_grad=True)
        for a, b in [(0, 1), (1, 25), (25, 25), (25, 40)]
    ]
    np.testing.assert_allclose(sum(part for part, _ in parts), whole, rtol=1e-14)
    np.testing.assert_allclose(np.concatenate([g for _, g in parts]), grad, rtol=1e-14)


@pytest.mark.parametrize("denominator", [None, 8])
@pytest.mark.parametrize(
    ("logits", "target", "weight"),
    [
        (X, np.full(40, -100), None),
        (X, np.full(40, -100), W),
        (X, Y, np.zeros(40)),
        (X[:0], Y[:0], None),
        (np.full_like(X, np.nan), np.full(40, -100), None),
    ],
)
def test_nothing_left(loss, logits, target, weight, denominator):
    value, grad = loss(logits, target, row_weight=weight, denominator=denominator, return_grad=True)
    assert value == 0
    assert grad.shape == logits.shape
    assert not grad.any()


def test_gradient_is_the_slope(loss):
    _, grad = loss(X, IGNORED, row_weight=W, return_grad=True)
    h = 1e-5
    for i, j in [(1, 0), (2, Y[2]), (3, 3), (38, 6)]:
        up, down = X.copy(), X.copy()
        up[i, j] += h
        down[i, j] -= h
        slope = (loss(up, IGNORED, row_weight=W) - loss(down, IGNORED, row_weight=W)) / (2 * h)
        assert abs(slope - grad[i, j]) < 1e-9


def test_masked_target_is_infinite_unless_it_has_no_weight():
    x = np.array([[0.0, -np.inf], [0.0, 0.0]])
    assert pn.cross_entropy(x, [1, 0]) == np.inf
    assert pn.cross_entropy(x, [1, 0], row_weight=[0, 1]) == np.log(2)
    each = pn.cross_entropy(x, [1, 0], reduction="none")
    np.testing.assert_array_equal(each, [np.inf, np.log(2)])


def test_what_exceeds_float32_is_inf():
    x = np.array([[3e38, 0], [3e38, 0]], np.float32)
    assert pn.cross_entropy(x, [1, 1], reduction="sum") == np.inf
    assert np.isclose(pn.cross_entropy(x, [1, 1]), 3e38)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtypes(loss, dtype):
    x = X.astype(dtype)
    value, grad = loss(x, Y, return_grad=True)
    assert value.dtype == (np.float64 if dtype == np.float64 else np.float32)
    assert grad.dtype == dtype
    want, want_grad = loss(x.astype(np.float64), Y, return_grad=True)
    precision = np.finfo(dtype).eps
    np.testing.assert_allclose(value, want, rtol=1e-6)
    np.testing.assert_allclose(grad, want_grad, rtol=40 * precision, atol=1e-7)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_out(loss, dtype, order):
    x = np.array(X, dtype, order=order)
    want, want_grad = loss(x, IGNORED, return_grad=True)
    out = np.full_like(x, np.nan)
    value, grad = loss(x, IGNORED, out=out)
    assert grad is out
    np.testing.assert_array_equal(out, want_grad)
    assert value == want
    value, grad = loss(x, IGNORED, out=x)
    assert grad is x
    np.testing.assert_array_equal(x, want_grad)
    assert value == want


def test_in_place_needs_no_memory():
    import tracemalloc

    x = np.zeros((1000, 1000), np.float32)
    y = np.zeros(1000, np.int64)
    tracemalloc.start()
    pn.cross_entropy(x, y, out=x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < x.nbytes / 20


def test_lists(loss):
    assert loss([[0.0, 1.0], [2.0, 3.0]], [0, 1]) == loss(
        np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([0, 1])
    )


def read_only():
    out = X.copy()
    out.flags.writeable = False
    return out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reduction": "batchmean"}, "reduction must be one of .*'none', 'mean', 'sum'"),
        ({"row_weight": W[:3]}, r"row_weight must have shape \(40,\); got shape \(3,\)"),
        ({"row_weight": -W}, r"row_weight must be finite and not negative; got -.*row 0"),
        (
            {"row_weight": np.where(np.arange(40) == 9, np.nan, W)},
            r"row_weight must be finite and not negative; got nan \(first at row 9\)",
        ),
        ({"denominator": -1}, "denominator must be finite and not negative; got -1"),
        ({"denominator": np.nan}, "denominator must be finite and not negative; got nan"),
        ({"denominator": np.inf}, "denominator must be finite and not negative; got inf"),
        ({"temperature": -1.0}, r"temperature must be in \[1e-30, 1e30\]; got -1.0"),
        ({"z_loss": None}, "z_loss must be a number; got NoneType"),
        ({"softcap": np.inf}, "softcap must be greater than 0 and finite; got inf"),
        ({"ignore_index": 1.5}, r"ignore_index must be an integer; got 1\.5"),
        ({"denominator": 2, "reduction": "sum"}, "denominator must come with reduction='mean'"),
        ({"out": X[:3].copy()}, "out must be like the logits"),
        ({"out": X.astype(np.float32)}, "out must be like the logits"),
        ({"out": read_only()}, "out must be writable"),
        ({"mask": KEPT[:3]}, r"mask must be bool of shape \(40,\); got bool \(3,\)"),
        ({"mask": W}, r"mask must be bool of shape \(40,\); got float64 \(40,\)"),
    ],
)
def test_wrong_options(loss, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        loss(X, Y, **options)


@pytest.mark.parametrize(
    ("logits", "target", "error", "message"),
    [
        (X, Y + 0.5, TypeError, "target must be integers, as class indices; got float64"),
        (X, Y[:5], ValueError, r"target must be class indices of shape \(40,\)"),
        (
            np.zeros((2, 3, 5)),
            np.zeros((2, 3), int),
            ValueError,
            r"target must be class indices of shape \(2, 5\) .*np.moveaxis\(logits, -1, 1\)",
        ),
        (X, np.where(np.arange(40) == 8, 7, Y), ValueError, r"target must .*got 7 .*row 8"),
        (
            X[0, 0],
            0,
            ValueError,
            r"logits must have shape \(C,\), \(N, C\) or \(N, C, d1, …\), C > 0",
        ),
        (X[0], Y[:7], TypeError, "target must be float32, .*; got int64"),
        (X.astype(int), Y, TypeError, "logits must be float32, float64, .*; got int64"),
        (np.where(X[5, 2] == X, np.nan, X), Y, ValueError, r"logits must be finite.*row 5"),
    ],
)
def test_wrong_data(loss, logits, target, error, message):
    with pytest.raises(error, match=message):
        loss(logits, target)


@pytest.mark.parametrize("gamma", [0.0, 2.0])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("weight", [None, np.arange(7) / 4])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_options(gamma, soft, weight, smoothing):
    target = rng.dirichlet(np.ones(7), 40) if soft else Y
    value, slope = focal_from_logits(
        X / 1.5, target, gamma=gamma, weight=weight, label_smoothing=smoothing
    )
    extra, extra_slope = z_loss_from_logits(X / 1.5)
    mask = np.arange(40) % 4 > 0
    each, slope = value + 0.01 * extra, (slope + 0.01 * extra_slope) / 1.5
    counts = W * mask * (1 if weight is None or soft else weight[Y])

    options = {
        "gamma": gamma,
        "weight": weight,
        "label_smoothing": smoothing,
        "temperature": 1.5,
        "z_loss": 0.01,
        "mask": mask,
        "row_weight": W,
    }
    x = np.where(mask[:, None], X, np.nan)
    loss, grad, stats = pn.cross_entropy(x, target, return_grad=True, return_stats=True, **options)
    np.testing.assert_allclose(loss, (W * mask * each).sum() / counts.sum(), rtol=1e-14)
    want = slope * (W * mask / counts.sum())[:, None]
    np.testing.assert_allclose(grad, want, rtol=1e-10, atol=1e-16)
    p = softmax(X / 1.5)
    np.testing.assert_allclose(stats.lse[mask], logsumexp(X / 1.5)[mask], rtol=1e-14)
    np.testing.assert_allclose(stats.entropy[mask], entropy(p)[mask], rtol=1e-12)
    right = X.argmax(axis=1) == (target.argmax(axis=1) if soft else Y)
    assert stats.accuracy == right[mask].mean()
    assert (stats.argmax == np.where(mask, X.argmax(axis=1), -1)).all()
    assert (stats.lse[~mask] == -np.inf).all()
    assert not stats.entropy[~mask].any()
    assert pn.cross_entropy(x, target, **options) == loss
    in_place = pn.cross_entropy(x, target, out=x, return_stats=True, **options)
    for got, wanted in zip((in_place[0], x, *in_place[2]), (loss, grad, *stats), strict=True):
        np.testing.assert_array_equal(got, wanted)


MAP = rng.normal(size=(3, 7, 4, 10)) * 3  # images, classes, and two axes of positions
MAP_Y = rng.integers(0, 7, (3, 4, 10))
MAP_SOFT = np.moveaxis(rng.dirichlet(np.ones(7), (3, 4, 10)), -1, 1)


def as_rows(a):
    return np.moveaxis(a, 1, -1).reshape(-1, a.shape[1])


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("gamma", [0.0, 1.5])
@pytest.mark.parametrize("softcap", [None, 2.0])
@pytest.mark.parametrize("order", ["C", "F", "last"])
@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_maps(soft, gamma, softcap, order, dtype):
    """Logits of more axes give what their rows one after the other give."""
    x, y = MAP.astype(dtype), MAP_SOFT if soft else MAP_Y
    mask, weight = rng.random((3, 4, 10)) < 0.8, rng.random((3, 4, 10))
    options = {"gamma": gamma, "softcap": softcap, "label_smoothing": 0.1, "z_loss": 0.01}
    rows = as_rows(x)
    each, slope, stats = pn.cross_entropy(
        rows,
        as_rows(y) if soft else y.ravel(),
        mask=mask.ravel(),
        row_weight=weight.ravel(),
        reduction="none",
        return_grad=True,
        return_stats=True,
        **options,
    )
    if order == "last":
        x = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)
    else:
        x = np.array(x, order=order)
    options |= {"mask": mask, "row_weight": weight, "reduction": "none"}
    for out in (None, np.zeros(x.shape, dtype), np.zeros(x.shape, dtype, order="F"), x):
        loss, grad, found = pn.cross_entropy(
            x, y, return_grad=True, return_stats=True, out=out, **options
        )
        assert out is None or grad is out
        np.testing.assert_array_equal(loss, each.reshape(3, 4, 10))
        np.testing.assert_array_equal(as_rows(grad), slope)
        for a, b in zip(found[:3], stats[:3], strict=True):
            np.testing.assert_array_equal(a.ravel(), b)
        assert found.accuracy == stats.accuracy


def test_softcap_against_differences(loss):
    cap = {"softcap": 1.5, "temperature": 1.3, "z_loss": 0.1}
    x = X[:3].copy()
    x[0, 2], y = -np.inf, np.array([1, 4, 6])
    plain = 1.5 * np.tanh(x / 1.5)
    plain[0, 2] = -np.inf
    value, grad = loss(x, y, return_grad=True, **cap)
    assert value == pytest.approx(loss(plain, y, temperature=1.3, z_loss=0.1), rel=1e-14)
    assert grad[0, 2] == 0
    h = 1e-6
    for i, j in [(0, 0), (1, 4), (2, 5)]:
        up, down = x.copy(), x.copy()
        up[i, j] += h
        down[i, j] -= h
        assert (loss(up, y, **cap) - loss(down, y, **cap)) / (2 * h) == pytest.approx(
            grad[i, j], abs=1e-8
        )


def test_one_row(loss):
    value, grad = loss(X[0], Y[0], return_grad=True)
    assert value == loss(X[:1], Y[:1])
    assert grad.shape == (7,)
    each = loss(X[0], Y[0], reduction="none", mask=np.True_, row_weight=2.0)
    assert each.shape == ()
    assert each == 2 * value


def test_options_of_the_squared_error():
    value, slope = squared_error_from_logits(X / 2, Y)
    extra, extra_slope = z_loss_from_logits(X / 2)
    loss, grad, stats = pn.squared_error(
        X, Y, temperature=2.0, z_loss=0.1, return_grad=True, return_stats=True
    )
    np.testing.assert_allclose(loss, (value + 0.1 * extra).mean(), rtol=1e-14)
    np.testing.assert_allclose(grad, (slope + 0.1 * extra_slope) / 80, rtol=1e-12, atol=1e-17)
    assert stats.accuracy == (X.argmax(axis=1) == Y).mean()


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize(
    ("door", "formula", "own"),
    [
        (pn.generalised_cross_entropy, generalised_cross_entropy_from_logits, {"q": 0.3}),
        (pn.poly_loss, poly_from_logits, {"epsilon": -0.5}),
    ],
)
def test_options_of_bent_surprisals(door, formula, own, soft):
    target = rng.dirichlet(np.ones(7), 40) if soft else Y
    by_class = {"weight": np.arange(7) / 4, "label_smoothing": 0.1}
    value, slope = formula(X / 2, target, **own, **by_class)
    extra, extra_slope = z_loss_from_logits(X / 2)
    total = 40 if soft else by_class["weight"][Y].sum()
    options = own | by_class | {"temperature": 2.0, "z_loss": 0.1}
    loss, grad = door(X, target, **options, return_grad=True)
    np.testing.assert_allclose(loss, (value + 0.1 * extra).sum() / total, rtol=1e-14)
    expected = (slope + 0.1 * extra_slope) / (2 * total)
    np.testing.assert_allclose(grad, expected, rtol=1e-12, atol=1e-17)
    assert "it has no" in pn.explain(door, X, target)
    with pytest.raises(TypeError, match="gamma"):
        door(X, target, gamma=1.0)


def test_a_weight_where_nothing_counts_may_be_anything(loss):
    weight = np.where(KEPT, W, np.nan)
    assert loss(X, IGNORED, row_weight=weight) == loss(X, IGNORED, row_weight=W)


def test_empty_room(loss):
    value, grad = loss(np.zeros((0, 3)), [], out=np.zeros((0, 3)))
    assert (value, grad.shape) == (0, (0, 3))


def test_distributions_have_no_class_to_ignore(loss):
    with pytest.raises(ValueError, match="ignore_index must be left out with distributions"):
        loss(X, rng.dirichlet(np.ones(7), 40), ignore_index=0)


@pytest.mark.parametrize("gamma", [0.0, 1.0])
def test_the_gradient_cannot_go_where_the_target_is(gamma):
    target = rng.dirichlet(np.ones(7), 40)
    with pytest.raises(ValueError, match="out must be the logits or share no memory"):
        pn.cross_entropy(X, target, gamma=gamma, out=target)


def test_a_distribution_at_fault_in_a_map():
    wrong = MAP_SOFT.copy()
    wrong[1, :, 2, 3] = 1
    with pytest.raises(ValueError, match=r"target must sum to 1 .*row \(1, 23\)"):
        pn.cross_entropy(MAP, wrong)


def test_targets_that_are_not_validated():
    wrong = np.full((40, 7), 2.0)
    with pytest.raises(ValueError, match="target must sum to 1"):
        pn.cross_entropy(X, wrong)
    assert np.isfinite(pn.cross_entropy(X, wrong, validate=False))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("weight", [None, 3.0, np.arange(7) / 4])
@pytest.mark.parametrize(
    ("reduction", "denominator"), [("mean", None), ("mean", 12.0), ("sum", None), ("none", None)]
)
def test_binary(dtype, weight, reduction, denominator):
    z, t = X.astype(dtype), (X > 1).astype(dtype)
    each, slope = binary_cross_entropy_from_logits(z.astype(float), t, pos_weight=weight)
    divisor = (denominator or 280) if reduction == "mean" else 1
    want = each if reduction == "none" else each.sum() / divisor
    options = {"pos_weight": weight, "reduction": reduction, "denominator": denominator}
    loss, grad = pn.binary_cross_entropy_with_logits(z, t, return_grad=True, **options)
    assert loss.dtype == (np.float64 if dtype == np.float64 else np.float32)
    np.testing.assert_allclose(loss, want, rtol=4 * np.finfo(loss.dtype).eps)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(grad, slope / divisor, rtol=4 * eps, atol=eps * 1e-4)
    assert grad.dtype == dtype
    for order in "CF":
        room = np.array(z, order=order)
        np.testing.assert_array_equal(
            pn.binary_cross_entropy_with_logits(room, t > 0, out=room, **options)[0], loss
        )
        np.testing.assert_array_equal(room, grad)


def test_binary_weights():
    z, t = X, (X > 1).astype(float)
    each, slope = pn.binary_cross_entropy_with_logits(
        z, t, pos_weight=2.0, reduction="none", return_grad=True
    )
    for weight in (0.5, W[:7], rng.random((40, 7)), W[:, None]):
        loss, grad = pn.binary_cross_entropy_with_logits(
            z, t, weight=weight, pos_weight=2.0, return_grad=True
        )
        np.testing.assert_allclose(loss, (weight * each).mean(), rtol=1e-14)
        np.testing.assert_allclose(grad, weight * slope / z.size, rtol=1e-12)
    with pytest.raises(ValueError, match=r"weight must broadcast .*\(40, 7\); got shape \(3,\)"):
        pn.binary_cross_entropy_with_logits(z, t, weight=np.ones(3))
    with pytest.raises(ValueError, match=r"target must be in \[0, 1\]; got 2"):
        pn.binary_cross_entropy_with_logits(z, t + 1)
    assert pn.binary_cross_entropy_with_logits(z + 1, t + 1, validate=False) < 0


BINARY = {
    "cross-entropy": (pn.binary_cross_entropy_with_logits, binary_cross_entropy_from_logits),
    "focal": (
        partial(pn.binary_focal_loss, gamma=1.5, alpha=0.3),
        partial(binary_focal_from_logits, gamma=1.5, alpha=0.3),
    ),
    "asymmetric": (
        partial(pn.asymmetric_loss, margin=0.1),
        partial(asymmetric_from_logits, margin=0.1),
    ),
}


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_binary_options(dtype, name):
    door, formula = BINARY[name]
    z = rng.normal(0, 3, (20, 3)).astype(dtype)
    t = rng.integers(0, 2, (20, 3)).astype(dtype)
    weight, by_class = rng.random((20, 1)), np.array([True, False, True])
    t[4], z[5, 1] = -100, np.nan
    keep = (t != -100) & by_class
    for smoothing in (0.0, 0.1):
        each, slope = formula(
            np.where(keep, z, 0).astype(float),
            np.where(keep, t, 0),
            label_smoothing=smoothing,
            pos_weight=[1.0, 2.0, 3.0],
        )
        options = {"mask": by_class, "ignore_index": -100, "label_smoothing": smoothing}
        options |= {"weight": weight, "pos_weight": [1.0, 2.0, 3.0]}
        scale = np.where(keep, weight, 0)
        for reduction, divisor in (("mean", keep.sum()), ("sum", 1), ("none", None)):
            loss, grad = door(z, t, reduction=reduction, return_grad=True, **options)
            assert loss.dtype == np.promote_types(dtype, np.float32)
            assert grad.dtype == dtype
            expected = each * scale if divisor is None else (each * scale).sum() / divisor
            tolerance = 1e-12 if dtype == np.float64 else 1e-5
            np.testing.assert_allclose(loss, expected, rtol=tolerance)
            rounding = 1e-3 if dtype == np.float16 else tolerance
            np.testing.assert_allclose(
                grad, slope * scale / (divisor or 1), rtol=rounding, atol=1e-7
            )
            assert not grad[~keep].any()
    assert door(z, t, mask=np.False_) == 0
    for wrong, error, message in (
        ({"mask": t}, TypeError, "mask must be bool"),
        ({"mask": by_class[:2]}, ValueError, r"mask must broadcast to the logits' shape \(20, 3\)"),
        ({"ignore_index": 0.5}, TypeError, "ignore_index must be an integer"),
        ({"label_smoothing": 2.0}, ValueError, r"label_smoothing must be in \[0, 1\]"),
        (
            {"label_smoothing": 0.9, "mask": by_class},
            ValueError,
            r"target must be in \[0, 1\]; got -100",
        ),
    ):
        with pytest.raises(error, match=message):
            door(z, t, **wrong)
    with pytest.raises(ValueError, match=r"logits must be numbers; got NaN \(first at row \(5, 1"):
        door(z, np.where(keep, t, 0))
    room = np.where(keep, z, 0).astype(dtype)
    expected = door(room, np.where(keep, t, 0), return_grad=True, reduction="sum")[1]
    assert door(room, np.where(keep, t, 0), out=room, reduction="sum")[1] is room
    np.testing.assert_array_equal(room, expected)


def test_binary_shapes():
    assert pn.binary_cross_entropy_with_logits(0.0, 1) == np.log(2)
    loss, grad = pn.binary_cross_entropy_with_logits(np.array(0.0), 1, return_grad=True)
    assert (loss, grad.shape, grad) == (np.log(2), (), -0.5)
    assert pn.binary_cross_entropy_with_logits(np.zeros((0, 3)), np.zeros((0, 3))) == 0
    empty = np.zeros((2, 0))
    assert pn.binary_cross_entropy_with_logits(empty, empty, pos_weight=[]) == 0


@pytest.mark.parametrize(
    ("logits", "target", "error", "message"),
    [
        ([1], [1], TypeError, "logits must be float32, float64 or float16; got int64"),
        ([1.0], [1, 0], ValueError, r"target must have the logits' shape \(1,\); got shape \(2,\)"),
        ([1.0, 1.0], [1, 2], ValueError, r"target must be in \[0, 1\]; got 2 \(first at row 1\)"),
        ([1.0, np.nan], [1, 1], ValueError, r"logits must be numbers; got NaN \(first at row 1\)"),
    ],
)
def test_wrong_binary_data(logits, target, error, message):
    with pytest.raises(error, match=message):
        pn.binary_cross_entropy_with_logits(logits, target)


def test_public_names():
    assert all(hasattr(pn, name) for name in pn.__all__)
