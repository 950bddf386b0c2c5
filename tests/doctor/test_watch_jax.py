"""The doctor beside a training of JAX: it sees what the loss is given, and changes nothing."""

import itertools

import numpy as np
import pytest

jax = pytest.importorskip("jax")
import jax.numpy as jnp  # noqa: E402
import optax  # noqa: E402

from plogq.doctor.finding import Diagnosis  # noqa: E402
from plogq.doctor.jax import watch  # noqa: E402

KEYS = jax.random.split(jax.random.key(0), 20)
X, Y = jax.random.normal(KEYS[0], (32, 8)), jnp.arange(32) % 4
cross_entropy = optax.softmax_cross_entropy_with_integer_labels


def weights(*sizes):
    pairs = itertools.pairwise(sizes)
    return [
        {"w": jax.random.normal(key, pair) / pair[0] ** 0.5, "b": jnp.zeros(pair[1])}
        for key, pair in zip(KEYS[1:], pairs, strict=False)
    ]


def net(params, x, activation=jax.nn.relu):
    for layer in params[:-1]:
        x = activation(x @ layer["w"] + layer["b"])
    return x @ params[-1]["w"] + params[-1]["b"]


def healthy(params, x, y):
    return cross_entropy(net(params, x), y).mean()


def trained(loss, params, *batch, look=None, steps=4, **options):
    """Train, and return the weights and the losses; `look` sees each step before it."""
    losses = []
    step = jax.jit(jax.value_and_grad(loss, **options))
    for _ in range(steps):
        if look is not None:
            look(params, *batch)
        value, gradient = step(params, *batch)
        losses.append(float(value[0] if options else value))
        params = jax.tree.map(lambda w, g: w - 0.1 * g, params, gradient)
    return params, losses


def codes(d):
    return [each.code for each in d.diagnosis.findings]


def said(d):
    return [each.reason for each in d.diagnosis.unread]


def found_in(loss, params=None, x=X, y=Y, **options):
    """Return what is found by a look at one step."""
    with watch(loss, **options) as d:
        d.look(weights(8, 16, 4) if params is None else params, x, y)
    assert said(d) == []
    return codes(d)


def test_a_healthy_training_is_the_same_and_nothing_is_found():
    start = weights(8, 16, 4)
    alone, losses = trained(healthy, start, X, Y)
    with watch(healthy, untrained=True) as d:
        watched, seen = trained(healthy, start, X, Y, look=d.look)
        for each in seen:
            d.add_loss(each)
    assert seen == losses
    assert all(map(np.array_equal, jax.tree.leaves(watched), jax.tree.leaves(alone)))
    assert (codes(d), said(d)) == ([], [])
    assert "4 calls of the loss healthy, 3 of them repeated" in str(d)
    assert d.diagnosis.not_run["PQ214"] == "a loss of JAX does not show it"
    assert Diagnosis.read(d.diagnosis.to_document()) == d.diagnosis


def test_gradients_at_layers_are_those_of_jax():
    params = weights(8, 16, 4)
    with watch(healthy, probes=False) as d:
        d.look(params, X, Y)
    (step,) = d._looked

    def shifted(first, last):
        hidden = jax.nn.relu(X @ params[0]["w"] + first + params[0]["b"])
        logits = hidden @ params[1]["w"] + last + params[1]["b"]
        return cross_entropy(logits, Y).mean()

    right = jax.grad(shifted, (0, 1))(jnp.zeros((32, 16)), jnp.zeros((32, 4)))
    assert [each.name for each in step.layers] == ["0/w", "1/w"]
    for layer, gradient in zip(step.layers, right, strict=True):
        assert layer.norm == pytest.approx(float(jnp.linalg.norm(gradient)), rel=1e-5)
    (activation,) = step.activations
    assert (activation.kind, activation.units) == ("relu", 16)
    assert activation.name.startswith("test_watch_jax.py:")


@pytest.mark.slow
def test_a_softmax_before_the_loss():
    def twice(params, x, y):
        return cross_entropy(jax.nn.softmax(net(params, x)), y).mean()

    assert found_in(twice, probes=False) == ["PQ101"]


def test_labels_that_do_not_reach_the_loss():
    def mixed(params, x, y):
        return -jax.nn.log_softmax(net(params, x)).mean(0)[y].mean()

    assert found_in(mixed) == ["PQ206"]


@pytest.mark.slow
def test_a_last_layer_that_begins_at_0_hides_the_labels_from_the_loss_alone():
    def weighed(params, x, y):
        return (cross_entropy(net(params, x), y) * jnp.linspace(0.5, 1.5, len(y))).mean()

    params = weights(8, 16, 4)
    params[-1] = jax.tree.map(jnp.zeros_like, params[-1])
    assert found_in(weighed, params) == []


def test_a_sum_is_possible_to_be_a_mistake():
    with watch(lambda p, x, y: cross_entropy(net(p, x), y).sum()) as d:
        d.look(weights(8, 16, 4), X, Y)
    (found,) = d.diagnosis.findings
    assert (found.code, found.confidence) == ("PQ207", "possible")
    assert found.evidence[1] == "whether its gradient is divided by the rows later is not seen"


@pytest.mark.slow
def test_a_chain_of_sigmoids():
    def deep(params, x, y):
        return cross_entropy(net(params, x, jax.nn.sigmoid), y).mean()

    assert "PQ201" in found_in(deep, weights(8, *[16] * 12, 4), probes=False)


@pytest.mark.slow
def test_inputs_that_do_not_arrive():
    def blind(params, x, y):
        return cross_entropy(net(params, 0 * x), y).mean()

    assert "PQ208" in found_in(blind)


def test_labels_that_are_no_class():
    assert found_in(healthy, y=Y + 1) == ["PQ107", "PQ204"]


@pytest.mark.slow
def test_where_a_number_is_not_finite_first():
    def logs(params, x, y):
        hidden = jnp.log(x @ params[0]["w"])
        return cross_entropy(hidden @ params[1]["w"], y).mean()

    with watch(logs) as d:
        d.look(weights(8, 16, 4), X, Y)
    (found,) = d.diagnosis.findings
    assert found.code == "PQ204"
    assert found.evidence[1].startswith("the first to give such numbers is test_watch_jax.py:")
    assert found.evidence[1].endswith("(log)")


def test_a_nan_of_a_later_step_is_told_without_its_place():
    with watch(healthy, steps=1, probes=False) as d:
        for value in (1.0, 0.9, float("nan")):
            d.look(weights(8, 16, 4), X, Y)
            d.add_loss(jnp.float32(value))
    (found,) = d.diagnosis.findings
    assert (found.code, found.where.what) == ("PQ204", "step 3")


@pytest.mark.slow
def test_squared_error_of_a_softmax():
    def brier(params, x, y):
        p = jax.nn.softmax(30 * net(params, x))
        return jnp.square(p - jax.nn.one_hot(y, 4)).mean()

    assert "PQ212" in found_in(brier, probes=False)


@pytest.mark.slow
@pytest.mark.parametrize("start", [1.0, 2.0])
def test_a_text_is_about_its_next_token(start):
    """A model of language has its labels in its inputs: other labels are other inputs."""
    tokens = jnp.arange(80).reshape(8, 10) % 7

    def text(params, tokens):
        logits = jax.nn.one_hot(tokens, 7) @ params["w"]
        return cross_entropy(logits[:, :-1], tokens[:, 1:]).mean()

    with watch(text) as d:
        d.look({"w": start * jax.random.normal(KEYS[3], (7, 7), jnp.float32)}, tokens)
    assert (codes(d), said(d)) == ([], [])
    ((_, values),) = d._values
    assert values.labels.size == 72


@pytest.mark.parametrize(
    "how",
    ["jit", *(pytest.param(each, marks=pytest.mark.slow) for each in
              ("eager", "vmap", "scan", "aux", "remat"))],
)  # fmt: skip
def test_the_loss_in_its_place_under_transformations(how):
    params = weights(8, 16, 4)

    def twice(params, x, y):
        loss = cross_entropy(jax.nn.softmax(net(params, x)), y).mean()
        return (loss, x.sum()) if how == "aux" else loss

    def run(loss):
        if how == "vmap":  # a gradient for each of four groups of rows
            by_group = jax.vmap(jax.value_and_grad(loss), (None, 0, 0))
            return jax.jit(by_group)(params, X.reshape(4, 8, 8), Y.reshape(4, 8))[0]
        if how == "scan":

            def step(p, _):
                value, gradient = jax.value_and_grad(loss)(p, X, Y)
                return jax.tree.map(lambda w, g: w - 0.1 * g, p, gradient), value

            return jax.lax.scan(step, params, None, length=4)[1]
        if how == "eager":
            return jax.value_and_grad(loss)(params, X, Y)[0]
        if how == "remat":
            loss = jax.checkpoint(loss)
        return trained(loss, params, X, Y, **({"has_aux": True} if how == "aux" else {}))[1]

    with watch(twice, probes=False, steps=2, has_aux=how == "aux") as d:
        found = run(d.loss)
    assert np.allclose(found, run(twice), rtol=1e-6)
    assert (codes(d), said(d)) == (["PQ101"], [])
    assert d._calls >= (1 if how == "eager" else 4)


@pytest.mark.slow
def test_random_keys_are_kept_with_the_batch():
    def noisy(params, x, y, key):
        keep = jax.random.bernoulli(key, 0.5, x.shape)
        return cross_entropy(net(params, x * keep), y).mean()

    for key in (jax.random.key(4), jax.random.PRNGKey(4)):
        with watch(noisy, steps=1, probes=False) as d:
            value = jax.jit(d.loss)(weights(8, 16, 4), X, Y, key)
        assert said(d) == []
        assert d._looked[0].loss == pytest.approx(float(value), rel=1e-6)


@pytest.mark.parametrize(
    ("loss", "params", "reason"),
    [
        (lambda p, x, y: cross_entropy(net(p, x), y), None, "it must be one number; got shape (32"),
        (healthy, [], "its first argument must hold the weights; got no array of numbers"),
        (lambda p, x, y: 1 / 0, None, "ZeroDivisionError: division by zero"),
    ],
)
def test_a_loss_that_cannot_be_looked_at_is_said_in_a_sentence(loss, params, reason):
    with watch(loss) as d:
        d.look(weights(8, 16, 4) if params is None else params, X, Y)
    (unread,) = said(d)
    assert unread.startswith(f"could not be looked at: {reason}")


def test_nothing_was_seen():
    with watch(healthy) as d:
        pass
    assert said(d) == ["was not seen: call look(params, …) in the loop, or loss in its place"]


def test_a_look_inside_of_a_transformation_is_said():
    with watch(healthy) as d:
        jax.jit(lambda p: d.look(p, X, Y))(weights(8, 4))
    assert said(d) == ["could not be looked at: inside of a transformation, call loss in its place"]


@pytest.mark.parametrize(
    ("loss", "options", "message"),
    [
        (3, {}, "loss_fn must be a function; got int"),
        (healthy, {"steps": 0}, "steps must be at least 1; got 0"),
        (healthy, {"select": ["PQ299"]}, "select must hold codes of checks"),
    ],
)
def test_what_cannot_be_watched_is_refused(loss, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        watch(loss, **options)
