"""What is at fault is refused with its row, is NaN while JAX traces, and is told by checkify."""

import subprocess
import sys
from functools import partial

import jax
import jax.numpy as jnp
import pytest
from jax.experimental import checkify

import plogq.jax as pj

X = jnp.asarray([[0.3, -1.0, 0.2], [1.0, 0.0, 0.5]])
Y = jnp.asarray([0, 2])
T = jnp.asarray([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
LOG_Q = jax.nn.log_softmax(X)
Z = jnp.asarray([0.5, -0.25])

# name: (loss of what has its second row at fault, that, the message)
FAULTS = {
    "label": (
        lambda y, **o: pj.cross_entropy(X, y, **o),
        [0, 3],
        r"target must be a class index in \[0, 3",
    ),
    "negative label": (
        lambda y, **o: pj.brier_loss(X, y, **o),
        [0, -100],
        "target must be a class index",
    ),
    "negative share": (
        lambda t, **o: pj.cross_entropy(X, t, **o),
        T.at[1].set(jnp.asarray([2.0, -1, 0])),
        "probabilities",
    ),
    "short target": (
        lambda t, **o: pj.focal_loss(X, t, **o),
        T.at[1].set(0.25),
        "target must sum to 1",
    ),
    "binary label": (
        lambda t, **o: pj.sigmoid_binary_cross_entropy(Z, t, **o),
        [0.5, 1.5],
        r"in \[0, 1\]",
    ),
    "asymmetric label": (
        lambda t, **o: pj.asymmetric_loss(Z, t, label_smoothing=0.9, **o),
        [0.5, 1.02],
        r"in \[0, 1\]",
    ),
    "probability": (
        lambda p, **o: pj.binary_cross_entropy(p, jnp.asarray([1.0, 0.0]), **o),
        [0.5, -0.5],
        r"probs must be in \[0, 1\]",
    ),
    "log-probability": (
        lambda q, **o: pj.nll_loss(q, Y, **o),
        LOG_Q.at[1].set(0.7),
        "log-probabilities",
    ),
    "log-prediction": (
        lambda q, **o: pj.kl_divergence(q, T, **o),
        LOG_Q.at[1].set(0.7),
        "log_predictions must",
    ),
    "target of KL": (
        lambda t, **o: pj.kl_divergence(LOG_Q, t, **o),
        T.at[1].set(-1.0),
        "targets must be probabilities",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults(name):
    loss, bad, message = FAULTS[name]
    bad = jnp.asarray(bad)
    with pytest.raises(ValueError, match=rf"{message}.*first at row \(?1"):
        loss(bad)
    assert jnp.isnan(jax.jit(loss)(bad)).tolist() == [False, True]
    told = partial(loss, validate="checkify")
    checked = jax.jit(checkify.checkify(told, errors=checkify.user_checks))
    error, found = checked(bad)
    assert "must" in error.get()
    assert jnp.isnan(found).tolist() == [False, True]
    fine, _ = checked(bad.at[1].set(bad[0]))
    assert fine.get() is None


def test_only_what_is_asked_for_is_told_by_checkify():
    """Each call of a program with a check takes another way through JAX, which is slow."""
    for validate, effects in ((True, 0), (False, 0), ("checkify", 1)):
        loss = partial(pj.cross_entropy, validate=validate)
        assert len(jax.make_jaxpr(loss)(X, jnp.asarray([0, 2])).effects) == effects
    for loss in (pj.cross_entropy, pj.sigmoid_binary_cross_entropy, pj.kl_divergence):
        with pytest.raises(ValueError, match='validate must be True, False or "checkify"'):
            loss(X, T, validate="chex")


def test_a_gradient_at_fault_is_nan():
    gradient = jax.jit(jax.grad(lambda x, y: pj.cross_entropy(x, y, gamma=1.5).sum()))
    assert jnp.isnan(gradient(X, jnp.asarray([0, 3]))).all(axis=1).tolist() == [False, True]


def test_under_vmap():
    found = jax.vmap(pj.cross_entropy)(X, jnp.asarray([0, 3]))
    assert jnp.isnan(found).tolist() == [False, True]


def test_what_is_left_out_may_hold_anything():
    x, y = X.at[1].set(jnp.nan), jnp.asarray([0, -100])
    keep = y >= 0
    for f in (pj.cross_entropy, pj.brier_loss, pj.focal_loss):
        grad = jax.grad(lambda x, f=f: f(x, y, where=keep).sum())(x)
        assert (grad[1] == 0).all()
        assert jnp.isfinite(grad).all()
    t = T.at[1].set(jnp.nan)
    assert pj.cross_entropy(x, t, where=keep)[1] == 0
    assert pj.kl_divergence(LOG_Q.at[1].set(9.0), t, where=keep)[1] == 0
    assert pj.sigmoid_binary_cross_entropy(Z, Z.at[1].set(9.0), where=keep)[1] == 0


def test_nan_and_infinite_logits_show():
    for bad in (jnp.nan, jnp.inf):
        x = X.at[1, 0].set(bad)
        for f in (pj.cross_entropy, pj.brier_loss, lambda x, _: pj.confidence_penalty(x)):
            assert jnp.isnan(f(x, Y)).tolist() == [False, True]
    assert jnp.isnan(pj.cross_entropy(X.at[1].set(-jnp.inf), Y)).tolist() == [False, True]
    assert jnp.isnan(pj.cross_entropy(X.at[1, 0].set(jnp.inf), Y, softcap=2.0))[1]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: pj.cross_entropy([[0.0]], Y), TypeError, "logits must be an array; got list"),
        (lambda: pj.cross_entropy(Y, Y[0]), TypeError, "logits must be floating point"),
        (lambda: pj.cross_entropy(X, Y.astype(bool)), TypeError, "integers as class indices"),
        (lambda: pj.cross_entropy(X, Y[:1]), ValueError, r"class indices of shape \(2,\), or"),
        (lambda: pj.cross_entropy(X[:, :0], Y), ValueError, "at least one class"),
        (lambda: pj.cross_entropy(X, Y, 2), ValueError, "have an axis 2"),
        (lambda: pj.cross_entropy(X, Y, (1, -1)), ValueError, "have an axis"),
        (lambda: pj.cross_entropy(X, Y, where=Y), TypeError, "where must be bool"),
        (lambda: pj.cross_entropy(X, Y, where=Y[:1] > 0), ValueError, "where must have the rows'"),
        (lambda: pj.cross_entropy(X, Y, weight=Z), ValueError, r"weight must have shape \(3,\)"),
        (lambda: pj.cross_entropy(X, Y, row_weight=Z[:1]), ValueError, "row_weight must have"),
        (lambda: pj.cross_entropy(X, Y, temperature=0), ValueError, "temperature must be"),
        (lambda: pj.cross_entropy(X, Y, label_smoothing=2), ValueError, "label_smoothing must"),
        (lambda: pj.cross_entropy(X, Y, softcap=0), ValueError, "softcap must be"),
        (lambda: pj.cross_entropy(X, Y, reduction="batchmean"), ValueError, "reduction must be"),
        (lambda: pj.cross_entropy(X, Y, denominator=2), ValueError, "denominator must be given"),
        (
            lambda: pj.cross_entropy(X, Y, reduction="mean", denominator=jnp.asarray(-1)),
            ValueError, "denominator must be finite",
        ),
        (lambda: pj.brier_loss(X, Y, gamma=2.0), TypeError, "unexpected keyword argument 'gamma'"),
        (lambda: pj.softmax_cross_entropy(X, Y), ValueError, "labels must be distributions"),
        (
            lambda: pj.softmax_cross_entropy_with_integer_labels(X, T), TypeError,
            "labels must be integers",
        ),
        (lambda: pj.poly_loss_cross_entropy(X, Y), ValueError, "labels must be distributions"),
        (lambda: pj.generalised_cross_entropy(X, Y, 2.0), ValueError, r"q must be in \[0, 1\]"),
        (lambda: pj.poly_loss(X, Y, -2.0), ValueError, "epsilon must be at least -1"),
        (lambda: pj.poly_loss(X, Y, label_smoothing=2), ValueError, "label_smoothing must"),
        (lambda: pj.js_divergence_loss(X, X, beta=1.5), ValueError, r"beta must be in \[0, 1\]"),
        (lambda: pj.reverse_kl_loss(X[:1], X), ValueError, "p_logits must have the logits' shape"),
        (lambda: pj.asymmetric_loss(Z, Z, -1.0), ValueError, "gamma_neg must be at least 0"),
        (lambda: pj.asymmetric_loss(Z, Z, margin=1.0), ValueError, "margin must be at least 0"),
        (
            lambda: pj.binary_focal_loss(Z, Z, label_smoothing=2), ValueError,
            "label_smoothing must",
        ),
        (lambda: pj.distillation_loss(X, X[:1]), ValueError, "teacher must have the logits' shape"),
        (lambda: pj.sigmoid_binary_cross_entropy(Z, T), ValueError, "labels must have the shape"),
        (lambda: pj.kl_divergence(LOG_Q, T[0]), ValueError, "targets must have the shape"),
        (lambda: pj.gaussian_kl(X, X, X[:, :2]), ValueError, "q_mean must broadcast"),
    ],
)  # fmt: skip
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_denominator_that_divides_no_mean_is_nan_while_traced():
    mean = jax.jit(lambda d: pj.cross_entropy(X, Y, reduction="mean", denominator=d))
    assert jnp.isnan(mean(-1.0))
    assert mean(0.0) == pj.cross_entropy(X, Y, reduction="sum")


DEFAULT = """
import numpy as np, jax.numpy as jnp, plogq.jax as pj
x = jnp.zeros((2, 3))
print(pj.cross_entropy(x, np.array([0, 2])).dtype)
for labels in (np.array([0, 2**32]), np.array([0, 2**63], np.uint64), np.array([0, 254], np.uint8)):
    try:
        print(pj.cross_entropy(x, labels))
    except ValueError as error:
        print(error)
"""


def test_labels_of_64_bits_do_not_wrap_round():
    """Without `jax_enable_x64`, which these tests set, JAX cuts them to 32 bits."""
    done = subprocess.run(
        [sys.executable, "-c", DEFAULT], capture_output=True, text=True, check=True
    )
    first, *refused = done.stdout.splitlines()
    assert first == "float32"
    assert [line.split(";")[0] for line in refused] == [
        "target must be a class index in [0, 3)"
    ] * 3
