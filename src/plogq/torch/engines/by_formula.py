"""The formula engine: `plogq.formulas` in torch operations, which autograd differentiates."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from plogq.torch.checks import check_rows, check_unit_interval
from plogq.torch.engines import head_logprobs, head_loss
from plogq.torch.engines.formula import element_losses, figures, row_losses
from plogq.torch.engines.head_pieces import RowEngine
from plogq.torch.questions import Elements, Figures, Head, Rows, TokenHead, statistics
from plogq.torch.reductions import finished, reduced


class ByFormula:
    """The formulas in torch operations, which autograd differentiates."""

    name = "formula"

    def refusal(self, x: Tensor, question: Rows | Elements | Head) -> str:
        """Take everything but a head whose logits must be there at once."""
        return head_loss.no_pieces(x, question) if isinstance(question, Head) else ""

    def answer(self, x: Tensor, question: Rows | Elements | Head) -> Any:
        """Compute the loss; its derivatives are autograd's."""
        if isinstance(question, Head):
            by_rows = RowEngine(_piece, question.rows.loss.copies)
            if isinstance(question, TokenHead):
                return head_logprobs.answer(question, by_rows)
            return head_loss.answer(x, question, by_rows)
        if isinstance(question, Elements):
            if question.validate:
                question.target = check_unit_interval("target", question.target)
            return reduced(
                element_losses(x, question), question.reduction, question.denominator
            ), None
        check_rows(x, question)
        losses, parts = row_losses(x, question)
        stats = None
        if question.statistics:
            stats = statistics(question, *figures(parts, question.options.temperature))
        return finished(losses, question), stats


def _piece(
    x: Tensor, rows: Rows, scale: Tensor | None, wants_figures: bool
) -> tuple[Tensor, Figures | None]:
    check_rows(x, rows)
    z = x.detach().requires_grad_(scale is not None)
    with torch.set_grad_enabled(scale is not None):
        losses, parts = row_losses(z, rows)
    if scale is not None:
        x.copy_(torch.autograd.grad(losses, z, scale.to(losses.dtype))[0])
    found = figures(parts, rows.options.temperature) if wants_figures else None
    return losses.detach(), found
