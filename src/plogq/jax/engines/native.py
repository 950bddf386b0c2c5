"""The native engine: the kernel of this package, which XLA calls on the CPU."""

from __future__ import annotations

import jax

from plogq.jax.engines import native_rows
from plogq.jax.engines.head_sums import RowsEngine, head_answer
from plogq.jax.questions import Answer, Elements, Head, Rows

Array = jax.Array


class Native:
    """The rows of `plogq.kernels`, called on the memory of the arrays."""

    name = "native"

    def refusal(self, x: Array, question: Rows | Elements | Head) -> str:
        """Say why the kernel cannot answer; an empty text if it can."""
        if isinstance(question, Rows):
            return native_rows.refusal(x, question)
        if isinstance(question, Elements):
            return "the kernel has no elements"
        if question.rows.reduction == "none":
            return "the kernel has no gradient of rows before their upstream is known"
        return native_rows.refusal(x, question.rows)

    def answer(self, x: Array, question: Rows | Head) -> Answer:
        """Compute the loss, and the statistics where they are wanted."""
        by_kernel = native_rows.rows_answer_by_kernel
        if isinstance(question, Rows):
            answer: Answer = by_kernel(x, question)
        else:
            copies = native_rows.copies(question.rows)
            answer = head_answer(RowsEngine(by_kernel, copies), x, question)
        return answer
