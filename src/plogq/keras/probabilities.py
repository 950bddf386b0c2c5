"""Losses of given probabilities, by the cores of `plogq.formulas`: nothing is renormalised."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any, NamedTuple

from keras import ops

from plogq.formulas import binary_core, softmax_core
from plogq.formulas.terms import kl_terms, log_ratio, neg_log, power, times
from plogq.keras.arguments import Rows, Tensor, arithmetic, both, check_distributions
from plogq.keras.namespace import xp

LOGITS = "; from_logits=True takes logits"


class Given(NamedTuple):
    """Probabilities where the cores of a softmax loss take the parts of one."""

    p: Tensor

    def probs(self) -> Tensor:
        """Return p."""
        return self.p

    def surprisals(self, xp: ModuleType) -> Tensor:
        """Return −log p."""
        return neg_log(xp, self.p)

    def complements(self, xp: ModuleType) -> Tensor:
        """Return 1 − p."""
        return 1 - self.p


def checked_probabilities(rows: Rows) -> Rows:
    """Return the rows in the dtype of arithmetic; refuse what are no probabilities."""
    sound = check_distributions("y_pred", rows.x, rows.keep, LOGITS)
    p = ops.cast(rows.x, arithmetic(rows.x))
    if rows.keep is not None:
        p = xp.where(rows.keep[..., None], p, 1 / p.shape[-1])
    return rows._replace(x=p, sound=both(rows.sound, sound))


def floored(p: Tensor, eps: float) -> Tensor:
    """Return max(p, eps): what lies below the floor has no gradient."""
    return xp.where(p < eps, eps, p) if eps else p


def softmax_loss(
    rows: Rows, weight: Tensor | None, label_smoothing: float, gamma: float, eps: float
) -> Tensor:
    """Return Σ_j w_j t_j (1 − p_j)^γ (−log p_j) of each row of checked probabilities.

    Labels are looked up: only smoothing needs the costs of the other classes.
    """
    p, target = floored(rows.x, eps), rows.target
    if len(target.shape) == len(p.shape):
        # A probability of 0 masks no class, since it may be one that was rounded to 0.
        shares = softmax_core.smoothed(xp, target, p, label_smoothing)
        return _weighed(shares, p, weight, gamma)
    cost = _costs(ops.take_along_axis(p, target[..., None], axis=-1)[..., 0], gamma)
    if weight is not None:
        cost = times(xp, ops.take(weight, target, axis=0), cost)
    if not label_smoothing:
        return cost
    even = _weighed(1 / p.shape[-1], p, weight, gamma)
    return (1 - label_smoothing) * cost + label_smoothing * even


def _weighed(shares: Any, p: Tensor, weight: Tensor | None, gamma: float) -> Tensor:
    u = shares if weight is None else weight * shares
    return xp.sum(times(xp, u + xp.zeros_like(p), _costs(p, gamma)), axis=-1)


def _costs(p: Tensor, gamma: float) -> Tensor:
    return softmax_core.class_costs(xp, Given(p), gamma)  # type: ignore[arg-type]


def binary_loss(p: Tensor, t: Tensor, gamma: float, alpha: float | None, eps: float) -> Tensor:
    """Return α t (1 − p)^γ (−log p) + (1 − α)(1 − t) p^γ (−log(1 − p)) of checked probabilities.

    Of p and of 1 − p, which rounds to 1 for a small p, eps bounds the surprisal.
    """
    yes, no = (1.0, 1.0) if alpha is None else (alpha, 1 - alpha)
    surprisal = (binary_core.cross_entropy_of_probs(xp, p, of + xp.zeros_like(p)) for of in (1, 0))
    limit = -math.log(eps) if eps else math.inf
    positive, negative = (xp.where(cost > limit, limit, cost) for cost in surprisal)
    positive = times(xp, yes * t * power(xp, 1 - p, gamma), positive)
    return positive + times(xp, no * (1 - t) * power(xp, p, gamma), negative)


def kl_divergence(p: Tensor, q: Tensor) -> Tensor:
    """Return D_KL(p ‖ q) of each row of checked probabilities, never negative."""
    return xp.sum(kl_terms(xp, p, q, log_ratio(xp, p, q)), axis=-1)
