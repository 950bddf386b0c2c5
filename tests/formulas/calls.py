"""One or more calls of every public function that takes arrays, for what must hold of them all."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from plogq import formulas as f

ROWS = CLASSES = 5  # alike, for JAX compiles every operation once for each shape
rng = np.random.default_rng(7)


def distribution(rows: int, classes: int) -> np.ndarray:
    """In 256ths, none 0: exact in every dtype, bfloat16 included."""
    likely = rng.dirichlet(np.full(classes, 0.7), rows)
    return (1 + rng.multinomial(256 - classes, likely)) / 256


P, Q = distribution(ROWS, CLASSES), distribution(ROWS, CLASSES)
P[0] = [0.5, 0.25, 0.25, 0, 0]
Q[0, 4], Q[0, 3] = 0, Q[0, 3] + Q[0, 4]
TABLES = distribution(ROWS, 3 * CLASSES).reshape(ROWS, 3, CLASSES)
COUNTS = rng.poisson(3.0, (ROWS, CLASSES)).astype(float)
SPLITS = 1 + rng.poisson(2.0, (ROWS, 3, CLASSES)).astype(float)
LABELS, BRANCHES = rng.integers(0, 3, 40), rng.integers(0, 4, 40)
X, TEACHER = rng.normal(0, 3, (ROWS, CLASSES)), rng.normal(0, 3, (ROWS, CLASSES))
X[1, 2] = TEACHER[1, 2] = -np.inf
Y = np.array([0, 3, 4, 1, 1])
SOFT = distribution(ROWS, CLASSES)
SOFT[1, 2], SOFT[1, 3] = 0, SOFT[1, 3] + SOFT[1, 2]
Z, T = rng.normal(0, 3, ROWS), np.array([0.0, 1, 0.25, 1, 0])
PROB = np.array([0.0, 0.9, 0.3, 1e-3, 0.5])
MEAN, LOG_VARIANCE = rng.normal(size=(ROWS, CLASSES)), rng.normal(size=(ROWS, CLASSES))


@dataclass(frozen=True, eq=False)
class Call:
    """A function, its arrays, and which of them have classes along `axis`."""

    function: Callable[..., Any]
    args: tuple[np.ndarray, ...]
    classes: tuple[int, ...] = ()
    case: str = ""

    @property
    def name(self) -> str:
        return getattr(self.function, "func", self.function).__name__

    def __str__(self) -> str:
        return f"{self.name} {self.case}".strip()


MEASURES = (
    Call(f.surprisal, (P,)),
    Call(f.entropy, (P,), (0,)),
    Call(f.cross_entropy, (P, Q), (0, 1)),
    Call(f.kl_divergence, (P, Q), (0, 1)),
    Call(f.js_divergence, (P, Q), (0, 1)),
    Call(partial(f.js_divergence, weights=[0.25, 0.75]), (P, Q), (0, 1), "weights"),
    Call(f.js_distance, (P, Q), (0, 1)),
    Call(f.decompose, (P, Q), (0, 1)),
    Call(f.perplexity, (P,), (0,)),
    Call(f.perplexity, (P, Q), (0, 1), "of a model"),
    Call(f.joint_entropy, (TABLES,)),
    Call(f.conditional_entropy, (TABLES,)),
    Call(f.mutual_information, (TABLES,)),
    Call(f.entropy_of_counts, (COUNTS,), (0,)),
    Call(partial(f.entropy_of_counts, miller_madow=True), (COUNTS,), (0,), "Miller-Madow"),
    Call(f.information_gain_from_counts, (SPLITS,)),
    Call(f.normal_entropy, (LOG_VARIANCE,), (0,)),
    Call(f.normal_kl, (MEAN, LOG_VARIANCE), (0, 1)),
    Call(f.normal_kl, (MEAN, LOG_VARIANCE, X[2:3], P), (0, 1, 2, 3), "of two"),
    Call(f.elbo, (Z, MEAN, LOG_VARIANCE), (1, 2)),
    Call(f.log_sum_exp, (X,), (0,)),
    Call(f.logsumexp, (X,), (0,)),
    Call(f.log_softmax, (X,), (0,)),
    Call(partial(f.softmax, temperature=0.5), (X,), (0,)),
    Call(f.sigmoid, (Z,)),
)
SOFTMAX_LOSSES = (
    Call(f.cross_entropy_from_logits, (X, Y), (0,)),
    Call(f.cross_entropy_from_logits, (X, SOFT), (0, 1), "soft"),
    Call(partial(f.cross_entropy_from_logits, label_smoothing=0.2), (X, Y), (0,), "smoothed"),
    Call(f.focal_from_logits, (X, Y), (0,)),
    Call(partial(f.focal_from_logits, gamma=0.5), (X, SOFT), (0, 1), "soft"),
    Call(f.generalised_cross_entropy_from_logits, (X, Y), (0,)),
    Call(partial(f.generalised_cross_entropy_from_logits, q=0.0), (X, SOFT), (0, 1), "soft"),
    Call(partial(f.generalised_cross_entropy_from_logits, q=1.0), (X, Y), (0,), "of q = 1"),
    Call(f.poly_from_logits, (X, Y), (0,)),
    Call(partial(f.poly_from_logits, epsilon=-1.0), (X, SOFT), (0, 1), "soft"),
    Call(f.squared_error_from_logits, (X, Y), (0,)),
    Call(f.squared_error_from_logits, (X, SOFT), (0, 1), "soft"),
    Call(partial(f.distillation_from_logits, temperature=3.0), (X, TEACHER), (0, 1)),
    Call(f.z_loss_from_logits, (X,), (0,)),
)
LOSSES = (
    *SOFTMAX_LOSSES,
    Call(f.kl_divergence_from_logits, (TEACHER, X), (0, 1)),
    Call(partial(f.reverse_kl_from_logits, temperature=2.0), (TEACHER, X), (0, 1)),
    Call(f.js_divergence_from_logits, (TEACHER, X), (0, 1)),
    Call(partial(f.js_divergence_from_logits, beta=0.1), (TEACHER, X), (0, 1), "beta"),
    Call(f.binary_cross_entropy_from_logits, (Z, T)),
    Call(partial(f.binary_cross_entropy_from_logits, pos_weight=3.0), (Z, T), (), "pos_weight"),
    Call(f.binary_focal_from_logits, (Z, T)),
    Call(partial(f.binary_focal_from_logits, gamma=0.5, alpha=0.25), (Z, T), (), "alpha"),
    Call(
        partial(f.binary_focal_from_logits, pos_weight=3.0, label_smoothing=0.2), (Z, T), (), "both"
    ),
    Call(f.asymmetric_from_logits, (Z, T)),
    Call(partial(f.asymmetric_from_logits, gamma_neg=0.5, margin=0.0), (Z, T), (), "no margin"),
    Call(f.cross_entropy_from_probs, (Q, Y), (0,)),
    Call(f.cross_entropy_from_probs, (Q, P), (0, 1), "soft"),
    Call(f.squared_error_from_probs, (Q, Y), (0,)),
    Call(f.binary_cross_entropy_from_probs, (PROB, T)),
    Call(f.squared_error, (PROB, T)),
)
OF_FLOATS = (*MEASURES, *LOSSES)
SPLIT = Call(f.information_gain, (LABELS, BRANCHES))
CALLS = (*OF_FLOATS, SPLIT)
