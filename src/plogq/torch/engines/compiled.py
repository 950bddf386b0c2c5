"""The native rows, and heads, inside torch.compile: operators that it keeps whole in its graph."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from plogq.kernels.question import Statistics
from plogq.torch.autograd import no_kernel
from plogq.torch.engines import compiled_head
from plogq.torch.engines.compiled_loss import loss_of_batch
from plogq.torch.engines.compiled_rows import row_losses
from plogq.torch.engines.native_rows import unknown
from plogq.torch.private import in_compiled_transform
from plogq.torch.questions import Elements, Head, Rows, TokenHead, TokenLogprobs, wants_gradient
from plogq.torch.reductions import finished


class Compiled:
    """Operators that torch.compile keeps whole in its graph."""

    name = "compiled"

    def refusal(self, x: Tensor, question: Rows | Elements | Head) -> str:
        """Say why there is no graph for an operator, or no operator for the question."""
        if not torch.compiler.is_compiling():
            return "no graph is being compiled"
        if in_compiled_transform():
            return "a torch.func transform is under way, which the operators have no rules for"
        if isinstance(question, Elements):
            return f"there is no operator of {question.loss.name}"
        if isinstance(question, Head):
            return compiled_head.refusal(question)
        return unknown(question) or no_kernel(x)

    def answer(self, x: Tensor, question: Rows | Elements | Head) -> Any:
        """Compute the loss and its gradient in one pass, or row losses that the graph reduces."""
        if isinstance(question, TokenHead):
            found, top = compiled_head.answer(question)
            return TokenLogprobs(found[0], found[1], *(top or (None, None)))
        if isinstance(question, Head):
            loss, figures = compiled_head.answer(question)
            return loss, Statistics(*figures) if figures else None
        assert isinstance(question, Rows)
        learned = wants_gradient(question.row_weight) and torch.is_grad_enabled()
        if question.reduction == "none" or question.statistics or learned:
            losses, stats = row_losses(x, question)
            return finished(losses, question), stats
        return loss_of_batch(x, question), None
