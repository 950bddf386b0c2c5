"""The binary kernel: cross-entropy of sigmoids of CPU tensors, element by element."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from plogq.kernels import cpu
from plogq.torch._bridge import is_native, loss_of
from plogq.torch._formula import weigh
from plogq.torch._rows import arithmetic


def element_losses(z: Tensor, target: Tensor, pos_weight: Tensor | None) -> Tensor:
    """Restate `plogq.formulas.binary_cross_entropy_from_logits`, one per element."""
    dtype = arithmetic(z)
    z, t = z.to(dtype), target.to(dtype)
    positive = t if pos_weight is None else pos_weight.to(dtype) * t
    # −logsigmoid(z) is softplus(−z), with a derivative at 0 too.
    return weigh(positive, -F.logsigmoid(z)) + weigh(1 - t, -F.logsigmoid(-z))


def takes(z: Tensor, target: Tensor, pos_weight: Tensor | None) -> bool:
    """Tell whether the kernel can be called on these logits."""
    return (
        is_native(z)
        and is_native(target)
        and not target.requires_grad
        and target.dtype == z.dtype
        and z.is_contiguous()
        and target.is_contiguous()
        and (
            pos_weight is None
            or (not pos_weight.requires_grad and pos_weight.shape in ((), (1,), z.shape[-1:]))
        )
    )


@dataclass(slots=True)
class BinaryJob:
    """The loss of each element; or, with a denominator, Σ loss / denominator."""

    target: Tensor
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
        scale = 1 / (self.denominator or 1.0)
        if self.denominator is None:
            losses = torch.empty(x.shape, dtype=arithmetic(x))
            self._call(x, losses=losses)
            return losses
        total = self._call(x, scale=scale, gradient=gradient)
        return torch.tensor(total / self.denominator, dtype=arithmetic(x))

    def gradient(self, x: Tensor, upstream: Tensor, room: Tensor) -> None:
        """Fill the room, in one more pass."""
        if self.denominator is None:
            self._call(x, gradient=room)
            room.mul_(upstream)
        else:
            self._call(x, scale=upstream.item() / self.denominator, gradient=room)

    def formula(self, x: Tensor) -> Tensor:
        """Give the loss in torch operations."""
        loss = element_losses(x, self.target, self.pos_weight)
        return loss if self.denominator is None else loss.sum() / self.denominator

    def others(self) -> tuple[Tensor | None, ...]:
        """Give all that the gradient depends on."""
        return self.target, self.pos_weight

    def _call(
        self,
        x: Tensor,
        *,
        scale: float = 1.0,
        losses: Tensor | None = None,
        gradient: Tensor | None = None,
    ) -> float:
        weight = self.pos_weight
        return cpu.binary_loss(
            x.detach(),
            self.target,
            pos_weight=None if weight is None else weight.to(arithmetic(x)).numpy(),
            scale=scale,
            losses=losses,
            gradient=gradient,
            validate=self.validate,
            threads=torch.get_num_threads(),
        )


def kernel_loss(
    z: Tensor,
    target: Tensor,
    pos_weight: Tensor | None,
    denominator: float | None,
    *,
    validate: bool,
) -> Tensor:
    """Give the loss of each element, or with a denominator their mean."""
    return loss_of(z, BinaryJob(target, pos_weight, denominator, validate))
