"""jit, vmap, scan, checkpoint, second derivatives, export and several devices."""

import os
import subprocess
import sys

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest

import plogq.jax as pj

pytestmark = pytest.mark.slow  # each case is compiled by XLA

RNG = np.random.default_rng(3)
X = jnp.asarray(RNG.normal(size=(4, 5))).at[0, 4].set(-jnp.inf)
OTHER = jnp.asarray(RNG.normal(size=(4, 5))).at[0, 4].set(-jnp.inf)
Y = jnp.asarray([0, 1, 4, 2])
T = jnp.asarray(RNG.dirichlet(np.ones(5), 4)).at[0].set(jnp.asarray([0.5, 0.25, 0.25, 0, 0]))
Z = jnp.asarray(RNG.normal(size=(4, 5)))
W = jnp.asarray([0.5, 2.0, 1.0, 0.25, 3.0])
BENT = {"weight": W, "label_smoothing": 0.1, "z_loss": 0.2, "temperature": 1.5, "softcap": 4.0}
LOSSES = {
    "labels": lambda x: pj.cross_entropy(x, Y),
    "distributions, bent": lambda x: pj.cross_entropy(x, T, **BENT),
    "focal": lambda x: pj.focal_loss(x, Y, 1.5, **BENT),
    "generalised": lambda x: pj.generalised_cross_entropy(x, Y, 0.4, **BENT),
    "Poly-1": lambda x: pj.poly_loss(x, T, -0.5, **BENT),
    "Brier": lambda x: pj.brier_loss(x, Y, temperature=1.5),
    "distillation": lambda x: pj.distillation_loss(x, OTHER, Y, alpha=0.3),
    "penalty": lambda x: pj.confidence_penalty(x, temperature=1.5),
    "JS": lambda x: pj.js_divergence_loss(x, OTHER),
    "JS of 0.1": lambda x: pj.js_divergence_loss(OTHER, x, beta=0.1, temperature=1.5),
    "JS of 0": lambda x: pj.js_divergence_loss(x, OTHER, beta=0),
    "reverse KL": lambda x: pj.reverse_kl_loss(OTHER, x, temperature=1.5),
    "reverse KL to the truth": lambda x: pj.reverse_kl_loss(x, OTHER),
    "binary": lambda x: pj.sigmoid_binary_cross_entropy(jnp.where(x > -9, x, 0), T).sum(-1),
    "binary focal": lambda x: pj.binary_focal_loss(jnp.where(x > -9, x, 0), T, 1.5, 0.3).sum(-1),
    "asymmetric": lambda x: pj.asymmetric_loss(
        jnp.where(x > -9, x, 0), T, 2.5, 1.0, 0.3, pos_weight=2.0, label_smoothing=0.1
    ).sum(-1),
    "Gaussian": lambda x: pj.gaussian_kl(jnp.where(x > -9, x, 0), Z),
}


FIRST = ("labels", "distributions, bent", "binary")
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in LOSSES if name not in FIRST]


@pytest.mark.matrix
@pytest.mark.parametrize("name", [*FIRST, *SLOW])
def test_derivatives_of_first_and_second_order(name):
    """Along one direction, forward over reverse and reverse over reverse."""
    loss = jax.jit(lambda x: LOSSES[name](x).sum())
    grad = jax.jit(jax.grad(loss))
    along = jnp.where(jnp.isfinite(X), jnp.cos(jnp.arange(20.0)).reshape(4, 5), 0.0)
    step = 1e-5 * along
    slope = (loss(X + step) - loss(X - step)) / 2e-5
    bend = (grad(X + step) - grad(X - step)) / 2e-5

    @jax.jit
    def derivatives(x):
        _, forward = jax.jvp(loss, (x,), (along,))
        _, over = jax.jvp(jax.grad(loss), (x,), (along,))
        back = jax.grad(lambda x: jnp.vdot(jax.grad(loss)(x), along))(x)
        return forward, over, back

    forward, over, back = derivatives(X)
    np.testing.assert_allclose(jnp.vdot(grad(X), along), forward, rtol=1e-12)
    np.testing.assert_allclose(forward, slope, rtol=1e-7)
    np.testing.assert_allclose(over, bend, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(back, over, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["distributions, bent", "JS", "binary"])
def test_through_other_transformations(name):
    loss = LOSSES[name]
    grad = jax.grad(lambda x: loss(x).sum())
    batch = jnp.stack([X, X + 1])

    @jax.jit
    def each_way(batch):
        kept = jax.grad(lambda x: jax.checkpoint(loss)(x).sum())
        _, scanned = jax.lax.scan(lambda _, x: (None, grad(x)), None, batch)
        return jax.vmap(grad)(batch), scanned, jnp.stack([kept(batch[0]), kept(batch[1])])

    expected = [grad(x) for x in batch]
    for found in each_way(batch):
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)


def test_what_else_can_be_learned():
    """Distributions, class weights, row weights: by their own derivative, never by 0 · inf."""
    x = X.at[1].set(jnp.asarray([0.0, -jnp.inf, 1.0, 0.0, 0.0]))

    def loss(t, w, v):
        return pj.cross_entropy(x, t, weight=w, row_weight=v, validate=False).sum()

    t = T.at[1].set(jnp.asarray([0.5, 0, 0.5, 0, 0]))
    v = jnp.asarray([1.0, 0.5, 0.0, 2.0])
    cost = jnp.where(jnp.isinf(x), 0.0, jax.nn.logsumexp(x, 1, keepdims=True) - x)
    to_t, to_w, to_v = jax.grad(loss, (0, 1, 2))(t, W, v)
    np.testing.assert_allclose(to_t, W * cost * v[:, None], rtol=1e-12)
    np.testing.assert_allclose(to_w, (t * cost * v[:, None]).sum(0), rtol=1e-12)
    np.testing.assert_allclose(to_v, (W * t * cost).sum(1), rtol=1e-12)
    teacher = jax.grad(lambda a: pj.distillation_loss(X, a).sum())(OTHER)
    assert not teacher.any()
    both = jax.grad(lambda a, b: pj.js_divergence_loss(a, b).sum(), (0, 1))(X, OTHER)
    turned = jax.grad(lambda a, b: pj.js_divergence_loss(b, a).sum(), (0, 1))(X, OTHER)
    np.testing.assert_allclose(both, turned, rtol=1e-9, atol=1e-15)


def test_export():
    loss = jax.jit(lambda x, y: pj.cross_entropy(x, y, label_smoothing=0.1, reduction="mean"))
    for shape in ("4, 5", "n, 5"):
        scope = jax.export.SymbolicScope()
        x = jax.ShapeDtypeStruct(jax.export.symbolic_shape(shape, scope=scope), X.dtype)
        y = jax.ShapeDtypeStruct(x.shape[:1], Y.dtype)
        exported = jax.export.export(loss)(x, y)
        assert float(exported.call(X, Y)) == pytest.approx(float(loss(X, Y)), rel=1e-14)
        found = jax.grad(exported.call)(X, Y)
        np.testing.assert_allclose(found, jax.grad(loss)(X, Y), rtol=1e-12, atol=1e-15)


EXPORTED = {
    "labels": pj.cross_entropy,
    "distributions": lambda x, y, **options: pj.cross_entropy(x, jax.nn.one_hot(y, 5), **options),
    "binary": lambda x, y, **options: pj.binary_focal_loss(x, jax.nn.one_hot(y, 5), **options),
    "head": lambda x, y, **options: pj.linear_cross_entropy(jnp.tanh(x), jnp.eye(5), y, **options),
}


@pytest.mark.parametrize("name", EXPORTED)
def test_what_is_exported_can_be_kept(name):
    loss = jax.jit(lambda x, y: EXPORTED[name](x, y, reduction="mean"))
    kept = jax.export.export(loss)(X, Y).serialize()
    found = jax.export.deserialize(kept).call(X, Y)
    assert float(found) == pytest.approx(float(loss(X, Y)), rel=1e-6)


def test_no_call_of_the_host_in_a_compiled_loss():
    text = jax.jit(jax.grad(lambda x: LOSSES["focal"](x).sum())).lower(X).as_text()
    assert "callback" not in text


def test_engines():
    assert pj.explain(pj.brier_loss, X, Y).startswith("xla answers")
    with pj.engine("xla"):
        assert pj.explain(pj.cross_entropy, X, Y) == "xla answers"
    with pytest.raises(ValueError, match="engine must be one of 'native', 'xla'; got 'cuda'"):
        pj.engine("cuda").__enter__()


ON_FOUR_DEVICES = """
import jax, jax.numpy as jnp, numpy as np, plogq.jax as pj
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P

assert len(jax.devices()) == 4
refusal = pj.explain(pj.cross_entropy, jnp.zeros((2, 3)), jnp.arange(2))
assert "may lie on several devices" in refusal
mesh = Mesh(np.array(jax.devices()), ("rows",))
rng = np.random.default_rng(0)
x, y = jnp.asarray(rng.normal(size=(8, 5)), jnp.float32), jnp.asarray(rng.integers(5, size=8))
keep = jnp.asarray([1, 1, 0, 1, 0, 0, 1, 1]) > 0  # uneven over the devices
whole = jax.value_and_grad(lambda x: pj.cross_entropy(x, y, where=keep, reduction="mean"))(x)

def part(x, y, keep):
    count = jax.lax.psum(keep.sum(), "rows")
    loss = pj.cross_entropy(x, y, where=keep, reduction="mean", denominator=count, z_loss=0.0)
    return jax.lax.psum(loss, "rows")

in_specs = (P("rows"), P("rows"), P("rows"))
parted = jax.jit(jax.shard_map(part, mesh=mesh, in_specs=in_specs, out_specs=P()))
found = jax.value_and_grad(lambda x: parted(x, y, keep))(x)
for a, b in zip(found, whole):
    np.testing.assert_allclose(a, b, rtol=2e-6, atol=1e-8)

for spec in (P("rows"), P(None, "rows")):  # rows, then classes, over the devices
    many = jnp.asarray(rng.normal(size=(8, 12)), jnp.float32)
    placed = jax.device_put(many, NamedSharding(mesh, spec))
    labels = jax.device_put(y, NamedSharding(mesh, P(*spec[:1])))
    for loss in (pj.cross_entropy, pj.brier_loss, pj.focal_loss):
        np.testing.assert_allclose(loss(placed, labels), loss(many, y), rtol=2e-6)
        soft = jax.nn.one_hot(labels, 12)
        np.testing.assert_allclose(loss(placed, soft), loss(many, y), rtol=2e-6)
    gradient = jax.jit(jax.grad(lambda x: pj.cross_entropy(x, labels).sum()))(placed)
    assert gradient.sharding.is_equivalent_to(placed.sharding, 2), gradient.sharding
try:
    pj.cross_entropy(jax.device_put(x, NamedSharding(mesh, P("rows"))), y + 5)
except ValueError as error:
    print(error)
"""


@pytest.mark.slow
def test_four_devices():
    done = subprocess.run(
        [sys.executable, "-c", ON_FOUR_DEVICES],
        env={**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=4"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("target must be a class index in [0, 5)")
