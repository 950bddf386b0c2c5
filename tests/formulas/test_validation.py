"""Bad input is refused in words: which argument, what was expected, what came, and where first."""

import numpy as np
import pytest

from plogq import formulas as f
from tests.formulas.backends import BACKENDS
from tests.formulas.calls import CALLS, OF_FLOATS, SPLIT
from tests.formulas.names import FUNCTIONS
from tests.optional import optional

jnp, torch = optional("jax.numpy"), optional("torch")

P = [[0.5, 0.5], [0.25, 0.75], [1.0, 0.0]]
X = [[1.0, 2.0], [0.0, 0.0], [3.0, -1.0]]
Y = [0, 1, 1]
NAN, INF = float("nan"), float("inf")


def with_row(rows, bad):
    """Put a bad row in the last place."""
    return np.array([*rows[:2], bad])


NEGATIVE, SUMS, MANY = with_row(P, [-0.5, 1.5]), with_row(P, [0.5, 0.75]), np.full(9, 0.2)
AT_2 = r" \(first at row 2\)$"

REFUSED = [
    # distributions
    (lambda: f.entropy(NEGATIVE), r"^p must be probabilities.*got \[-0.5, 1.5\]" + AT_2),
    (lambda: f.entropy(with_row(P, [NAN, 1])), r"^p must be probabilities.*got \[nan, 1\]" + AT_2),
    (
        lambda: f.entropy(with_row(P, [INF, 0])),
        r"^p must sum to 1.*got \[inf, 0\], which sums to inf" + AT_2,
    ),
    (lambda: f.entropy(SUMS), r"^p must sum to 1.*\[0.5, 0.75\], which sums to 1.25" + AT_2),
    (lambda: f.entropy(MANY), r"got \[0.2, 0.2, 0.2, 0.2, 0.2, 0.2, …\], which sums to 1.8$"),
    (lambda: f.entropy([P, SUMS]), r"\(first at row \(1, 2\)\)$"),
    (lambda: f.cross_entropy(P, SUMS), r"^q must sum to 1.*1.25" + AT_2),
    (lambda: f.kl_divergence(P, X), r"^q must be probabilities.*got \[3, -1\]" + AT_2),
    (lambda: f.js_divergence(P[0]), r"^p must have a first axis of distributions, not empty, "),
    (lambda: f.js_divergence(np.asarray(P).T, axis=0), r"^p must have a first axis of distrib"),
    (
        lambda: f.js_divergence(P, weights=[0.5, 0.5]),
        r"^weights must have shape \(3,\); got \(2,\)",
    ),
    (lambda: f.js_divergence(P, P, weights=[0.5, 0.75]), r"^weights must sum to 1"),
    (lambda: f.js_divergence(P, P, weights=[-1.0, 2.0]), r"^weights must be probabilities"),
    (lambda: f.js_divergence(SUMS, P), r"^p must sum to 1"),
    (lambda: f.perplexity(P, P[0]), r"^q must have p's shape \(3, 2\); got \(2,\)$"),
    (lambda: f.decompose(P, [[0.5, 0.5]]), r"^q must have p's shape \(3, 2\); got \(1, 2\)$"),
    (lambda: f.entropy(1.0), r"^p must have an axis -1; got shape \(\)$"),
    (lambda: f.entropy(P, axis=2), r"^p must have an axis 2; got shape \(3, 2\)$"),
    (lambda: f.entropy(np.zeros((3, 0))), r"^p must have at least one class"),
    (lambda: f.surprisal([0.5, 1.5]), r"^p must be probabilities in \[0, 1\]; got 1.5.*row 1\)$"),
    (
        lambda: f.entropy(P[0], unit="bits"),
        r"""^unit must be "nat", "bit" or "hartley"; got 'bits'$""",
    ),
    # two variables
    (
        lambda: f.joint_entropy([0.5, 0.5]),
        r"^p must be a table of shape \(…, X, Y\); got shape \(2,\)",
    ),
    (
        lambda: f.mutual_information([P, P]),
        r"^p must sum to 1.*which sums to 3 \(first at row 0\)$",
    ),
    (
        lambda: f.entropy_of_counts([3, -1]),
        r"^counts must be finite and not negative; got -1 .*row 1\)",
    ),
    (lambda: f.entropy_of_counts([INF]), r"^counts must be finite and not negative; got inf"),
    (
        lambda: f.information_gain_from_counts([3, 1]),
        r"^counts must have shape \(…, branches, classes\)",
    ),
    (
        lambda: f.information_gain_from_counts([[[1, 2]], [[0, 0]]]),
        r"^counts must hold at least one count; got none \(first at row 1\)$",
    ),
    (
        lambda: f.information_gain([0, 1], [0]),
        r"^branches must be one for each label, shape \(2,\)",
    ),
    (lambda: f.information_gain([], []), r"^branches must be .*at least one; got \(0,\)$"),
    (lambda: f.information_gain([0.0, NAN], [0, 1]), r"^labels must be no NaN; got nan .*row 1\)$"),
    # logits
    (
        lambda: f.softmax(with_row(X, [NAN, 1])),
        r"^logits must be finite, or -inf for a masked class.*; got \[nan, 1\]" + AT_2,
    ),
    (
        lambda: f.log_softmax(with_row(X, [INF, 1])),
        r"^logits must be finite.*got \[inf, 1\]" + AT_2,
    ),
    (lambda: f.softmax(with_row(X, [-INF, -INF])), r"with one class left.*\[-inf, -inf\]" + AT_2),
    (
        lambda: f.logsumexp(with_row(X, [NAN, 1])),
        r"^x must be finite or -inf; got \[nan, 1\]" + AT_2,
    ),
    (lambda: f.log_sum_exp([INF, 1.0]), r"^x must be finite or -inf; got \[inf, 1\]$"),
    (
        lambda: f.softmax(X, temperature=0),
        r"^temperature must be greater than 0 and finite; got 0$",
    ),
    (
        lambda: f.log_softmax(X, temperature=-1.0),
        r"^temperature must be greater than 0 and finite; got -1.0$",
    ),
    (
        lambda: f.softmax(X, temperature=NAN),
        r"^temperature must be greater than 0 and finite; got nan$",
    ),
    # targets and options of the softmax losses
    (
        lambda: f.cross_entropy_from_logits(X, [0, 1, 2]),
        r"^target must be a class index in \[0, 2\); got 2" + AT_2,
    ),
    (lambda: f.focal_from_logits(X, [0, 1, -1]), r"^target must be a class index.*got -1" + AT_2),
    (
        lambda: f.squared_error_from_logits(X, [0, 1]),
        r"^target must have shape \(3,\); got \(2,\)$",
    ),
    (
        lambda: f.cross_entropy_from_logits(X, 0),
        r"^target must have the 2 axes of the logits, or one less",
    ),
    (lambda: f.cross_entropy_from_logits(X, P[:2]), r"^target must have logits's shape \(3, 2\)"),
    (lambda: f.cross_entropy_from_logits(X, SUMS), r"^target must sum to 1.*1.25" + AT_2),
    (
        lambda: f.focal_from_logits(X, NEGATIVE),
        r"^target must be probabilities.*\[-0.5, 1.5\]" + AT_2,
    ),
    (
        lambda: f.cross_entropy_from_logits(X, Y, weight=[1.0]),
        r"^weight must be one number per class, shape \(2,\); got \(1,\)$",
    ),
    (
        lambda: f.focal_from_logits(X, Y, weight=[1, -2]),
        r"^weight must be .*not negative; got -2 .*row 1\)$",
    ),
    (lambda: f.focal_from_logits(X, Y, gamma=-1), r"^gamma must be finite and at least 0; got -1$"),
    (
        lambda: f.focal_from_logits(X, Y, gamma=NAN),
        r"^gamma must be finite and at least 0; got nan$",
    ),
    (
        lambda: f.generalised_cross_entropy_from_logits(X, Y, q=1.5),
        r"^q must be in \[0, 1\]; got 1.5$",
    ),
    (lambda: f.generalised_cross_entropy_from_logits(X, Y, q=NAN), r"^q must be in \[0, 1\]"),
    (lambda: f.generalised_cross_entropy_from_logits(X, [0, 1, 2]), r"^target must be a class"),
    (
        lambda: f.poly_from_logits(X, Y, epsilon=-1.5),
        r"^epsilon must be at least -1 and finite; got -1.5$",
    ),
    (lambda: f.poly_from_logits(X, Y, epsilon=INF), r"^epsilon must be at least -1 and finite"),
    (
        lambda: f.cross_entropy_from_logits(X, Y, label_smoothing=1.5),
        r"^label_smoothing must be in \[0, 1\]; got 1.5$",
    ),
    (
        lambda: f.kl_divergence_from_logits(X, X[0]),
        r"^q_logits must have p_logits's shape \(3, 2\); got \(2,\)$",
    ),
    (
        lambda: f.js_divergence_from_logits(X, X, beta=1.5),
        r"^beta must be in \[0, 1\]; got 1.5$",
    ),
    (lambda: f.js_divergence_from_logits(X, X[0]), r"^q_logits must have p_logits's shape"),
    (lambda: f.reverse_kl_from_logits(X, X, temperature=0), r"^temperature must be greater than 0"),
    (lambda: f.distillation_from_logits(X[0], X), r"^logits must have teacher_logits's shape"),
    (
        lambda: f.distillation_from_logits(X, X, temperature=0),
        r"^temperature must be greater than 0",
    ),
    (lambda: f.z_loss_from_logits([INF, 0.0]), r"^logits must be finite"),
    # probabilities
    (
        lambda: f.cross_entropy_from_probs(X, Y),
        r"^probs must be probabilities.*got \[3, -1\]" + AT_2,
    ),
    (
        lambda: f.squared_error_from_probs(P, [0, 5, 1]),
        r"^target must be a class index.*got 5.*row 1\)$",
    ),
    (
        lambda: f.squared_error([0.5, 1.5], [0, 1]),
        r"^prob must be probabilities in \[0, 1\]; got 1.5",
    ),
    # one logit
    (lambda: f.sigmoid([0.0, NAN]), r"^logit must be a number; got nan \(first at row 1\)$"),
    (
        lambda: f.binary_cross_entropy_from_logits([0.0, 1.0], [0, 2]),
        r"^target must be in \[0, 1\]; got 2 \(first at row 1\)$",
    ),
    (
        lambda: f.binary_cross_entropy_from_probs([0.5], [-0.1]),
        r"^target must be in \[0, 1\]; got -0.1",
    ),
    (
        lambda: f.binary_focal_from_logits([0.0, 1.0], [1]),
        r"^target must have the input's shape \(2,\)",
    ),
    (
        lambda: f.binary_focal_from_logits([0.0], [1], gamma=-2),
        r"^gamma must be finite and at least 0; got -2$",
    ),
    (
        lambda: f.asymmetric_from_logits([0.0], [1], gamma_neg=-2),
        r"^gamma_neg must be finite and at least 0; got -2$",
    ),
    (
        lambda: f.asymmetric_from_logits([0.0], [1], gamma_pos=INF),
        r"^gamma_pos must be finite and at least 0; got inf$",
    ),
    (
        lambda: f.asymmetric_from_logits([0.0], [1], margin=1),
        r"^margin must be at least 0 and less than 1; got 1$",
    ),
    (lambda: f.asymmetric_from_logits([0.0], [2]), r"^target must be in \[0, 1\]; got 2"),
    (
        lambda: f.binary_focal_from_logits([0.0], [1], alpha=1.1),
        r"^alpha must be in \[0, 1\]; got 1.1$",
    ),
    (
        lambda: f.binary_focal_from_logits([0.0], [1], label_smoothing=1.5),
        r"^label_smoothing must be in \[0, 1\]; got 1.5$",
    ),
    (
        lambda: f.binary_cross_entropy_from_logits([0.0], [2], label_smoothing=0.5),
        r"^target must be in \[0, 1\]; got 2",
    ),
    (
        lambda: f.binary_cross_entropy_from_logits([0.0], [1], pos_weight=-1.0),
        r"^pos_weight must be finite and not negative; got -1$",
    ),
    (
        lambda: f.binary_cross_entropy_from_logits([0.0], [1], pos_weight=[1.0, 2.0]),
        r"^pos_weight must broadcast to the logit's shape \(1,\); got \(2,\)$",
    ),
    # normals
    (lambda: f.normal_entropy([NAN]), r"^log_variance must be finite; got nan \(first at row 0\)$"),
    (lambda: f.normal_kl([INF], [0.0]), r"^mean must be finite; got inf"),
    (
        lambda: f.normal_kl([0.0, 1.0], [0.0, 0.0, 0.0]),
        r"^log_variance must broadcast with the mean",
    ),
    (
        lambda: f.elbo([-1.0], [[0.0]], [0.0]),
        r"^log_variance must have mean's shape \(1, 1\); got \(1,\)$",
    ),
    (
        lambda: f.elbo(np.zeros((2, 784)), np.zeros((2, 8)), np.zeros((2, 8))),
        r"^reconstruction_log_likelihood must be one number for each code, shape \(2,\); "
        r"got shape \(2, 784\)$",
    ),
    (
        lambda: f.elbo([0.0, NAN], [[0.0], [0.0]], [[0.0], [0.0]]),
        r"^reconstruction_log_likelihood must be finite, or -inf; got nan \(first at row 1\)$",
    ),
    (
        lambda: f.elbo(INF, [0.0], [0.0]),
        r"^reconstruction_log_likelihood must be finite, or -inf; got inf",
    ),
    (lambda: f.elbo(0.0, [0.0], [INF]), r"^log_variance must be finite; got inf"),
    (lambda: f.elbo(0.0, 0.0, 0.0), r"^mean must have an axis -1; got shape \(\)$"),
    (lambda: f.elbo(0.0, [0.0], [0.0], unit="byte"), r"^unit must be"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


WRONG_TYPE = [
    (lambda: f.entropy("half"), r"^p must be an array of numbers; got str$"),
    (lambda: f.entropy([[1.0], [0.5, 0.5]]), r"^p must be an array of numbers; got list$"),
    (lambda: f.entropy(np.array([0.5 + 0j])), r"^p must be real; got complex128$"),
    (lambda: f.softmax(torch.tensor([1j])), r"^logits must be real; got torch.complex"),
    (
        lambda: f.cross_entropy_from_logits(X, [0.0, 1.0, 1.0]),
        r"^target must be integers as class ind",
    ),
    (
        lambda: f.cross_entropy_from_logits(X, [True, False, True]),
        r"^target must be integers .*got bool$",
    ),
    (
        lambda: f.cross_entropy_from_logits(X, ["a", "b", "c"]),
        r"^target must be integers as class ind",
    ),
    (
        lambda: f.cross_entropy_from_logits(X, [[0], [1, 2], [0]]),
        r"^target must be an array of numbers",
    ),
    (
        lambda: f.cross_entropy_from_logits(X, np.array(P) * 1j),
        r"^target must be real; got complex128$",
    ),
    (
        lambda: f.cross_entropy(np.array(P), torch.tensor(P)),
        r"^arguments must be arrays of one library; got p: numpy, q: torch$",
    ),
    (
        lambda: f.cross_entropy_from_logits(torch.tensor(X), np.array(Y)),
        r"^arguments must be arrays of one library; got logits: torch, target: numpy$",
    ),
    (
        lambda: f.focal_from_logits(jnp.asarray(X), Y, weight=np.ones(2)),
        r"^arguments must be arrays of one library; got weight: numpy, x: jax",
    ),
    (
        lambda: f.information_gain(np.array(Y), torch.tensor(Y)),
        r"^arguments must be arrays of one library; got labels: numpy, branches: torch$",
    ),
]


@pytest.mark.parametrize(
    ("call", "message"), WRONG_TYPE, ids=[message for _, message in WRONG_TYPE]
)
def test_wrong_type_is_refused(call, message):
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize("backend", BACKENDS, ids=str)
@pytest.mark.parametrize(
    ("call", "position"),
    [(call, k) for call in OF_FLOATS for k, x in enumerate(call.args) if x.dtype.kind == "f"],
    ids=lambda x: str(x),
)
def test_nan_is_never_passed_on(backend, call, position):
    args = [x.copy() for x in call.args]
    args[position].flat[-1] = NAN
    with pytest.raises(ValueError, match=r"(?i)nan|finite"):
        call.function(*map(backend.asarray, args))


def test_every_function_is_asked_about_nan():
    asked = {call.name for call in CALLS if call is not SPLIT} | {"information_gain"}
    densities = {name for name in FUNCTIONS if name.startswith("density_")}
    assert asked | densities == FUNCTIONS - {
        "from_nats"
    }  # which converts whatever number it is given


@pytest.mark.parametrize(
    ("dtype", "accepted", "refused"),
    [(np.float16, 0.03, 0.04), (np.float32, 3e-4, 4e-4), (np.float64, 1.4e-8, 1.6e-8)],
)
def test_rows_may_sum_to_1_within_the_root_of_their_rounding(dtype, accepted, refused):
    f.entropy(np.array([0.5, 0.5 + accepted], dtype))
    f.entropy(np.array([0.5, 0.5 - accepted], dtype))
    for off in (refused, -refused):
        with pytest.raises(ValueError, match="p must sum to 1"):
            f.entropy(np.array([0.5, 0.5 + off], dtype))


def test_js_keeps_its_bound_where_rows_sum_to_more():
    p, q = np.array([[1.0003, 0], [0, 1.0003]], np.float32)
    assert f.js_divergence(p, q) == np.float32(np.log(2))
    assert f.js_distance(p, q, unit="bit") == 1
