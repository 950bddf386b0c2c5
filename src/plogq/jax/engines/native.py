"""The native engine: the kernel of this package, which XLA calls on the CPU."""

from __future__ import annotations

import jax

from plogq.jax.engines import native_rows
from plogq.jax.questions import Answer, Elements, Head, Rows

Array = jax.Array


class Native:
    """The rows of `plogq.kernels`, called on the memory of the arrays."""

    name = "native"

    def refusal(self, x: Array, question: Rows | Elements | Head) -> str:
        """Say why the kernel cannot answer; an empty text if it can."""
        if isinstance(question, Rows):
            return native_rows.refusal(x, question)
        return f"the kernel has no {type(question).__name__.lower()}"

    def answer(self, x: Array, question: Rows) -> Answer:
        """Compute the loss, and the statistics where they are wanted."""
        answer: Answer = native_rows.rows_answer_by_kernel(x, question)
        return answer
