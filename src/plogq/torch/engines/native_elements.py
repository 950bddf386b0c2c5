"""The native elements: binary cross-entropy of CPU tensors, with its gradient in the same pass."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from plogq.kernels.elements import binary_loss
from plogq.torch.autograd import loss_of, memory_of, no_kernel, no_memory
from plogq.torch.engines.formula import BINARY_CROSS_ENTROPY, element_losses
from plogq.torch.questions import Answer, Elements, arithmetic, wants_gradient


def refusal(z: Tensor, question: Elements) -> str:
    """Say why the kernel cannot be called on these logits."""
    target, weight, pos_weight = question.target, question.weight, question.pos_weight
    if question.loss is not BINARY_CROSS_ENTROPY:
        return f"the kernel has no {question.loss.name}"
    if reason := no_kernel(z):
        return reason
    if target.dtype != z.dtype or not (z.is_contiguous() and target.is_contiguous()):
        return "logits and targets are not of one dtype, or not contiguous"
    if wants_gradient(target, weight, pos_weight):
        return "something beside the logits wants a gradient"
    if pos_weight is not None and pos_weight.shape not in ((), (1,), z.shape[-1:]):
        return "pos_weight is not one number, or one for each place along the last axis"
    return no_memory(z, target, weight, pos_weight)


def answer(z: Tensor, question: Elements) -> Answer:
    """Compute the loss under autograd."""
    weight, over = question.weight, None
    if weight is not None:
        weight = weight.to(arithmetic(z)).expand(z.shape).contiguous()
    if question.reduction != "none":
        count = z.numel() if question.reduction == "mean" else 1
        over = float(count if question.denominator is None else question.denominator) or 1.0
    return loss_of(z, BinaryJob(question, weight, over)), None


@dataclass(slots=True)
class BinaryJob:
    """The loss of each element; or, with a denominator, Σ loss / denominator."""

    question: Elements
    weight: Tensor | None  # in the shape of the logits
    denominator: float | None
    inplace: bool = False

    @property
    def reduces(self) -> bool:
        """Tell whether the loss is one number."""
        return self.denominator is not None

    def run(self, x: Tensor, gradient: Tensor | None) -> Tensor:
        """Give the loss, and fill `gradient` if it is given."""
        if self.denominator is None:
            losses = torch.empty(x.shape, dtype=arithmetic(x), device=x.device)
            self._call(x, losses=losses)
            return losses
        total = self._call(x, scale=1 / self.denominator, gradient=gradient) / self.denominator
        return torch.scalar_tensor(total, dtype=arithmetic(x), device=x.device)

    def gradient(self, x: Tensor, upstream: Tensor, room: Tensor) -> None:
        """Fill `room` with the gradient of Σ upstream · loss, in one more pass."""
        if self.denominator is None:
            self._call(x, gradient=room)
            room.mul_(upstream)
        else:
            self._call(x, scale=upstream.item() / self.denominator, gradient=room)

    def spread(self, upstream: Tensor, x: Tensor) -> Tensor:
        """Give upstream in a shape that multiplies the gradient."""
        return upstream

    def formula(self, x: Tensor) -> Tensor:
        """Give the loss in torch operations."""
        loss = element_losses(x, self.question)
        return loss if self.denominator is None else loss.sum() / self.denominator

    def others(self) -> tuple[Tensor | None, ...]:
        """Give all that the gradient depends on."""
        return self.question.target, self.weight, self.question.pos_weight

    def _call(
        self,
        x: Tensor,
        *,
        scale: float = 1.0,
        losses: Tensor | None = None,
        gradient: Tensor | None = None,
    ) -> float:
        positive = self.question.pos_weight
        return binary_loss(
            memory_of(x),
            memory_of(self.question.target),
            pos_weight=None if positive is None else memory_of(positive.to(arithmetic(x))),
            weight=None if self.weight is None else memory_of(self.weight),
            scale=scale,
            losses=None if losses is None else memory_of(losses),
            gradient=None if gradient is None else memory_of(gradient),
            validate=self.question.validate,
            threads=torch.get_num_threads(),
        )
