"""Where values cannot be looked at, what would be refused is NaN: figure and gradient."""

import numpy as np
import pytest

import plogq as f
from tests.optional import optional

jax, jnp = optional("jax"), optional("jax.numpy")

P = [[0.7, 0.2, 0.1], [0.25, 0.25, 0.5]]
BAD = {
    "negative": [[0.7, 0.2, 0.1], [1.5, -1.0, 0.5]],
    "short": [[0.7, 0.2, 0.1], [0.25, 0.25, 0.25]],
    "NaN": [[0.7, 0.2, 0.1], [np.nan, 0.5, 0.5]],
}
Y = jnp.asarray([0, 2])
X = [[4.0, 0.0, 1.0], [1.0, 2.0, 3.0]]
SHARES = [0.5, 1.5]
Z = [0.3, -0.2]
# Each has a second row at fault.
ROWS = {
    **{
        name: (call, *BAD.values())
        for name, call in {
            "entropy": f.entropy,
            "cross_entropy": lambda p: f.cross_entropy(p, jnp.asarray(P)),
            "cross_entropy of the model": lambda q: f.cross_entropy(jnp.asarray(P), q),
            "kl_divergence": lambda p: f.kl_divergence(p, jnp.asarray(P)),
            "kl_divergence of the model": lambda q: f.kl_divergence(jnp.asarray(P), q),
            "js_divergence": lambda p: f.js_divergence(p, jnp.asarray(P)),
            "mutual_information": lambda p: f.mutual_information(p[:, None, :]),
            "cross_entropy_from_probs": lambda q: f.cross_entropy_from_probs(q, Y),
            "squared_error_from_probs": lambda q: f.squared_error_from_probs(q, Y),
            "cross_entropy_from_logits": lambda t: f.cross_entropy_from_logits(jnp.asarray(X), t),
            "focal_from_logits": lambda t: f.focal_from_logits(jnp.asarray(X), t),
            "poly_from_logits": lambda t: f.poly_from_logits(jnp.asarray(X), t),
            "squared_error_from_logits": lambda t: f.squared_error_from_logits(jnp.asarray(X), t),
        }.items()
    },
    **{
        f"label of {name}": (call, [0, -1], [0, 3])
        for name, call in {
            "cross_entropy_from_probs": lambda y: f.cross_entropy_from_probs(jnp.asarray(P), y),
            "cross_entropy_from_logits": lambda y: f.cross_entropy_from_logits(jnp.asarray(X), y),
            "focal_from_logits": lambda y: f.focal_from_logits(jnp.asarray(X), y),
            "squared_error_from_logits": lambda y: f.squared_error_from_logits(jnp.asarray(X), y),
        }.items()
    },
    "surprisal": (f.surprisal, SHARES),
    "elbo": (
        lambda r: f.elbo(r, jnp.zeros((2, 3)), jnp.zeros((2, 3))), [-1.0, np.nan], [-1.0, np.inf],
    ),
    "binary_cross_entropy_from_logits": (
        lambda t: f.binary_cross_entropy_from_logits(jnp.asarray(Z), t), SHARES,
    ),
    "binary_focal_from_logits": (
        lambda t: f.binary_focal_from_logits(jnp.asarray(Z), t), SHARES,
    ),
    "asymmetric_from_logits": (
        lambda t: f.asymmetric_from_logits(jnp.asarray(Z), t), SHARES,
    ),
    "binary_cross_entropy_from_probs": (
        lambda p: f.binary_cross_entropy_from_probs(p, jnp.asarray([1.0, 0.0])), SHARES,
    ),
    "squared_error": (lambda t: f.squared_error(jnp.asarray([0.5, 0.5]), t), SHARES),
    "information_gain_from_counts": (
        f.information_gain_from_counts, [[[4.0, 0.0], [0.0, 4.0]], [[4.0, -1.0], [0.0, 4.0]]],
    ),
}  # fmt: skip


@pytest.mark.matrix
@pytest.mark.parametrize("name", ROWS)
def test_under_jit_and_vmap(name):
    call, *faults = ROWS[name]
    jitted = jax.jit(call)
    for bad in map(jnp.asarray, faults):
        with pytest.raises(ValueError, match="must"):
            call(bad)
        figures = jitted(bad)
        figures = figures if isinstance(figures, tuple) else (figures,)
        for figure in figures:
            at_fault = np.isnan(np.asarray(figure).reshape(2, -1)).all(axis=1)
            assert at_fault.tolist() == [False, True]


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_weights_under_jit(bad):
    x, y = jnp.asarray(X), Y
    weight = jnp.asarray([1.0, 1.0, bad])
    loss = jax.jit(lambda w: f.cross_entropy_from_logits(x, y, weight=w))(weight)
    assert jnp.isnan(loss.value).any()
    weighed = jax.jit(
        lambda w: f.binary_cross_entropy_from_logits(jnp.asarray(Z), jnp.ones(2), pos_weight=w)
    )
    assert jnp.isnan(weighed(jnp.asarray(bad)).value).all()


def test_an_automatic_gradient_under_jit():
    p = jnp.asarray(BAD["short"])
    gradient = jax.jit(jax.grad(lambda p: f.entropy(p).sum()))(p)
    assert jnp.isnan(gradient).all(axis=1).tolist() == [False, True]
    assert jnp.isnan(jax.vmap(f.entropy)(p)).tolist() == [False, True]
