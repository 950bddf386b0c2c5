"""Losses of the logits of a linear layer, of which only some exist at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from plogq.jax.arguments import arithmetic
from plogq.jax.engines.xla_rows import each_row, finish
from plogq.jax.questions import Answer, Head
from plogq.kernels.question import Statistics

Array = jax.Array


@jax.jit
def head_answer(hidden: Array, question: Head) -> Answer:
    """Return what was asked of the logits of hidden rows, which the gradient computes again.

    JAX carries the gradient of a constant of a scan in the constant's own dtype: that of the matrix
    is float32 here, and what is multiplied is cast back.
    """
    rows, dtype = question.rows, hidden.dtype
    parts = {
        name: value
        for name in ("target", "mask", "keep")
        if (value := getattr(rows, name)) is not None
    }
    if rows.keep is not None:
        hidden = jnp.where(rows.keep[:, None], hidden, 0)  # what is left out may be NaN
    wide = arithmetic(hidden)
    matrix = question.matrix.astype(wide)
    bias = None if question.bias is None else question.bias.astype(wide)

    def some(matrix: Array, bias: Array | None, hidden: Array, parts: dict[str, Array]) -> Any:
        x = product(hidden, matrix.astype(dtype))
        x = x if bias is None else x + bias
        return each_row(x, replace(rows, **parts))  # type: ignore[arg-type]

    count = len(hidden)
    pieces = -(-count // question.at_once)
    if pieces <= 1:
        loss, counts, stats = some(matrix, bias, hidden, parts)
        return finish(rows, loss, counts, stats)
    parts.setdefault("keep", jnp.ones(count, bool))
    size = -(-count // pieces)

    def cut(a: Array) -> Array:
        """Return rows in pieces of one size; what fills the last one up is left out."""
        filled = jnp.pad(a, [(0, pieces * size - count), *[(0, 0)] * (a.ndim - 1)])
        return filled.reshape(pieces, size, *a.shape[1:])

    again = jax.checkpoint(some, prevent_cse=False)
    given = cut(hidden), {name: cut(a) for name, a in parts.items()}
    _, found = jax.lax.scan(lambda _, piece: (None, again(matrix, bias, *piece)), None, given)
    loss, counts, stats = found
    if stats is not None:
        kept = given[1]["keep"].sum(axis=1)
        accuracy = (stats.accuracy * kept).sum() / jnp.maximum(kept.sum(), 1)
        lse, entropy, argmax = (a.reshape(-1)[:count] for a in stats[:3])
        stats = Statistics(lse, entropy, argmax, accuracy)
    loss = loss.reshape(-1)[:count]
    counts = None if counts is None else counts.reshape(-1)[:count]
    return finish(rows, loss, counts, stats)


@jax.custom_jvp
def product(hidden: Array, matrix: Array) -> Array:
    """Return the logits hidden · matrixᵀ, summed and left in the dtype of arithmetic."""
    return jnp.matmul(hidden, matrix.T, preferred_element_type=arithmetic(hidden))


@product.defjvp
def _product_jvp(primals: Any, tangents: Any) -> tuple[Array, Array]:
    """In the input's dtype, so that the products of the gradient are, too."""
    (hidden, matrix), (of_hidden, of_matrix) = primals, tangents
    tangent = of_hidden @ matrix.T + hidden @ of_matrix.T
    return product(hidden, matrix), tangent.astype(arithmetic(hidden))
