"""Losses of rows of logits, in the cores of `plogq.formulas`."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from plogq.formulas import softmax_core
from plogq.jax.arguments import arithmetic
from plogq.jax.losses import Given, RowLoss, parts_of
from plogq.jax.questions import Answer, Rows
from plogq.jax.reductions import finished
from plogq.jax.tangents import evaluate
from plogq.kernels.question import Statistics

Array = jax.Array


@jax.jit
def rows_answer(x: Array, rows: Rows) -> Answer:
    """Return what was asked of logits (…, C)."""
    return finish(rows, *each_row(x, rows))


def finish(rows: Rows, loss: Array, counts: Array | None, stats: Statistics | None) -> Answer:
    """Return what was asked for, of losses by row: weighed and reduced, with their statistics."""
    found = finished(loss, rows.keep, rows.row_weight, rows.reduction, rows.denominator, counts)
    return found if stats is None else (found, stats)


def each_row(x: Array, rows: Rows) -> tuple[Array, Array | None, Statistics | None]:
    """Return the losses (…), what their rows count by class weights, and their statistics."""
    x = _prepared(x, rows)
    other = None if rows.other is None else _prepared(rows.other, rows)
    u = target = None if rows.target is None else _distributions(rows.target, x, rows)
    weight = None if rows.weight is None else rows.weight.astype(x.dtype)
    counts = None
    if target is not None:
        u = rows.loss.shares(x, target, weight)
        counts = None if weight is None else jnp.sum(weight * target, axis=-1)
    loss = evaluate(RowFormula(rows.loss, rows.temperature, rows.z_loss), x, u, other)
    if not rows.statistics:
        return loss, counts, None
    return loss, counts, jax.lax.stop_gradient(_statistics(x, target, rows))


def _prepared(x: Array, rows: Rows) -> Array:
    """Return logits after what is done to them before all else; 0 for a row that is left out."""
    x = x.astype(arithmetic(x))
    if rows.softcap is not None:
        x = softmax_core.capped(jnp, x, rows.softcap)
    if rows.mask is not None:
        x = jnp.where(rows.mask, x, -jnp.inf)
    return x if rows.keep is None else jnp.where(rows.keep[..., None], x, 0.0)


def _distributions(target: Array, x: Array, rows: Rows) -> Array:
    """Return targets (…, C); NaN for a label that is no class."""
    classes = x.shape[-1]
    if rows.soft:
        target = target.astype(x.dtype)
        return target if rows.keep is None else jnp.where(rows.keep[..., None], target, 0.0)
    label = (target if rows.keep is None else jnp.where(rows.keep, target, 0))[..., None]
    one_hot = (jnp.arange(classes) == label).astype(x.dtype)
    return jnp.where((label >= 0) & (label < classes), one_hot, jnp.nan)


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


def _statistics(x: Array, target: Array | None, rows: Rows) -> Statistics:
    parts = parts_of(x, rows.temperature)
    argmax = jnp.argmax(x, axis=-1)
    label = argmax if target is None else jnp.argmax(target, axis=-1)
    lse = softmax_core.log_normaliser(jnp, parts, rows.temperature)
    entropy = softmax_core.entropy(jnp, parts)
    keep = jnp.ones_like(argmax, dtype=bool) if rows.keep is None else rows.keep
    right = (argmax == label) & keep
    return Statistics(
        jnp.where(keep, lse, -jnp.inf),
        jnp.where(keep, entropy, 0.0),
        jnp.where(keep, argmax, -1),
        right.sum() / jnp.maximum(keep.sum(), 1),
    )
