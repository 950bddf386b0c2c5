"""Losses of the logits of a linear layer, of which only some exist at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from plogq.jax.arguments import arithmetic
from plogq.jax.engines.xla_rows import each_row, finish
from plogq.jax.questions import Answer, Head, Rows
from plogq.kernels.question import Statistics

Array = jax.Array
# XLA keeps up to so many arrays like the logits at a time (measured: 5, and 8 with every option).
_COPIES = 8


class Pieces(NamedTuple):
    """Hidden rows, and what is asked of each row, in pieces of one size.

    Attributes
    ----------
    hidden, parts
        The rows and the arrays of one value for each; with an axis of pieces unless all are one.
    size
        The number of rows; those that fill the last piece up are left out.
    whole
        Whether all rows are one piece.
    """

    hidden: Array
    parts: dict[str, Array]
    size: int
    whole: bool

    @classmethod
    def of(cls, hidden: Array, rows: Rows, matrix: Array, workspace: int, copies: int) -> Pieces:
        """Return the fewest pieces, of whose logits `copies` arrays fit into `workspace` bytes."""
        of_row = len(matrix) * jnp.dtype(arithmetic(hidden)).itemsize
        at_once = max(1, workspace // (copies * of_row))
        names = ("target", "mask", "keep", "row_weight")
        parts = {n: value for n in names if (value := getattr(rows, n)) is not None}
        if rows.keep is not None:
            hidden = jnp.where(rows.keep[:, None], hidden, 0)  # what is left out may be NaN
        count = len(hidden)
        number = -(-count // at_once)
        if number <= 1:
            return cls(hidden, parts, count, True)
        parts.setdefault("keep", jnp.ones(count, bool))
        at_once = -(-count // number)

        def cut(a: Array) -> Array:
            filled = jnp.pad(a, [(0, number * at_once - count), *[(0, 0)] * (a.ndim - 1)])
            return filled.reshape(number, at_once, *a.shape[1:])

        return cls(cut(hidden), jax.tree.map(cut, parts), count, False)

    def scan(self, step: Any, start: Any) -> Any:
        """Return what `jax.lax.scan` does, of a step that takes (hidden, parts)."""
        given = self.hidden, self.parts
        return step(start, given) if self.whole else jax.lax.scan(step, start, given)

    def joined(self, found: Any) -> Any:
        """Return what was found of each piece, row by row."""
        if self.whole:
            return found
        return jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:])[: self.size], found)

    def statistics(self, found: Statistics | None) -> Statistics | None:
        """Return the statistics of all rows, of those of each piece."""
        if found is None or self.whole:
            return found
        kept = self.parts["keep"].sum(axis=1)
        accuracy = (found.accuracy * kept).sum() / jnp.maximum(kept.sum(), 1)
        lse, entropy, argmax = self.joined(found[:3])
        return Statistics(lse, entropy, argmax, accuracy)


@jax.jit
def head_by_rows(hidden: Array, question: Head) -> Answer:
    """Return what was asked of the logits of hidden rows, which the gradient computes again.

    JAX carries the gradient of a constant of a scan in the constant's own dtype: that of the matrix
    is float32 here, and what is multiplied is cast back.
    """
    rows, wide = question.rows, arithmetic(hidden)
    matrix = question.matrix.astype(wide)
    bias = None if question.bias is None else question.bias.astype(wide)
    pieces = Pieces.of(hidden, rows, matrix, question.workspace, _COPIES)

    def some(matrix: Array, bias: Array | None, hidden: Array, parts: dict[str, Array]) -> Any:
        return each_row(logits_of(hidden, matrix, bias), replace(rows, **parts))  # type: ignore[arg-type]

    again = some if pieces.whole else jax.checkpoint(some, prevent_cse=False)
    _, found = pieces.scan(lambda _, piece: (None, again(matrix, bias, *piece)), None)
    loss, counts, statistics = found
    loss, counts = pieces.joined((loss, counts))
    return finish(rows, loss, counts, pieces.statistics(statistics))


def logits_of(hidden: Array, matrix: Array, bias: Array | None) -> Array:
    """Return hidden · matrixᵀ + bias; the product is of the dtype of the hidden rows."""
    x: Array = product(hidden, matrix.astype(hidden.dtype))
    return x if bias is None else x + bias


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
