"""The native engine answers, and gives what the XLA engine gives: values, gradients, statistics."""

import logging

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest

import plogq.jax as pj
from plogq.jax.engines import ENGINES, kernel_lowering

INF, NAN = np.inf, np.nan
RNG = np.random.default_rng(8)
N, C = 5, 4
Y = np.array([0, 3, 1, 2, 1])
NORMAL = 3 * RNG.normal(size=(N, C))
EYE = np.eye(C)[Y]
EDGES = {
    "normal": NORMAL,
    "sure": NORMAL + 60 * EYE,
    "wrong": NORMAL - 60 * EYE,
    "tied": np.zeros((N, C)),
    "two tied": np.maximum(NORMAL, 0) + 3 * (np.arange(C) < 2),
    "large": 1e8 + 8 * np.round(NORMAL),
    "masked": np.where(np.eye(C)[(Y + 1) % C] > 0, -INF, NORMAL),
    "the label masked": np.where(EYE > 0, -INF, NORMAL),
    "all masked": np.full((N, C), -INF),
    "infinite": np.where(np.arange(C) == 2, INF, NORMAL),
    "NaN": np.where(np.arange(C) == 2, NAN, NORMAL),
}
X, LABELS = np.concatenate(list(EDGES.values())), np.tile(Y, len(EDGES))
ROWS = len(X)
SOFT = RNG.dirichlet(np.ones(C), ROWS)
W = jnp.asarray([0.5, 2.0, 0.0, 1.0])
ROW_WEIGHT = jnp.asarray(np.arange(ROWS) % 4 / 3)
KEEP = np.arange(ROWS) % 5 != 2
MASK = (np.arange(C) != 1) | (np.eye(C)[LABELS] > 0)
OPTIONS = {
    "plain": {},
    "smoothed": {"label_smoothing": 0.2, "weight": W, "where": KEEP},
    "focal": {"gamma": 1.5, "weight": W, "where": KEEP},
    "bent": {"weight": W, "z_loss": 0.3, "temperature": 1.7, "softcap": 20.0},
    "classes": {"where": MASK, "label_smoothing": 0.1, "row_weight": ROW_WEIGHT},
}
# The loss is NaN or inf if that of a row is: such rows are left out of what is reduced.
FINITE = np.repeat([not name.startswith(("the", "all", "inf", "NaN")) for name in EDGES], N)
REDUCED = {
    "sum": {"reduction": "sum", "row_weight": ROW_WEIGHT},
    "mean": {"reduction": "mean", "weight": W, "row_weight": ROW_WEIGHT, "z_loss": 0.1},
    "denominator": {"reduction": "mean", "denominator": 7.0, "weight": W},
    "nothing left": {"reduction": "mean", "where": np.zeros(ROWS, bool)},
}


def everything(loss):
    """What can be asked of a loss of rows: it, its statistics, and derivatives of two orders."""

    @jax.jit
    def found(x):
        upstream = jnp.cos(jnp.arange(ROWS))
        along = jnp.cos(jnp.arange(float(X.size))).reshape(X.shape).astype(x.dtype)

        def total(x):
            return (loss(x)[0] * upstream).sum()

        value, statistics = loss(x)
        _, forward = jax.jvp(lambda x: loss(x)[0], (x,), (along,))
        gradient, bend = jax.jvp(jax.grad(total), (x,), (along,))
        return {"gradient": gradient, "bend": bend, "forward": forward, "value": value} | (
            statistics._asdict()
        )

    return found


def by_both(x, target, **options):
    """The answers of the native engine and of the XLA engine."""

    def loss(x):
        return pj.cross_entropy(x, target, validate=False, return_stats=True, **options)

    answers = []
    for name in ("native", "xla"):
        with pj.engine(name):
            answers.append(everything(loss)(x))
    return answers


@pytest.mark.slow  # each case is compiled by XLA, twice
@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
@pytest.mark.parametrize("target", ["labels", "distributions"])
@pytest.mark.parametrize("options", [*OPTIONS, *REDUCED])
def test_as_the_xla_engine(options, target, dtype):
    asked = OPTIONS.get(options) or REDUCED.get(options, {})
    if "gamma" in asked and target == "distributions":
        pytest.skip("the kernel refuses it")
    if options in REDUCED:
        asked = {"where": FINITE, **asked}
    x = jnp.asarray(np.where(X > 1e7, X / 2000, X) if dtype == "float16" else X, dtype)
    native, xla = by_both(x, LABELS if target == "labels" else SOFT, **asked)
    wide, own = (float(jnp.finfo(a).eps) for a in (xla["value"].dtype, x.dtype))
    tiny = 8 * float(jnp.finfo(x.dtype).tiny)  # XLA flushes what is below to 0
    rough = {"rtol": max(40 * wide, 4 * own), "atol": 16 * own}  # sums of terms of either sign
    bounds = {"gradient": rough | {"atol": tiny}, "forward": rough, "bend": rough}
    for name, ours in native.items():
        assert (ours.dtype, ours.shape) == (xla[name].dtype, xla[name].shape)
        pair = (np.asarray(a[name], np.float64) for a in (native, xla))
        bound = bounds.get(name, {"rtol": 40 * wide, "atol": tiny if name == "value" else 8 * wide})
        np.testing.assert_allclose(*pair, **bound, err_msg=name)


def engines_of(call, *args, **kwargs):
    with ENGINES.seen() as seen:
        call(*args, **kwargs)
    return seen


def test_the_native_engine_answers():
    """In CI, too: a build without XLA's headers is at fault here."""
    assert pj.explain(pj.cross_entropy, NORMAL, Y) == "native answers"
    for options in OPTIONS.values():
        assert engines_of(pj.cross_entropy, X, LABELS, **options) == ["native"]
    assert engines_of(pj.focal_loss, X, LABELS) == ["native"]
    x = jax.ShapeDtypeStruct((N, C), jnp.float32)
    step = jax.jit(jax.value_and_grad(lambda x: pj.cross_entropy(x, Y, reduction="mean")))
    assert step.lower(x).as_text().count("stablehlo.custom_call @plogq_rows") == 1


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: pj.brier_loss(NORMAL, Y), "the kernel has no SquaredError"),
        (lambda: pj.focal_loss(NORMAL, EYE), "no focal loss of distributions or smoothed labels"),
        (lambda: pj.cross_entropy(jnp.zeros((2, 2), "float8_e4m3fn"), Y[:2] % 2), "no float8"),
        (lambda: pj.sigmoid_binary_cross_entropy(NORMAL, EYE), "the kernel has no elements"),
    ],
)
def test_what_the_kernel_has_not(call, reason):
    answered, refused = pj.explain(call).splitlines()
    assert (answered, reason in refused) == ("xla answers", True)


def test_a_build_for_another_xla_is_refused_and_said_once(monkeypatch, caplog):
    def register(*built):
        monkeypatch.setattr(kernel_lowering, "xla_rows", lambda: built[0] if built else None)
        return kernel_lowering.register(None, None)  # it would fail if it went on

    assert register() == "XLA's headers were not there when plogq was built"
    assert "(its calls are [0, 99], here [0," in register((None, 0, 99))
    assert "(its calls are [1, 0], here [0," in register((None, 1, 0))
    monkeypatch.setattr("plogq.jax.engines.native_rows.NO_KERNEL", register())
    ENGINES.forget_what_was_said()
    with caplog.at_level(logging.INFO, logger="plogq.jax"):
        for _ in range(2):
            pj.cross_entropy(NORMAL, Y)
    assert [record.message for record in caplog.records] == [
        "the engine xla answers (native: XLA's headers were not there when plogq was built)"
    ]


def test_batches_scans_and_checkpoints():
    """A batch of logits, of labels, of class weights, or of all; and the other transformations."""
    x = jnp.asarray(np.stack([NORMAL, NORMAL[::-1] + 1]))
    y = jnp.asarray(np.stack([Y, (Y + 1) % C]))
    w = jnp.stack([W, W[::-1]])

    def loss(x, y, w):
        return pj.cross_entropy(x, y, weight=w, reduction="mean", return_stats=True)[0]

    grad = jax.value_and_grad(loss)
    for axes in ((0, 0, 0), (0, None, None), (None, 0, None), (None, None, 0), (0, 0, None)):
        args = [a if axis == 0 else a[0] for a, axis in zip((x, y, w), axes, strict=True)]
        each = [
            grad(*(a[i] if axis == 0 else a for a, axis in zip(args, axes, strict=True)))
            for i in range(2)
        ]
        for found in zip(*jax.jit(jax.vmap(grad, axes))(*args), strict=True):
            one = each.pop(0)
            np.testing.assert_allclose(found[0], one[0], rtol=1e-14)
            np.testing.assert_allclose(found[1], one[1], rtol=1e-14)
    expected = jnp.stack([grad(a, y[0], W)[1] for a in x])
    _, scanned = jax.lax.scan(lambda _, a: (None, grad(a, y[0], W)[1]), None, x)
    kept = jax.vmap(jax.grad(lambda a: jax.checkpoint(loss)(a, y[0], W)))(x)
    nested = jax.vmap(jax.vmap(lambda a: grad(a, y[0], W)[1]))(x[None])[0]
    turned = jax.vmap(lambda a: grad(a, y[0], W)[1], 1)(x.swapaxes(0, 1))
    for found in (scanned, kept, nested, turned):
        np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize("donated", [True, False])
def test_the_gradient_is_in_place_of_logits_that_are_donated_and_nothing_is_copied(donated):
    step = jax.jit(
        jax.value_and_grad(lambda x: pj.cross_entropy(x, LABELS, reduction="sum", where=FINITE)),
        donate_argnums=(0,) if donated else (),
    )
    x = jnp.asarray(X, jnp.float32)
    text = step.lower(x).compile().as_text()
    assert ("output_to_operand_aliasing" in text, "copy(" in text) == (donated, False)
    with pj.engine("xla"):
        expected = jax.grad(lambda x: pj.cross_entropy(x, LABELS, where=FINITE).sum())(x)
    np.testing.assert_allclose(step(x)[1], expected, rtol=1e-5, atol=1e-7)
    assert x.is_deleted() == donated


def test_logits_that_are_needed_later_stay_as_they_were():
    @jax.jit
    def both(hidden):
        x = 2 * hidden
        loss, slope = jax.value_and_grad(lambda x: pj.cross_entropy(x, Y, reduction="mean"))(x)
        return x, loss, slope

    x, _, slope = both(jnp.asarray(NORMAL))
    np.testing.assert_array_equal(x, 2 * NORMAL)
    expected = (jax.nn.softmax(2 * NORMAL, axis=1) - EYE) / N
    np.testing.assert_allclose(slope, expected, rtol=1e-9, atol=1e-12)


def test_many_rows_on_all_threads_more_axes_and_none():
    x = jnp.asarray(RNG.normal(size=(4, 100, 1000)), jnp.float32)  # the work of three threads
    y = jnp.asarray(RNG.integers(1000, size=(4, 100)))
    mean = jax.value_and_grad(lambda x: pj.cross_entropy(x, y, reduction="mean"))
    loss, slope = mean(x)
    with pj.engine("xla"):
        expected = mean(x)
    np.testing.assert_allclose(loss, expected[0], rtol=1e-6)
    np.testing.assert_allclose(slope, expected[1], rtol=2e-5, atol=1e-9)
    one = jax.value_and_grad(lambda x: pj.cross_entropy(x, 1))(x[0, 0])
    np.testing.assert_allclose(one[0], -jax.nn.log_softmax(x[0, 0])[1], rtol=1e-6)
    none = jax.value_and_grad(lambda x: pj.cross_entropy(x, y[0, :0], reduction="mean"))
    assert (float(none(x[0, :0])[0]), none(x[0, :0])[1].shape) == (0, (0, 1000))


def test_labels_that_are_no_class_while_traced():
    y = jnp.asarray([0, -1, C, 1, 2**31 - 1])
    keep = jnp.asarray([True, True, True, True, False])

    @jax.jit
    def found(y):
        grad = jax.grad(lambda x: pj.cross_entropy(x, y, where=keep, reduction="sum"))
        return pj.cross_entropy(NORMAL, y, where=keep), grad(jnp.asarray(NORMAL, "bfloat16"))

    loss, slope = found(y)
    assert jnp.isnan(loss).tolist() == [False, True, True, False, False]
    for at_fault in (jnp.isnan(slope).all(axis=1), jnp.isnan(slope).any(axis=1)):
        assert at_fault.tolist() == [False, True, True, False, False]


def test_a_program_that_is_exported_has_no_kernel():
    step = jax.jit(jax.value_and_grad(lambda x: pj.cross_entropy(x, Y, reduction="mean")))
    x = jnp.asarray(NORMAL)
    for platforms in (["cpu"], ["cpu", "cuda"]):
        exported = jax.export.export(step, platforms=platforms)(x)
        assert "plogq_rows" not in exported.mlir_module()
        for a, b in zip(exported.call(x), step(x), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-13)


def test_a_caller_may_allow_the_kernel_in_what_is_exported():
    step = jax.jit(jax.value_and_grad(lambda x: pj.cross_entropy(x, Y, reduction="mean")))
    x = jnp.asarray(NORMAL)
    allowed = [jax.export.DisabledSafetyCheck.custom_call("plogq_rows")]
    with pj.engine("native"):
        with pytest.raises(ValueError, match="plogq_rows"):
            jax.export.export(step, platforms=["cpu"])(x)
        exported = jax.export.export(step, platforms=["cpu"], disabled_checks=allowed)(x)
    again = jax.export.deserialize(exported.serialize())
    assert "plogq_rows" in again.mlir_module()
    for a, b in zip(again.call(x), step(x), strict=True):
        np.testing.assert_array_equal(a, b)


HIDDEN, MATRIX = RNG.normal(size=(7, 3)), RNG.normal(size=(C, 3))


@pytest.mark.parametrize("classes", [C, 1000])
def test_a_row_of_nan_predicts_no_class_by_either_engine(classes):
    x = np.zeros((3, classes))
    x[0], x[1, 2], x[2, 1] = NAN, NAN, 1
    for name in ("native", "xla"):
        with pj.engine(name):
            _, found = pj.cross_entropy(x, np.array([0, 2, 1]), return_stats=True)
        assert found.argmax.tolist() == [-1, -1, 1]
        assert float(found.accuracy) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("workspace", "dtype"),
    [
        (1, "float64"),
        (2**28, "bfloat16"),
        (1, "bfloat16"),
        (2**28, "float64"),
    ],
)
@pytest.mark.slow  # each case is compiled by XLA many times
def test_the_head_by_both_engines_and_from_all_logits(workspace, dtype):
    """In one piece and in pieces of a row; gradients, that of row weights too, and theirs."""
    h, m, b = (jnp.asarray(a, dtype) for a in (HIDDEN, MATRIX, np.arange(C) / 4))
    y, v = jnp.arange(7) % C, jnp.arange(7.0)
    options = {"label_smoothing": 0.1, "z_loss": 0.2, "softcap": 9.0, "where": y != 2}
    options |= {"reduction": "mean", "return_stats": True}

    def head(h, m, b, v):
        asked = options | {"row_weight": v, "class_weight": W, "workspace": workspace}
        return pj.linear_cross_entropy(h, m, y, b, **asked)

    def all_logits(h, m, b, v):
        x = jnp.matmul(h, m.T, preferred_element_type=None if dtype == "float64" else jnp.float32)
        return pj.cross_entropy(x + b, y, row_weight=v, weight=W, **options)

    def derived(loss):
        grad = jax.value_and_grad(loss, (0, 1, 2, 3), has_aux=True)
        bend = jax.grad(lambda *a: sum(jnp.sin(g).sum() for g in grad(*a)[1][:3]), (0, 1))
        return jax.jit(lambda *a: (grad(*a), bend(*a)))(h, m, b, v)

    found = []
    for name in ("native", "xla"):
        with pj.engine(name):
            found.append(derived(head))
    expected = derived(all_logits)
    bound = {"rtol": 1e-11, "atol": 1e-13} if dtype == "float64" else {"rtol": 0.05, "atol": 0.05}
    for answer in found:
        assert jax.tree.map(jnp.shape, answer) == jax.tree.map(jnp.shape, expected)
        for a, e in zip(jax.tree.leaves(answer), jax.tree.leaves(expected), strict=True):
            pair = (np.asarray(x, np.float64) for x in (a, e))
            np.testing.assert_allclose(*pair, **bound)
    assert engines_of(head, h, m, b, v) == ["native"]
    assert engines_of(pj.linear_cross_entropy, h, m, y) == ["xla"]
