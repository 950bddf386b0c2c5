"""The reduced loss as operators: the gradient in the same pass, as outside a graph.

`loss_and_gradient` is for small batches: the graph saves the gradient and multiplies it by
upstream. For a large batch this would be another pass over memory: `loss_ahead` lets the gradient
wait (`plogq.torch.engines.compiled_waiting`), and `loss_gradient` hands it over.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from plogq.kernels.question import PLAIN, Options
from plogq.kernels.rows import reduced_softmax_loss
from plogq.kernels.tensors import reduced_loss
from plogq.torch.autograd import HUGE_PAGE, memory_of, room_for
from plogq.torch.engines import compiled_waiting
from plogq.torch.engines.operators import define
from plogq.torch.private import surely
from plogq.torch.questions import Rows, arithmetic
from plogq.torch.reductions import total_weight

_SMALL = 1 << 16  # logits: below that a product in the graph costs less than a second operator

# Each argument costs some 1.5 us on its way through torch: arguments that are seldom given are in
# two lists, which are empty for the plain loss. `others` are the divisor if it is a tensor, the
# class weights, the mask, and the row weights; `numbers` are the denominator (NaN: the total
# weight), whether to validate, and the `Options`.
_QUESTION = "Tensor x, Tensor target, Tensor?[] others, int ignore_index, float[] numbers"
_NO_OTHERS = (None,) * 4


def loss_of_batch(x: Tensor, rows: Rows) -> Tensor:
    """Give the reduced loss, with a gradient if one is due."""
    question = _flat(rows)
    if not (x.requires_grad and torch.is_grad_enabled()):
        loss: Tensor = torch.ops.plogq.loss.default(x, *question)
        return loss
    small = x.dtype != torch.float16 and surely(x.numel() < _SMALL)
    found: Tensor = (_Small if small else _Waiting).apply(x, question)  # type: ignore[no-untyped-call]
    return found


def _flat(rows: Rows) -> tuple[Tensor, list[Tensor | None], int, list[float]]:
    """Give a question as the arguments of the operators."""
    divisor, denominator = None, rows.denominator
    if rows.reduction == "sum":
        denominator = 1.0
    elif denominator is None and rows.soft and rows.by_class and rows.weight is not None:
        denominator = total_weight(rows)
    if isinstance(denominator, Tensor):
        divisor, denominator = denominator, None
    others = [divisor, rows.weight, rows.keep, rows.row_weight]
    if all(t is None for t in others):
        others = []
    numbers = []
    if denominator is not None or not rows.validate or rows.options != PLAIN:
        total = math.nan if denominator is None else denominator
        numbers = [total, float(rows.validate), *rows.options]
    assert rows.target is not None
    return rows.target, others, rows.ignore_index, numbers


def _run(
    gradient: Tensor | None,
    scale: float,
    x: Tensor,
    target: Tensor,
    others: Sequence[Tensor | None],
    ignore_index: int,
    numbers: Sequence[float],
) -> Tensor:
    """Give the loss; the kernel fills `gradient`, if it is given, with scale times its gradient."""
    divisor, weight, keep, row_weight = others or _NO_OTHERS
    denominator, validate, options = None, True, PLAIN
    if numbers:
        options = Options(*numbers[2:])
        denominator, validate = None if math.isnan(numbers[0]) else numbers[0], bool(numbers[1])
    soft = target.is_floating_point()
    found = reduced_softmax_loss(
        memory_of(x),
        memory_of(target),
        options,
        weight=None if weight is None else memory_of(weight),
        ignore_index=None if soft else ignore_index,
        keep=None if keep is None else memory_of(keep),
        row_weight=None if row_weight is None else memory_of(row_weight.double()),
        denominator=denominator if divisor is None else divisor.item(),
        by_class=weight is not None and not soft,
        scale=scale,
        gradient=None if gradient is None else memory_of(gradient),
        validate=validate,
        threads=torch.get_num_threads(),
    )
    return torch.scalar_tensor(found.loss, dtype=arithmetic(x))


def _at_once(
    with_gradient: bool,
    x: Tensor,
    target: Tensor,
    others: Sequence[Tensor | None],
    ignore_index: int,
    numbers: Sequence[float],
) -> Any:
    """Give the loss, or (loss, gradient), by one native call; None if the call is not plain."""
    denominator, options = math.nan, PLAIN
    if numbers:
        denominator, options = numbers[0], Options(*numbers[2:])
    is_mean = math.isnan(denominator)
    if others or not (is_mean or denominator == 1):
        return None
    threads = torch.get_num_threads()
    return reduced_loss(
        x, target, ignore_index, is_mean, *options, with_gradient, HUGE_PAGE, threads
    )


def _loss(*question: Any) -> Tensor:
    found: Tensor | None = _at_once(False, *question)
    return _run(None, 1.0, *question) if found is None else found


def _loss_and_gradient(x: Tensor, *question: Any) -> tuple[Tensor, Tensor]:
    found: tuple[Tensor, Tensor] | None = _at_once(True, x, *question)
    if found is not None:
        return found
    gradient = room_for(x, contiguous=True)  # contiguous, as the fake says
    return _run(gradient, 1.0, x, *question), gradient


def _loss_ahead(x: Tensor, *question: Any) -> tuple[Tensor, Tensor]:
    # A float16 gradient underflows without a GradScaler's scale, which comes with the backward.
    if x.dtype == torch.float16:
        return _run(None, 1.0, x, *question), compiled_waiting.nothing()
    loss, gradient = _loss_and_gradient(x, *question)
    return loss, compiled_waiting.leave(gradient)


def _loss_gradient(token: Tensor, upstream: Tensor, x: Tensor, *question: Any) -> Tensor:
    scale = upstream.item()
    gradient: Tensor | None = compiled_waiting.take(token)
    if gradient is None:
        gradient = room_for(x, contiguous=True)
        _run(gradient, scale, x, *question)
    elif scale != 1:
        gradient.mul_(scale)
    return gradient


def _fake_loss(x: Tensor, *_: Any) -> Tensor:
    return x.new_empty((), dtype=arithmetic(x))


def _fake_gradient(x: Tensor) -> Tensor:
    return x.new_empty(x.shape)


define("loss", _QUESTION, "Tensor", _loss, _fake_loss)
define(
    "loss_and_gradient", _QUESTION, "(Tensor, Tensor)", _loss_and_gradient,
    lambda x, *_: (_fake_loss(x), _fake_gradient(x)),
)  # fmt: skip
define(
    "loss_ahead", _QUESTION, "(Tensor, Tensor)", _loss_ahead,
    lambda x, *_: (_fake_loss(x), x.new_empty((), dtype=torch.int64)),
)  # fmt: skip
define(
    "loss_gradient", f"Tensor token, Tensor upstream, {_QUESTION}", "Tensor", _loss_gradient,
    lambda token, upstream, x, *_: _fake_gradient(x),
)  # fmt: skip


class _Small(torch.autograd.Function):
    """The loss of a small batch: the graph keeps the gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, question: tuple[Any, ...]) -> Any:
        """Compute the loss and its gradient."""
        loss, gradient = torch.ops.plogq.loss_and_gradient.default(x, *question)
        ctx.save_for_backward(gradient)
        return loss

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        """Give the gradient times upstream."""
        (gradient,) = ctx.saved_tensors
        return gradient * upstream, None


class _Waiting(torch.autograd.Function):
    """The loss of a large batch: the graph keeps the token of its gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, question: tuple[Any, ...]) -> Any:
        """Compute the loss, and let the gradient wait."""
        loss, token = torch.ops.plogq.loss_ahead.default(x, *question)
        target, others, *ctx.numbers = question
        ctx.save_for_backward(token, x, target, *others)
        return loss

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:
        """Take the gradient that waits, times upstream."""
        token, x, target, *others = ctx.saved_tensors
        question = x, target, others, *ctx.numbers
        return torch.ops.plogq.loss_gradient.default(token, upstream, *question), None
