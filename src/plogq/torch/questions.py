"""What is asked of torch's tensors: of the rows of a softmax, or of elements through a sigmoid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

from plogq.errors import refuse
from plogq.kernels.question import Question, Statistics


class RowLoss(NamedTuple):
    """A loss of rows.

    Attributes
    ----------
    name
        As messages call it.
    formula
        (R,) losses of (R, C) logits, a question and the parts of their softmax; differentiable any
        number of times.
    slopes
        Losses and gradients of a block of rows, where somebody wrote them down.
    native
        Whether the native rows have it.
    """

    name: str
    formula: Callable[..., Tensor]
    slopes: Callable[..., tuple[Tensor, Tensor]] | None = None
    native: bool = False


class ElementLoss(NamedTuple):
    """A loss of single numbers: its formula takes logits, targets and the weights of positives."""

    name: str
    formula: Callable[[Tensor, Tensor, Tensor | None], Tensor]


@dataclass(slots=True)
class Rows(Question):
    """A loss of R rows of logits, (R, C) or (N, S, C).

    Attributes
    ----------
    loss
        Which.
    inplace
        Whether the gradient may overwrite the logits.
    sound
        (R,) bool: whether the loss of a row may be told, which is NaN where it may not; None where
        all of them may, as far as that was looked at beforehand.
    """

    loss: RowLoss = field(kw_only=True)
    inplace: bool = False
    sound: Tensor | None = None

    def labels(self) -> Tensor:
        """Return (R,) class indices that may be looked up: 0 for a row that is left out.

        One that is no class is 0 where it could not be refused; where it was not, it stays what it
        is, for torch to raise where it is looked up.
        """
        assert self.target is not None
        labels: Tensor = self.target
        for usable in (self.kept(), self.sound):
            if usable is not None:
                labels = torch.where(usable, labels, 0)
        return labels

    def distributions(self) -> Tensor:
        """Return (R, C) targets."""
        assert self.target is not None
        targets: Tensor = self.target.flatten(0, -2)
        return targets


@dataclass(slots=True)
class Elements:
    """A loss of logits of any shape, element by element.

    Attributes
    ----------
    loss
        Which.
    target
        Like the logits.
    weight, pos_weight
        Of all elements, and of the positive ones; they broadcast to the logits; None for 1.
    reduction, denominator, validate
        As for `plogq.kernels.question.Question`; a mean divides by the number of elements.
    """

    loss: ElementLoss
    target: Tensor
    weight: Tensor | None
    pos_weight: Tensor | None
    reduction: str
    denominator: float | Tensor | None
    validate: bool


Answer = tuple[Tensor, Statistics | None]  # the loss, reduced; one by one it is (R,)


def statistics(rows: Rows, lse: Tensor, entropy: Tensor, argmax: Tensor) -> Statistics:
    """Add the accuracy, and blank what a row that is left out has."""
    label = argmax if rows.target is None else rows.target
    if rows.soft:
        label = rows.distributions().argmax(dim=1)
    kept = rows.kept()
    if kept is None:
        kept = torch.ones_like(label, dtype=torch.bool)
    argmax = torch.where(kept, argmax, -1)
    correct = (argmax == label) & kept
    accuracy = correct.sum() / kept.sum().clamp(min=1)
    lse, entropy = torch.where(kept, lse, -torch.inf), torch.where(kept, entropy, 0.0)
    return Statistics(lse, entropy, argmax, accuracy)


def arithmetic(x: Tensor, name: str = "input") -> torch.dtype:
    """Return the dtype of the arithmetic and of the loss: half precisions are summed in float32."""
    if not x.is_floating_point():
        refuse(name, "be floating point", x.dtype, error=TypeError)
    return torch.float64 if x.dtype == torch.float64 else torch.float32


def wants_gradient(*tensors: Any) -> bool:
    """Tell whether a tensor beside the logits is to be learned."""
    return any(t is not None and t.requires_grad for t in tensors)
