"""What must hold for any distribution and any logits (Hypothesis)."""

import functools
import math
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import plogq
from tests import oracles
from tests.oracles import mp

law = settings(max_examples=60, derandomize=True, database=None)

SIZE = 2**20


@st.composite
def dyadic(draw, classes):
    """Give a distribution in 2^-20ths: as floats it sums to 1 exactly."""
    cuts = sorted(draw(st.lists(st.integers(0, SIZE), min_size=classes - 1, max_size=classes - 1)))
    return np.diff([0, *cuts, SIZE]) / SIZE


@st.composite
def several(draw, count):
    classes = draw(st.integers(1, 8))
    return [draw(dyadic(classes)) for _ in range(count)]


@st.composite
def joint(draw):
    rows, columns = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    return draw(dyadic(rows * columns)).reshape(rows, columns)


logit = st.integers(-40, 40).map(lambda n: n / 8) | st.just(-math.inf)
finite_logit = st.integers(-400, 400).map(lambda n: n / 8)
logits = st.lists(logit, min_size=1, max_size=12).map(np.array)
finite_logits = st.lists(finite_logit, min_size=2, max_size=8).map(np.array)


def near(x):
    return pytest.approx(x, rel=1e-13, abs=1e-13)


@law
@given(several(2))
def test_kl_is_zero_for_equals_alone(pair):
    p, q = pair
    assert plogq.kl_divergence(p, p) == 0
    assert (plogq.kl_divergence(p, q) > 0) == bool(np.any(p != q))


@law
@given(several(2))
def test_kl_is_the_sum_of_p_log_p_over_q(pair):
    """The textbook form, for distributions that sum to 1 exactly."""
    p, q = pair
    assert sum(map(Fraction, p)) == sum(map(Fraction, q)) == 1
    right = sum(oracles.log_ratio_terms(p, q), mp.zero)
    assert float(plogq.kl_divergence(p, q)) == pytest.approx(float(right), rel=1e-14, abs=0)


@law
@given(several(2))
def test_cross_entropy_is_entropy_and_divergence(pair):
    parts = plogq.decompose(*pair)
    assert parts.cross_entropy == near(parts.entropy + parts.kl_divergence)
    assert parts.cross_entropy_terms == near(parts.entropy_terms + parts.kl_terms)
    for total, terms in zip(parts[:3], parts[3:], strict=True):
        assert total == near(np.sum(terms))
    assert parts.cross_entropy == plogq.cross_entropy(*pair)
    assert parts.entropy == plogq.entropy(pair[0])
    assert parts.kl_divergence == plogq.kl_divergence(*pair)


@law
@given(several(1))
def test_entropy_is_between_none_and_all(one):
    (p,) = one
    assert 0 <= plogq.entropy(p) <= math.log(len(p)) + 1e-15
    assert plogq.entropy(p) == plogq.cross_entropy(p, p)
    assert plogq.perplexity(p) == near(np.exp(plogq.entropy(p)))
    assert plogq.entropy(p) == near(np.sum(p * np.where(p > 0, plogq.surprisal(p), 0)))


@law
@given(several(3))
def test_js_is_symmetric_bounded_and_its_root_a_metric(three):
    p, q, r = three
    assert plogq.js_divergence(p, q) == plogq.js_divergence(q, p)
    assert 0 <= plogq.js_divergence(p, q) <= math.log(2)
    assert 0 <= plogq.js_distance(p, q, unit="bit") <= 1
    assert (plogq.js_divergence(p, q) == 0) == bool(np.all(p == q))
    assert plogq.js_distance(p, r) <= plogq.js_distance(p, q) + plogq.js_distance(q, r) + 1e-15


@law
@given(joint())
def test_chain_rule(p):
    x, y = p.sum(1), p.sum(0)
    assert plogq.joint_entropy(p) == near(plogq.entropy(x) + plogq.conditional_entropy(p))
    assert plogq.joint_entropy(p) == near(plogq.entropy(y) + plogq.conditional_entropy(p.T))


@law
@given(joint())
def test_mutual_information(p):
    shared = plogq.mutual_information(p)
    assert shared >= 0
    assert shared == near(plogq.mutual_information(p.T))
    assert shared == near(plogq.entropy(p.sum(0)) - plogq.conditional_entropy(p))
    assert plogq.mutual_information(np.outer(p.sum(1), p.sum(0))) == near(0)


@law
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=30))
def test_information_gain_counts_labels(rows):
    labels, branches = np.array(rows).T
    counts = np.zeros((3, 4))
    np.add.at(counts, (branches, labels), 1)
    gain = plogq.information_gain(labels, branches)
    assert gain == near(plogq.information_gain_from_counts(counts))
    after = sum(plogq.entropy_of_counts(branch) * branch.sum() / counts.sum() for branch in counts)
    assert gain == near(plogq.entropy_of_counts(counts.sum(0)) - after)
    assert gain == near(plogq.information_gain(labels.astype(str), branches.astype(str)))


@law
@given(st.lists(st.integers(0, 50), min_size=1, max_size=9))
def test_entropy_of_counts(counts):
    total, seen = sum(counts), sum(n > 0 for n in counts)
    plain = plogq.entropy_of_counts(counts)
    corrected = plogq.entropy_of_counts(counts, miller_madow=True)
    if total == 0:
        assert plain == corrected == 0
    else:
        assert plain == near(plogq.entropy(np.array(counts) / total))
        assert corrected == near(plain + (seen - 1) / (2 * total))


@law
@given(several(2), st.sampled_from(["nat", "bit", "hartley"]))
def test_units_agree(pair, unit):
    size = {"nat": 1, "bit": math.log(2), "hartley": math.log(10)}[unit]
    for measure in (plogq.cross_entropy, plogq.kl_divergence, plogq.js_divergence):
        assert measure(*pair, unit=unit) == near(measure(*pair) / size)
    assert plogq.js_distance(*pair, unit=unit) == near(plogq.js_distance(*pair) / math.sqrt(size))
    for ours, nats in zip(plogq.decompose(*pair, unit=unit), plogq.decompose(*pair), strict=True):
        assert ours == near(nats / size)


def state(x):
    """Give the state of any logits, none included."""
    return plogq.log_sum_exp(x) if len(x) else plogq.LogSumExp(np.array(-np.inf), np.array(0.0))


def same_state(a, b):
    return a.max == b.max and a.rest == pytest.approx(b.rest, rel=1e-14, abs=0)


@law
@given(logits, st.lists(st.integers(0, 12), max_size=3))
def test_merged_states_are_the_state_of_the_whole(x, cuts):
    parts = [state(part) for part in np.split(x, sorted(min(cut, len(x)) for cut in cuts))]
    whole = functools.reduce(plogq.LogSumExp.merge, parts)
    assert same_state(whole, plogq.log_sum_exp(x))
    assert whole.value() == pytest.approx(plogq.logsumexp(x), rel=1e-14)


@law
@given(logits, logits, logits)
def test_merge_commutes_and_associates(x, y, z):
    a, b, c = map(state, (x, y, z))
    assert a.merge(b) == b.merge(a)
    assert same_state(a.merge(b).merge(c), a.merge(b.merge(c)))
    assert a.merge(state([])) == a


@law
@given(finite_logits, st.integers(-1000, 1000), st.data())
def test_shifted_logits_are_the_same_prediction(x, shift, data):
    y = data.draw(st.integers(0, len(x) - 1))
    for loss in (
        plogq.cross_entropy_from_logits,
        plogq.focal_from_logits,
        plogq.generalised_cross_entropy_from_logits,
        plogq.poly_from_logits,
        plogq.squared_error_from_logits,
    ):
        ours, shifted = loss(x, y), loss(x + shift, y)
        assert ours.value == shifted.value
        assert np.array_equal(ours.grad, shifted.grad)
    assert np.array_equal(plogq.softmax(x), plogq.softmax(x + shift))
    assert np.array_equal(plogq.log_softmax(x), plogq.log_softmax(x + shift))
    assert plogq.kl_divergence_from_logits(x, x + shift).value == 0
    assert plogq.logsumexp(x + shift) == near(plogq.logsumexp(x) + shift)


@law
@given(finite_logits, st.data())
def test_gradients_of_a_softmax_sum_to_nothing(x, data):
    y = data.draw(st.integers(0, len(x) - 1))
    other = np.roll(x, 1)
    for grad in (
        plogq.cross_entropy_from_logits(x, y, label_smoothing=0.1).grad,
        plogq.focal_from_logits(x, y).grad,
        plogq.generalised_cross_entropy_from_logits(x, y, label_smoothing=0.1).grad,
        plogq.poly_from_logits(x, y, label_smoothing=0.1).grad,
        plogq.squared_error_from_logits(x, y).grad,
        plogq.kl_divergence_from_logits(other, x).grad,
        plogq.reverse_kl_from_logits(other, x, temperature=5.0).grad,
        plogq.js_divergence_from_logits(other, x, beta=0.3).grad,
        plogq.distillation_from_logits(x, other, temperature=2.0).grad,
    ):
        assert np.sum(grad) == pytest.approx(0, abs=1e-14)
    assert np.sum(plogq.z_loss_from_logits(x).grad) == near(2 * plogq.logsumexp(x))


@law
@given(finite_logits, st.floats(0, 1), st.floats(0, 1), st.data())
def test_generalised_cross_entropy_falls_as_q_grows(x, q, other, data):
    """From −log p at q = 0 to 1 − p at q = 1; and it is at most 1/q."""
    y = data.draw(st.integers(0, len(x) - 1))
    low, high = sorted((q, other))
    smaller, larger = (
        plogq.generalised_cross_entropy_from_logits(x, y, q=at).value for at in (high, low)
    )
    assert smaller <= larger * (1 + 1e-14)
    assert larger * low <= 1 + 1e-15


@law
@given(finite_logits, st.floats(0.01, 0.99), st.data())
def test_the_generalised_js_divergence_of_both_orders(x, beta, data):
    """Exchanging p and q exchanges β and 1 − β; it is in [0, H(β)], and 0 of p = q."""
    other = np.array(data.draw(st.permutations(list(x))))
    value = plogq.js_divergence_from_logits(x, other, beta=beta).value
    swapped = plogq.js_divergence_from_logits(other, x, beta=1 - beta).value
    assert value == pytest.approx(swapped, rel=1e-10, abs=1e-300)
    assert 0 <= value <= plogq.entropy([beta, 1 - beta]) * (1 + 1e-14)
    assert plogq.js_divergence_from_logits(x, x + 1, beta=beta).value == 0


@law
@given(finite_logits, st.sampled_from([0.25, 1.0, 2.0, 8.0]))
def test_softmax_is_the_exponential_of_log_softmax(x, temperature):
    p = plogq.softmax(x, temperature=temperature)
    assert np.sum(p) == near(1)
    assert p == near(np.exp(plogq.log_softmax(x, temperature=temperature)))
    assert np.array_equal(p, plogq.softmax(x / temperature))  # a power of 2 divides exactly


# --- the evidence lower bound, where the evidence is known: z ~ N(0, 1), x | z ~ N(w z + b, s²)


def log_normal(x, mean, variance):
    return -(math.log(2 * math.pi * variance) + (x - mean) ** 2 / variance) / 2


eighths = st.integers(-24, 24).map(lambda n: n / 8)
spread = st.integers(-16, 16).map(lambda n: 2 ** (n / 4))
dimensions = st.lists(st.tuples(*[eighths] * 4, *[spread] * 2), min_size=1, max_size=4).map(
    lambda rows: np.array(rows).T
)


@law
@given(dimensions)
def test_elbo_is_the_evidence_less_the_divergence_from_the_posterior(model):
    """Each row of `model` holds one number for each dimension of x and z, which stand alone."""
    x, weight, bias, mean, noise, sd = model
    evidence = sum(map(log_normal, x, bias, weight**2 + noise**2))
    variance = noise**2 / (weight**2 + noise**2)
    posterior = weight * (x - bias) / (weight**2 + noise**2), np.log(variance)

    def bound(mean, log_variance):
        off = (weight**2 * np.exp(log_variance)) / noise**2
        at_mean = sum(map(log_normal, x, weight * mean + bias, noise**2))
        return plogq.elbo(at_mean - np.sum(off) / 2, mean, log_variance)

    code = mean, 2 * np.log(sd)
    gap = plogq.normal_kl(*code, *posterior)
    close = pytest.approx(evidence, rel=1e-11, abs=1e-11)
    assert bound(*posterior) == close
    assert bound(*code) + gap == pytest.approx(evidence, rel=1e-11, abs=1e-11 * (1 + gap))
    assert bound(*code) <= evidence + 1e-11 * (1 + abs(evidence))


@law
@given(dimensions, eighths)
def test_elbo_without_a_code_is_the_reconstruction(model, reconstruction):
    mean, log_variance = model[0], model[1]
    assert plogq.elbo(reconstruction, 0 * mean, 0 * mean) == reconstruction
    value = plogq.elbo(reconstruction, mean, log_variance)
    assert value <= reconstruction
    assert value == near(reconstruction - plogq.normal_kl(mean, log_variance))
    assert plogq.elbo(reconstruction, mean, log_variance, unit="bit") == near(value / math.log(2))
