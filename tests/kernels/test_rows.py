"""Each row against mpmath, in every instruction set, layout and number of threads."""

import functools

import numpy as np
import pytest

from tests.kernels.calls import kernel

pytestmark = pytest.mark.usefixtures("instruction_set")

CLASSES = [1, 2, 3, 10, 16, 17, 63, 64, 65, 100, 1000, 33000]
DTYPES = [np.float32, np.float64]
# Errors grow with the depth of a sum: 64 terms at most, in lanes or one after the other.
BOUNDS = {"rest": 9, "loss": 7, "entropy": 8, "rest_squares": 11, "gradient": 11}


@functools.cache
def rows(dtype, classes):
    """Rows of every temper: flat, usual, steep, all equal but one, one far above."""
    rng = np.random.default_rng(classes)
    n = max(1, min(12, 2000 // classes))
    x = np.concatenate([rng.normal(size=(n, classes)) * s for s in (0.01, 1, 5, 40)]).astype(dtype)
    if classes > 1:
        x[-1] = -20
        x[-1, classes // 2] = dtype(17.3)
        x[-2, classes - 1] = x[-2].max()  # a tie
    y = rng.integers(0, classes, len(x))
    y[::3] = x[::3].argmax(axis=1)
    x.flags.writeable = y.flags.writeable = False
    return x, y


@functools.cache
def expected(oracle, dtype, classes):
    return oracle(*rows(dtype, classes))


def laid_out(x, layout):
    """The values of x in another layout."""
    n, classes = x.shape
    if layout == "fortran":
        return np.array(x, order="F")
    wide = np.full((3 * n, 2 * classes), np.nan, x.dtype)
    view = {
        "rows": wide[1::3, :classes],
        "classes": wide[:n, ::2],
        "negative": wide[: 2 * n : 2, :classes][::-1, ::-1],
        "C": np.empty_like(x, order="C"),
    }[layout]
    view[...] = x
    return view


LAYOUTS = ["C", "fortran", "rows", "classes", "negative"]


@pytest.mark.parametrize("classes", CLASSES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_statistics_and_gradient(dtype, classes, oracle, ulps):
    x, y = rows(dtype, classes)
    want = expected(oracle, dtype, classes)
    grad = np.empty_like(x)
    found = kernel.softmax_loss(x, y, gradient=grad, moments=True)
    assert found.max.dtype == dtype
    assert (found.max == want["max"].astype(dtype)).all()
    assert (found.argmax == want["argmax"]).all()
    for name, bound in BOUNDS.items():
        got = grad if name == "gradient" else getattr(found, name)
        assert ulps(got, want[name]) <= bound, name
    only = kernel.row_statistics(x, y, moments=True)
    for a, b in zip(found, only, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("classes", CLASSES)
def test_double_arithmetic_on_float32(classes, oracle, ulps):
    x, y = rows(np.float32, classes)
    want = expected(oracle, np.float32, classes)
    found = kernel.row_statistics(x, y, moments=True, dtype=np.float64)
    assert found.loss.dtype == np.float64
    for name, bound in BOUNDS.items():
        if name != "gradient":
            assert ulps(getattr(found, name), want[name]) <= bound, name
    same = kernel.row_statistics(x.astype(np.float64), y, moments=True)
    for a, b in zip(found, same, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("classes", CLASSES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_no_layout_changes_a_bit(dtype, classes, layout):
    x, y = rows(dtype, classes)
    want = np.empty_like(x)
    plain = kernel.softmax_loss(x, y, row_scale=np.array([0.25]), gradient=want, moments=True)

    view = laid_out(x, layout)
    for a, b in zip(plain, kernel.row_statistics(view, y, moments=True), strict=True):
        np.testing.assert_array_equal(a, b)
    widened = kernel.row_statistics(view, y, dtype=np.float64)
    np.testing.assert_array_equal(widened.loss, kernel.row_statistics(x, y, dtype=np.float64).loss)
    view.flags.writeable = False
    out = laid_out(np.zeros_like(x), layout)
    kernel.softmax_loss(view, y, row_scale=np.array([0.25]), gradient=out)
    np.testing.assert_array_equal(out, want)
    for source, sink in ((view, np.empty_like(x)), (x, out)):
        kernel.softmax_loss(source, y, row_scale=np.array([0.25]), gradient=sink)
        np.testing.assert_array_equal(sink, want)

    in_place = laid_out(x, layout)
    kernel.softmax_loss(in_place, y, row_scale=np.array([0.25]), gradient=in_place)
    np.testing.assert_array_equal(in_place, want)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(("n", "classes"), [(50_001, 10), (2003, 300), (7, 70_001)])
def test_no_number_of_threads_changes_a_bit(n, classes, order):
    rng = np.random.default_rng(0)
    x = np.asarray(rng.normal(size=(n, classes)), np.float32, order=order)
    y = rng.integers(0, classes, n)
    found = []
    for threads in (1, 2, 5):
        out = np.empty_like(x)
        stats = kernel.softmax_loss(
            x, y, gradient=out, moments=True, threads=threads, ignore_index=3
        )
        found.append([*stats, out])
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("classes", [2, 64, 65, 300])
@pytest.mark.parametrize("dtype", DTYPES)
def test_row_scale(dtype, classes):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, classes)).astype(dtype), rng.integers(0, classes, 20)
    plain, scaled = np.empty_like(x), np.empty_like(x)
    scale = 2.0 ** np.arange(len(x))
    kernel.softmax_loss(x, y, gradient=plain)
    kernel.softmax_loss(x, y, row_scale=scale, gradient=scaled)
    np.testing.assert_array_equal(scaled, plain * scale[:, None].astype(dtype))
    kernel.softmax_loss(x, y, row_scale=np.array([0.0]), gradient=scaled)
    assert not scaled.any()


@pytest.mark.parametrize("classes", [5, 200])
@pytest.mark.parametrize(
    ("dtype", "gap", "want"),
    [
        (np.float32, 80.0, "1.8048513878454153e-35"),
        (np.float64, 80.0, "1.8048513878454153e-35"),
        (np.float64, 600.0, "2.6503965530043108e-261"),
    ],
)
def test_tiny_losses_keep_their_digits(dtype, gap, want, classes):
    x = np.full((1, classes), -np.inf, dtype)
    x[0, classes - 2] = dtype(0)
    x[0, 1] = -gap
    out = np.empty_like(x)
    y = np.array([classes - 2])
    loss = kernel.softmax_loss(x, y, gradient=out).loss
    np.testing.assert_allclose(loss, [float(want)], rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_allclose(out[0, y], [-float(want)], rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("classes", [4, 70])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_gap_that_rounds_costs_nothing(dtype, classes, oracle, ulps):
    # 0.1 + 79.93 is no float: exp of the rounded gap would be tens of ulp off.
    x = np.full((1, classes), -np.inf, dtype)
    x[0, :3] = [-79.93, 0.1, -55.21]
    found = kernel.row_statistics(x, np.array([1]))
    assert ulps(found.loss, oracle(x[:, :3], [1])["loss"]) <= 3


@pytest.mark.parametrize("classes", [3, 64, 65, 1025])
@pytest.mark.parametrize("dtype", DTYPES)
class TestEdges:
    def test_masked_classes(self, dtype, classes):
        x = np.full((3, classes), -np.inf, dtype)
        x[:, 1] = [2, 0, -5]
        x[1, 0] = 0
        grad = np.full_like(x, np.nan)
        found = kernel.softmax_loss(x, np.array([1, 0, 2]), gradient=grad, moments=True)
        np.testing.assert_allclose(found.loss, [0, np.log(2), np.inf], rtol=1e-6)
        np.testing.assert_allclose(found.entropy, [0, np.log(2), 0], rtol=1e-6)
        want = np.zeros_like(x)
        want[1, :2] = [-0.5, 0.5]
        want[2, 1:3] = [1, -1]
        np.testing.assert_array_equal(grad, want)

    def test_huge_logits(self, dtype, classes):
        x = np.zeros((2, classes), dtype)
        x[0, 1], x[1, 2] = 1e30, -1e30
        grad = np.empty_like(x)
        found = kernel.softmax_loss(x, np.array([0, 2]), gradient=grad, moments=True)
        np.testing.assert_allclose(found.loss, [1e30, 1e30], rtol=1e-6)
        assert np.isfinite(grad).all()
        assert grad[0, 0] == -1
        assert grad[0, 1] == 1
        np.testing.assert_allclose(found.entropy[0], 0)

    def test_ties_give_the_first_class(self, dtype, classes):
        x = np.zeros((2, classes), dtype)
        x[1, 0] = -1
        assert kernel.row_statistics(x).argmax.tolist() == [0, 1]

    @pytest.mark.parametrize(
        ("bad", "came"), [(np.nan, "NaN"), (np.inf, "inf"), (-np.inf, "no finite number")]
    )
    def test_logits_at_fault(self, dtype, classes, bad, came):
        x = np.zeros((40, classes), dtype)
        if bad == -np.inf:
            x[[17, 23]] = bad
        else:
            x[17, classes - 1] = x[23, 0] = bad
        message = rf"logits must be finite, or -inf .*; got {came} \(first at row 17\)"
        with pytest.raises(ValueError, match=message):
            kernel.row_statistics(x)
        y = np.zeros(40, np.int64)
        with pytest.raises(ValueError, match=message):
            kernel.softmax_loss(x, y, gradient=x)

    def test_rows_of_nothing_but_nan(self, dtype, classes):
        x = np.full((2, classes), np.nan, dtype)
        with pytest.raises(ValueError, match=r"logits must .* \(first at row 0\)"):
            kernel.row_statistics(x)

    @pytest.mark.parametrize("order", ["C", "F"])
    def test_ignored_rows_may_hold_anything(self, dtype, classes, order):
        x = np.zeros((40, classes), dtype, order=order)
        x[3], x[7], x[39, 0] = np.nan, -np.inf, np.inf
        y = np.zeros(40, np.int64)
        y[[3, 7, 39]] = -100
        grad = np.full_like(x, np.nan)
        found = kernel.softmax_loss(x, y, gradient=grad, ignore_index=-100, moments=True)
        ignored = y == -100
        assert (found.loss[ignored] == 0).all()
        assert (found.argmax[ignored] == -1).all()
        assert (found.max[ignored] == -np.inf).all()
        assert (found.rest[ignored] == 0).all()
        assert not grad[ignored].any()
        np.testing.assert_allclose(found.loss[~ignored], np.log(classes), rtol=1e-6)
        assert np.isfinite(grad).all()

    def test_target_at_fault_leaves_the_logits_alone(self, dtype, classes):
        x = np.ones((9, classes), dtype)
        y = np.zeros(9, np.int64)
        y[4], y[6] = classes, -1
        message = (
            rf"target must be a class index in \[0, {classes}\); got {classes} \(first at row 4"
        )
        with pytest.raises(ValueError, match=message):
            kernel.softmax_loss(x, y, gradient=x)
        assert (x == 1).all()
        y[4] = 0
        with pytest.raises(ValueError, match=r"got -1 \(first at row 6\)"):
            kernel.softmax_loss(x, y, gradient=x)
        with pytest.raises(ValueError, match=r"or the ignore_index -100; got -1 \(first at row 6"):
            kernel.row_statistics(x, y, ignore_index=-100)

    def test_no_rows(self, dtype, classes):
        x = np.empty((0, classes), dtype)
        found = kernel.softmax_loss(x, np.empty(0, np.int64), gradient=x, moments=True)
        assert all(len(figure) == 0 for figure in found)


def test_one_class():
    x = np.array([[3.0], [-np.inf]])[:1]
    found = kernel.softmax_loss(x, np.array([0]), gradient=x, moments=True)
    assert [float(f[0]) for f in found] == [3, 0, 0, 0, 0, 0]
    assert x.tolist() == [[0]]
