"""A linear layer and the loss of its logits, of which only a piece of rows exists at a time.

A loss that is one number has its gradient from the pass that computes it: as soon as the logits of
a piece are there, their gradient overwrites them, and becomes that of the layer. Losses row by row
have theirs in the backward, which computes the logits of each piece once more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from plogq.torch.autograd import multiplied, no_memory
from plogq.torch.engines.head_job import HeadJob
from plogq.torch.engines.head_pieces import Pieces, RowEngine
from plogq.torch.private import is_transformed
from plogq.torch.questions import Answer, Head, Layer, statistics, wants_gradient
from plogq.torch.reductions import finished

_LOG = logging.getLogger("plogq.torch")


def no_pieces(x: Tensor, head: Head) -> str:
    """Say why a head cannot be computed in pieces; an empty text if it can."""
    rows = head.rows
    if wants_gradient(rows.target, rows.weight) and torch.is_grad_enabled():
        return "the target or the class weights want a gradient"
    if x.is_meta:
        return "a meta tensor has no rows to count"
    read = () if head.teacher is None else head.teacher.tensors
    return no_memory(x, *head.layer.tensors, *read, rows.target, rows.weight, rows.keep)


def answer(x: Tensor, head: Head, engine: RowEngine) -> Answer:
    """Compute the loss of a head in pieces under autograd."""
    rows = head.rows
    learned = wants_gradient(rows.row_weight) and torch.is_grad_enabled()
    reduces = rows.reduction != "none" and not learned
    job = HeadJob(head, engine, Pieces.of(head, engine), reduces)
    if torch.is_grad_enabled() and wants_gradient(*head.layer.tensors):
        loss: Tensor = HeadLoss.apply(job, *head.layer.tensors)  # type: ignore[no-untyped-call]
    else:
        loss, _ = job.run(head.layer, (False,) * len(head.layer.tensors))
    stats = None if job.figures is None else statistics(rows, *job.figures)
    return loss if reduces else finished(loss, rows), stats


class HeadLoss(torch.autograd.Function):
    """The loss of a head; where the gradient needs a graph, it is that of all logits."""

    @staticmethod
    def forward(ctx: Any, job: HeadJob, *tensors: Tensor | None) -> Tensor:
        """Compute the loss, and at once the gradient if the loss is one number."""
        layer = job.head.layer.of(*tensors)
        wanted = tuple(ctx.needs_input_grad[1:])
        ahead = job.reduces and any(wanted)
        loss, gradients = job.run(layer, wanted if ahead else (False,) * len(wanted))
        ctx.gradients = gradients if ahead else None
        ctx.job, ctx.count = job, len(tensors)
        ctx.save_for_backward(*tensors, *job.others())
        return loss

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        """Give the gradients times upstream."""
        job: HeadJob = ctx.job
        tensors = ctx.saved_tensors[: ctx.count]  # raises if one was changed
        layer, wanted = job.head.layer.of(*tensors), tuple(ctx.needs_input_grad[1:])
        if torch.is_grad_enabled() or is_transformed(upstream):
            return None, *of_formula(job.formula, layer, wanted, upstream)
        gradients, ctx.gradients = ctx.gradients, None
        if gradients is None:
            _, gradients = job.run(layer, wanted, None if job.reduces else upstream)
        if job.reduces:
            _times(gradients, upstream)
        return None, *like(gradients, tensors)


def like(gradients: list[Tensor | None], tensors: tuple[Tensor | None, ...]) -> list[Tensor | None]:
    """Return gradients in the dtypes of their tensors."""
    return [
        None if g is None or t is None else g.to(t.dtype)
        for g, t in zip(gradients, tensors, strict=True)
    ]


def _times(gradients: list[Tensor | None], upstream: Tensor) -> None:
    """Multiply gradients by upstream, in their memory."""
    for gradient in gradients:
        if gradient is not None:
            multiplied(gradient, upstream)


def of_formula(
    formula: Callable[[Layer], Tensor], layer: Layer, wanted: tuple[bool, ...], upstream: Tensor
) -> list[Tensor | None]:
    """Return gradients that have gradients, or one for each of many upstreams, of all logits."""
    _LOG.info("a second derivative, or a batch of gradients, of a head: all its logits are built")
    with torch.enable_grad():
        loss = formula(layer)
        asked = [t for t, want in zip(layer.tensors, wanted, strict=True) if want and t is not None]
        found = iter(torch.autograd.grad(loss, asked, upstream, create_graph=True))
    return [next(found) if want else None for want in wanted]
