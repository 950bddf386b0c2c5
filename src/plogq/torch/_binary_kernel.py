"""The binary kernel: cross-entropy of sigmoids of CPU tensors, element by element."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from plogq.kernels.elements import binary_loss
from plogq.torch._bridge import are_native, fits, loss_of, memory_of
from plogq.torch._formula import weigh
from plogq.torch._rows import arithmetic


def element_losses(
    z: Tensor, target: Tensor, weight: Tensor | None, pos_weight: Tensor | None
) -> Tensor:
    """Restate `plogq.formulas.binary_cross_entropy_from_logits`, one per element."""
    dtype = arithmetic(z)
    z, t = z.to(dtype), target.to(dtype)
    positive = t if pos_weight is None else pos_weight.to(dtype) * t
    # −logsigmoid(z) is softplus(−z), with a derivative at 0 too.
    loss = weigh(positive, -F.logsigmoid(z)) + weigh(1 - t, -F.logsigmoid(-z))
    return loss if weight is None else weigh(weight.to(dtype), loss)


def takes(z: Tensor, target: Tensor, weight: Tensor | None, pos_weight: Tensor | None) -> bool:
    """Tell whether the kernel can be called on these logits."""
    return (
        fits(z)
        and target.dtype == z.dtype
        and z.is_contiguous()
        and target.is_contiguous()
        and not any(t is not None and t.requires_grad for t in (target, weight, pos_weight))
        and (pos_weight is None or pos_weight.shape in ((), (1,), z.shape[-1:]))
        and are_native(z, target, weight, pos_weight)
    )


@dataclass(slots=True)
class BinaryJob:
    """The loss of each element; or, with a denominator, Σ loss / denominator."""

    target: Tensor
    weight: Tensor | None  # in the shape of the logits
    pos_weight: Tensor | None
    denominator: float | None
    validate: bool
    inplace: bool = False

    @property
    def reduces(self) -> bool:
        """Tell whether the loss is one number."""
        return self.denominator is not None

    def run(self, x: Tensor, gradient: Tensor | None) -> Tensor:
        """Give the loss, and its gradient where there is room."""
        if self.denominator is None:
            losses = torch.empty(x.shape, dtype=arithmetic(x), device=x.device)
            self._call(x, losses=losses)
            return losses
        total = self._call(x, scale=1 / self.denominator, gradient=gradient) / self.denominator
        return torch.scalar_tensor(total, dtype=arithmetic(x), device=x.device)

    def gradient(self, x: Tensor, upstream: Tensor, room: Tensor) -> None:
        """Fill the room, in one more pass."""
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
        loss = element_losses(x, self.target, self.weight, self.pos_weight)
        return loss if self.denominator is None else loss.sum() / self.denominator

    def others(self) -> tuple[Tensor | None, ...]:
        """Give all that the gradient depends on."""
        return self.target, self.weight, self.pos_weight

    def _call(
        self,
        x: Tensor,
        *,
        scale: float = 1.0,
        losses: Tensor | None = None,
        gradient: Tensor | None = None,
    ) -> float:
        positive = self.pos_weight
        return binary_loss(
            memory_of(x),
            memory_of(self.target),
            pos_weight=None if positive is None else memory_of(positive.to(arithmetic(x))),
            weight=None if self.weight is None else memory_of(self.weight),
            scale=scale,
            losses=None if losses is None else memory_of(losses),
            gradient=None if gradient is None else memory_of(gradient),
            validate=self.validate,
            threads=torch.get_num_threads(),
        )


def kernel_loss(
    z: Tensor,
    target: Tensor,
    weight: Tensor | None,
    pos_weight: Tensor | None,
    denominator: float | None,
    *,
    validate: bool,
) -> Tensor:
    """Give the loss of each element, or with a denominator their mean."""
    if weight is not None:
        weight = weight.to(arithmetic(z)).expand(z.shape).contiguous()
    return loss_of(z, BinaryJob(target, weight, pos_weight, denominator, validate))
