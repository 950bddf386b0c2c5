"""Log-probabilities of tokens and entropies, both with gradients, from pieces of a head's rows."""

from __future__ import annotations

from typing import Any

import torch
from array_api_compat import torch as xp
from torch import Tensor

from plogq.formulas import softmax_core
from plogq.torch.checks import check_rows, nan_unless, on_host
from plogq.torch.engines.block_parts import (
    BLOCK,
    Parts,
    negative_entropy_slopes,
    parts_of_block,
)
from plogq.torch.engines.formula import row_losses
from plogq.torch.engines.head_job import HeadJob
from plogq.torch.engines.head_logits import logits_of
from plogq.torch.engines.head_loss import like, of_formula
from plogq.torch.engines.head_pieces import Pieces, RowEngine
from plogq.torch.private import is_transformed
from plogq.torch.questions import (
    Figures,
    Layer,
    Rows,
    TokenHead,
    TokenLogprobs,
    arithmetic,
    wants_gradient,
)


def answer(head: TokenHead, engine: RowEngine) -> TokenLogprobs:
    """Compute them in pieces under autograd."""
    top = _Top(head, engine)
    job = HeadJob(head, RowEngine(top.answer, engine.copies), Pieces.of(head, engine), False)
    if torch.is_grad_enabled() and wants_gradient(*head.layer.tensors):
        found = _Logprobs.apply(job, engine, *head.layer.tensors)  # type: ignore[no-untyped-call]
    else:
        found = _run(job, head.layer)
    values, ids = top.of_all_rows(job.pieces)
    return TokenLogprobs(found[0], found[1], values, ids)


def of_all_logits(head: TokenHead) -> TokenLogprobs:
    """Compute them from all logits, in operations that autograd follows."""
    found = _formula(head, head.layer)
    if not head.top_k:
        return TokenLogprobs(found[0], found[1], None, None)
    logits = logits_of(head, head.layer).detach()
    logits = logits.to(arithmetic(logits)) / head.rows.options.temperature
    values, ids = logits.log_softmax(-1).topk(head.top_k)
    kept = head.rows.kept()
    if kept is not None:
        values = torch.where(kept[:, None], values, -torch.inf)
        ids = torch.where(kept[:, None], ids, -1)
    return TokenLogprobs(found[0], found[1], values, ids)


def _formula(head: TokenHead, layer: Layer) -> Tensor:
    """Return (2, R): log-probabilities and entropies."""
    rows, logits = head.rows, logits_of(head, layer)
    check_rows(logits, rows)
    losses, parts = row_losses(logits, rows)
    kept = rows.kept()
    entropy = softmax_core.entropy(xp, parts)
    entropy = entropy if kept is None else torch.where(kept, entropy, 0.0)
    both = torch.stack([-losses, entropy])
    return both if rows.sound is None else nan_unless(rows.sound, both)


def _run(job: HeadJob, layer: Layer) -> Tensor:
    losses, _ = job.run(layer, (False,) * len(layer.tensors))
    assert job.figures is not None
    entropy, kept = job.figures[1], job.head.rows.kept()
    return torch.stack([-losses, entropy if kept is None else entropy.masked_fill(~kept, 0.0)])


class _Top:
    """The likeliest classes of each piece, noted before its logits are overwritten."""

    def __init__(self, head: TokenHead, engine: RowEngine) -> None:
        self._head, self._engine = head, engine
        self._found: list[tuple[Tensor, Tensor]] = []

    def answer(
        self, x: Tensor, rows: Rows, scale: Tensor | None, wants_figures: bool
    ) -> tuple[Tensor, Figures | None]:
        """Return what the engine does, and note what is on top."""
        top = x.topk(self._head.top_k) if self._head.top_k else None
        losses, found = self._engine.answer(x, rows, scale, wants_figures)
        if top is not None and found is not None:
            values = top.values.to(losses.dtype) / rows.options.temperature
            self._found.append((values - found[0][:, None], top.indices))
        return losses, found

    def of_all_rows(self, pieces: Pieces) -> tuple[Tensor | None, Tensor | None]:
        """Return log-probabilities and classes, (R, k)."""
        if not self._head.top_k:
            return None, None
        hidden, kept = self._head.layer.terms[0][0], self._head.rows.kept()
        shape = len(hidden), self._head.top_k
        values = torch.full(shape, -torch.inf, dtype=arithmetic(hidden), device=hidden.device)
        ids = torch.full(shape, -1, device=hidden.device)
        for at, (v, i) in zip(pieces.all(), self._found, strict=True):
            values[at], ids[at] = v, i
        if kept is not None:
            values.masked_fill_(~kept[:, None], -torch.inf)
            ids.masked_fill_(~kept[:, None], -1)
        return values, ids


class _Logprobs(torch.autograd.Function):
    """Both of each row, (2, R); the backward computes the logits of each piece once more."""

    @staticmethod
    def forward(ctx: Any, job: HeadJob, engine: RowEngine, *tensors: Tensor | None) -> Tensor:
        """Compute them."""
        ctx.job, ctx.engine, ctx.count = job, engine, len(tensors)
        ctx.save_for_backward(*tensors, *job.others())
        return _run(job, job.head.layer.of(*tensors))

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        """Give the gradients of Σ upstream · (log p, H)."""
        head: Any = ctx.job.head
        tensors = ctx.saved_tensors[: ctx.count]
        layer, wanted = head.layer.of(*tensors), tuple(ctx.needs_input_grad[2:])
        if torch.is_grad_enabled() or is_transformed(upstream):
            found = of_formula(lambda layer: _formula(head, layer), layer, wanted, upstream)
            return None, None, *found
        of_logprob, of_entropy = upstream
        if not on_host(of_entropy) or of_entropy.any():
            engine, scale = RowEngine(_slopes, 0), upstream.T
        else:
            engine, scale = ctx.engine, -of_logprob
        job = HeadJob(head, engine, ctx.job.pieces, False)
        _, gradients = job.run(layer, wanted, scale)
        return None, None, *like(gradients, tensors)


def _slopes(x: Tensor, rows: Rows, scale: Tensor | None, _: bool) -> tuple[Tensor, None]:
    """Overwrite logits x by the gradient of Σ a log p_y + e H, with (a, e) of each row in `scale`.

    It is a ([j = y] − p) − e p (log p + H), over T. Where p is nearly 1 at the label, 1 − p is
    the sum of the others.
    """
    assert scale is not None
    step, temperature, label = max(1, BLOCK // x.shape[1]), rows.options.temperature, rows.labels()
    kept = rows.kept()
    for begin in range(0, len(x), step):
        at = slice(begin, begin + step)
        parts = parts_of_block(x[at].to(arithmetic(x)), at, temperature)
        x[at] = _slope(parts, rows, label[at, None], scale[at]).div_(-temperature)
    if kept is not None:
        x.masked_fill_(~kept[:, None], 0.0)
    return x.new_zeros(len(x), dtype=arithmetic(x)), None


def _slope(parts: Parts, rows: Rows, label: Tensor, scale: Tensor) -> Tensor:
    """Return −T times the gradient of a block, (n, C); the parts are overwritten."""
    p, top = parts.p, parts.top
    off = p.scatter_add(1, label, p.new_full(label.shape, -1.0))  # p − [j = y]
    off.scatter_(1, top, torch.where(label == top, -parts.miss, p.gather(1, top)))
    of_logprob, of_entropy = scale.to(p.dtype).unsqueeze(-1).unbind(1)
    _, slope = negative_entropy_slopes(parts, rows)
    return slope.mul_(of_entropy).addcmul_(off, of_logprob)
