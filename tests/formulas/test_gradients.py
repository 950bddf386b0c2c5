"""Gradients against difference quotients in mpmath, and against automatic differentiation."""

from functools import partial

import numpy as np
import pytest

from plogq import formulas as f
from tests import oracles
from tests.formulas.backends import JAX, TORCH, to_numpy
from tests.formulas.calls import LOSSES, PROB, TABLES, P, Q
from tests.optional import optional
from tests.oracles import Softmax, derivative, exact, mp, one_hot, smoothed

jax, torch = optional("jax"), optional("torch")

X = np.array([1.5, -0.75, 3.0, 0.125])
TEACHER = np.array([0.5, 2.0, -1.0, 0.0])
SOFT = np.array([0.5, 0.25, 0.125, 0.125])
WEIGHT = np.array([1.0, 2.0, 0.25, 3.0])
PROBS = np.array([0.5, 0.125, 0.25, 0.125])
HARD = np.array(one_hot(2, 4))
GCE = [{"q": q} for q in (0.0, 1e-300, 1e-9, 0.5, 1.0)]
POLY = [{"epsilon": e} for e in (-1.0, -0.25, 0.0, 2.0)]


def weighted(t, smoothing=0.0):
    """u = w t."""
    return [a * b for a, b in zip(exact(WEIGHT), smoothed(t, X, smoothing), strict=True)]


def softmax_cases():
    ce, focal = oracles.cross_entropy_from_logits, oracles.focal_from_logits
    for kind, target, t in (
        ("index", 2, HARD),
        ("index off", 0, one_hot(0, 4)),
        ("soft", SOFT, SOFT),
    ):
        yield (
            f"cross-entropy {kind}",
            partial(f.cross_entropy_from_logits, target=target),
            (lambda x, t=t: ce(x, t)),
        )
        yield (
            f"weighted, smoothed {kind}",
            partial(
                f.cross_entropy_from_logits, target=target, weight=WEIGHT, label_smoothing=0.25
            ),
            lambda x, t=t: ce(x, weighted(t, 0.25)),
        )
        for gamma in (0.0, 0.5, 2.0):
            yield (
                f"focal {gamma} {kind}",
                partial(
                    f.focal_from_logits,
                    target=target,
                    gamma=gamma,
                    weight=WEIGHT,
                    label_smoothing=0.25,
                ),
                lambda x, t=t, gamma=gamma: focal(x, weighted(t, 0.25), gamma),
            )
        for loss, oracle, parameters in (
            (f.generalised_cross_entropy_from_logits, oracles.generalised_from_logits, GCE),
            (f.poly_from_logits, oracles.poly_from_logits, POLY),
        ):
            for options in parameters:
                yield (
                    f"{loss.__name__} {options} {kind}",
                    partial(loss, target=target, weight=WEIGHT, label_smoothing=0.25, **options),
                    lambda x, t=t, oracle=oracle, options=options: oracle(
                        x, weighted(t, 0.25), **options
                    ),
                )
        yield (
            f"squared error {kind}",
            partial(f.squared_error_from_logits, target=target),
            lambda x, t=t: oracles.squared_error_from_logits(x, t),
        )
    for temperature in (1.0, 2.5):
        yield (
            f"distillation {temperature}",
            partial(f.distillation_from_logits, teacher_logits=TEACHER, temperature=temperature),
            lambda x, T=temperature: mp.mpf(T) ** 2 * oracles.kl_from_logits(TEACHER, x, T),
        )
    yield (
        "KL",
        lambda x: f.kl_divergence_from_logits(TEACHER, x),
        lambda x: oracles.kl_from_logits(TEACHER, x),
    )
    for temperature in (1.0, 2.5):
        yield (
            f"reverse KL {temperature}",
            partial(f.reverse_kl_from_logits, TEACHER, temperature=temperature),
            lambda x, T=temperature: oracles.kl_from_logits(x, TEACHER, T),
        )
        for beta in (0.0, 1e-9, 0.1, 0.5, 0.9, 1.0):
            yield (
                f"JS {beta} {temperature}",
                partial(f.js_divergence_from_logits, TEACHER, beta=beta, temperature=temperature),
                lambda x, T=temperature, beta=beta: oracles.js_from_logits(TEACHER, x, beta, T),
            )
    yield "z-loss", f.z_loss_from_logits, lambda x: oracles.logsumexp(x) ** 2


SOFTMAX_CASES = list(softmax_cases())


@pytest.mark.parametrize(
    ("loss", "oracle"),
    [case[1:] for case in SOFTMAX_CASES],
    ids=[case[0] for case in SOFTMAX_CASES],
)
@pytest.mark.parametrize(
    "x", [X, X + 100, np.array([2.0, 2.0, 2.0, 1.0])], ids=["x", "far", "ties"]
)
def test_gradient_in_logits(loss, oracle, x):
    value, grad = loss(x)
    assert float(value) == pytest.approx(float(oracle(exact(x))), rel=1e-13)
    right = [float(derivative(oracle, x, k)) for k in range(len(x))]
    assert grad == pytest.approx(right, rel=1e-12, abs=1e-15)


BINARY = {
    "cross-entropy": (
        partial(f.binary_cross_entropy_from_logits, pos_weight=3.0),
        lambda z, t: oracles.binary_cross_entropy_from_logits(z, t, 3),
    ),
    "cross-entropy, smoothed": (
        partial(f.binary_cross_entropy_from_logits, pos_weight=3.0, label_smoothing=0.25),
        lambda z, t: oracles.binary_cross_entropy_from_logits(z, t * 3 / 4 + mp.mpf(1) / 8, 3),
    ),
    "focal, smoothed": (
        partial(f.binary_focal_from_logits, gamma=2, pos_weight=3.0, label_smoothing=0.25),
        lambda z, t: oracles.binary_focal_from_logits(z, t * 3 / 4 + mp.mpf(1) / 8, 2, yes=3),
    ),
    "asymmetric": (f.asymmetric_from_logits, oracles.asymmetric_from_logits),
    "asymmetric without focus": (
        partial(f.asymmetric_from_logits, gamma_neg=0, gamma_pos=0, margin=0.25, pos_weight=3.0),
        partial(oracles.asymmetric_from_logits, gamma_neg=0, gamma_pos=0, margin=0.25, yes=3),
    ),
    "asymmetric without margin": (
        partial(f.asymmetric_from_logits, gamma_neg=0.5, margin=0.0),
        partial(oracles.asymmetric_from_logits, gamma_neg=0.5, margin=0),
    ),
    "focal 2": (f.binary_focal_from_logits, partial(oracles.binary_focal_from_logits, gamma=2)),
    "focal 0.5, alpha": (
        partial(f.binary_focal_from_logits, gamma=0.5, alpha=0.25),
        partial(oracles.binary_focal_from_logits, gamma=0.5, yes=0.25, no=0.75),
    ),
}


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("target", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("z", [-20.0, -0.5, 0.5, 3.0])
def test_gradient_in_a_logit(name, z, target):
    loss, oracle = BINARY[name]
    value, grad = loss(np.array(z), np.array(target))

    def of(x):
        return oracle(x[0], mp.mpf(target))

    assert float(value) == pytest.approx(float(of(exact([z]))), rel=1e-13)
    assert float(grad) == pytest.approx(float(derivative(of, [z], 0)), rel=1e-12)


@pytest.mark.parametrize("t", [HARD, SOFT], ids=["hard", "soft"])
def test_gradient_in_probabilities(t):
    """Each probability moves alone, off the simplex."""

    def cross_entropy(q):
        return sum(
            a * b for a, b in zip(exact(WEIGHT), oracles.cross_entropy_terms(t, q), strict=True)
        )

    def brier(q):
        return sum((a - b) ** 2 for a, b in zip(exact(q), exact(t), strict=True))

    for (value, grad), oracle in (
        (f.cross_entropy_from_probs(PROBS, t, weight=WEIGHT), cross_entropy),
        (f.squared_error_from_probs(PROBS, t), brier),
    ):
        assert float(value) == pytest.approx(float(oracle(PROBS)), rel=1e-14)
        assert grad == pytest.approx(
            [float(derivative(oracle, PROBS, k)) for k in range(4)], rel=1e-14
        )


@pytest.mark.parametrize("t", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("p", [0.125, 0.75])
def test_gradient_in_a_probability(p, t):
    for (value, grad), oracle in (
        (
            f.binary_cross_entropy_from_probs(np.array(p), np.array(t)),
            lambda x: oracles.cross_entropy([t, 1 - t], [x[0], 1 - x[0]]),
        ),
        (f.squared_error(np.array(p), np.array(t)), lambda x: (x[0] - t) ** 2),
    ):
        assert float(value) == pytest.approx(float(oracle(exact([p]))), rel=1e-14)
        assert float(grad) == pytest.approx(float(derivative(oracle, [p], 0)), rel=1e-14)


def by_torch(function, argument, args):
    tensors = [TORCH.asarray(x) for x in args]
    tensors[argument].requires_grad_()
    function(*tensors).sum().backward()
    return to_numpy(tensors[argument].grad)


def by_jax(function, argument, args):
    arrays = [JAX.asarray(x) for x in args]
    return to_numpy(jax.jit(jax.grad(lambda *a: function(*a).sum(), argument))(*arrays))


OF_THE_SECOND = (
    "kl_divergence_from_logits",
    "reverse_kl_from_logits",
    "js_divergence_from_logits",
)
AUTODIFF = pytest.mark.parametrize("autodiff", [by_torch, by_jax], ids=["torch", "jax"])


@AUTODIFF
@pytest.mark.parametrize("call", LOSSES, ids=str)
def test_differentiated_value_is_the_gradient(autodiff, call):
    """Through the value itself, masked classes and p = 0 included."""
    argument = 1 if call.name in OF_THE_SECOND else 0
    grad = call.function(*call.args).grad
    auto = autodiff(lambda *args: call.function(*args).value, argument, call.args)
    np.testing.assert_allclose(auto, grad, rtol=1e-10, atol=1e-12)


@AUTODIFF
@pytest.mark.parametrize(
    "loss",
    [
        lambda x: f.cross_entropy_from_logits(x, [0]),
        lambda x: f.cross_entropy_from_logits(x, [2]),
        lambda x: f.focal_from_logits(x, [1]),
        lambda x: f.focal_from_logits(x, [0], gamma=0.5),
        lambda x: f.generalised_cross_entropy_from_logits(x, [0], q=0.5),
        lambda x: f.generalised_cross_entropy_from_logits(x, [1], q=1e-300),
        lambda x: f.poly_from_logits(x, [0], epsilon=-1.0),
        lambda x: f.poly_from_logits(x, [2]),
        lambda x: f.squared_error_from_logits(x, [1]),
        f.z_loss_from_logits,
    ],
)
@pytest.mark.parametrize(
    "x", [[1.0, 1.0, 1.0], [1.0, 1.0, 0.0], [900.0, 0.0, -900.0]], ids=["tied", "two tied", "sure"]
)
def test_differentiated_at_ties_and_certainty(autodiff, loss, x):
    x = np.array([x])
    auto = autodiff(lambda x: loss(x).value, 0, [x])
    np.testing.assert_allclose(auto, loss(x).grad, rtol=1e-12, atol=1e-15)


@AUTODIFF
@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("z", [0.0, 1000.0, -1000.0])
def test_differentiated_binary_losses_at_zero_and_certainty(autodiff, gamma, z):
    """At z = 0, |z| has no derivative and the loss has."""
    z, t = np.array([z, z]), np.array([0.0, 1.0])
    for loss in (
        f.binary_cross_entropy_from_logits,
        partial(f.binary_focal_from_logits, gamma=gamma),
    ):
        auto = autodiff(lambda z, loss=loss: loss(z, t.tolist()).value, 0, [z])
        np.testing.assert_allclose(auto, loss(z, t).grad, rtol=1e-12)
    p = to_numpy(f.sigmoid(z))
    np.testing.assert_allclose(autodiff(f.sigmoid, 0, [z]), p * (1 - p), rtol=1e-12)


@AUTODIFF
def test_differentiated_normaliser(autodiff):
    for x in ([2.0, 2.0, -1.0], [-np.inf, 0.0, 3.0], [700.0, -700.0, 0.0]):
        x = np.array(x)
        np.testing.assert_allclose(autodiff(f.logsumexp, 0, [x]), f.softmax(x), rtol=1e-14)


def finite(x):
    """Automatic differentiation takes what is infinite at p = 0 for 0: a term that is not there."""
    return np.where(np.isfinite(x), x, 0.0)


def log(x):
    return np.log(np.where(x > 0, x, 1.0))


M = (P + Q) / 2
ROWS_OF_P = np.exp(f.entropy(P))[:, None]
CONDITIONAL = log(TABLES.sum(-1, keepdims=True)) - log(TABLES)
DERIVATIVES = {
    "surprisal": (
        f.surprisal,
        0,
        (Q,),
        -finite(1 / np.where(Q > 0, Q, np.inf)),
    ),
    "entropy": (f.entropy, 0, (P,), np.where(P > 0, -log(P) - 1, 0)),
    "entropy of the certain": (f.entropy, 0, (np.array([1.0, 0]),), np.array([-1.0, 0])),
    "cross-entropy in q": (f.cross_entropy, 1, (P, Q), -finite(P / np.where(Q > 0, Q, 1))),
    "cross-entropy at q = 1": (f.cross_entropy, 1, (np.eye(2), np.eye(2)), -np.eye(2)),
    "perplexity": (f.perplexity, 0, (P,), ROWS_OF_P * np.where(P > 0, -log(P) - 1, 0)),
    "KL in p": (f.kl_divergence, 0, (P, Q), np.where(P > 0, log(P) - log(Q), 0)),
    "KL in q": (f.kl_divergence, 1, (P, Q), np.where(Q > 0, 1 - P / np.where(Q > 0, Q, 1), 0)),
    "KL at p = q": (f.kl_divergence, 1, (Q, Q), np.zeros_like(Q)),
    "JS": (f.js_divergence, 0, (P, Q), np.where(P > 0, log(P) - log(M), 0) / 2),
    "JS of weights": (
        partial(f.js_divergence, weights=[0.25, 0.75]),
        0,
        (P, Q),
        np.where(P > 0, log(P) - log((P + 3 * Q) / 4), 0) / 4,
    ),
    "conditional entropy": (f.conditional_entropy, 0, (TABLES,), CONDITIONAL),
    "ELBO in the mean": (f.elbo, 1, (PROB, P, Q), -P),
    "ELBO in the log-variance": (f.elbo, 2, (PROB, Q, P), -np.expm1(P) / 2),
    "ELBO in the reconstruction": (f.elbo, 0, (PROB, P, Q), np.ones_like(PROB)),
}


@AUTODIFF
@pytest.mark.parametrize("name", DERIVATIVES)
def test_differentiated_measure(autodiff, name):
    measure, argument, args, right = DERIVATIVES[name]
    auto = autodiff(measure, argument, args)
    assert np.all(np.isfinite(auto))
    inside = args[argument] > 0
    np.testing.assert_allclose(auto[inside], right[inside], rtol=1e-10, atol=1e-12)


def test_torch_tensors_that_need_a_gradient_are_refused_quietly():
    """Showing what came must not warn about autograd."""
    with pytest.raises(ValueError, match=r"p must sum to 1 .*\[0.5, 0.75\]"):
        f.entropy(torch.tensor([0.5, 0.75], requires_grad=True))


def test_softmax_oracle_adds_up():
    s = Softmax(X)
    assert float(sum(s.probs)) == 1
    assert all(abs(p + miss - 1) < 1e-70 for p, miss in zip(s.probs, s.complements, strict=True))
