"""A native kernel under autograd; the formula serves where the gradient needs a graph itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor

from plogq.errors import refuse
from plogq.kernels import memory
from plogq.torch.checks import on_host
from plogq.torch.private import base_of, in_dispatch_mode, in_transform, is_transformed

_PLAIN = (Tensor, torch.nn.Parameter)
_DTYPES = (torch.float32, torch.bfloat16, torch.float64, torch.float16)
HUGE_PAGE = 2 << 20
# By type of device: what multiplies a gradient by upstream in its memory. Whether upstream is 1 is
# known on the device alone, and an engine may have an operation that looks there.
MULTIPLY: dict[str, Callable[[Tensor, Tensor], object]] = {}


class Job(Protocol):
    """A loss that a kernel computes from logits; it holds all arguments except the logits."""

    @property
    def inplace(self) -> bool:
        """Tell whether the gradient may overwrite the logits."""

    @property
    def reduces(self) -> bool:
        """Tell whether the loss is one number."""

    def run(self, x: Tensor, gradient: Tensor | None) -> Tensor:
        """Give the loss; fill `gradient`, if it is given, with that of a reduced loss."""

    def gradient(self, x: Tensor, upstream: Tensor, room: Tensor) -> None:
        """Fill `room` with the gradient of Σ upstream · loss."""

    def spread(self, upstream: Tensor, x: Tensor) -> Tensor:
        """Give upstream in a shape that multiplies the gradient."""

    def formula(self, x: Tensor) -> Tensor:
        """Give the loss, differentiable any number of times."""

    def others(self) -> tuple[Tensor | None, ...]:
        """Give the tensors beside the logits that the gradient reads."""


def no_memory(x: Tensor, *others: Tensor | None) -> str:
    """Say why native code cannot read the memory of these tensors now; an empty text if it can."""
    if torch.compiler.is_compiling():
        return "torch.compile is following"
    if in_transform():
        return "a torch.func transform is under way"
    if in_dispatch_mode():
        return "a dispatch mode sees every operation"
    return not_plain(x, *others) or ("the logits are a negated view" if x.is_neg() else "")


def not_plain(*tensors: Tensor | None) -> str:
    """Say which of these tensors is of a subclass or not strided; an empty text if none is."""
    for t in tensors:
        if t is not None and (type(t) not in _PLAIN or t.layout is not torch.strided):
            return f"{type(t).__name__} of layout {t.layout} is not plain memory"
    return ""


def no_kernel(x: Tensor) -> str:
    """Say why no native kernel takes this device and dtype; an empty text if one does."""
    if x.is_cpu and x.dtype in _DTYPES:
        return ""
    return f"no native kernel for {x.device.type} tensors of {x.dtype}"


def loss_of(x: Tensor, job: Job) -> Tensor:
    """Give the loss, with a gradient if one is due."""
    if not (x.requires_grad and torch.is_grad_enabled()):
        return job.run(x, None)
    if job.inplace:
        check_inplace(x)
    loss: Tensor = KernelLoss.apply(x, job)  # type: ignore[no-untyped-call]
    return loss


def check_inplace(x: Tensor) -> None:
    """Refuse logits that a gradient must not overwrite."""
    base = base_of(x)
    if x.is_leaf or (base.is_leaf and base.requires_grad):
        refuse("inplace", "be False for logits that are a leaf", True)
    if any(size > 1 and not step for size, step in zip(x.shape, x.stride(), strict=True)):
        refuse("inplace", "be False for expanded logits, whose rows share their memory", True)


def room_for(x: Tensor, *, inplace: bool = False, contiguous: bool = False) -> Tensor:
    """Give memory for a gradient like x; a large one reuses the last gradient's pages."""
    if inplace:
        return x.detach()
    if x.nbytes < HUGE_PAGE or not x.is_cpu:
        kind = torch.contiguous_format if contiguous else torch.preserve_format
        return torch.empty_like(x, memory_format=kind)
    room = torch.from_numpy(memory.empty((x.numel(),), f"i{x.itemsize}")).view(x.dtype)
    if contiguous or x.is_contiguous():
        return room.view(x.shape)
    return room.as_strided(x.shape, torch.empty_like(x, device="meta").stride())


def memory_of(x: Tensor) -> Any:
    """Give what the kernel reads fastest: a NumPy array, or a tensor of bfloat16."""
    if x.dtype == torch.bfloat16:
        return x.detach().resolve_neg()
    return x.numpy(force=True)  # it copies only a negated view


class KernelLoss(torch.autograd.Function):
    """A kernel's loss; where the gradient needs a graph, it is that of the formula."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, job: Job) -> Tensor:
        """Compute the loss, and at once the gradient if the loss is a scalar."""
        # A float16 gradient underflows without a GradScaler's scale, which comes with the backward.
        ahead = job.reduces and x.dtype != torch.float16
        ctx.gradient = room_for(x, inplace=job.inplace) if ahead else None
        loss = job.run(x, ctx.gradient)
        ctx.overwritten = ahead and job.inplace
        if ctx.overwritten:
            torch.autograd.graph.increment_version(x)
        # All inputs are saved, so that autograd raises if one was changed before the backward.
        ctx.save_for_backward(x, *(t for t in job.others() if t is not None))
        ctx.job = job
        return loss

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        """Give the gradient times upstream."""
        job: Job = ctx.job
        if torch.is_grad_enabled() and ctx.overwritten:
            refuse("inplace", "be False for a second derivative", True)
        gradient = ctx.gradient
        if torch.is_grad_enabled() or is_transformed(upstream):
            return backward_of(job, ctx.saved_tensors[0], upstream, gradient), None
        ctx.gradient = None
        if gradient is not None and not job.inplace:
            return multiplied(gradient, upstream), None
        x = ctx.saved_tensors[0]  # raises if it was changed
        if gradient is None:  # not computed ahead, or returned by an earlier backward
            gradient = backward_of(job, x, upstream, None)
        else:
            multiplied(gradient, upstream)
        if job.inplace:
            torch.autograd.graph.increment_version(x)  # a second backward must not find it
        return gradient, None


def multiplied(gradient: Tensor, upstream: Tensor) -> Tensor:
    """Return a gradient times upstream, (), in its memory, which is not touched where that is 1."""
    if on_host(gradient):
        return gradient if upstream.item() == 1 else gradient.mul_(upstream)
    multiply = MULTIPLY.get(gradient.device.type, Tensor.mul_)
    multiply(gradient, upstream)
    return gradient


def backward_of(job: Job, x: Tensor, upstream: Tensor, gradient: Tensor | None) -> Tensor:
    """Return the gradient of Σ upstream · loss: with a graph, in batches, or by the kernel."""
    if torch.is_grad_enabled():
        return torch.autograd.grad(job.formula(x), x, upstream, create_graph=True)[0]
    if is_transformed(upstream):
        return _batched(job, x, upstream, gradient)
    room = room_for(x, inplace=job.inplace)
    job.gradient(x, upstream, room)
    return room


def _batched(job: Job, x: Tensor, upstream: Tensor, gradient: Tensor | None) -> Tensor:
    """Give one gradient for each of many upstreams, as `torch.autograd.functional` asks for."""
    if job.inplace:
        refuse("inplace", "be False for gradients in batches", True)
    if gradient is None:
        gradient = torch.empty_like(x)
        ones = torch.ones(upstream.shape, dtype=upstream.dtype, device=x.device)
        job.gradient(x, ones, gradient)
    return gradient * job.spread(upstream, x)
