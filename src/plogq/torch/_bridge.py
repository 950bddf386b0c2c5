"""Any native kernel under autograd, with the formula for what it lacks."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor

from plogq.formulas._check import refuse
from plogq.kernels import memory
from plogq.torch._check import in_transform

_PLAIN = (Tensor, torch.nn.Parameter)
_DTYPES = (torch.float32, torch.bfloat16, torch.float64, torch.float16)
_HUGE_PAGE = 2 << 20


class Job(Protocol):
    """A loss of logits that a kernel computes, with all but the logits."""

    inplace: bool

    @property
    def reduces(self) -> bool:
        """Tell whether the loss is one number."""

    def run(self, x: Tensor, gradient: Tensor | None) -> Tensor:
        """Give the loss; fill `gradient`, where given, with that of a reduced loss."""

    def gradient(self, x: Tensor, upstream: Tensor, room: Tensor) -> None:
        """Fill `room` with the gradient of Σ upstream · loss."""

    def formula(self, x: Tensor) -> Tensor:
        """Give the loss, differentiable any number of times."""

    def others(self) -> tuple[Tensor | None, ...]:
        """Give the tensors beside the logits that the gradient reads."""


def is_native(x: Tensor) -> bool:
    """Tell whether a tensor is memory that a kernel can be pointed at, here and now."""
    return (
        not torch.compiler.is_compiling()
        and type(x) in _PLAIN
        and fits(x)
        and x.layout == torch.strided
        and not x.is_neg()
        and not in_transform()
        and not torch._C._len_torch_dispatch_stack()
    )


def fits(x: Tensor) -> bool:
    """Tell whether the kernels have this dtype, and run where the tensor is."""
    return x.device.type == "cpu" and x.dtype in _DTYPES


def loss_of(x: Tensor, job: Job) -> Tensor:
    """Give the loss, with a gradient if one is due."""
    if not (x.requires_grad and torch.is_grad_enabled()):
        return job.run(x, None)
    base = x if x._base is None else x._base
    if job.inplace and base.is_leaf and base.requires_grad:
        refuse("inplace", "be False for logits that are a leaf", True)
    loss: Tensor = KernelLoss.apply(x, job)  # type: ignore[no-untyped-call]
    return loss


def room_for(x: Tensor, *, inplace: bool = False) -> Tensor:
    """Memory for a gradient: where torch's would fault page by page, the last gradient's."""
    if inplace:
        return x.detach()
    if x.nbytes < _HUGE_PAGE:
        return torch.empty_like(x)
    return torch.from_numpy(memory.empty(tuple(x.shape), f"i{x.itemsize}")).view(x.dtype)


def memory_of(x: Tensor) -> Any:
    """Give what the kernel reads fastest: a NumPy array, but for bfloat16, which NumPy has not."""
    x = x.detach()
    return x if x.dtype == torch.bfloat16 else x.numpy()


class KernelLoss(torch.autograd.Function):
    """A kernel's loss; where a graph of the gradient is wanted, the formula's."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, job: Job) -> Tensor:
        """Compute the loss, and beside it the gradient if the loss is a scalar."""
        # A float16 gradient waits for the scale that a GradScaler sends: without it, it underflows.
        ahead = job.reduces and x.dtype != torch.float16
        ctx.gradient = room_for(x, inplace=job.inplace) if ahead else None
        loss = job.run(x, ctx.gradient)
        ctx.overwritten = ahead and job.inplace
        if ctx.overwritten:
            torch.autograd.graph.increment_version(x)
        # All saved, so that autograd notices what changes in between.
        ctx.save_for_backward(x, *job.others())
        ctx.job = job
        return loss

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        """Give the gradient times what comes from upstream."""
        x, job = ctx.saved_tensors[0], ctx.job
        if torch.is_grad_enabled():
            if ctx.overwritten:
                refuse("inplace", "be False for a second derivative", True)
            return torch.autograd.grad(job.formula(x), x, upstream, create_graph=True)[0], None
        gradient, ctx.gradient = ctx.gradient, None
        if gradient is None:  # not computed ahead, or given away by an earlier backward
            gradient = room_for(x, inplace=job.inplace)
            job.gradient(x, upstream, gradient)
        elif upstream.item() != 1:
            gradient.mul_(upstream)
        if job.inplace:
            torch.autograd.graph.increment_version(x)  # a second backward must not find it
        return gradient, None
