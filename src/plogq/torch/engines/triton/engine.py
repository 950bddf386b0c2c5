"""The Triton engine: the kernels of this folder, on tensors of a GPU."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from plogq.torch.engines import head_logprobs, head_loss
from plogq.torch.engines.head_pieces import RowEngine
from plogq.torch.engines.triton import elements, pairs
from plogq.torch.engines.triton import rows as of_rows
from plogq.torch.engines.triton.support import interpreting, no_triton
from plogq.torch.questions import Elements, Figures, Head, Rows, TokenHead


class Triton:
    """The kernels in Triton, on the memory of the tensors.

    Attributes
    ----------
    interprets
        Whether CPU tensors are taken, too, and interpreted. It is for tests: that is slow.
    """

    name = "triton"
    interprets = False

    def refusal(self, x: Tensor, question: Rows | Elements | Head) -> str:
        """Say why the kernels cannot answer; an empty text if they can."""
        if reason := no_triton(x, interprets=self.interprets and interpreting()):
            return reason
        if isinstance(question, Head):
            return of_rows.unknown(question.rows) or head_loss.no_pieces(x, question)
        if isinstance(question, Elements):
            return elements.refusal(x, question)
        if question.loss.pair is None:
            return of_rows.refusal(x, question)
        return pairs.refusal(x, question)

    def answer(self, x: Tensor, question: Rows | Elements | Head) -> Any:
        """Compute the loss under autograd."""
        if isinstance(question, TokenHead):
            return head_logprobs.answer(question, ROWS)
        if isinstance(question, Head):
            return head_loss.answer(x, question, ROWS)
        if isinstance(question, Elements):
            return elements.answer(x, question)
        kind = of_rows.TritonRows if question.loss.pair is None else pairs.TritonPairs
        return of_rows.answer(x, question, kind)


def _piece(
    x: Tensor, rows: Rows, scale: Tensor | None, figures: bool, softcap: float | None = None
) -> tuple[Tensor, Figures | None]:
    gradient = None if scale is None else x
    return of_rows.run_rows(
        x, rows, scale=scale, gradient=gradient, figures=figures, softcap=softcap
    )


ROWS = RowEngine(_piece, copies=0, capped=_piece)
