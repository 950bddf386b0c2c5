"""Log-probabilities and entropies of the rows of a head, piece by piece, with their gradients."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from array_api_compat import torch as xp
from torch import Tensor

from plogq.formulas import softmax_core
from plogq.torch.autograd import memory_of, no_kernel
from plogq.torch.engines.formula import figures, row_losses
from plogq.torch.engines.head_gradients import GradientSums
from plogq.torch.engines.head_job import HeadJob, logits_of
from plogq.torch.engines.head_loss import no_pieces
from plogq.torch.engines.head_pieces import Pieces, RowEngine
from plogq.torch.engines.native_rows import run_rows
from plogq.torch.private import is_batched
from plogq.torch.questions import Head, Layer, Rows, arithmetic

_COPIES = 12  # arrays like the logits, which the graph of the formula holds in the backward


class RowLogprobs(NamedTuple):
    """What is known of R rows: (R,) −log p of the label, (R,) entropies, and (R, k) of the top."""

    surprisal: Tensor
    entropy: Tensor
    top: Tensor
    top_labels: Tensor


def logprobs(head: Head, top_k: int) -> RowLogprobs:
    """Return the figures of each row; surprisal and entropy have gradients, the top has none."""
    hidden = head.layer.terms[0][0]
    if no_pieces(hidden, head):
        return _of_all(head, top_k)
    job = HeadJob(head, _ROWS, Pieces.of(head, _ROWS), False)
    found = _HeadLogprobs.apply(job, top_k, *head.layer.tensors)  # type: ignore[no-untyped-call]
    return RowLogprobs(*found)


_ROWS = RowEngine(lambda *_: (_[0], None), copies=_COPIES)


class _HeadLogprobs(torch.autograd.Function):
    """Surprisals and entropies, whose gradients compute the logits of each piece once more."""

    @staticmethod
    def forward(ctx: Any, job: HeadJob, top_k: int, *tensors: Tensor | None) -> tuple[Tensor, ...]:
        """Compute all figures."""
        layer = job.head.layer.of(*tensors)
        out = _room(layer, top_k)
        with torch.autocast(layer.terms[0][0].device.type, enabled=False):
            for at, _, x in job.logits(layer):
                for room, values in zip(out, _of_piece(x, job, at, top_k), strict=True):
                    room[at] = values
        ctx.job, ctx.count = job, len(tensors)
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(out.top, out.top_labels)
        ctx.save_for_backward(*tensors, *job.others())
        return tuple(out)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor | None) -> tuple[Tensor | None, ...]:
        """Give the gradients of Σ upstream · figure; an upstream that is None is 0."""
        job: HeadJob = ctx.job
        tensors, wanted = ctx.saved_tensors[: ctx.count], tuple(ctx.needs_input_grad[2:])
        layer = job.head.layer.of(*tensors)
        pair = upstream[:2]
        given = [u for u in pair if u is not None]
        if not given:
            return (None, None, *([None] * ctx.count))
        if torch.is_grad_enabled() or any(map(is_batched, given)):
            return None, None, *_with_graph(job.head, layer, wanted, pair)
        sums = GradientSums.of(layer, wanted, job.pieces.index is not None)
        with torch.autocast(layer.terms[0][0].device.type, enabled=False):
            for at, hidden, x in job.logits(layer):
                of_piece = [None if u is None else u[at] for u in pair]
                x.copy_(_slope(x, job, at, *of_piece))
                sums.add(x, hidden, layer, at)
        return (
            None,
            None,
            *(
                None if g is None or t is None else g.to(t.dtype)
                for g, t in zip(sums.finished(), tensors, strict=True)
            ),
        )


def _room(layer: Layer, top_k: int) -> RowLogprobs:
    """Return memory for what is said of all rows, as it is for rows that are left out."""
    first = layer.terms[0][0]
    dtype, device, count = arithmetic(first), first.device, len(first)
    return RowLogprobs(
        torch.zeros(count, dtype=dtype, device=device),
        torch.zeros(count, dtype=dtype, device=device),
        torch.full((count, top_k), -torch.inf, dtype=dtype, device=device),
        torch.full((count, top_k), -1, dtype=torch.int64, device=device),
    )


def _capped(x: Tensor, head: Head) -> Tensor:
    if head.softcap is None:
        return x
    capped: Tensor = softmax_core.capped(xp, x.to(arithmetic(x)), head.softcap)
    return capped


def _of_piece(x: Tensor, job: HeadJob, at: slice | Tensor, top_k: int) -> RowLogprobs:
    z, rows = _capped(x, job.head), job.rows_at(at)
    if no_kernel(z):
        losses, parts = row_losses(z, rows)
        lse, entropy, _ = figures(parts, rows.options.temperature)
    else:
        found = run_rows(z, rows, moments=True)
        losses, entropy = torch.from_numpy(found.loss), torch.from_numpy(found.entropy)
        lse = torch.from_numpy(found.max + np.log1p(found.rest))
    return RowLogprobs(losses, entropy, *_top(z, rows, lse, top_k))


def _top(z: Tensor, rows: Rows, lse: Tensor, top_k: int) -> tuple[Tensor, Tensor]:
    """Return the largest log-probabilities of each row and their labels, blank where left out."""
    values, labels = z.topk(top_k, dim=1)
    top = values.to(lse.dtype) / rows.options.temperature - lse[:, None]
    kept = rows.kept()
    if kept is not None:
        top = torch.where(kept[:, None], top, -torch.inf)
        labels = torch.where(kept[:, None], labels, -1)
    return top, labels


def _slope(
    x: Tensor, job: HeadJob, at: slice | Tensor, of_loss: Tensor | None, of_entropy: Tensor | None
) -> Tensor:
    """Return the gradient of Σ upstream · figure in the logits of a piece."""
    rows = job.rows_at(at)
    if of_entropy is None and job.head.softcap is None and not no_kernel(x):
        assert of_loss is not None
        run_rows(x, rows, row_scale=memory_of(of_loss.double()), gradient=x)
        return x
    with torch.enable_grad():
        logits = x.detach().requires_grad_()
        total = _total(_capped(logits, job.head), rows, of_loss, of_entropy)
        return torch.autograd.grad(total, logits)[0]


def _total(z: Tensor, rows: Rows, of_loss: Tensor | None, of_entropy: Tensor | None) -> Tensor:
    """Return Σ upstream · figure, in operations that autograd follows."""
    losses, entropy = _figures(z, rows)
    total = torch.zeros((), dtype=losses.dtype, device=losses.device)
    if of_loss is not None:
        total = total + torch.where(of_loss == 0, 0.0, of_loss * losses).sum()
    if of_entropy is not None:
        total = total + (of_entropy * entropy).sum()
    return total


def _figures(z: Tensor, rows: Rows) -> tuple[Tensor, Tensor]:
    losses, parts = row_losses(z, rows)
    entropy: Tensor = softmax_core.entropy(xp, parts)
    kept = rows.kept()
    return losses, entropy if kept is None else torch.where(kept, entropy, 0.0)


def _with_graph(
    head: Head, layer: Layer, wanted: tuple[bool, ...], pair: tuple[Tensor | None, ...]
) -> list[Tensor | None]:
    """Return gradients that have gradients, or one for each of many upstreams, of all logits."""
    with torch.enable_grad():
        figures_of = _figures(logits_of(head, layer), head.rows)
        outputs = [f for f, u in zip(figures_of, pair, strict=True) if u is not None]
        asked = [t for t, want in zip(layer.tensors, wanted, strict=True) if want and t is not None]
        given = [u for u in pair if u is not None]
        found = iter(torch.autograd.grad(outputs, asked, given, create_graph=True))
    return [next(found) if want else None for want in wanted]


def _of_all(head: Head, top_k: int) -> RowLogprobs:
    """Return the figures from all logits, where they must be there at once."""
    z, rows = logits_of(head, head.layer), head.rows
    losses, entropy = _figures(z, rows)
    lse = torch.logsumexp(z.detach().to(losses.dtype) / rows.options.temperature, dim=1)
    return RowLogprobs(losses, entropy, *_top(z.detach(), rows, lse, top_k))
