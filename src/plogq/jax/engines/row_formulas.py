"""Formulas of rows of logits: of any loss, and of labels in the few passes that XLA vectorises."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from plogq.formulas import softmax_core
from plogq.formulas.terms import times
from plogq.jax.losses import Given, RowLoss, parts_of

Array = jax.Array


@dataclass(frozen=True)
class RowFormula:
    """The losses (…) of logits x (…, C), of shares u and of another model's logits."""

    loss: RowLoss
    temperature: float
    z_loss: float

    def value(self, x: Array, u: Array | None, other: Array | None) -> Array:
        """Return the losses."""
        parts = parts_of(x, self.temperature)
        value = self.loss.value(Given(x, parts, self.temperature, u, other))
        if self.z_loss:
            lse = softmax_core.log_normaliser(jnp, parts, self.temperature)
            value = value + self.z_loss * lse**2
        return value

    def gradient(self, x: Array, u: Array | None, other: Array | None) -> Array | None:
        """Return the gradients (…, C) with respect to x."""
        parts = parts_of(x, self.temperature)
        slope = self.loss.gradient(Given(x, parts, self.temperature, u, other))
        if slope is None:
            return None
        if self.z_loss:
            lse = softmax_core.log_normaliser(jnp, parts, self.temperature)
            slope = slope + 2 * self.z_loss * lse[..., None] * parts.probs()
        return slope / self.temperature


@dataclass(frozen=True)
class LabelFormula:
    """The same numbers as `formula`, of cross-entropy and labels (…) that count their shares (…).

    A mask of the first maximum keeps XLA from vectorising on a CPU. All maxima are left out of the
    sum here, and counted; the gradient is p, with what does not cancel at the label.
    """

    formula: RowFormula

    def value(self, x: Array, label: Array, share: Array) -> Array:
        """Return the losses (…)."""
        state = _State(x, label, self.formula.temperature)
        value: Array = times(jnp, share, state.drop + jnp.log1p(state.rest))
        return value + self.formula.z_loss * state.lse**2 if self.formula.z_loss else value

    def gradient(self, x: Array, label: Array, share: Array) -> Array:
        """Return the gradients (…, C) with respect to x."""
        return _gradient(self.formula, x, label, share)


class _State:
    """What a row needs: its maximum and rest, and its label's drop (m − x_y) / T."""

    def __init__(self, x: Array, label: Array, temperature: float) -> None:
        top = jnp.max(x, axis=-1, keepdims=True)
        is_top = x == top
        self.exp = jnp.exp((x - top) / temperature)
        rest = jnp.sum(jnp.where(is_top, 0.0, self.exp), axis=-1)
        rest = rest + (jnp.sum(is_top, axis=-1, dtype=x.dtype) - 1)
        top = top[..., 0]
        self.rest = jnp.where(jnp.isfinite(top), rest, jnp.nan)
        self.drop = (top - jnp.take_along_axis(x, label[..., None], axis=-1)[..., 0]) / temperature
        self.lse = top / temperature + jnp.log1p(self.rest)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _gradient(formula: RowFormula, x: Array, label: Array, share: Array) -> Array:
    """Return share · (p − [j = y]) + 2 c lse · p, over T, with 1 − p_y from the rest."""
    state = _State(x, label, formula.temperature)
    of_lse = 2 * formula.z_loss * state.lse if formula.z_loss else 0.0
    scale = 1 / ((1 + state.rest) * formula.temperature)
    slope = state.exp * ((share + of_lse) * scale)[..., None]
    exp = jnp.exp(-state.drop)
    at_label = (of_lse * exp - share * (state.rest + (1 - exp))) * scale
    found: Array = _replaced(slope, label, at_label)
    return found


@partial(jnp.vectorize, signature="(c),(),()->(c)")
def _replaced(row: Array, position: Array, value: Array) -> Array:
    """Return the row with this value at the position; `put_along_axis` takes no symbolic shape."""
    return row.at[position].set(value)


@_gradient.defjvp
def _gradient_jvp(formula: RowFormula, primals: Any, tangents: Any) -> tuple[Array, Array]:
    """Derive the general formula, which is exact in its second derivatives, too."""
    x, label, share = primals

    def general(x: Array, share: Array) -> Array:
        is_label = jnp.arange(x.shape[-1]) == label[..., None]
        found = formula.gradient(x, jnp.where(is_label, share[..., None], 0.0), None)
        assert found is not None
        return found

    tangent = jax.jvp(general, (x, share), (tangents[0], tangents[2]))[1]
    return _gradient(formula, *primals), tangent
