"""The XLA engine: the cores of `plogq.formulas` in JAX's operations, with their gradients."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from plogq.jax.arguments import arithmetic
from plogq.jax.engines.head_sums import RowsEngine, head_answer
from plogq.jax.engines.xla_head import head_by_rows
from plogq.jax.engines.xla_rows import is_plain, rows_answer
from plogq.jax.questions import Answer, Elements, Head, Rows
from plogq.jax.reductions import finished
from plogq.jax.tangents import evaluate

Array = jax.Array


class Xla:
    """Operations that XLA compiles, on every device."""

    name = "xla"

    def refusal(self, x: Array, question: Rows | Elements | Head) -> str:
        """Take everything."""
        return ""

    def answer(self, x: Array, question: Rows | Elements | Head) -> Answer:
        """Compute the loss, and the statistics where they are wanted."""
        if isinstance(question, Rows):
            answer: Answer = rows_answer(x, question)
        elif isinstance(question, Elements):
            answer = elements_answer(x, question)
        elif question.rows.reduction == "none":
            answer = head_by_rows(x, question)
        else:
            answer = head_answer(RowsEngine(rows_answer, _copies(question.rows)), x, question)
        return answer


def _copies(rows: Rows) -> int:
    """Return how many arrays like the logits XLA keeps at a time with their gradient (measured)."""
    return 8 if is_plain(rows) else 15


@jax.jit
def elements_answer(z: Array, question: Elements) -> Array:
    """Return what was asked of numbers of any shape."""
    dtype, keep = arithmetic(z), question.keep
    z, t = z.astype(dtype), question.target.astype(dtype)
    w = None if question.pos_weight is None else question.pos_weight.astype(dtype)
    if keep is not None:
        z, t = jnp.where(keep, z, 0.0), jnp.where(keep, t, 0.0)
    loss = evaluate(question.loss, z, t, w)
    return finished(loss, keep, question.weight, question.reduction, question.denominator)
