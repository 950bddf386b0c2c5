"""One loss is another where an option says nothing; and numbers that are known exactly."""

import math

import numpy as np
import pytest

import plogq
from tests import oracles
from tests.formulas.calls import PROB, SOFT, TEACHER, P, Q, T, X, Y, Z

ONE_HOT = np.eye(X.shape[-1])[Y]
FINITE = np.where(np.isfinite(X), X, 0.0)


def same(a, b, rel=1e-14):
    np.testing.assert_allclose(a.value, b.value, rtol=rel)
    np.testing.assert_allclose(a.grad, b.grad, rtol=rel, atol=1e-15)


@pytest.mark.parametrize("target", [Y, ONE_HOT, SOFT], ids=["index", "one-hot", "soft"])
def test_options_that_say_nothing(target):
    plain = plogq.cross_entropy_from_logits(X, target)
    finite = plogq.cross_entropy_from_logits(FINITE, target)
    same(plogq.cross_entropy_from_logits(X, target, label_smoothing=0.0), plain)
    same(plogq.cross_entropy_from_logits(X, target, weight=np.ones(X.shape[-1])), plain)
    same(plogq.focal_from_logits(X, target, gamma=0.0), plain)
    same(plogq.generalised_cross_entropy_from_logits(X, target, q=0.0), plain)
    same(plogq.generalised_cross_entropy_from_logits(FINITE, target, q=1e-200), finite)
    same(plogq.poly_from_logits(X, target, epsilon=0.0), plain)
    distilled = plogq.distillation_from_logits(X, TEACHER, temperature=1.0)
    same(distilled, plogq.kl_divergence_from_logits(TEACHER, X))


@pytest.mark.parametrize(
    "loss",
    [
        plogq.cross_entropy_from_logits,
        plogq.focal_from_logits,
        plogq.generalised_cross_entropy_from_logits,
        plogq.poly_from_logits,
        plogq.squared_error_from_logits,
    ],
)
@pytest.mark.parametrize("dtype", [int, float, np.float32, bool], ids=lambda d: d.__name__)
def test_one_hot_is_index(loss, dtype):
    same(loss(X, ONE_HOT.astype(dtype)), loss(X, Y), rel=0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sure_row_keeps_its_digits_under_bent_surprisals(dtype):
    """The surprisal is 1.9e-22, below the rounding of a probability of 1."""
    x, s = np.array([0.0, -50.0], dtype), math.exp(-50)
    for q in (0.0, 1e-38, 1e-20, 0.7, 1.0):
        value, grad = plogq.generalised_cross_entropy_from_logits(x, 0, q=q)
        np.testing.assert_allclose(value, s, rtol=1e-5)
        np.testing.assert_allclose(grad, [-s, s], rtol=1e-5)
    value, grad = plogq.poly_from_logits(x, 0, epsilon=2.0)
    np.testing.assert_allclose((value, *grad), (3 * s, -3 * s, 3 * s), rtol=1e-5)
    value, _ = plogq.poly_from_logits(x.astype(np.float64), 0, epsilon=-1.0)
    np.testing.assert_allclose(value, s * s / 2, rtol=1e-12)


def test_a_masked_target_under_bent_surprisals():
    x = np.array([0.0, -np.inf, 0.0])
    value, grad = plogq.generalised_cross_entropy_from_logits(x, 1, q=0.5)
    assert value == 2
    assert not grad.any()
    for epsilon in (-1.0, 2.0):
        value, grad = plogq.poly_from_logits(x, 1, epsilon=epsilon)
        assert value == np.inf
        np.testing.assert_allclose(grad, [0.5, -1.0, 0.5])


def test_bent_surprisals_in_their_textbook_form():
    p = plogq.softmax(FINITE)[np.arange(len(Y)), Y]
    value = plogq.generalised_cross_entropy_from_logits(FINITE, Y, q=0.3).value
    np.testing.assert_allclose(value, (1 - p**0.3) / 0.3, rtol=1e-12)
    value = plogq.poly_from_logits(FINITE, Y, epsilon=-0.5).value
    np.testing.assert_allclose(value, -np.log(p) - 0.5 * (1 - p), rtol=1e-12)
    worst = plogq.generalised_cross_entropy_from_logits([0.0, -1e30], 1, q=0.25)
    assert worst.value == 4


def test_the_ends_and_the_middle_of_the_generalised_js_divergence():
    p, q = plogq.softmax(TEACHER), plogq.softmax(X)
    middle = plogq.js_divergence_from_logits(TEACHER, X)
    np.testing.assert_allclose(middle.value, plogq.js_divergence(p, q), rtol=1e-12)
    forward = plogq.kl_divergence_from_logits(TEACHER, X)
    same(plogq.js_divergence_from_logits(TEACHER, X, beta=0.0), forward)
    reverse = plogq.reverse_kl_from_logits(TEACHER, X)
    same(plogq.js_divergence_from_logits(TEACHER, X, beta=1.0), reverse)
    back = plogq.kl_divergence_from_logits(X, TEACHER).value
    np.testing.assert_allclose(reverse.value, back, rtol=1e-14)
    for beta, end, rtol in ((1e-20, forward, 1e-12), (1 - 1e-9, reverse, 1e-5)):
        near = plogq.js_divergence_from_logits(TEACHER, X, beta=beta)
        rest = beta if beta < 0.5 else 1 - beta
        np.testing.assert_allclose(near.value / rest, end.value, rtol)
        np.testing.assert_allclose(near.grad / rest, end.grad, rtol, atol=1e-9)


def test_the_generalised_js_divergence_as_trl_computes_it():
    """Of logs, with a mixture by log-sum-exp."""
    p, q = plogq.log_softmax(FINITE / 2), plogq.log_softmax(np.roll(FINITE, 1) / 2)
    for beta in (0.1, 0.5, 0.9):
        m = np.logaddexp(q + np.log1p(-beta), p + np.log(beta))
        theirs = beta * np.exp(p) * (p - m) + (1 - beta) * np.exp(q) * (q - m)
        ours = plogq.js_divergence_from_logits(
            FINITE, np.roll(FINITE, 1), beta=beta, temperature=2.0
        )
        np.testing.assert_allclose(ours.value, theirs.sum(-1), rtol=1e-11)


def test_the_js_divergence_of_several_distributions():
    three = np.stack([P, Q, np.roll(P, 1, axis=0)])
    weights = [0.5, 0.25, 0.25]
    found = plogq.js_divergence(three, weights=weights)
    right = [oracles.js_of_several(three[:, i], weights) for i in range(len(P))]
    np.testing.assert_allclose(found, [float(x) for x in right], rtol=1e-14)
    moved = plogq.js_divergence(np.moveaxis(three, -1, 1), weights=weights, axis=1)
    np.testing.assert_array_equal(found, moved)
    mixture = np.tensordot(weights, three, 1)
    left = plogq.entropy(mixture) - np.tensordot(weights, plogq.entropy(three), 1)
    np.testing.assert_allclose(found, left, rtol=1e-12)
    pair = plogq.js_divergence(P, Q)
    np.testing.assert_allclose(plogq.js_divergence(np.stack([P, Q])), pair, rtol=1e-14)
    np.testing.assert_allclose(plogq.js_divergence(P, Q, weights=[0.5, 0.5]), pair, rtol=1e-14)
    assert not plogq.js_divergence(P, Q, weights=[1.0, 0.0]).any()
    assert not plogq.js_divergence(P[None]).any()
    assert plogq.js_divergence(np.eye(3), weights=weights) == plogq.entropy(weights)


def test_divergences_of_classes_that_one_masks():
    a, b = np.array([0.0, -np.inf, 0.0]), np.array([0.0, 0.0, -np.inf])
    value, grad = plogq.js_divergence_from_logits(a, b, beta=0.25)
    m = 0.125 + 0.375
    right = 0.25 * (math.log(0.5 / m) + math.log(4)) / 2
    right += 0.75 * (math.log(0.5 / m) - math.log(0.75)) / 2
    assert value == pytest.approx(right, rel=1e-14)
    step = 0.75 * 0.25 * math.log(0.75)
    np.testing.assert_allclose(grad, [step, -step, 0.0], rtol=1e-13)
    value, grad = plogq.reverse_kl_from_logits(a, b)
    assert value == np.inf
    assert grad.tolist() == [-np.inf, np.inf, 0]
    far = plogq.js_divergence_from_logits([0.0, -1e30], [-1e30, 0.0], beta=0.25)
    assert far.value == pytest.approx(0.75 * math.log(4 / 3) + 0.25 * math.log(4), rel=1e-14)


def test_one_hot_is_index_for_probabilities():
    probs = plogq.softmax(X)
    same(plogq.cross_entropy_from_probs(probs, ONE_HOT), plogq.cross_entropy_from_probs(probs, Y))
    same(plogq.squared_error_from_probs(probs, ONE_HOT), plogq.squared_error_from_probs(probs, Y))


def test_two_classes_are_binary():
    """A logit z is the logits (0, z)."""
    pair, target = np.stack([0 * Z, Z], axis=-1), np.stack([1 - T, T], axis=-1)
    for two, one in (
        (
            plogq.cross_entropy_from_logits(pair, target),
            plogq.binary_cross_entropy_from_logits(Z, T),
        ),
        (plogq.focal_from_logits(pair, target), plogq.binary_focal_from_logits(Z, T)),
        (
            plogq.cross_entropy_from_logits(pair, target, weight=[1.0, 3.0]),
            plogq.binary_cross_entropy_from_logits(Z, T, pos_weight=3.0),
        ),
    ):
        same(plogq.ValueAndGrad(two.value, two.grad[:, 1]), one)
    np.testing.assert_allclose(plogq.softmax(pair)[:, 1], plogq.sigmoid(Z), rtol=1e-14)


def test_binary_focal_without_focus_is_binary_cross_entropy():
    plain = plogq.binary_cross_entropy_from_logits(Z, T)
    same(plogq.binary_focal_from_logits(Z, T, gamma=0.0), plain)
    half = plogq.binary_focal_from_logits(Z, T, gamma=0.0, alpha=0.5)
    same(plogq.ValueAndGrad(2 * half.value, 2 * half.grad), plain)


def test_asymmetric_without_margin_is_binary_focal():
    for options in ({}, {"pos_weight": 2.0, "label_smoothing": 0.1}):
        focal = plogq.binary_focal_from_logits(Z, T, gamma=1.5, **options)
        same(
            plogq.asymmetric_from_logits(Z, T, gamma_neg=1.5, gamma_pos=1.5, margin=0.0, **options),
            focal,
        )


def test_asymmetric_as_timm_computes_it():
    """Of one weight for each label, by p_t, which for labels 0 and 1 is the same."""
    t = np.round(T)
    p = plogq.sigmoid(Z)
    miss = np.minimum(1 - p + 0.05, 1)
    p_t = p * t + miss * (1 - t)
    theirs = -(t * np.log(p) + (1 - t) * np.log(miss)) * (1 - p_t) ** (1 * t + 4 * (1 - t))
    np.testing.assert_allclose(plogq.asymmetric_from_logits(Z, t).value, theirs, rtol=1e-12)


@pytest.mark.parametrize("gamma_neg", [0.0, 0.5, 4.0])
def test_asymmetric_at_its_edges(gamma_neg):
    """A negative within the margin costs nothing, and a sure, wrong one at most −log m."""
    z = np.array([-np.inf, -1000.0, np.log(1 / 19) - 1e-9, 1000.0, np.inf])
    value, grad = plogq.asymmetric_from_logits(z, np.zeros(5), gamma_neg=gamma_neg)
    most = 0.95**gamma_neg * -math.log(0.05)
    np.testing.assert_allclose(value, [0, 0, 0, most, most], rtol=1e-13)
    np.testing.assert_allclose(grad, 0, atol=1e-15)
    value, grad = plogq.asymmetric_from_logits(z[[0, 1, 3, 4]], np.ones(4), gamma_neg=gamma_neg)
    assert value.tolist() == [np.inf, 1000, 0, 0]
    assert grad.tolist() == [-1, -1, 0, 0]


def test_logits_are_probabilities():
    probs = plogq.softmax(FINITE)
    for from_logits, from_probs in (
        (plogq.cross_entropy_from_logits, plogq.cross_entropy_from_probs),
        (plogq.squared_error_from_logits, plogq.squared_error_from_probs),
    ):
        np.testing.assert_allclose(
            from_logits(FINITE, SOFT).value, from_probs(probs, SOFT).value, rtol=1e-13
        )
    np.testing.assert_allclose(
        plogq.binary_cross_entropy_from_logits(Z, T).value,
        plogq.binary_cross_entropy_from_probs(plogq.sigmoid(Z), T).value,
        rtol=1e-13,
    )
    np.testing.assert_allclose(
        plogq.kl_divergence_from_logits(TEACHER, X).value,
        plogq.kl_divergence(plogq.softmax(TEACHER), plogq.softmax(X)),
        rtol=1e-12,
    )


def test_losses_of_probabilities_are_the_measures():
    probs = plogq.softmax(FINITE)
    loss = plogq.cross_entropy_from_probs(probs, SOFT)
    np.testing.assert_array_equal(loss.value, plogq.cross_entropy(SOFT, probs))
    pair = np.stack([PROB, 1 - PROB], axis=-1)
    brier = plogq.squared_error_from_probs(pair, np.stack([T, 1 - T], axis=-1))
    np.testing.assert_allclose(brier.value, 2 * plogq.squared_error(PROB, T).value, rtol=1e-14)


def test_the_least_smoothed_loss_is_the_entropy_of_its_target():
    t = np.full(4, 0.1 / 4) + 0.9 * np.eye(4)[1]
    loss = plogq.cross_entropy_from_logits(np.log(t), 1, label_smoothing=0.1)
    assert loss.value == pytest.approx(plogq.entropy(t), rel=1e-15)
    assert loss.grad == pytest.approx(0, abs=1e-15)


def test_weights_scale_rows_and_terms():
    weight = np.array([1.0, 2.0, 0.0, 0.5, 3.0])
    weighted, plain = (plogq.cross_entropy_from_logits(X, Y, weight=w) for w in (weight, None))
    same(
        weighted,
        plogq.ValueAndGrad(plain.value * weight[Y], plain.grad * weight[Y, None]),
    )
    terms = SOFT * weight * np.where(SOFT > 0, -plogq.log_softmax(X), 0)
    soft = plogq.cross_entropy_from_logits(X, SOFT, weight=weight)
    np.testing.assert_allclose(soft.value, terms.sum(-1), rtol=1e-14)


def test_the_vae_term_is_the_general_one_against_the_standard_normal():
    mean, log_variance = X[:, :2], TEACHER[:, :2]
    kept = np.all(np.isfinite(mean), axis=-1)
    short = plogq.normal_kl(mean[kept], log_variance[kept])
    general = plogq.normal_kl(mean[kept], log_variance[kept], [0.0, 0.0], [0.0, 0.0])
    np.testing.assert_array_equal(short, general)


@pytest.mark.parametrize("gap", [28.0, 69.0, 600.0])
def test_a_confident_loss_keeps_its_digits(gap):
    loss = plogq.cross_entropy_from_logits(np.array([gap, 0.0]), 0)
    assert loss.value == pytest.approx(math.exp(-gap), rel=1e-12)
    assert loss.grad == pytest.approx([-math.exp(-gap), math.exp(-gap)], rel=1e-12)
    assert plogq.log_softmax(np.array([gap, 0.0]))[0] == -loss.value


def test_masked_classes_are_as_if_they_were_not_there():
    masked = np.array([1.0, -np.inf, 0.5, -2.0])
    kept = [0, 2, 3]
    for options in ({}, {"label_smoothing": 0.3}):
        with_mask = plogq.cross_entropy_from_logits(masked, 2, **options)
        without = plogq.cross_entropy_from_logits(masked[kept], 1, **options)
        assert with_mask.value == without.value
        assert with_mask.grad[kept] == pytest.approx(without.grad, rel=1e-15)
        assert with_mask.grad[1] == 0
    for loss in (plogq.focal_from_logits, plogq.squared_error_from_logits):
        assert loss(masked, 2).value == loss(masked[kept], 1).value
        assert loss(masked, 2).grad[1] == 0
    assert plogq.z_loss_from_logits(masked).value == plogq.z_loss_from_logits(masked[kept]).value
    assert plogq.cross_entropy_from_logits(masked, 1).value == math.inf


def test_squared_error_of_a_masked_target_is_finite():
    loss = plogq.squared_error_from_logits(np.array([0.0, -np.inf]), 1)
    assert loss.value == 2
    assert loss.grad == pytest.approx(0)
