"""The losses that options make of a row, against mpmath, in every combination by pairs."""

import functools
import itertools

import mpmath as mp
import numpy as np
import pytest

from tests.kernels.calls import kernel

pytestmark = pytest.mark.usefixtures("instruction_set")

OPTIONS = {
    "soft": True,
    "weight": True,
    "label_smoothing": 0.1,
    "gamma": 2.5,
    "temperature": 1.7,
    "z_loss": 0.01,
    "masked": True,
    "row_scale": True,
}
PAIRS = [
    pair
    for k in (1, 2)
    for pair in itertools.combinations(OPTIONS, k)
    if not ("gamma" in pair and {"soft", "label_smoothing"} & set(pair))
]
ALL = [
    tuple(o for o in OPTIONS if o not in left_out)
    for left_out in (("gamma",), ("soft", "label_smoothing"))
]
COMBINATIONS = [*PAIRS, *ALL, ("label_smoothing", "weight", "z_loss")]
N = 7


@functools.cache
def arguments(chosen, classes):
    """Logits of 8 bits, so that every dtype holds them, and what goes with them."""
    rng = np.random.default_rng(classes)
    x = rng.integers(-90, 90, (N, classes)) / 8
    y = rng.integers(0, classes, N)
    y[::2] = x[::2].argmax(axis=1)
    x[0, y[0]] = 62  # a confident row
    soft = np.diff(np.sort(rng.integers(0, 257, (N, classes - 1))), prepend=0, append=256) / 256
    soft[1] = np.arange(classes) == y[1]
    if "masked" in chosen:
        x[:, 1::3] = np.where(x[:, 1::3] < x.max(axis=1, keepdims=True), -np.inf, x[:, 1::3])
        x[3, y[3]] = 2
    weight = rng.integers(1, 64, classes) / 16
    weight[0] = 0
    scale = rng.integers(1, 64, N) / 16
    return x, y, soft, weight, scale


def oracle_row(x, t, w, smoothing, gamma, temperature, z_loss):
    """The loss, its gradient, and the sizes of the terms that each is the sum of."""
    z = [mp.mpf(v) / mp.mpf(temperature) for v in map(float, x)]
    e = [mp.exp(v) for v in z]
    total = mp.fsum(e)
    p, lse = [v / total for v in e], mp.log(total)
    open_ = [v > 0 for v in e]
    u = [
        mp.mpf(float(wj))
        * ((1 - mp.mpf(smoothing)) * mp.mpf(float(tj)) + mp.mpf(smoothing) * o / sum(open_))
        for wj, tj, o in zip(w, t, open_, strict=True)
    ]
    loss, v = mp.mpf(0), []
    for k, (uj, pj) in enumerate(zip(u, p, strict=True)):
        miss = mp.fsum(e[:k] + e[k + 1 :]) / total
        slope = uj * miss**gamma
        if uj and pj == 0:
            loss = mp.inf
        elif uj:
            loss += slope * -mp.log(pj)
            slope *= 1 + (gamma * pj * -mp.log(pj) / miss if miss else 0)
        v.append(slope)
    both = mp.fsum(v)
    extra = 2 * mp.mpf(z_loss) * lse
    grad = [(both * pj - vj + extra * pj) / temperature for pj, vj in zip(p, v, strict=True)]
    size = [((both + abs(extra)) * pj + vj) / temperature for pj, vj in zip(p, v, strict=True)]
    return loss + z_loss * lse**2, grad, size


@functools.cache
def expected(chosen, classes):
    x, y, soft, weight, scale = arguments(chosen, classes)
    on = {name: OPTIONS[name] if name in chosen else 0 for name in OPTIONS}
    losses, grads, sizes = [], [], []
    with mp.workprec(200):
        for i in range(N):
            loss, grad, size = oracle_row(
                x[i],
                soft[i] if on["soft"] else np.arange(classes) == y[i],
                weight if on["weight"] else np.ones(classes),
                on["label_smoothing"],
                on["gamma"],
                on["temperature"] or 1.0,
                on["z_loss"],
            )
            s = scale[i] if on["row_scale"] else 1.0
            losses.append(float(loss))
            grads.append([float(s * g) for g in grad])
            sizes.append([float(s * g) for g in size])
    return np.array(losses), np.array(grads), np.array(sizes)


def call(chosen, classes, dtype, lay_out=lambda a: a, soft_dtype=None):
    x, y, soft, weight, scale = arguments(chosen, classes)
    x = lay_out(x.astype(dtype))
    grad = np.full_like(x, np.nan)
    named = {
        n: OPTIONS[n] for n in chosen if n in ("label_smoothing", "gamma", "temperature", "z_loss")
    }
    found = kernel.softmax_loss(
        x,
        lay_out(soft.astype(soft_dtype or dtype)) if "soft" in chosen else y,
        weight=weight if "weight" in chosen else None,
        row_scale=scale if "row_scale" in chosen else None,
        gradient=grad,
        **named,
    )
    return found.loss, grad


@pytest.mark.parametrize(
    ("chosen", "classes"),
    [(c, n) for c in COMBINATIONS for n in ([64, 1040] if c in ALL else []) + [5, 70]],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else str(value),
)
def test_against_mpmath(chosen, classes):
    want, want_grad, size = expected(chosen, classes)
    for dtype in (np.float64, np.float32, np.float16):
        loss, grad = call(chosen, classes, dtype)
        eps = np.finfo(loss.dtype).eps
        assert grad.dtype == dtype
        tiny = np.finfo(loss.dtype).tiny
        np.testing.assert_allclose(loss, want, rtol=8 * eps, atol=tiny)
        room = 12 * eps * size + tiny
        if dtype == np.float16:
            room += np.spacing(abs(want_grad).astype(np.float16)).astype(float) / 2
        assert (abs(grad.astype(np.float64) - want_grad) <= room).all()


@pytest.mark.parametrize("classes", [5, 70])
@pytest.mark.parametrize(
    "chosen", [("weight",), ("soft", "weight", "label_smoothing", "z_loss")], ids="+".join
)
def test_no_layout_and_no_dtype_of_the_target_changes_a_bit(chosen, classes):
    def every_other(a):
        wide = np.zeros((2 * len(a), 2 * a.shape[1]), a.dtype)
        wide[::2, ::2] = a
        return wide[::2, ::2]

    for dtype in (np.float64, np.float32, np.float16):
        want = call(chosen, classes, dtype)
        for lay_out in (np.asfortranarray, lambda a: a[::-1].copy()[::-1], every_other):
            for a, b in zip(want, call(chosen, classes, dtype, lay_out), strict=True):
                np.testing.assert_array_equal(a, b)
        for soft_dtype in (np.float64, np.float32, np.float16):
            for a, b in zip(want, call(chosen, classes, dtype, soft_dtype=soft_dtype), strict=True):
                np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("classes", [10, 300])
def test_no_number_of_threads_changes_a_bit(dtype, classes):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400_000 // classes, classes)).astype(dtype)
    soft = np.full_like(x, 1 / classes)
    for target in (soft, rng.integers(0, classes, len(x))):
        found = []
        for threads in (1, 2, 5):
            grad = np.empty_like(x)
            stats = kernel.softmax_loss(
                x, target, gradient=grad, label_smoothing=0.1, z_loss=0.1, threads=threads
            )
            found.append((stats.loss, grad))
        for other in found[1:]:
            for a, b in zip(found[0], other, strict=True):
                np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("classes", [6, 100])
@pytest.mark.parametrize("soft", [False, True])
def test_rows_that_are_not_kept(classes, soft):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, classes)), rng.integers(0, classes, 50)
    target = rng.dirichlet(np.ones(classes), 50) if soft else y
    keep = rng.random(50) < 0.5
    want = np.empty_like(x)
    plain = kernel.softmax_loss(x, target, gradient=want, label_smoothing=0.1, moments=True)
    x[~keep], target[~keep] = np.nan, -7
    grad = np.full_like(x, np.nan)
    found = kernel.softmax_loss(
        x, target, gradient=grad, label_smoothing=0.1, moments=True, keep=keep
    )
    np.testing.assert_array_equal(grad, np.where(keep[:, None], want, 0))
    np.testing.assert_array_equal(found.loss, np.where(keep, plain.loss, 0))
    np.testing.assert_array_equal(found.max, np.where(keep, plain.max, -np.inf))
    np.testing.assert_array_equal(found.argmax, np.where(keep, plain.argmax, -1))
    np.testing.assert_array_equal(found.entropy, np.where(keep, plain.entropy, 0))


@pytest.mark.parametrize("classes", [5, 70])
def test_temperature_of_the_statistics(classes):
    x = arguments((), classes)[0]
    y = np.zeros(N, np.int64)
    hot = kernel.softmax_loss(x, y, temperature=4.0, moments=True)
    want = kernel.softmax_loss(x / 4, y, moments=True)  # exact: a power of two
    for a, b in zip(hot, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-15)


@pytest.mark.parametrize("temperature", [1e-30, 1e-3, 1e3, 1e30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("classes", [3, 80])
def test_extreme_temperatures(dtype, temperature, classes):
    x = np.zeros((1, classes), dtype)
    x[0, :3] = [2, 1, 0]
    grad = np.empty_like(x)
    y = np.array([0])
    loss = kernel.softmax_loss(x, y, temperature=temperature, gradient=grad).loss
    cold = temperature < 1
    np.testing.assert_allclose(loss, 0 if cold else np.log(classes), atol=2e-3)
    assert np.isfinite(grad).all()


@pytest.mark.parametrize("classes", [4, 90])
@pytest.mark.parametrize("label_smoothing", [0.0, 0.25])
def test_masked_classes(classes, label_smoothing):
    x = np.full((2, classes), -np.inf)
    x[:, :2] = [0, -200]  # of a probability that is no float32, but open
    soft = np.zeros_like(x)
    soft[0, 0] = soft[1, -1] = 1
    for dtype in (np.float64, np.float32):
        z, grad = x.astype(dtype), np.empty(x.shape, dtype)
        loss = kernel.softmax_loss(z, soft, gradient=grad, label_smoothing=label_smoothing).loss
        want = label_smoothing / 2
        np.testing.assert_allclose(loss, [200 * want, np.inf], rtol=1e-6, atol=1e-80)
        np.testing.assert_allclose(grad[0, :2], [want, -want], rtol=1e-6, atol=1e-80)
        assert not grad[0, 2:].any()
        y = np.array([0, classes - 1])
        assert kernel.softmax_loss(z, y, label_smoothing=label_smoothing).loss[1] == np.inf


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("classes", [3, 100])
class TestTargetsAtFault:
    @pytest.mark.parametrize(
        ("bad", "message"),
        [
            (-0.5, r"target must be probabilities, none negative or NaN; got \[.*row 4"),
            (np.nan, r"target must be probabilities, none negative or NaN; got \[.*row 4"),
            (0.75, r"target must sum to 1 along its class axis; got .*sums to 1.25.*row 4"),
            (np.inf, r"target must sum to 1 along its class axis; .*row 4"),
        ],
    )
    def test_no_distribution(self, dtype, classes, bad, message):
        x, soft = np.ones((40, classes), dtype), np.zeros((40, classes), dtype)
        soft[:, 1], soft[4, 2], soft[30] = 1, bad, 9
        soft[4, 1] = 0.5
        if bad == -0.5:
            soft[4, 1] = 1.5
        with pytest.raises(ValueError, match=message):
            kernel.softmax_loss(x, soft, gradient=np.empty_like(x))
        place = x.copy()
        with pytest.raises(ValueError, match=message):  # and what was there may be gone
            kernel.softmax_loss(place, soft, gradient=place)
        kernel.softmax_loss(x, soft, validate=False)
        keep = np.ones(40, np.bool_)
        keep[[4, 30]] = False
        kernel.softmax_loss(x, soft, keep=keep)

    def test_the_first_of_all_faults(self, dtype, classes):
        x, soft = np.ones((40, classes), dtype), np.zeros((40, classes), dtype)
        soft[:, 1], soft[20], x[30] = 1, 9, np.nan
        with pytest.raises(ValueError, match=r"target .* row 20"):
            kernel.softmax_loss(x, soft)
        x[10] = np.nan
        with pytest.raises(ValueError, match=r"logits .* row 10"):
            kernel.softmax_loss(x, soft)


@pytest.mark.parametrize("classes", [3, 64, 65, 300])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_logits_that_are_not_checked_give_nan(classes, bad):
    x = np.zeros((3, classes), np.float32)
    x[1] = bad
    grad = np.zeros_like(x)
    found = kernel.softmax_loss(x, np.zeros(3, np.int64), gradient=grad, check_logits=False)
    np.testing.assert_array_equal(np.isnan(found.loss), [False, True, False])
    np.testing.assert_array_equal(np.isnan(grad).all(axis=1), [False, True, False])
    x[1] = 0
    x[1, 2] = np.inf if bad == -np.inf else bad
    found = kernel.softmax_loss(x, np.zeros(3, np.int64), gradient=grad, check_logits=False)
    np.testing.assert_array_equal(np.isnan(found.loss), [False, True, False])
    np.testing.assert_array_equal(np.isnan(grad).all(axis=1), [False, True, False])


def test_what_the_kernel_has_not():
    x = np.zeros((2, 3))
    with pytest.raises(NotImplementedError):
        kernel.softmax_loss(x, np.array([0, 1]), gamma=1.0, label_smoothing=0.1)
    with pytest.raises(NotImplementedError):
        kernel.softmax_loss(x, np.full((2, 3), 1 / 3), gamma=1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_smoothing": 1.5}, r"label_smoothing must be in \[0, 1\]; got 1.5"),
        ({"gamma": -1.0}, "gamma must be at least 0 and finite; got -1.0"),
        ({"gamma": np.nan}, "gamma must be at least 0 and finite; got nan"),
        ({"temperature": 0.0}, "temperature must be in .*; got 0.0"),
        ({"z_loss": np.inf}, "z_loss must be finite; got inf"),
        ({"weight": np.ones(4)}, r"weight must have shape \(3,\); got shape \(4,\)"),
        ({"keep": np.ones(3, np.bool_)}, r"keep must be bool of shape \(2,\); got bool \(3,\)"),
        ({"keep": np.ones(2)}, r"keep must be bool of shape \(2,\); got float64 \(2,\)"),
        ({"row_scale": np.ones(3)}, r"row_scale must be a number or have shape \(2,\)"),
    ],
)
def test_wrong_options(options, message):
    x = np.zeros((2, 3))
    with pytest.raises(ValueError, match=message):
        kernel.softmax_loss(x, np.array([0, 1]), gradient=np.empty_like(x), **options)
