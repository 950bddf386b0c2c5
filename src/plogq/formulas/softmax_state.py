"""Softmax and its normaliser, from one mergeable state of each row."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple, Self

from plogq.errors import refuse
from plogq.formulas.arrays import Array, classes_last, first_row, shown, to_arrays
from plogq.formulas.distributions import check_logits
from plogq.formulas.terms import first_maximum


class LogSumExp(NamedTuple):
    """The mergeable state of a row of logits x: its maximum m, and the rest r.

    With m = max x, k its first position, and r = Σ_{j≠k} exp(x_j − m):
    lse = log Σ exp x = m + log1p(r).

    Keeping r rather than Σ exp(x − m) = 1 + r keeps the small numbers: a confident, right
    prediction has the loss log1p(r), and r = 1e-20 survives where 1 + r would not. States merge in
    any order and grouping, so that chunks, streams and ranks share one formula; the state of no
    logits at all is (−inf, 0).

    Examples
    --------
    >>> import numpy as np
    >>> left, right = log_sum_exp(np.array([2.0, 0.5])), log_sum_exp(np.array([-1.0, 0.0]))
    >>> bool(left.merge(right).value() == logsumexp(np.array([2.0, 0.5, -1.0, 0.0])))
    True

    References
    ----------
    Milakov, Gimelshein (2018), Online normalizer calculation for softmax, arXiv:1805.02867.
    """

    max: Array
    rest: Array

    def merge(self, other: Self, temperature: float = 1.0) -> LogSumExp:
        """Give the state of both rows' logits together.

        At a temperature T the rests are of x / T, and the maxima of x, of which no digit is lost.
        """
        xp, m1, r1, m2, r2 = to_arrays(
            max=self.max, rest=self.rest, max_=other.max, rest_=other.rest
        )
        first = m1 >= m2
        top, rest = xp.where(first, m1, m2), xp.where(first, r1, r2)
        low, low_rest = xp.where(first, m2, m1), xp.where(first, r2, r1)
        e = xp.exp(_below(xp, low, top) / temperature)
        return LogSumExp(top, (rest + low_rest * e) + e)  # this order gives tied maxima one result

    def value(self) -> Array:
        """Give log Σ exp x, in nats."""
        xp, m, r = to_arrays(max=self.max, rest=self.rest)
        return m + xp.log1p(r)


class Softmax(NamedTuple):
    """The parts of a softmax along the last axis, none of which needs a subtraction from 1."""

    is_top: Array  # the first maximum of each row, as a mask
    top: Array  # that maximum m, with the class axis kept
    drop: Array  # (m − x_j) / T ≥ 0
    exp: Array  # exp(−drop), 1 at the top
    rest: Array  # Σ exp(−drop) over all classes but the top, with the class axis kept

    def probs(self) -> Array:
        """Give p_j = exp((x_j − m) / T) / (1 + r)."""
        return self.exp / (1 + self.rest)

    def surprisals(self, xp: ModuleType) -> Array:
        """Give −log p_j = (m − x_j) / T + log1p(r) in nats: two terms ≥ 0, which cannot cancel."""
        return self.drop + xp.log1p(self.rest)

    def complements(self, xp: ModuleType) -> Array:
        """Give 1 − p_j, which at the top is r / (1 + r)."""
        # exp is 1 at the top, but its derivative is not 0 where the top moves.
        miss = xp.where(self.is_top, self.rest - (self.exp - 1), 1 + self.rest - self.exp)
        return miss / (1 + self.rest)


def softmax_parts(
    xp: ModuleType,
    x: Array,
    temperature: float = 1.0,
    constant: Callable[[Array], Array] | None = None,
    is_top: Array | None = None,
) -> Softmax:
    """Compute the parts for logits whose classes are on the last axis.

    The temperature divides the differences: a rounded x_j / T would carry its error into them.

    `constant` is what a library calls detach or stop_gradient. With it, the automatic derivatives
    of what is made of the parts are as exact as the parts. A derivative at the top is (Σ v) p − v.
    Where p ≥ ½ it must come as Σ_{others} v − (Σ v) (1 − p), with 1 − p from the rest: all the
    others move with the top, whose own drop is constant. Where p < ½ that would cancel; there the
    top moves alone.

    `is_top` is for a library that finds the first maxima faster than by `first_maximum`.
    """
    is_top = first_maximum(xp, x) if is_top is None else is_top
    # Not max(x): among tied maxima the gradient must go to the very one that `is_top` names.
    m = xp.sum(xp.where(is_top, x, 0.0), axis=-1, keepdims=True)
    if constant is None:
        drop = -_below(xp, x, m) / temperature
    else:
        drop = (m - x) / temperature  # NaN where m is infinite; differentiable at −inf
        rises = xp.sum(xp.exp(-constant(drop)), axis=-1, keepdims=True) <= 2
        m = xp.where(rises, m, constant(m))
        drop = (m - x) / temperature
        drop = xp.where(is_top & rises, constant(drop), drop)
    e = xp.exp(-drop)
    at_top = 0.0 if constant is None else e - 1  # the same number, with a derivative
    rest = xp.sum(xp.where(is_top, at_top, e), axis=-1, keepdims=True)
    return Softmax(is_top, m, drop, e, rest)


def _below(xp: ModuleType, x: Array, top: Array) -> Array:
    """Give x − top; −inf − −inf is −inf here, and not NaN."""
    return xp.where(x == -xp.inf, -xp.inf, x - xp.where(top == -xp.inf, 0.0, top))


def log_sum_exp(x: Array, *, axis: int = -1) -> LogSumExp:
    """Give the mergeable state (max, rest) of logits along `axis`; a row of only −inf is (−inf, 0).

    Examples
    --------
    >>> import numpy as np
    >>> state = log_sum_exp(np.array([0.0, 1.0, 0.0]))
    >>> float(state.max), round(float(state.rest), 4)
    (1.0, 0.7358)
    """
    xp, x = to_arrays(x=x)
    x = classes_last(xp, x, axis, "x")
    row = first_row(xp, ~xp.all(x < xp.inf, axis=-1))
    if row is not None:
        refuse("x", "be finite or -inf", shown(x, row), row=row)
    parts = softmax_parts(xp, x)
    return LogSumExp(parts.top[..., 0], parts.rest[..., 0])


def logsumexp(x: Array, *, axis: int = -1) -> Array:
    """log Σ_j exp(x_j) in nats, without overflow; −inf for a row of only −inf.

    Examples
    --------
    >>> import numpy as np
    >>> float(logsumexp(np.array([1000.0, 1000.0])))
    1000.6931471805599
    """
    return log_sum_exp(x, axis=axis).value()


def log_softmax(logits: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """log p_j = x_j / T − log Σ_k exp(x_k / T), in nats, in the shape of `logits`.

    A confident class keeps its digits: log p = −1e-20 comes out as that, not as 0.

    Raises
    ------
    ValueError
        For NaN or +inf logits, a row of only −inf, no classes, or a temperature that is not > 0.

    Examples
    --------
    >>> import numpy as np
    >>> log_softmax(np.array([2.0, 0.5, -1.0, 0.0])).round(4)
    array([-0.3423, -1.8423, -3.3423, -2.3423])
    """
    xp, x = checked_logits(axis, temperature, logits=logits)
    return xp.moveaxis(-softmax_parts(xp, x, temperature).surprisals(xp), -1, axis)


def softmax(logits: Array, *, axis: int = -1, temperature: float = 1.0) -> Array:
    """p_j = exp(x_j / T) / Σ_k exp(x_k / T), in the shape of `logits`.

    T > 1 flattens, T < 1 sharpens, T → 0 is argmax. Raises as `log_softmax` does.

    Examples
    --------
    >>> import numpy as np
    >>> softmax(np.array([2.0, 0.5, -1.0, 0.0])).round(4)
    array([0.7101, 0.1584, 0.0354, 0.0961])

    References
    ----------
    Bridle (1990), Probabilistic interpretation of feedforward classification network outputs.
    """
    xp, x = checked_logits(axis, temperature, logits=logits)
    return xp.moveaxis(softmax_parts(xp, x, temperature).probs(), -1, axis)


def checked_logits(axis: int, temperature: float = 1.0, **named: Any) -> tuple[Any, ...]:
    """Give the namespace, then each argument as checked logits, classes last."""
    xp, *arrays = to_arrays(**named)
    if not 0 < temperature <= float(xp.finfo(arrays[0].dtype).max):
        refuse("temperature", "be greater than 0 and finite", temperature)
    out = []
    for name, x in zip(named, arrays, strict=True):
        x = classes_last(xp, x, axis, name)
        check_logits(xp, x, name)
        out.append(x)
    return (xp, *out)
