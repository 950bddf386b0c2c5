"""Where other tools give a wrong or surprising number: what is right, and what ours says.

Each case names the public thread in which its trap is described.
"""

import math

import numpy as np
import pytest

from plogq import formulas as f
from tests.optional import optional

jax, jnp, torch = optional("jax"), optional("jax.numpy"), optional("torch")

NAN, INF = float("nan"), float("inf")


def test_probabilities_taken_for_logits_cost_at_least_this():
    """pytorch/pytorch#55902: a perfect one-hot prediction, softmaxed again, costs ln(9 + e) − 1."""
    perfect = np.eye(10)[3]
    assert f.cross_entropy_from_probs(perfect, 3).value == 0
    mistaken = f.cross_entropy_from_logits(perfect, 3).value
    assert mistaken == pytest.approx(math.log(9 + math.e) - 1, rel=1e-15)


def test_weighted_index_targets_are_weighted_one_hot_targets():
    """pytorch/pytorch#61309, #8062, #65329: torch divides by Σw for one, by N for the other."""
    logits, weight = np.array([[2.0, -1.0], [0.5, 0.0]]), np.array([1.0, 100.0])
    index = f.cross_entropy_from_logits(logits, [0, 1], weight=weight)
    one_hot = f.cross_entropy_from_logits(logits, np.eye(2), weight=weight)
    assert index.value.tolist() == one_hot.value.tolist()


def test_negative_soft_target_is_refused():
    """pytorch/pytorch#152437: −3.66, accepted."""
    target = torch.tensor([[0.5, 0.5, 0.0], [1.5, -0.5, 0.0]])
    with pytest.raises(ValueError, match=r"target must be probabilities.*first at row 1"):
        f.cross_entropy_from_logits(torch.zeros(2, 3), target)


def test_divergence_of_equals_is_nothing():
    """pytorch/pytorch#57459, #43348: kl_div(p, p) of probabilities is −1.19."""
    p = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    assert f.kl_divergence(p, p) == 0


def test_divergence_of_a_batch_is_one_number_a_row():
    """torch's kl_div with reduction "mean" divides by the classes too."""
    p, q = np.array([[0.5, 0.5], [0.9, 0.1]]), np.array([[0.9, 0.1], [0.5, 0.5]])
    assert f.kl_divergence(p, q).shape == (2,)


def test_half_precision_sums_in_single():
    """pytorch/pytorch#85791, #29429: 65,520 rows of float16 have mean loss 0.0."""
    loss = f.cross_entropy_from_logits(np.zeros((65520, 2), np.float16), np.zeros(65520, int))
    assert loss.value.dtype == np.float32
    assert np.mean(loss.value) == pytest.approx(math.log(2), rel=1e-6)
    uniform = np.full(2**17, 2.0**-17, np.float16)
    assert f.entropy(uniform) == pytest.approx(17 * math.log(2), rel=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_saturated_sigmoid_keeps_loss_and_gradient(dtype):
    """pytorch/pytorch#103316: BCELoss(sigmoid(200), 0) is 100, its gradient 0."""
    loss = f.binary_cross_entropy_from_logits(np.array(200, dtype), np.array(0, dtype))
    assert loss.value == 200
    assert loss.grad == 1


def test_binary_label_outside_0_and_1_is_refused():
    """torch's BCEWithLogits takes label 2.0: −0.687."""
    with pytest.raises(ValueError, match=r"target must be in \[0, 1\]; got 2"):
        f.binary_cross_entropy_from_logits(np.array([0.3]), np.array([2.0]))


def test_masked_class_is_out_of_softmax_and_smoothing():
    """torch: a logit of −inf with label smoothing is inf, with a soft target of 0 it is NaN."""
    logits = np.array([1.0, -INF, 0.0])
    soft = f.cross_entropy_from_logits(logits, [0.5, 0.0, 0.5])
    assert soft.value == pytest.approx(math.log1p(math.exp(-1)) + 0.5, rel=1e-15)
    assert soft.grad[1] == 0
    smoothed = f.cross_entropy_from_logits(logits, 0, label_smoothing=0.2)
    expected = f.cross_entropy_from_logits(logits[[0, 2]], 0, label_smoothing=0.2)
    assert smoothed.value == expected.value
    assert smoothed.grad[1] == 0


def test_class_masked_on_both_sides_counts_for_nothing():
    """torch's kl_div of log-targets gives NaN for −inf against −inf."""
    p, q = np.array([0.0, -INF, 1.0]), np.array([1.0, -INF, 1.0])
    ours = f.kl_divergence_from_logits(p, q)
    without = f.kl_divergence_from_logits(p[[0, 2]], q[[0, 2]])
    assert ours.value == without.value > 0
    assert ours.grad[1] == 0
    assert f.kl_divergence_from_logits(q, q).value == 0


def test_masked_in_the_model_alone_is_infinite():
    assert f.kl_divergence_from_logits(np.array([0.0, 0.0]), np.array([0.0, -INF])).value == INF


def test_logits_are_no_probabilities():
    """keras-team/tf-keras#47: renormalised in silence."""
    with pytest.raises(ValueError, match=r"probs must be probabilities.*got \[2, -1, 0.5\]"):
        f.cross_entropy_from_probs(np.array([2.0, -1.0, 0.5]), 0)
    with pytest.raises(ValueError, match=r"probs must sum to 1.*sums to 3"):
        f.cross_entropy_from_probs(np.array([2.0, 0.5, 0.5]), 0)


def test_small_probability_is_not_clipped():
    """keras-team/keras#9664, #15249: p = 1e-9 for a positive gives 16.118 and gradient 0."""
    loss = f.binary_cross_entropy_from_probs(np.array(1e-9), np.array(1.0))
    assert loss.value == pytest.approx(9 * math.log(10), rel=1e-15)
    assert loss.grad == pytest.approx(-1e9, rel=1e-15)
    softmax = f.cross_entropy_from_probs(np.array([1e-9, 1 - 1e-9]), 0)
    assert softmax.value == loss.value
    assert softmax.grad[0] == loss.grad


def test_logits_and_their_softmax_cost_the_same():
    """keras-team/keras#17634: logits 14 and 50 cost 35.7 from logits, 16.12 after the softmax."""
    logits = np.array([14.0, 50.0])
    from_logits = f.cross_entropy_from_logits(logits, 0).value
    from_probs = f.cross_entropy_from_probs(f.softmax(logits), 0).value
    assert from_logits == pytest.approx(36, rel=1e-15)
    assert from_probs == pytest.approx(from_logits, rel=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_impossible_event_is_infinite_in_every_dtype(dtype):
    """scikit-learn/scikit-learn#24315: 18.02 in float64, 7.97 in float32."""
    assert f.cross_entropy_from_probs(np.array([1, 0], dtype), 1).value == INF
    assert f.cross_entropy(np.array([0, 1], dtype), np.array([1, 0], dtype)) == INF
    assert f.surprisal(np.array(0, dtype)) == INF


def test_soft_labels_are_taken():
    """scikit-learn's log_loss raises ValueError for them."""
    p, q = np.array([[0.75, 0.25]]), np.array([[0.5, 0.5]])
    assert f.cross_entropy_from_probs(q, p).value == pytest.approx(math.log(2))


def test_what_does_not_sum_to_1_is_refused():
    """scipy/scipy#23064: normalised in silence, 0.0."""
    with pytest.raises(ValueError, match="q must sum to 1"):
        f.kl_divergence([0.5, 0.5], [5.0, 5.0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_js_of_the_nearly_equal_and_the_tiny(dtype):
    """scipy/scipy#20083, #19436: NaN for near-equal inputs, inf for tiny ones."""
    p = np.array([0.1, 0.2, 0.7], dtype)
    near = np.array([np.nextafter(p[0], dtype(0)), p[1], p[2]])
    tiny = np.array([np.finfo(dtype).smallest_subnormal, 0, 1], dtype)
    for a, b in ((p, p), (p, near), (near, p), (tiny, tiny[::-1]), (tiny, np.flip(p))):
        assert 0 <= f.js_divergence(a, b) <= dtype(math.log(2))
        assert 0 <= f.js_distance(a, b) <= dtype(math.sqrt(math.log(2)))
    assert f.js_distance(p, near) > 0


def test_perplexity_wants_probabilities():
    """Lightning-AI/torchmetrics#1698, #1366: fed probabilities for logits, 1.76 in silence."""
    assert f.perplexity([1.0, 0.0], [0.98, 0.02]) == pytest.approx(1 / 0.98, rel=1e-15)
    with pytest.raises(ValueError, match="q must"):
        f.perplexity([1.0, 0.0], [3.9, 0.0])


@pytest.mark.parametrize("argument", [0, 1])
def test_derivative_at_a_zero_target_is_a_number(argument):
    """google-deepmind/optax#1786, #1762: NaN."""
    p, q = jnp.array([0.5, 0.5, 0.0]), jnp.array([0.25, 0.5, 0.25])
    for measure in (f.kl_divergence, f.cross_entropy, f.js_divergence):
        assert bool(jnp.all(jnp.isfinite(jax.grad(measure, argument)(p, q))))


def test_derivative_along_a_masked_class_is_0():
    """google-deepmind/optax#1762: NaN."""
    x = jnp.array([1.0, -jnp.inf, 2.0])

    def loss(x):
        return f.cross_entropy_from_logits(x, jnp.array([0.5, 0.0, 0.5])).value

    value, slope = jax.jvp(loss, (x,), (jnp.array([0.0, 1.0, 0.0]),))
    assert np.isfinite(value)
    assert slope == 0


@pytest.mark.parametrize("label", [-100, -1, 3])
def test_label_that_is_no_class_is_refused(label):
    """google-deepmind/optax#1185: NaN."""
    with pytest.raises(ValueError, match=rf"target must be a class index in \[0, 3\); got {label}"):
        f.cross_entropy_from_logits(jnp.zeros((2, 3)), jnp.array([0, label]))


@pytest.mark.parametrize("label", [-100, 3])
def test_label_that_is_no_class_is_nan_where_values_are_unknown(label):
    """google-deepmind/optax#1185, under jit."""
    loss = jax.jit(f.cross_entropy_from_logits)(jnp.zeros((2, 3)), jnp.array([0, label]))
    assert loss.value.tolist() == pytest.approx([math.log(3), math.nan], nan_ok=True)
    assert jnp.isnan(loss.grad).all(axis=1).tolist() == [False, True]


@pytest.mark.slow
def test_bfloat16_gives_float32():
    """google-deepmind/optax#1020: returns bfloat16, off by 0.05."""
    logits = jnp.array([8.0, 2.0, -1.0], dtype=jnp.bfloat16)
    loss = f.cross_entropy_from_logits(logits, 1)
    assert loss.value.dtype == jnp.float32
    right = f.cross_entropy_from_logits(np.array([8.0, 2.0, -1.0]), 1).value
    assert float(loss.value) == pytest.approx(float(right), rel=1e-6)
