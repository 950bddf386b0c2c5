"""Reduced losses of rows, and rows that come in images, beside the losses of plain rows."""

import numpy as np
import pytest

from tests.kernels.calls import kernel

pytestmark = pytest.mark.usefixtures("instruction_set")

N, IMAGES = 3000, 5
rng = np.random.default_rng(2)


def batch(classes, dtype=np.float32):
    x = rng.normal(size=(N, classes)).astype(dtype)
    y = rng.integers(0, classes, N)
    y[::7] = -1
    soft = rng.dirichlet(np.ones(classes), N)
    return x, y, soft


@pytest.mark.parametrize("classes", [3, 70])
@pytest.mark.parametrize("kind", ["labels", "by class", "kept", "distributions", "given"])
@pytest.mark.parametrize("weighed", [False, True])
def test_reduced(classes, kind, weighed):
    x, y, soft = batch(classes, np.float64)
    w = rng.random(classes)
    v = rng.random(N) if weighed else np.ones(1)
    v[-1] *= -1 if weighed else 1
    v[:2] = 0
    keep = rng.random(N) < 0.5 if kind == "kept" else None
    target = soft if kind == "distributions" else y
    options = {"weight": w, "keep": keep, "label_smoothing": 0.1, "z_loss": 0.2}
    if target is y:
        options["ignore_index"] = -1
    slope = np.empty_like(x)
    each = kernel.softmax_loss(x, target, gradient=slope, **options).loss
    counted = np.ones(N, np.bool_) if target is soft else y != -1
    counted &= True if keep is None else keep
    per_row = np.broadcast_to(v, N) * counted
    total = (per_row * w[y] if kind == "by class" else per_row).sum()
    total = 7.5 if kind == "given" else total
    gradient = np.empty_like(x)
    loss, denominator, _ = kernel.reduced_softmax_loss(
        x,
        target,
        **options,
        row_weight=v,
        by_class=kind == "by class",
        denominator=7.5 if kind == "given" else None,
        scale=-2.0,
        gradient=gradient,
    )
    np.testing.assert_allclose(denominator, total or 1, rtol=1e-13)
    np.testing.assert_allclose(loss, (per_row * each).sum() / (total or 1), rtol=1e-12)
    expected = -2 * slope * (per_row / (total or 1))[:, None]
    np.testing.assert_allclose(gradient, expected, rtol=1e-11, atol=1e-18)
    with_rows = kernel.reduced_softmax_loss(x, target, **options, row_weight=v, statistics=True)
    wanted = kernel.softmax_loss(x, target, **options, moments=True)
    for a, b in zip(with_rows.rows, wanted, strict=True):
        np.testing.assert_array_equal(a, b)


def test_rows_without_weight_have_no_say():
    x = np.array([[0.0, -np.inf], [0.0, 1.0]])
    y, weight = np.array([1, 1]), np.array([0, 2.0])
    loss, total, _ = kernel.reduced_softmax_loss(x, y, row_weight=weight)
    assert total == 2
    np.testing.assert_allclose(loss, np.log1p(np.exp(-1)), rtol=1e-15)
    x[0] = np.nan, 0  # but NaN is seen, as it is in the gradient
    grad = np.empty_like(x)
    loss, _, _ = kernel.reduced_softmax_loss(x, y, row_weight=weight, gradient=grad)
    assert np.isnan(loss)
    assert np.isnan(grad[0]).any()


def test_nothing_left():
    x, grad = np.full((2, 3), np.nan), np.ones((2, 3))
    found = kernel.reduced_softmax_loss(x, np.array([-1, -1]), ignore_index=-1, gradient=grad)
    assert found == (0, 1, None)
    assert not grad.any()


@pytest.mark.parametrize("bad", [-2, 3, 2**62])
def test_a_bad_label_is_found_before_anything_is_overwritten(bad):
    x, y, _ = batch(3)
    before, y[N - 1] = x.copy(), bad
    with pytest.raises(ValueError, match=rf"target must .*got {bad} \(first at row {N - 1}\)"):
        kernel.reduced_softmax_loss(x, y, ignore_index=-1, gradient=x)
    np.testing.assert_array_equal(x, before)


def test_no_number_of_threads_changes_a_bit():
    x = rng.normal(size=(60_000, 11)).astype(np.float32)
    y = rng.integers(0, 11, len(x))
    v = rng.random(len(x))
    found = {kernel.reduced_softmax_loss(x, y, row_weight=v, threads=n) for n in (1, 2, 5)}
    assert len(found) == 1


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("classes", [3, 70])
@pytest.mark.parametrize("soft_target", [False, True])
@pytest.mark.parametrize("order", [(0, 2, 1), (0, 1, 2), (2, 1, 0)])
def test_images(dtype, classes, soft_target, order):
    """Any order of the axes in memory gives what rows one after the other give, bit for bit."""
    x, y, soft = batch(classes, dtype)
    keep, weight = rng.random(N) < 0.8, rng.random(N)
    options = {"keep": keep, "row_weight": weight, "denominator": 3.0}
    if not soft_target:
        options["ignore_index"] = -1

    def in_images(rows):
        images = rows.reshape(IMAGES, N // IMAGES, classes)
        return np.ascontiguousarray(images.transpose(order)).transpose(np.argsort(order))

    want = np.empty_like(x)
    expected = kernel.reduced_softmax_loss(x, soft if soft_target else y, gradient=want, **options)
    found, got = in_images(x), in_images(np.zeros_like(x))
    target = in_images(soft) if soft_target else y
    assert kernel.reduced_softmax_loss(found, target, gradient=got, **options) == expected
    np.testing.assert_array_equal(got.reshape(N, classes), want)
    plain = {"keep": keep, "ignore_index": options.get("ignore_index")}
    by_row = kernel.softmax_loss(x, soft if soft_target else y, moments=True, **plain)
    for a, b in zip(kernel.softmax_loss(found, target, moments=True, **plain), by_row, strict=True):
        np.testing.assert_array_equal(a, b)
    kernel.reduced_softmax_loss(found, target, gradient=found, **options)
    np.testing.assert_array_equal(found.reshape(N, classes), want)


def test_a_distribution_at_fault_in_an_image():
    x, soft = np.zeros((4, 5, 3)), np.full((4, 5, 3), 1 / 3)
    soft[2, 3, 1] = 2
    with pytest.raises(ValueError, match=r"got \[0.333333, 2, 0.333333\].* row \(2, 3\)"):
        kernel.reduced_softmax_loss(x, soft)


def test_logits_at_fault_are_refused_on_request():
    x = np.zeros((4, 3))
    x[2, 1] = np.nan
    assert np.isnan(kernel.reduced_softmax_loss(x, np.zeros(4, np.int64)).loss)
    with pytest.raises(ValueError, match=r"logits must be finite.* got NaN \(first at row 2\)"):
        kernel.reduced_softmax_loss(x, np.zeros(4, np.int64), check_logits=True)
