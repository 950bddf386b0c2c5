"""How exact each public formula is: its oracle, its inputs, and its bound in ulp.

`docs/accuracy.py` prints it as measured; `tests/formulas/test_accuracy.py` holds the bounds.
"""

import functools
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from plogq import formulas as f
from tests import oracles
from tests.formulas import conditions, families
from tests.oracles import exact, mp, one_hot

SEED = 20
DTYPES = (np.float32, np.float64)

ULP = "ulp"
TERM = "ulp of the largest term"
GAP = "ulp, gaps counted"
NATS = "ulp per nat"


@dataclass(frozen=True)
class Entry:
    """One output of one public function, and the worst error it may have."""

    name: str
    output: str
    inputs: Callable[[np.random.Generator, type], Iterator[families.Family]]
    ours: Callable[..., Any]
    oracle: Callable[..., list[conditions.Pair]]
    unit: str = ULP
    bound: int = 8


def line(entry: Entry) -> str:
    """Give the entry's promise, as the page says it."""
    return f"| `{entry.name}` | {entry.output} | {entry.unit} | {entry.bound} |"


@functools.cache
def measure(entry: Entry, dtype: type) -> tuple[float, str]:
    """Give the worst error in the entry's unit, and the family of inputs where it occurs."""
    rng = np.random.default_rng([SEED, zlib.crc32(f"{entry.name} {entry.output}".encode())])
    worst = (0.0, "")
    for family, args in entry.inputs(rng, dtype):
        with np.errstate(over="ignore"):  # 1/p of a subnormal p is out of range: inf, and right
            got = np.asarray(entry.ours(*args))
            assert got.dtype == dtype, (entry.name, got.dtype)
            for row, ours in zip(zip(*args, strict=True), got.reshape(len(got), -1), strict=True):
                for one, (right, unit) in zip(ours, entry.oracle(*row), strict=True):
                    worst = max(worst, (_ulps(one, right, unit, dtype), family))
    return worst


def _ulps(ours: Any, right: Any, unit: Any, dtype: type) -> float:
    if np.isinf(ours) or mp.isinf(right):
        return 0.0 if ours == dtype(float(right)) else float("inf")
    return float(abs(mp.mpf(float(ours)) - right) / mp.mpf(float(np.spacing(dtype(float(unit))))))


def our_decomposition(p: Any, q: Any) -> Any:
    d = f.decompose(p, q)
    totals = np.stack([d.cross_entropy, d.entropy, d.kl_divergence], axis=-1)
    terms = [d.cross_entropy_terms, d.entropy_terms, d.kl_terms]
    return np.concatenate([totals, *terms], axis=-1)


def our_gain(counts: Any) -> Any:
    """From the labels and branches that such counts count."""
    where = [np.nonzero(np.ones_like(table)) for table in counts]
    repeats = [table.astype(int).reshape(-1) for table in counts]
    gains = [
        f.information_gain(np.repeat(y, n), np.repeat(b, n))
        for (b, y), n in zip(where, repeats, strict=True)
    ]
    return np.asarray(gains).astype(counts.dtype)


def state(x: Any) -> Any:
    return f.log_sum_exp(x).rest


def merged(x: Any) -> Any:
    states = [f.log_sum_exp(x[:, k : k + 1]) for k in range(x.shape[-1])]
    return functools.reduce(f.LogSumExp.merge, states).rest


def value(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    return lambda *args: function(*args, **options).value


def gradient(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    return lambda *args: function(*args, **options).grad


def on_one_hot(oracle: Callable[..., Any]) -> Callable[..., Any]:
    """Take an oracle of soft targets for index targets."""
    return lambda logits, y: oracle(logits, one_hot(y, len(logits)))


TABLE = [
    Entry(
        "surprisal",
        "value",
        families.probabilities,
        f.surprisal,
        lambda p: conditions.plain([oracles.surprisal(a) for a in exact(p)]),
    ),
    Entry(
        "entropy",
        "value",
        families.probabilities,
        f.entropy,
        lambda p: conditions.plain(oracles.entropy(p)),
    ),
    Entry(
        "cross_entropy",
        "value",
        families.distribution_pairs,
        f.cross_entropy,
        lambda p, q: conditions.plain(oracles.cross_entropy(p, q)),
    ),
    Entry(
        "kl_divergence",
        "value",
        families.distribution_pairs,
        f.kl_divergence,
        lambda p, q: conditions.plain(oracles.kl_divergence(p, q)),
    ),
    Entry(
        "js_divergence",
        "value",
        families.distribution_pairs,
        f.js_divergence,
        lambda p, q: conditions.plain(oracles.js_divergence(p, q)),
    ),
    Entry(
        "js_divergence",
        "value, of weights",
        families.distribution_pairs,
        lambda p, q: f.js_divergence(p, q, weights=[0.125, 0.875]),
        lambda p, q: conditions.plain(oracles.js_of_several([p, q], [0.125, 0.875])),
    ),
    Entry(
        "js_distance",
        "value",
        families.distribution_pairs,
        f.js_distance,
        lambda p, q: conditions.plain(mp.sqrt(oracles.js_divergence(p, q))),
    ),
    Entry(
        "decompose",
        "every part",
        families.distribution_pairs,
        our_decomposition,
        conditions.decomposition,
    ),
    Entry(
        "perplexity", "value", families.overlapping_pairs, f.perplexity, conditions.perplexity, NATS
    ),
    Entry(
        "joint_entropy",
        "value",
        families.tables,
        f.joint_entropy,
        lambda p: conditions.plain(oracles.entropy(np.ravel(p))),
    ),
    Entry(
        "conditional_entropy",
        "value",
        families.tables,
        f.conditional_entropy,
        lambda p: conditions.plain(oracles.conditional_entropy(p)),
    ),
    Entry(
        "mutual_information",
        "value",
        families.tables,
        f.mutual_information,
        conditions.information,
        TERM,
        16,
    ),
    Entry(
        "entropy_of_counts",
        "value",
        families.counts,
        f.entropy_of_counts,
        lambda n: conditions.plain(oracles.entropy_of_counts(n)),
    ),
    Entry(
        "entropy_of_counts",
        "Miller-Madow",
        families.counts,
        lambda n: f.entropy_of_counts(n, miller_madow=True),
        lambda n: conditions.plain(oracles.entropy_of_counts(n, True)),
    ),
    Entry("information_gain", "value", families.splits, our_gain, conditions.gain, TERM),
    Entry(
        "information_gain_from_counts",
        "value",
        families.splits,
        f.information_gain_from_counts,
        conditions.gain,
        TERM,
    ),
    Entry(
        "from_nats",
        "value",
        families.one_logit,
        lambda x: f.from_nats(x, "bit"),
        lambda x: conditions.plain(mp.mpf(float(x)) / mp.log(2)),
        ULP,
        1,
    ),
    Entry("logsumexp", "value", families.logits, f.logsumexp, conditions.lse, TERM),
    Entry("log_sum_exp", "rest", families.logits, state, conditions.rest, GAP),
    Entry("log_sum_exp", "rest, merged one by one", families.logits, merged, conditions.rest, GAP),
    Entry("log_softmax", "value", families.logits, f.log_softmax, conditions.log_probs, GAP),
    Entry(
        "log_softmax",
        "temperature 0.7",
        families.logits,
        lambda x: f.log_softmax(x, temperature=0.7),
        lambda x: conditions.log_probs(x, 0.7),
        GAP,
    ),
    Entry("softmax", "value", families.logits, f.softmax, conditions.probs, GAP),
    Entry(
        "softmax",
        "temperature 0.7",
        families.logits,
        lambda x: f.softmax(x, temperature=0.7),
        lambda x: conditions.probs(x, 0.7),
        GAP,
    ),
    Entry(
        "cross_entropy_from_logits",
        "value",
        families.with_index,
        value(f.cross_entropy_from_logits),
        on_one_hot(conditions.linear_loss),
        GAP,
    ),
    Entry(
        "cross_entropy_from_logits",
        "gradient",
        families.with_index,
        gradient(f.cross_entropy_from_logits),
        on_one_hot(conditions.linear_gradient),
        GAP,
    ),
    Entry(
        "cross_entropy_from_logits",
        "value, soft targets",
        families.with_distribution,
        value(f.cross_entropy_from_logits),
        conditions.linear_loss,
        GAP,
    ),
    Entry(
        "cross_entropy_from_logits",
        "gradient, soft targets",
        families.with_distribution,
        gradient(f.cross_entropy_from_logits),
        conditions.linear_gradient,
        GAP,
    ),
    Entry(
        "cross_entropy_from_logits",
        "value, smoothing 0.1",
        families.with_distribution,
        value(f.cross_entropy_from_logits, label_smoothing=0.1),
        lambda x, t: conditions.linear_loss(x, oracles.smoothed(t, x, 0.1)),
        GAP,
    ),
    Entry(
        "focal_from_logits",
        "value",
        families.with_index,
        value(f.focal_from_logits),
        conditions.focal,
        GAP,
    ),
    Entry(
        "focal_from_logits",
        "gradient",
        families.with_index,
        gradient(f.focal_from_logits),
        conditions.focal_gradient,
        GAP,
    ),
    Entry(
        "generalised_cross_entropy_from_logits",
        "value",
        families.with_index,
        value(f.generalised_cross_entropy_from_logits),
        functools.partial(conditions.surprisal_loss, "generalised", 0.7),
        GAP,
    ),
    Entry(
        "generalised_cross_entropy_from_logits",
        "gradient",
        families.with_index,
        gradient(f.generalised_cross_entropy_from_logits),
        functools.partial(conditions.surprisal_gradient, "generalised", 0.7),
        GAP,
    ),
    Entry(
        "poly_from_logits",
        "value",
        families.with_index,
        value(f.poly_from_logits),
        functools.partial(conditions.surprisal_loss, "poly", 2.0),
        GAP,
    ),
    Entry(
        "poly_from_logits",
        "gradient",
        families.with_index,
        gradient(f.poly_from_logits),
        functools.partial(conditions.surprisal_gradient, "poly", 2.0),
        GAP,
    ),
    Entry(
        "squared_error_from_logits",
        "value",
        families.with_index,
        value(f.squared_error_from_logits),
        on_one_hot(conditions.brier),
        GAP,
    ),
    Entry(
        "squared_error_from_logits",
        "gradient",
        families.with_index,
        gradient(f.squared_error_from_logits),
        on_one_hot(conditions.brier_gradient),
        GAP,
    ),
    Entry(
        "kl_divergence_from_logits",
        "value",
        families.logit_pairs,
        value(f.kl_divergence_from_logits),
        conditions.kl_apart,
        GAP,
    ),
    Entry(
        "kl_divergence_from_logits",
        "value, near pairs",
        families.near_logit_pairs,
        value(f.kl_divergence_from_logits),
        conditions.kl_near,
    ),
    Entry(
        "kl_divergence_from_logits",
        "gradient",
        families.logit_pairs,
        gradient(f.kl_divergence_from_logits),
        conditions.kl_gradient,
        GAP,
    ),
    Entry(
        "kl_divergence_from_logits",
        "gradient, near pairs",
        families.near_logit_pairs,
        gradient(f.kl_divergence_from_logits),
        conditions.kl_near_gradient,
        TERM,
    ),
    Entry(
        "js_divergence_from_logits",
        "value",
        families.logit_pairs,
        value(f.js_divergence_from_logits, beta=0.1),
        functools.partial(conditions.js_apart, 0.1),
        GAP,
    ),
    Entry(
        "js_divergence_from_logits",
        "value, near pairs",
        families.near_logit_pairs,
        value(f.js_divergence_from_logits, beta=0.1),
        functools.partial(conditions.js_near, 0.1),
    ),
    Entry(
        "js_divergence_from_logits",
        "gradient",
        families.logit_pairs_of_small_gaps,
        gradient(f.js_divergence_from_logits, beta=0.1),
        functools.partial(conditions.js_gradient, 0.1),
        GAP,
    ),
    Entry(
        "js_divergence_from_logits",
        "gradient, near pairs",
        families.near_logit_pairs,
        gradient(f.js_divergence_from_logits, beta=0.1),
        functools.partial(conditions.js_near_gradient, 0.1),
        TERM,
    ),
    Entry(
        "reverse_kl_from_logits",
        "value",
        families.logit_pairs,
        value(f.reverse_kl_from_logits),
        lambda a, b: conditions.kl_apart(b, a),
        GAP,
    ),
    Entry(
        "reverse_kl_from_logits",
        "value, near pairs",
        families.near_logit_pairs,
        value(f.reverse_kl_from_logits),
        lambda a, b: conditions.kl_near(b, a),
    ),
    Entry(
        "reverse_kl_from_logits",
        "gradient",
        families.logit_pairs_of_small_gaps,
        gradient(f.reverse_kl_from_logits),
        functools.partial(conditions.js_gradient, 1),
        GAP,
    ),
    Entry(
        "reverse_kl_from_logits",
        "gradient, near pairs",
        families.near_logit_pairs,
        gradient(f.reverse_kl_from_logits),
        functools.partial(conditions.js_near_gradient, 1),
        TERM,
    ),
    Entry(
        "distillation_from_logits",
        "value, near pairs",
        families.near_logit_pairs,
        lambda a, b: f.distillation_from_logits(b, a, temperature=2.5).value,
        lambda a, b: conditions.kl_near(a, b, 2.5, 6.25),
    ),
    Entry(
        "distillation_from_logits",
        "gradient",
        families.logit_pairs,
        lambda a, b: f.distillation_from_logits(b, a, temperature=2.5).grad,
        lambda a, b: conditions.kl_gradient(a, b, 2.5, 2.5),
        GAP,
    ),
    Entry(
        "z_loss_from_logits",
        "value",
        families.logits,
        value(f.z_loss_from_logits),
        conditions.z_loss,
        TERM,
    ),
    Entry(
        "z_loss_from_logits",
        "gradient",
        families.small_gaps,
        gradient(f.z_loss_from_logits),
        conditions.z_gradient,
        GAP,
    ),
    Entry(
        "sigmoid",
        "value",
        families.one_logit,
        f.sigmoid,
        lambda z: conditions.plain(oracles.sigmoid(mp.mpf(float(z)))),
    ),
    Entry(
        "binary_cross_entropy_from_logits",
        "value",
        families.one_logit_with_target,
        value(f.binary_cross_entropy_from_logits, pos_weight=3.0),
        lambda z, t: conditions.plain(oracles.binary_cross_entropy_from_logits(*exact((z, t)), 3)),
    ),
    Entry(
        "binary_cross_entropy_from_logits",
        "gradient",
        families.one_logit_with_target,
        gradient(f.binary_cross_entropy_from_logits, pos_weight=3.0),
        conditions.binary_gradient,
        TERM,
    ),
    Entry(
        "binary_focal_from_logits",
        "value",
        families.one_logit_with_target,
        value(f.binary_focal_from_logits, alpha=0.25),
        lambda z, t: conditions.plain(
            oracles.binary_focal_from_logits(*exact((z, t)), 2, 0.25, 0.75)
        ),
    ),
    Entry(
        "binary_focal_from_logits",
        "gradient",
        families.one_logit_with_target,
        gradient(f.binary_focal_from_logits, alpha=0.25),
        conditions.binary_focal_gradient,
        TERM,
    ),
    Entry(
        "asymmetric_from_logits",
        "value",
        families.one_logit_with_target,
        value(f.asymmetric_from_logits),
        conditions.asymmetric,
        TERM,
    ),
    Entry(
        "asymmetric_from_logits",
        "gradient",
        families.one_logit_with_target,
        gradient(f.asymmetric_from_logits),
        conditions.asymmetric_gradient,
        TERM,
    ),
    Entry(
        "cross_entropy_from_probs",
        "value",
        families.indexed_probabilities,
        value(f.cross_entropy_from_probs),
        lambda p, y: conditions.plain(oracles.surprisal(exact(p)[y])),
    ),
    Entry(
        "cross_entropy_from_probs",
        "gradient",
        families.distribution_pairs,
        lambda p, q: f.cross_entropy_from_probs(q, p).grad,
        conditions.probs_gradient,
    ),
    Entry(
        "squared_error_from_probs",
        "value",
        families.distribution_pairs,
        value(f.squared_error_from_probs),
        lambda q, t: conditions.plain(
            sum(((a - b) ** 2 for a, b in zip(exact(q), exact(t), strict=True)))
        ),
    ),
    Entry(
        "squared_error_from_probs",
        "gradient",
        families.distribution_pairs,
        gradient(f.squared_error_from_probs),
        lambda q, t: conditions.plain(
            [2 * (a - b) for a, b in zip(exact(q), exact(t), strict=True)]
        ),
    ),
    Entry(
        "binary_cross_entropy_from_probs",
        "value",
        families.one_probability_with_target,
        value(f.binary_cross_entropy_from_probs),
        conditions.binary_probs,
    ),
    Entry(
        "binary_cross_entropy_from_probs",
        "gradient",
        families.one_probability_with_target,
        gradient(f.binary_cross_entropy_from_probs),
        conditions.binary_probs_gradient,
        TERM,
    ),
    Entry(
        "squared_error",
        "value",
        families.one_probability_with_target,
        value(f.squared_error),
        lambda p, t: conditions.plain((mp.mpf(float(p)) - mp.mpf(float(t))) ** 2),
        ULP,
        2,
    ),
    Entry(
        "squared_error",
        "gradient",
        families.one_probability_with_target,
        gradient(f.squared_error),
        lambda p, t: conditions.plain(2 * (mp.mpf(float(p)) - mp.mpf(float(t)))),
        ULP,
        2,
    ),
    Entry(
        "normal_entropy",
        "value",
        families.log_variances,
        f.normal_entropy,
        conditions.normal_entropy,
        TERM,
    ),
    Entry("normal_kl", "value", families.normals, f.normal_kl, conditions.normal_kl, NATS),
    Entry("elbo", "value", families.codes, f.elbo, conditions.elbo, TERM),
]

WITHIN_ITS_ESTIMATE = ("density_cross_entropy", "density_entropy", "density_kl_divergence")
