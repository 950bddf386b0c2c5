"""The engine of heads whose logits must all be there: in a graph, a transform, or of a subclass."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from plogq.kernels.seam import Engine
from plogq.torch.engines import head_logprobs
from plogq.torch.engines.compiled import Compiled
from plogq.torch.engines.head_logits import logits_of, teacher_logits
from plogq.torch.questions import Answer, Elements, Head, Rows, TokenHead


class Materialised:
    """All logits, and then the first engine of rows that takes them."""

    name = "materialised"

    def __init__(self, *engines: Engine) -> None:
        self._engines = engines

    def refusal(self, x: Tensor, question: Rows | Elements | Head) -> str:
        """Take heads alone, since the logits of all others are there."""
        return "" if isinstance(question, Head) else "the logits are given"

    def answer(self, x: Tensor, question: Rows | Elements | Head) -> Any:
        """Compute the loss of all logits."""
        if torch.compiler.is_compiling():
            from plogq.torch.engines.in_graph import say_all_logits

            say_all_logits(Compiled().refusal(x, question) or "no other engine is open")
        if isinstance(question, TokenHead):
            return head_logprobs.of_all_logits(question)
        assert isinstance(question, Head)
        logits, rows = logits_of(question, question.layer), question.rows
        rows.teacher = teacher_logits(question.teacher)
        engine = next(e for e in self._engines if not e.refusal(logits, rows))
        found: Answer = engine.answer(logits, rows)
        return found
