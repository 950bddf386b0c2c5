"""Losses that are a function of the surprisal s = −log p of the target, and their slopes."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import ModuleType
from typing import NamedTuple

from plogq.errors import check_number, check_share, refuse
from plogq.formulas.arrays import Array
from plogq.formulas.terms import expm1_minus


class Cost(NamedTuple):
    """A loss of the surprisal of a class, in nats, and its derivative in it.

    A loss Σ_j u_j `value`(s_j) has the gradient (Σ v) p − v with v_j = u_j `slope`(s_j).
    """

    value: Callable[[ModuleType, Array], Array]
    slope: Callable[[ModuleType, Array], Array]


def generalised_cost(q: float) -> Cost:
    """Return (1 − p^q)/q with the slope p^q; at q = 0 its limit s = −log p.

    Raises
    ------
    ValueError, TypeError
        If q is no number in [0, 1].
    """
    check_share("q", q)

    def value(xp: ModuleType, s: Array) -> Array:
        if q == 0:
            return s
        near = q * s <= 1
        # A product q s may underflow, and the quotient s (1 − exp(−q s))/(q s) is s there.
        some = near & (q * s > 1e-20)
        r = xp.where(some, q * s, 1.0)
        close = xp.where(near, s, 0.0) * xp.where(some, -xp.expm1(-r) / r, 1.0)
        return xp.where(near, close, -xp.expm1(-xp.where(near, 0.0, q * s)) / q)

    def slope(xp: ModuleType, s: Array) -> Array:
        return xp.ones_like(s) if q == 0 else xp.exp(-q * s)

    return Cost(value, slope)


def poly_cost(epsilon: float) -> Cost:
    """Return s + ε (1 − p) with the slope 1 + ε p.

    Raises
    ------
    ValueError, TypeError
        If ε is no finite number of at least −1, below which a sure, right row would have a slope
        away from its target.
    """
    check_number("epsilon", epsilon)
    if not -1 <= epsilon < math.inf:
        refuse("epsilon", "be at least -1 and finite", epsilon)

    def value(xp: ModuleType, s: Array) -> Array:
        if epsilon >= 0:
            return s - epsilon * xp.expm1(-s)
        # (1 + ε) s − ε (s − 1 + p), of terms that are not negative.
        beyond = -epsilon * expm1_minus(xp, -s)
        return beyond if epsilon == -1 else (1 + epsilon) * s + beyond

    def slope(xp: ModuleType, s: Array) -> Array:
        if epsilon >= 0:
            return 1 + epsilon * xp.exp(-s)
        return (1 + epsilon) + epsilon * xp.expm1(-s)

    return Cost(value, slope)
