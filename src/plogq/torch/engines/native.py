"""The native engine: the kernels of this package, on CPU tensors."""

from __future__ import annotations

from torch import Tensor

from plogq.torch.engines import native_elements, native_rows
from plogq.torch.questions import Answer, Elements, Rows


class Native:
    """The kernels of `plogq.kernels`, called on the memory of the tensors."""

    name = "native"

    def refusal(self, x: Tensor, question: Rows | Elements) -> str:
        """Say why the kernels cannot answer; an empty text if they can."""
        if isinstance(question, Rows):
            return native_rows.refusal(x, question)
        return native_elements.refusal(x, question)

    def answer(self, x: Tensor, question: Rows | Elements) -> Answer:
        """Compute the loss under autograd."""
        if isinstance(question, Rows):
            return native_rows.answer(x, question)
        return native_elements.answer(x, question)
