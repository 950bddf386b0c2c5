"""Losses of rows of logits, in the cores of `plogq.formulas`."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from plogq.formulas import softmax_core
from plogq.jax.arguments import Shaped, arithmetic
from plogq.jax.engines.row_formulas import LabelFormula, RowFormula
from plogq.jax.losses import CrossEntropy, parts_of
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
    x = prepared(x, rows, rows.softcap)
    if is_plain(rows):
        return _of_labels(x, rows)
    other = rows.other
    if other is not None:
        other = prepared(other, rows, rows.softcap if rows.loss.caps_other else None)
    u = target = None if rows.target is None else _distributions(rows.target, x, rows)
    weight = None if rows.weight is None else rows.weight.astype(x.dtype)
    counts = None
    if target is not None:
        u = rows.loss.shares(x, target, weight)
        counts = None if weight is None else jnp.sum(weight * target, axis=-1)
    loss = evaluate(RowFormula(rows.loss, rows.temperature, rows.z_loss), x, u, other)
    label = None if target is None or not rows.statistics else jnp.argmax(target, axis=-1)
    return loss, counts, _statistics(x, label, rows)


def is_plain(rows: Rows) -> bool:
    """Tell whether the loss is the surprisal of labels, which needs the fewest passes."""
    return rows.loss == CrossEntropy() and not rows.soft


def _of_labels(x: Array, rows: Rows) -> tuple[Array, Array | None, Statistics | None]:
    """Return what `each_row` does, of class indices and plain cross-entropy."""
    label, share = share_of_labels(rows, x.shape[-1], x.dtype)
    formula = RowFormula(rows.loss, rows.temperature, rows.z_loss)
    loss = evaluate(LabelFormula(formula), x, label, share)
    return loss, None if rows.weight is None else share, _statistics(x, label, rows)


def prepared(x: Array, rows: Rows, softcap: float | None) -> Array:
    """Return logits after what is done to them before all else; 0 for a row that is left out."""
    x = x.astype(arithmetic(x))
    if softcap is not None:
        x = softmax_core.capped(jnp, x, softcap)
    if rows.mask is not None:
        x = jnp.where(rows.mask, x, -jnp.inf)
    return x if rows.keep is None else jnp.where(rows.keep[..., None], x, 0.0)


def _distributions(target: Array, x: Array, rows: Rows) -> Array:
    """Return targets (…, C); NaN for a label that is no class."""
    classes = x.shape[-1]
    if rows.soft:
        target = target.astype(x.dtype)
        return target if rows.keep is None else jnp.where(rows.keep[..., None], target, 0.0)
    label, known = labels(rows, classes)
    one_hot = (jnp.arange(classes) == label[..., None]).astype(x.dtype)
    return jnp.where(known[..., None], one_hot, jnp.nan)


def reduced(rows: Rows, loss: Array, classes: int) -> Array:
    """Return losses (…) weighed and reduced, without a look at the logits."""
    counts = None
    if rows.weight is not None and rows.soft:
        weight, target = (jnp.asarray(a).astype(loss.dtype) for a in (rows.weight, rows.target))
        counts = jnp.sum(weight * target, axis=-1)
    elif rows.weight is not None:
        _, counts = share_of_labels(rows, classes, loss.dtype)
    return finished(loss, rows.keep, rows.row_weight, rows.reduction, rows.denominator, counts)


def row_scale(rows: Rows, x: Shaped) -> Array:
    """Return the derivative of the reduced loss with respect to the loss of each row (…)."""
    none = jnp.zeros(x.shape[:-1], arithmetic(x))  # it is linear: any losses would do
    scale: Array = jax.grad(lambda loss: reduced(rows, loss, x.shape[-1]).sum())(none)
    return scale


def share_of_labels(rows: Rows, classes: int, dtype: Any) -> tuple[Array, Array]:
    """Return class indices (…), and the class weights of them; 0 and NaN for what is no class."""
    label, known = labels(rows, classes)
    weight = jnp.ones((), dtype) if rows.weight is None else rows.weight.astype(dtype)[label]
    return label, jnp.where(known, weight, jnp.nan)


def labels(rows: Rows, classes: int) -> tuple[Array, Array]:
    """Return class indices (…), and which of them are classes; 0 for the others."""
    label = jnp.asarray(rows.target)
    label = label if rows.keep is None else jnp.where(rows.keep, label, 0)
    known = (label >= 0) & (label < classes)
    return jnp.where(known, label, 0), known


def _statistics(x: Array, label: Array | None, rows: Rows) -> Statistics | None:
    """Return the statistics of rows, without a gradient; None where they are not wanted."""
    if not rows.statistics:
        return None
    x = jax.lax.stop_gradient(x)
    parts = parts_of(x, rows.temperature)
    lse = softmax_core.log_normaliser(jnp, parts, rows.temperature)
    argmax = predicted(jnp.argmax(x, axis=-1), lse)
    label = argmax if label is None else label
    entropy = softmax_core.entropy(jnp, parts)
    accuracy = accuracy_of(argmax, label, rows.keep)
    if rows.keep is None:
        return Statistics(lse, entropy, argmax, accuracy)
    return Statistics(
        jnp.where(rows.keep, lse, -jnp.inf),
        jnp.where(rows.keep, entropy, 0.0),
        jnp.where(rows.keep, argmax, -1),
        accuracy,
    )


def predicted(argmax: Array, lse: Array) -> Array:
    """Return the predicted classes (…); −1 for a row of NaN, whose maximum may be anywhere."""
    return jnp.where(jnp.isnan(lse), -1, argmax)


def accuracy_of(argmax: Array, label: Array, keep: Array | None) -> Array:
    """Return the share of right predictions among the rows (…) that count; 0 where none does."""
    keep = jnp.ones_like(argmax, dtype=bool) if keep is None else keep
    return ((argmax == label) & keep).sum() / jnp.maximum(keep.sum(), 1)
