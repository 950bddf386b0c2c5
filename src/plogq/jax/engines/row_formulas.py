"""Formulas of rows of logits: of any loss, and of labels in the few passes that XLA vectorises."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from plogq.formulas import label_core, softmax_core
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

    They are computed by `plogq.formulas.label_core`, whose passes XLA vectorises.
    """

    formula: RowFormula

    def value(self, x: Array, label: Array, share: Array) -> Array:
        """Return the losses (…)."""
        parts = _parts(self.formula, x, label)
        value: Array = times(jnp, share, label_core.surprisal(jnp, parts))
        return value + self.formula.z_loss * parts.lse**2 if self.formula.z_loss else value

    def gradient(self, x: Array, label: Array, share: Array) -> Array:
        """Return the gradients (…, C) with respect to x."""
        return _gradient(self.formula, x, label, share)


def _parts(formula: RowFormula, x: Array, label: Array) -> label_core.LabelParts:
    of_label = jnp.take_along_axis(x, label[..., None], axis=-1)[..., 0]
    return label_core.label_parts(jnp, x, of_label, formula.temperature)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _gradient(formula: RowFormula, x: Array, label: Array, share: Array) -> Array:
    """Return the gradient of the loss and of c lse², (…, C)."""
    parts = _parts(formula, x, label)
    of_lse = 2 * formula.z_loss * parts.lse if formula.z_loss else 0.0
    slope, at_label = label_core.gradient(jnp, parts, share, of_lse, formula.temperature)
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
