"""The head beside `cross_entropy` of all its logits, in pieces that do not divide the rows."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import plogq.jax as pj

N, D, C = 7, 3, 5
RNG = np.random.default_rng(4)
H, M, B = (jnp.asarray(RNG.normal(size=shape)) for shape in ((N, D), (C, D), C))
Y = jnp.asarray([0, 1, 4, 2, -100, 3, 1])
KEEP = Y >= 0
SOFT = jnp.asarray(RNG.dirichlet(np.ones(C), N))
OPEN = jnp.arange(C)[None] < 3
W = jnp.asarray([0.5, 2.0, 1.0, 0.25, 3.0])
ROW_WEIGHT = jnp.asarray([1.0, 0.5, 0.0, 2.0, 1.0, 0.25, 1.5])
IN_PIECES = 3 * 8 * C * 8  # three rows at a time: eight arrays of float64
BENT = {
    "label_smoothing": 0.1, "z_loss": 0.2, "temperature": 1.5, "softcap": 4.0, "gamma": 1.5,
    "row_weight": ROW_WEIGHT,
}  # fmt: skip
CASES = {
    "labels": (Y, {"where": KEEP}),
    "labels, bent, a mean": (Y, {"where": KEEP, "reduction": "mean", **BENT}),
    "distributions": (SOFT, {"reduction": "mean", "denominator": 3.0, "z_loss": 0.1}),
    "classes left out": (
        SOFT * 0 + 1 / 3 * (jnp.arange(C) < 3),
        {"where": jnp.arange(C)[None] < 3},
    ),
}


def logits_loss(h, m, b, target, class_weight, **options):
    return pj.cross_entropy(h @ m.T + b, target, weight=class_weight, **options)


def head_loss(h, m, b, target, class_weight, **options):
    return pj.linear_cross_entropy(
        h, m, target, b, class_weight=class_weight, workspace=IN_PIECES, **options
    )


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name):
    target, options = CASES[name]
    found, expected = (
        jax.jit(
            jax.value_and_grad(
                lambda h, m, b, w, loss=loss: jnp.vdot(
                    row := loss(h, m, b, target, w, **options), jnp.cos(jnp.arange(row.size))
                ),
                (0, 1, 2, 3),
            )
        )(H, M, B, W)
        for loss in (head_loss, logits_loss)
    )
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-14)


def test_derivatives_forward_and_of_second_order():
    def loss(f, m):
        return f(H, m, B, Y, None, where=KEEP, z_loss=0.1).sum()

    along = jnp.sin(jnp.arange(C * D * 1.0)).reshape(C, D)
    found, expected = (
        jax.jit(lambda m, f=f: jax.jvp(jax.grad(lambda m: loss(f, m)), (m,), (along,)))(M)
        for f in (head_loss, logits_loss)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)


def test_statistics():
    given = {"where": KEEP, "return_stats": True, "temperature": 1.5}
    found, expected = (f(H, M, B, Y, None, **given) for f in (head_loss, logits_loss))
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_a_row_that_is_left_out_may_hold_anything():
    h = H.at[4].set(jnp.nan)

    def loss(h, m):
        return pj.linear_cross_entropy(h, m, Y, where=KEEP, workspace=IN_PIECES).sum()

    to_h, to_m = jax.grad(loss, (0, 1))(h, M)
    assert not to_h[4].any()
    np.testing.assert_array_equal(to_m, jax.grad(loss, 1)(H, M))


def test_halves_are_summed_in_float32():
    """Of 4,096 equal rows the gradient is a sum that bfloat16 cannot add up one by one."""
    n, c = 4096, 16
    h, m = jnp.ones((n, 2), jnp.bfloat16), jnp.zeros((c, 2), jnp.float32)
    y = jnp.zeros(n, jnp.int32)
    loss, (to_h, to_m) = jax.value_and_grad(
        lambda h, m: pj.linear_cross_entropy(h, m, y, workspace=16 * 8 * c * 4).sum(), (0, 1)
    )(h, m)
    assert (loss.dtype, to_h.dtype, to_m.dtype) == (jnp.float32, jnp.bfloat16, jnp.float32)
    np.testing.assert_allclose(loss, n * np.log(c), rtol=1e-6)
    np.testing.assert_allclose(to_m[0], n * (1 / c - 1), rtol=2**-8)
    np.testing.assert_allclose(to_m[1:], n / c, rtol=2**-8)


@pytest.mark.parametrize("options", [{}, {"z_loss": 0.1, "softcap": 9.0, "label_smoothing": 0.1}])
@pytest.mark.parametrize("reduction", ["none", "sum"])
@pytest.mark.parametrize("engine", ["native", "xla"])
def test_memory_stays_under_the_budget(engine, reduction, options):
    """What XLA says of the compiled gradient, beside that of all logits at once."""
    if (engine, reduction) == ("native", "none"):
        pytest.skip("the native engine refuses it")
    n, d, c = 512, 8, 1024
    h, m, y = (jax.ShapeDtypeStruct(*s) for s in (((n, d), "f4"), ((c, d), "f4"), ((n,), "i4")))

    def scratch(loss):
        with pj.engine(engine):
            compiled = jax.jit(jax.grad(lambda *given: loss(*given).sum(), (0, 1)))
            return compiled.lower(h, m, y).compile().memory_analysis().temp_size_in_bytes

    workspace = 32 * 8 * c * 4
    given = {"workspace": workspace, "reduction": reduction, **options}
    pieces = scratch(lambda h, m, y: pj.linear_cross_entropy(h, m, y, **given))
    # Of the matrix's gradient there are the sum and the part of a piece.
    assert workspace / 4 < pieces < workspace + 4 * (2 * c + n) * d
    whole = scratch(lambda h, m, y: pj.cross_entropy(h @ m.T, y, **options))
    assert whole >= 4 * n * c > 1.5 * workspace


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pj.linear_cross_entropy(H[0], M, Y), r"hidden must have shape \(N, D\)"),
        (lambda: pj.linear_cross_entropy(H, M[:, :2], Y), r"weight must have shape \(C, 3\)"),
        (lambda: pj.linear_cross_entropy(H, M, Y, B[:2]), r"bias must have shape \(5,\)"),
        (lambda: pj.linear_cross_entropy(H, M, Y), "target must be a class index .* row 4"),
        (lambda: pj.linear_cross_entropy(H, M, SOFT * 2), "target must sum to 1"),
        (lambda: pj.linear_cross_entropy(H, M, Y, workspace=-1), "workspace must be at least 0"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
