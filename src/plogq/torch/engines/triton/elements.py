"""The kernel of elements called on tensors: binary cross-entropy under autograd."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from plogq.torch.autograd import MULTIPLY, loss_of, no_memory
from plogq.torch.engines.formula import BINARY_CROSS_ENTROPY, element_losses
from plogq.torch.engines.triton.configurations import ELEMENTS, ROW_DTYPES
from plogq.torch.engines.triton.launch import launched, scalar_of
from plogq.torch.engines.triton.support import no_triton
from plogq.torch.questions import Answer, Elements, wants_gradient
from plogq.torch.reductions import not_zero


def refusal(z: Tensor, question: Elements) -> str:
    """Say why the kernel cannot be called on these logits."""
    target, weight, positive = question.target, question.weight, question.pos_weight
    if question.loss is not BINARY_CROSS_ENTROPY:
        return f"the kernel has no {question.loss.name}"
    if target.dtype not in ROW_DTYPES:
        return f"no Triton kernel for targets of {target.dtype}"
    if not (z.is_contiguous() and target.is_contiguous()):
        return "logits or targets are not contiguous"
    if wants_gradient(target, weight, positive):
        return "something beside the logits wants a gradient"
    if positive is not None and positive.shape not in ((), (1,), z.shape[-1:]):
        return "pos_weight is not one number, or one for each place along the last axis"
    return no_memory(z, target, weight, positive)


def answer(z: Tensor, question: Elements) -> Answer:
    """Compute the loss under autograd; a target outside [0, 1] makes its element NaN."""
    weight, divisor = question.weight, None
    if weight is not None:
        weight = weight.detach().to(torch.float32).expand(z.shape).contiguous()
    if question.reduction == "mean":
        given = z.numel() if question.denominator is None else question.denominator
        divisor = scalar_of(not_zero(given), z.device)
    job = TritonElements(question, weight, question.reduction != "none", divisor)
    return loss_of(z, job), None


@dataclass(slots=True)
class TritonElements:
    """The loss of each element; or, reduced, Σ loss / divisor."""

    question: Elements
    weight: Tensor | None  # in the shape of the logits
    reduces: bool
    divisor: Tensor | None
    inplace: bool = False

    def run(self, x: Tensor, gradient: Tensor | None) -> Tensor:
        """Return the loss, and fill `gradient` if it is given."""
        if not self.reduces:
            losses = torch.empty(x.shape, dtype=torch.float32, device=x.device)
            self._call(x, losses=losses)
            return losses
        programs = -(-x.numel() // ELEMENTS.block)
        sums = torch.empty(programs, dtype=torch.float32, device=x.device)
        self._call(x, sums=sums, gradient=gradient)
        total = sums.sum(dtype=torch.float64)
        return (total if self.divisor is None else total / self.divisor).to(torch.float32)

    def gradient(self, x: Tensor, upstream: Tensor, room: Tensor) -> None:
        """Fill `room` with the gradient of Σ upstream · loss, in one more pass."""
        self._call(x, upstream=upstream.detach().contiguous(), gradient=room)

    def spread(self, upstream: Tensor, x: Tensor) -> Tensor:
        """Return upstream in a shape that multiplies the gradient."""
        return upstream

    def formula(self, x: Tensor) -> Tensor:
        """Return the loss in torch operations."""
        loss = element_losses(x, self.question)
        if not self.reduces:
            return loss
        return loss.sum() if self.divisor is None else loss.sum() / self.divisor

    def others(self) -> tuple[Tensor | None, ...]:
        """Return all that the gradient depends on."""
        return self.question.target, self.weight, self.question.pos_weight

    def _call(
        self,
        x: Tensor,
        *,
        losses: Tensor | None = None,
        sums: Tensor | None = None,
        upstream: Tensor | None = None,
        gradient: Tensor | None = None,
    ) -> None:
        from plogq.torch.engines.triton.kernels.elements import element_kernel

        positive = self.question.pos_weight
        positive = None if positive is None else positive.detach().contiguous()
        many = positive is not None and positive.numel() > 1
        launched(
            element_kernel,
            -(-x.numel() // ELEMENTS.block),
            ELEMENTS.threads,
            x.detach(), self.question.target.detach(), self.weight, positive, upstream,
            self.divisor, losses, sums, gradient,
            x.numel(), x.shape[-1] if many else 1, int(many),
            int(upstream is not None and upstream.ndim > 0 and not self.reduces),
            BLOCK=ELEMENTS.block, WEIGHT=self.weight is not None, POSITIVE=positive is not None,
            UPSTREAM=upstream is not None, DIVISOR=self.divisor is not None,
            LOSSES=losses is not None, SUMS=sums is not None, GRADIENT=gradient is not None,
            CHECK=self.question.validate,
        )  # fmt: skip


def multiply(gradient: Tensor, upstream: Tensor) -> None:
    """Multiply a gradient by upstream, (), in its memory, which is not touched where that is 1."""
    dense = gradient.is_contiguous() and gradient.dtype in ROW_DTYPES
    if not dense or no_triton(gradient, interprets=gradient.is_cpu):
        gradient.mul_(upstream)
    else:
        multiplied_by_kernel(gradient, upstream)


def multiplied_by_kernel(gradient: Tensor, upstream: Tensor) -> None:
    """Call the kernel, which looks at upstream on the device."""
    from plogq.torch.engines.triton.kernels.elements import multiply_kernel

    launched(
        multiply_kernel,
        -(-gradient.numel() // ELEMENTS.block),
        ELEMENTS.threads,
        gradient.detach(), upstream.detach(), gradient.numel(),
        BLOCK=ELEMENTS.block,
    )  # fmt: skip


MULTIPLY["cuda"] = multiply
