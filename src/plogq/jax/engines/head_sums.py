"""Sums and means of the losses of a linear layer's logits, whose gradient comes in the same scan.

A loss that is one number has the gradient of each piece of rows as soon as its logits are there:
none is computed twice, as it must be where each row's loss is returned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from plogq.jax.arguments import arithmetic, shaped
from plogq.jax.engines.xla_head import Pieces, head_by_rows, logits_of
from plogq.jax.engines.xla_rows import row_scale
from plogq.jax.questions import Answer, Head, Rows
from plogq.jax.tangents import is_live, no_tangent, tangent_by_fields

Array = jax.Array


class RowsEngine(NamedTuple):
    """What answers rows of logits, and how many arrays like these logits it keeps at a time."""

    answer: Callable[[Array, Rows], Any]
    copies: int


class Layer(NamedTuple):
    """Hidden rows (N, D), and the matrix (C, D) and bias (C,) or None that make their logits."""

    hidden: Array
    matrix: Array
    bias: Array | None


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def head_sum(engine: RowsEngine, workspace: int, layer: Layer, rows: Rows) -> Answer:
    """Return the reduced loss, and statistics where they are wanted, by an engine of rows."""
    found, _ = _scanned(engine, workspace, layer, rows, with_gradient=False)
    return found


def _head_sum_jvp(engine: RowsEngine, workspace: int, primals: Any, tangents: Any) -> Any:
    (layer, rows), (of_layer, of_rows) = primals, tangents

    def by_rows(rows: Rows) -> Answer:
        question = Head(rows, layer.matrix, layer.bias, workspace)
        answer: Answer = head_by_rows(layer.hidden, question)
        return answer

    tangent = tangent_by_fields(by_rows, rows, of_rows)
    wanted = any(is_live(dot) for dot in of_layer)
    found, gradient = _scanned(engine, workspace, layer, rows, with_gradient=wanted)
    wide = arithmetic(layer.hidden)
    for slope, dot in zip(gradient, of_layer, strict=True):
        if is_live(dot):
            tangent = tangent + (slope.astype(wide) * dot.astype(wide)).sum()
    if not rows.statistics:
        return found, tangent
    return found, (tangent, jax.tree.map(no_tangent, found[1]))


head_sum.defjvp(_head_sum_jvp, symbolic_zeros=True)


def _scanned(
    engine: RowsEngine, workspace: int, layer: Layer, rows: Rows, *, with_gradient: bool
) -> tuple[Answer, Any]:
    """Return the answer, and its gradient like the layer, or three times None."""
    wide = arithmetic(layer.hidden)
    scale = row_scale(rows, shaped((len(layer.hidden), len(layer.matrix)), wide))
    rows = replace(rows, reduction="sum", denominator=None, row_weight=scale)
    matrix = layer.matrix.astype(wide)
    pieces = Pieces.of(layer.hidden, rows, matrix, workspace, engine.copies)
    bias = None if layer.bias is None else layer.bias.astype(wide)

    def some(matrix: Array, bias: Array | None, hidden: Array, parts: Any) -> tuple[Array, Any]:
        found = engine.answer(logits_of(hidden, matrix, bias), replace(rows, **parts))
        return found if rows.statistics else (found, None)

    def step(total: Any, piece: Any) -> Any:
        if not with_gradient:
            loss, statistics = some(matrix, bias, *piece)
            return total + loss, (None, statistics)
        both = jax.value_and_grad(some, (0, 1, 2), has_aux=True)
        (loss, statistics), (to_matrix, to_bias, to_hidden) = both(matrix, bias, *piece)
        return jax.tree.map(jnp.add, total, (loss, to_matrix, to_bias)), (to_hidden, statistics)

    nothing: Any = jnp.zeros((), wide)
    if with_gradient:
        nothing = jax.tree.map(jnp.zeros_like, (nothing, matrix, bias))
    total, (to_hidden, statistics) = pieces.scan(step, nothing)
    gradient: Any = (None, None, None)
    if with_gradient:
        total, to_matrix, to_bias = total
        gradient = (pieces.joined(to_hidden), to_matrix, to_bias)
    found = pieces.statistics(statistics)
    return (total if found is None else (total, found)), gradient


@partial(jax.jit, static_argnums=0)
def head_answer(engine: RowsEngine, hidden: Array, question: Head) -> Answer:
    """Return what was asked of the logits of hidden rows, by an engine's answer for rows."""
    layer = Layer(hidden, question.matrix, question.bias)
    found: Answer = head_sum(engine, question.workspace, layer, question.rows)
    return found
