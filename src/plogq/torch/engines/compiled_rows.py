"""The loss of each row as an operator: for no reduction, statistics, or learned weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from plogq.kernels.question import Options, Statistics
from plogq.torch.autograd import memory_of, room_for
from plogq.torch.engines.formula import CROSS_ENTROPY
from plogq.torch.engines.native_rows import run_rows
from plogq.torch.questions import Rows, arithmetic, statistics


def _rows(
    x: Tensor,
    target: Tensor,
    weight: Tensor | None,
    keep: Tensor | None,
    ignore_index: int,
    options: Sequence[float],
) -> Rows:
    return Rows(
        target, target.ndim == 2, ignore_index, weight, keep, Options(*options), x.shape[:1],
        validate=False, loss=CROSS_ENTROPY,
    )  # fmt: skip


@torch.library.custom_op("plogq::row_losses", mutates_args=())
def _forward(
    x: Tensor,
    target: Tensor,
    weight: Tensor | None,
    keep: Tensor | None,
    ignore_index: int,
    options: Sequence[float],
    validate: bool,
    moments: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    rows = _rows(x, target, weight, keep, ignore_index, options)
    rows.validate, rows.statistics = validate, moments
    found = run_rows(x, rows)
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
    options: Sequence[float],
) -> Tensor:
    rows = _rows(x, target, weight, keep, ignore_index, options)
    gradient = room_for(x, contiguous=True)  # contiguous, as the fake says
    scale = memory_of(upstream.double().contiguous())  # that of a sum is expanded
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
    return _gradient(upstream, *ctx.saved_tensors, *ctx.options), *[None] * 7


_forward.register_autograd(_backward, setup_context=_setup)


def row_losses(x: Tensor, rows: Rows) -> tuple[Tensor, Statistics | None]:
    """Give the loss of each row, (R,), and its statistics if they are asked for."""
    target = rows.target
    assert target is not None
    loss, lse, entropy, argmax = _forward(
        x.flatten(0, -2),
        target.flatten(0, -2) if rows.soft else target,
        rows.weight,
        rows.keep,
        rows.ignore_index,
        list(rows.options),
        rows.validate,
        rows.statistics,
    )
    return loss, statistics(rows, lse, entropy, argmax) if rows.statistics else None
