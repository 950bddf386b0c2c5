"""A linear head inside torch.compile: operators that run it as outside a graph, in pieces.

The forward answers the head by the engine that takes it outside a graph, under autograd. What it
found waits with its own graph (`plogq.torch.engines.compiled_waiting`), and the backward asks that
for the gradients.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from plogq.kernels.question import Options
from plogq.kernels.seam import Engine
from plogq.torch.autograd import not_plain
from plogq.torch.engines import compiled_waiting
from plogq.torch.engines.blocks import CROSS_ENTROPY
from plogq.torch.engines.operators import define
from plogq.torch.private import above_autograd
from plogq.torch.questions import Head, Layer, Rows, TokenHead, arithmetic, wants_gradient

# `tensors` are the layer's, and the weights of rows; `others` are the target, the class weights,
# the mask, and the denominator if it is a tensor. `whole` are the workspace, ignore_index, compact,
# valid (−1: not given), validate, statistics and top_k (−1: the loss, not log-probabilities);
# `numbers` are the softcap and the denominator (−1: none), and the `Options`.
_QUESTION = (
    "Tensor?[] tensors, Tensor?[] others, bool[] wanted, SymInt[] shape, str reduction, "
    "SymInt[] whole, float[] numbers, ScalarType dtype"
)
_engines: list[Engine] = []


def run_by(engines: Sequence[Engine]) -> None:
    """Let the first of these engines that takes a head answer it, when a graph runs."""
    _engines[:] = engines


def refusal(head: Head) -> str:
    """Say what the operators lack: gradients in targets, other losses, and other tensors."""
    rows = head.rows
    if type(head) not in (Head, TokenHead) or rows.loss.name != CROSS_ENTROPY.name:
        return f"there is no operator of a head with {rows.loss.name}"
    if wants_gradient(rows.target, rows.weight) and torch.is_grad_enabled():
        return "the target or the class weights want a gradient"
    if head.layer.terms[0][0].is_meta:
        return "a meta tensor has no rows to count"
    return not_plain(*head.layer.tensors, rows.target, rows.weight, rows.keep)


def answer(head: Head) -> tuple[Tensor, list[Tensor]]:
    """Return the loss of a head, reduced or (R,), and its statistics; or what `_computed` says."""
    tensors, question = (*head.layer.tensors, head.rows.row_weight), _flat(head)
    wanted = [t is not None and t.requires_grad for t in tensors]
    if torch.is_grad_enabled() and any(wanted):
        found, *figures = _CompiledHead.apply(question, wanted, *tensors)  # type: ignore[no-untyped-call]
        return found, figures
    others, *settings = question
    nothing = [False] * len(tensors)
    found, _, figures = torch.ops.plogq.head.default(list(tensors), others, nothing, *settings)
    return found, figures


class _CompiledHead(torch.autograd.Function):
    """A head's loss: the graph keeps the token of what was found."""

    @staticmethod
    def forward(
        ctx: Any, question: tuple[Any, ...], wanted: list[bool], *tensors: Tensor | None
    ) -> Any:
        """Compute the loss, and let what was found wait."""
        others, *settings = question
        found, token, figures = torch.ops.plogq.head.default(
            list(tensors), others, wanted, *settings
        )
        ctx.settings, ctx.wanted, ctx.count = settings, wanted, len(tensors)
        ctx.save_for_backward(token, *tensors, *others)
        ctx.mark_non_differentiable(*figures)
        return found, *figures

    @staticmethod
    def backward(ctx: Any, upstream: Tensor, *_figures: Tensor) -> tuple[Tensor | None, ...]:
        """Take the gradients of what waits."""
        token, *saved = ctx.saved_tensors
        tensors, others = saved[: ctx.count], saved[ctx.count :]
        gradients = torch.ops.plogq.head_gradients.default(
            token, upstream, tensors, others, ctx.wanted, *ctx.settings
        )
        place = 0
        found: list[Tensor | None] = [None, None]
        for want in ctx.wanted:
            found.append(gradients[place] if want else None)
            place += want
        return tuple(found)


def _flat(head: Head) -> tuple[Any, ...]:
    """Give a question as the arguments of the operators, without `tensors` and `wanted`."""
    rows, divisor, denominator = head.rows, None, head.rows.denominator
    if isinstance(denominator, Tensor):
        divisor, denominator = denominator, None
    whole = [
        head.workspace, rows.ignore_index, int(head.compact),
        -1 if head.valid is None else head.valid, int(rows.validate), int(rows.statistics),
        head.top_k if isinstance(head, TokenHead) else -1,
    ]  # fmt: skip
    numbers = [-1.0 if n is None else float(n) for n in (head.softcap, denominator)]
    numbers += [float(n) for n in rows.options]
    others = [rows.target, rows.weight, rows.keep, divisor]
    return others, list(rows.shape), rows.reduction, whole, numbers, head.layer.dtype


def _head_of(
    tensors: Sequence[Tensor | None],
    others: Sequence[Tensor | None],
    shape: Sequence[int],
    reduction: str,
    whole: Sequence[int],
    numbers: Sequence[float],
    dtype: torch.dtype,
) -> Head:
    """Return the head of an operator's arguments."""
    bias, *terms, row_weight = tensors
    target, weight, keep, divisor = others
    workspace, ignore_index, compact, valid, validate, statistics, top_k = whole
    softcap, denominator = (None if n < 0 else n for n in numbers[:2])
    assert target is not None
    rows = Rows(
        target, target.ndim == 2, ignore_index, weight, keep, Options(*numbers[2:]),
        torch.Size(shape), reduction, row_weight, denominator if divisor is None else divisor,
        validate=bool(validate), statistics=bool(statistics), loss=CROSS_ENTROPY,
    )  # fmt: skip
    layer = Layer((), None, dtype).of(bias, *terms)
    known = None if valid < 0 else valid
    if top_k < 0:
        return Head(rows, layer, softcap, workspace, compact=bool(compact), valid=known)
    return TokenHead(
        rows, layer, softcap, workspace, compact=bool(compact), valid=known, top_k=top_k
    )


def _computed(head: Head) -> tuple[Tensor, list[Tensor]]:
    """Return the loss and its statistics.

    Of a head of tokens these are log-probabilities and entropies, (2, R), and what is on top.
    """
    hidden = head.layer.terms[0][0]
    engine = next(e for e in _engines if not e.refusal(hidden, head))
    if isinstance(head, TokenHead):
        logprobs, entropy, *top = engine.answer(hidden, head)
        return torch.stack([logprobs, entropy]), [t for t in top if t is not None]
    loss, stats = engine.answer(hidden, head)
    return loss, [] if stats is None else list(stats)


def _run(
    tensors: Sequence[Tensor | None],
    others: Sequence[Tensor | None],
    wanted: Sequence[bool],
    *settings: Any,
) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Return the answer, and the tensors whose gradients are wanted of it."""
    with above_autograd(), torch.set_grad_enabled(any(wanted)):
        given = [
            None if t is None else t.detach().requires_grad_(want)
            for t, want in zip(tensors, wanted, strict=True)
        ]
        found, figures = _computed(_head_of(given, others, *settings))
    leaves = [t for t, want in zip(given, wanted, strict=True) if want and t is not None]
    return found, figures, leaves


def _head(
    tensors: Sequence[Tensor | None],
    others: Sequence[Tensor | None],
    wanted: Sequence[bool],
    *settings: Any,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    found, figures, leaves = _run(tensors, others, wanted, *settings)
    token = compiled_waiting.leave((found, leaves)) if leaves else compiled_waiting.nothing()
    return found.detach(), token, figures


def _head_gradients(token: Tensor, upstream: Tensor, *question: Any) -> list[Tensor]:
    found, leaves = compiled_waiting.take(token) or _run(*question)[::2]
    with above_autograd():
        gradients = torch.autograd.grad(found, leaves, upstream, materialize_grads=True)
    return [g.contiguous() for g in gradients]  # contiguous, as the fake says


def _fake_head(
    tensors: Sequence[Tensor | None], others: Sequence[Tensor | None], *settings: Any
) -> tuple[Tensor, Tensor, list[Tensor]]:
    *_, reduction, whole, _numbers, _dtype = settings
    x, statistics, top_k = tensors[1], whole[5], whole[6]
    assert x is not None
    count, dtype = x.shape[0], arithmetic(x)
    token = torch.empty((), dtype=torch.int64, device="cpu")
    by_row = x.new_empty(count, dtype=dtype)
    if top_k >= 0:
        shape = count, top_k
        top = [x.new_empty(shape, dtype=dtype), x.new_empty(shape, dtype=torch.int64)]
        return x.new_empty((2, count), dtype=dtype), token, top if top_k else []
    loss = by_row if reduction == "none" else x.new_empty((), dtype=dtype)
    if not statistics:
        return loss, token, []
    lse, entropy = (x.new_empty(count, dtype=dtype) for _ in range(2))
    argmax, accuracy = x.new_empty(count, dtype=torch.int64), x.new_empty((), dtype=torch.float32)
    return loss, token, [lse, entropy, argmax, accuracy]


def _fake_gradients(
    token: Tensor,
    upstream: Tensor,
    tensors: Sequence[Tensor | None],
    others: Sequence[Tensor | None],
    wanted: Sequence[bool],
    *settings: Any,
) -> list[Tensor]:
    return list(_fakes(tensors, wanted))


def _fakes(tensors: Sequence[Tensor | None], wanted: Sequence[bool]) -> Iterator[Tensor]:
    for t, want in zip(tensors, wanted, strict=True):
        if want and t is not None:
            yield t.new_empty(t.shape)


define("head", _QUESTION, "(Tensor, Tensor, Tensor[])", _head, _fake_head,
       "CompositeExplicitAutograd")  # fmt: skip
define("head_gradients", f"Tensor token, Tensor upstream, {_QUESTION}", "Tensor[]",
       _head_gradients, _fake_gradients, "CompositeExplicitAutograd")  # fmt: skip
