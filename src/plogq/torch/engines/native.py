"""The native engine: the kernels of this package, on CPU tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from plogq.torch.autograd import memory_of, no_kernel
from plogq.torch.engines import head_logprobs, head_loss, native_elements, native_rows
from plogq.torch.engines.head_pieces import RowEngine
from plogq.torch.questions import Elements, Figures, Head, Rows, TokenHead


class Native:
    """The kernels of `plogq.kernels`, called on the memory of the tensors."""

    name = "native"

    def refusal(self, x: Tensor, question: Rows | Elements | Head) -> str:
        """Say why the kernels cannot answer; an empty text if they can."""
        if isinstance(question, Head):
            unknown = native_rows.unknown(question.rows)
            return unknown or no_kernel(x) or head_loss.no_pieces(x, question)
        if isinstance(question, Rows):
            return native_rows.refusal(x, question)
        return native_elements.refusal(x, question)

    def answer(self, x: Tensor, question: Rows | Elements | Head) -> Any:
        """Compute the loss under autograd."""
        if isinstance(question, TokenHead):
            return head_logprobs.answer(question, ROWS)
        if isinstance(question, Head):
            return head_loss.answer(x, question, ROWS)
        if isinstance(question, Rows):
            return native_rows.answer(x, question)
        return native_elements.answer(x, question)


def _piece(
    x: Tensor, rows: Rows, scale: Tensor | None, figures: bool
) -> tuple[Tensor, Figures | None]:
    row_scale = None if scale is None else memory_of(scale)
    gradient = None if scale is None else x
    found = native_rows.run_rows(x, rows, row_scale=row_scale, gradient=gradient, moments=figures)
    loss = torch.from_numpy(found.loss)
    if not figures:
        return loss, None
    lse = torch.from_numpy(found.max + np.log1p(found.rest))
    return loss, (lse, torch.from_numpy(found.entropy), torch.from_numpy(found.argmax))


ROWS = RowEngine(_piece, copies=0)
