"""The native row kernel as an operator that torch.compile keeps whole in its graph."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from plogq.torch._bridge import memory_of, room_for
from plogq.torch._kernel import knows, run_rows
from plogq.torch._rows import Rows, Statistics, arithmetic, statistics


def takes(x: Tensor, rows: Rows) -> bool:
    """Tell whether a graph is being made that the operator fits into."""
    return torch.compiler.is_compiling() and knows(x, rows)


@torch.library.custom_op("plogq::row_losses", mutates_args=())
def _forward(
    x: Tensor,
    target: Tensor,
    weight: Tensor | None,
    keep: Tensor | None,
    ignore_index: int,
    label_smoothing: float,
    gamma: float,
    temperature: float,
    z_loss: float,
    validate: bool,
    moments: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    options = (label_smoothing, gamma, temperature, z_loss, validate, x.shape[:1])
    rows = Rows(target, target.ndim == 2, ignore_index, weight, keep, *options)
    found = run_rows(x, rows, moments=moments)
    loss = torch.from_numpy(found.loss)
    if not moments:
        return loss, loss.new_empty(0), loss.new_empty(0), target.new_empty(0, dtype=torch.int64)
    top, rest = torch.from_numpy(found.max), torch.from_numpy(found.rest)
    return loss, top + rest.log1p(), torch.from_numpy(found.entropy), torch.from_numpy(found.argmax)


@_forward.register_fake
def _(x: Tensor, *options: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    size = x.shape[:1] if options[-1] else (0,)
    loss = x.new_empty(x.shape[:1], dtype=arithmetic(x))
    lse, entropy = loss.new_empty(size), loss.new_empty(size)
    return loss, lse, entropy, loss.new_empty(size, dtype=torch.int64)


@torch.library.custom_op("plogq::row_losses_gradient", mutates_args=())
def _gradient(
    upstream: Tensor,
    x: Tensor,
    target: Tensor,
    weight: Tensor | None,
    keep: Tensor | None,
    ignore_index: int,
    label_smoothing: float,
    gamma: float,
    temperature: float,
    z_loss: float,
) -> Tensor:
    options = (label_smoothing, gamma, temperature, z_loss, False, x.shape[:1])
    rows = Rows(target, target.ndim == 2, ignore_index, weight, keep, *options)
    gradient = room_for(x, contiguous=True)  # as the fake says, whatever the strides of x
    scale = memory_of(upstream.double().contiguous())  # of a sum it is one number for all
    run_rows(x, rows, row_scale=scale, gradient=gradient)
    return gradient


@_gradient.register_fake
def _(upstream: Tensor, x: Tensor, *options: Any) -> Tensor:
    return x.new_empty(x.shape)


def _setup(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    x, target, weight, keep, *ctx.options, _validate, _moments = inputs
    ctx.save_for_backward(x, target, weight, keep)
    ctx.mark_non_differentiable(*output[1:])


def _backward(ctx: Any, upstream: Tensor, *_stats: Tensor) -> tuple[Tensor | None, ...]:
    return _gradient(upstream, *ctx.saved_tensors, *ctx.options), *[None] * 10


_forward.register_autograd(_backward, setup_context=_setup)


def row_losses(x: Tensor, rows: Rows, *, stats: bool) -> tuple[Tensor, Statistics | None]:
    """Give the loss of each row, and the statistics where asked."""
    target = rows.target
    assert target is not None
    loss, lse, entropy, argmax = _forward(
        x.flatten(0, -2),
        target.flatten(0, -2) if rows.soft else target,
        rows.weight,
        rows.keep,
        rows.ignore_index,
        rows.label_smoothing,
        rows.gamma,
        rows.temperature,
        rows.z_loss,
        rows.validate,
        stats,
    )
    return loss, statistics(rows, lse, entropy, argmax) if stats else None
