"""The block engine: losses with hand-written gradients that the native rows do not compute.

Each restates the gradient of a loss of `plogq.formulas` in few torch operations. The graph that
autograd would make of the formula takes five times as long; it serves only where the gradient
itself needs a derivative.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from array_api_compat import torch as xp
from torch import Tensor

from plogq.formulas.surprisal_costs import Cost
from plogq.formulas.terms import times
from plogq.kernels.question import PLAIN
from plogq.torch.autograd import loss_of, memory_of, no_kernel, no_memory
from plogq.torch.checks import check_rows
from plogq.torch.engines import head_loss
from plogq.torch.engines.block_parts import BLOCK, Parts, parts_of_block
from plogq.torch.engines.formula import CROSS_ENTROPY as BY_FORMULA
from plogq.torch.engines.formula import row_losses
from plogq.torch.engines.head_pieces import RowEngine
from plogq.torch.engines.native_rows import run_rows
from plogq.torch.questions import (
    Answer,
    Elements,
    Head,
    Rows,
    TokenHead,
    arithmetic,
    wants_gradient,
)
from plogq.torch.reductions import divisor_of, weighed


def squared_error_slopes(parts: Parts, rows: Rows) -> tuple[Tensor, Tensor]:
    """Restate `plogq.formulas.squared_error_from_logits`.

    Its gradient is 2 p_k ((p_k − t_k) − Σ_j p_j (p_j − t_j)). At the top the difference would
    cancel: there it is (p − t) (1 − p) minus the terms of the other classes.
    """
    at, p, top, miss = parts.at, parts.p, parts.top, parts.miss
    if rows.soft:
        t = rows.distributions()[at].to(p.dtype)
        d, t_top = p - t, t.gather(1, top)
    else:
        label = rows.labels()[at, None]
        d = p.scatter_add(1, label, p.new_full(label.shape, -1.0))
        t_top = (label == top).to(p.dtype)
    d_top = torch.where(t_top > 0.5, (1 - t_top) - miss, d.gather(1, top))
    d.scatter_(1, top, d_top)
    loss = torch.linalg.vecdot(d, d)
    p_top = p.gather(1, top)
    others = (p * d).scatter_(1, top, 0.0).sum(1, keepdim=True)
    slope = d.sub_(others + p_top * d_top).mul_(p)
    slope.scatter_(1, top, p_top * (d_top * miss - others))
    return loss, slope.mul_(2.0)


def focal_slopes(parts: Parts, rows: Rows) -> tuple[Tensor, Tensor]:
    """Restate `plogq.formulas.focal_from_logits` for smoothed labels and distributions.

    Its gradient is (Σ v) p − v with v_j = u_j (1 − p_j)^γ (1 + γ p_j (−log p_j) / (1 − p_j)) and
    u_j = w_j t_j.
    """
    p, top, gamma = parts.p, parts.top, rows.options.gamma
    masked = parts.x == -torch.inf
    u = _weights(parts, rows, masked)
    surprisal = parts.rest.log1p() - parts.below
    miss = (1 - p).scatter_(1, top, parts.miss)
    # −log p / (1 − p) is 1 at p = 1, and p (−log p) is 0 at p = 0.
    slope = torch.where(miss > 0, surprisal / miss, 1.0).mul_(p).masked_fill_(masked, 0.0)
    share = miss.pow_(gamma).mul_(u)
    loss = torch.where(share == 0, 0.0, share * surprisal).sum(1)
    return loss, _linear_slope(parts, slope.mul_(gamma).add_(1.0).mul_(share))


def surprisal_slopes(cost: Cost) -> Callable[..., tuple[Tensor, Tensor]]:
    """Return the slopes of Σ_j u_j `cost`(−log p_j) with u_j = w_j t_j of the smoothed target."""

    def slopes(parts: Parts, rows: Rows) -> tuple[Tensor, Tensor]:
        u = _weights(parts, rows, parts.x == -torch.inf)
        surprisal = parts.rest.log1p() - parts.below
        loss = times(xp, u, cost.value(xp, surprisal)).sum(1)
        return loss, _linear_slope(parts, u.mul_(cost.slope(xp, surprisal)))

    return slopes


def _linear_slope(parts: Parts, v: Tensor) -> Tensor:
    """Return (Σ v) p − v, which at the top is (Σ_others v) p − v (1 − p)."""
    p, top = parts.p, parts.top
    v_top = v.gather(1, top)
    others = v.scatter(1, top, 0.0).sum(1, keepdim=True)
    slope = p.mul(others + v_top).sub_(v)
    return slope.scatter_(1, top, others * p.gather(1, top) - v_top * parts.miss)


def _weights(parts: Parts, rows: Rows, masked: Tensor) -> Tensor:
    """Give w_j t_j of the smoothed target."""
    at, smoothing = parts.at, rows.options.label_smoothing
    dtype = parts.p.dtype
    if rows.soft:
        u = (1 - smoothing) * rows.distributions()[at].to(dtype)
    else:
        label = rows.labels()[at, None]
        u = torch.zeros_like(parts.p).scatter_(1, label, 1 - smoothing)
    if smoothing:
        u += torch.where(masked, 0.0, smoothing / (~masked).sum(1, keepdim=True, dtype=dtype))
    return u if rows.weight is None else u.mul_(rows.weight)


def cross_entropy_block(x: Tensor, rows: Rows, at: slice) -> tuple[Tensor, Tensor]:
    """Give the cross-entropy of a block of rows with their targets, and its gradient in x."""
    slope = torch.empty_like(x)
    target = rows.distributions()[at] if rows.soft else rows.labels()[at]
    shape = target.shape[:1]
    block = Rows(target, rows.soft, -1, None, None, PLAIN, shape, validate=False, loss=rows.loss)
    found = run_rows(x, block, gradient=slope)
    return torch.from_numpy(found.loss), slope


CROSS_ENTROPY = BY_FORMULA._replace(slopes=focal_slopes)


class Blocks:
    """Losses and gradients by few torch operations, on as many rows as fit into the cache."""

    name = "blocks"

    def refusal(self, x: Tensor, question: Rows | Elements | Head) -> str:
        """Say that no slopes are written, or what needs more than the gradient in the logits."""
        if isinstance(question, TokenHead):
            return "it has no log-probabilities of tokens"
        if isinstance(question, Head):
            return _unknown(question.rows) or no_kernel(x) or head_loss.no_pieces(x, question)
        if isinstance(question, Elements):
            return f"no gradient of {question.loss.name} is written down"
        given = question.target, question.weight, question.keep, question.row_weight
        beside = "something beside the logits wants a gradient" if wants_gradient(*given) else ""
        return _unknown(question) or beside or no_kernel(x) or no_memory(x, *given)

    def answer(self, x: Tensor, question: Rows | Elements | Head) -> Answer:
        """Compute the loss under autograd."""
        if isinstance(question, Head):
            return head_loss.answer(x, question, ROWS)
        assert isinstance(question, Rows)
        check_rows(x, question)
        divisor = float(divisor_of(question)) or 1.0
        reduces = question.reduction != "none"
        loss = loss_of(x, _job(question, divisor if reduces else None))
        if not reduces:
            loss = weighed(loss, question.row_weight)
        return loss, None


def _unknown(rows: Rows) -> str:
    """Say what is not written down of the loss of rows."""
    if rows.loss.slopes is None:
        return f"no gradient of {rows.loss.name} is written down"
    return "the statistics of the rows are asked for" if rows.statistics else ""


@dataclass(slots=True)
class SlopeJob:
    """The loss of each row; or, with a denominator, Σ row_weight · loss / denominator."""

    rows: Rows
    denominator: float | None
    inplace: bool = False

    @property
    def reduces(self) -> bool:
        """Tell whether the loss is one number."""
        return self.denominator is not None

    def run(self, x: Tensor, gradient: Tensor | None) -> Tensor:
        """Give the loss, and fill `gradient` if it is given."""
        losses = self._run(x, gradient, None)
        if self.denominator is None:
            return losses
        total = weighed(losses, self.rows.row_weight).sum(dtype=torch.float64) / self.denominator
        return total.to(losses.dtype)

    def gradient(self, x: Tensor, upstream: Tensor, room: Tensor) -> None:
        """Fill `room` with the gradient of Σ upstream · loss, in one more pass."""
        self._run(x, room, upstream)

    def spread(self, upstream: Tensor, x: Tensor) -> Tensor:
        """Give upstream in a shape that multiplies the gradient."""
        return upstream if self.reduces else upstream.reshape(*x.shape[:-1], 1)

    def formula(self, x: Tensor) -> Tensor:
        """Give the loss in torch operations that autograd follows."""
        loss, _ = row_losses(x, self.rows)
        if self.denominator is None:
            return loss
        return weighed(loss, self.rows.row_weight).sum() / self.denominator

    def others(self) -> tuple[Tensor | None, ...]:
        """Give all that the gradient depends on."""
        return self.rows.target, self.rows.weight, self.rows.keep, self.rows.row_weight

    def _run(self, x: Tensor, gradient: Tensor | None, upstream: Tensor | None) -> Tensor:
        """Give the losses; fill `gradient`, if it is given, with that of Σ upstream · loss."""
        rows, dtype = self.rows, arithmetic(x)
        temperature, z_loss = rows.options.temperature, rows.options.z_loss
        kept, flat = rows.kept(), x.detach().flatten(0, -2)
        if kept is not None and kept.all():
            kept = None
        n, classes = flat.shape
        losses = torch.empty(n, dtype=dtype, device=x.device)
        scale = self._scale(losses, upstream)
        into = None if gradient is None else gradient.flatten(0, -2)
        step = max(1, BLOCK // classes)
        for begin in range(0, n, step):
            at = slice(begin, begin + step)
            block = flat[at].to(dtype)
            out = None if kept is None else ~kept[at, None]
            if out is not None:
                block = block.masked_fill(out, 0.0)  # rows that are left out may hold NaN
            parts = parts_of_block(block, at, temperature)
            p = parts.p.clone() if z_loss else None
            assert rows.loss.slopes is not None
            loss, slope = rows.loss.slopes(parts, rows)
            if p is not None:
                loss = loss + z_loss * parts.lse[:, 0] ** 2
                slope += p.mul_(2 * z_loss * parts.lse)
            losses[at] = loss if out is None else loss.masked_fill(out[:, 0], 0.0)
            if into is not None:
                slope *= scale[at] / temperature
                into[at] = slope if out is None else slope.masked_fill_(out, 0.0)
        if into is not None and gradient is not None and into.data_ptr() != gradient.data_ptr():
            gradient.copy_(into.view(gradient.shape))
        return losses

    def _scale(self, losses: Tensor, upstream: Tensor | None) -> Tensor:
        weight = self.rows.row_weight if self.reduces else None  # else it comes afterwards
        scale = torch.ones_like(losses) if weight is None else weight
        scale = scale / (self.denominator or 1.0)
        return scale[:, None] if upstream is None else (scale * upstream)[:, None]


def _of_one_surprisal(rows: Rows) -> bool:
    """Tell whether the loss of a row is a function of its label's surprisal alone."""
    options = rows.options
    bent = options.label_smoothing or options.z_loss
    return rows.loss.cost is not None and not (rows.soft or bent)


@dataclass(slots=True)
class SurprisalJob(SlopeJob):
    """A cost f of the label's surprisal s: the kernel gives s, then f'(s) times its gradient."""

    def _run(self, x: Tensor, gradient: Tensor | None, upstream: Tensor | None) -> Tensor:
        rows, cost = self.rows, self.rows.loss.cost
        assert cost is not None
        unweighted = replace(rows, weight=None)
        surprisal = torch.from_numpy(run_rows(x, unweighted).loss)
        losses: Tensor = cost.value(xp, surprisal)
        slope = cost.slope(xp, surprisal)
        if rows.weight is not None:
            weight = rows.weight.gather(0, rows.labels())
            losses, slope = times(xp, weight, losses), weight * slope
        if gradient is not None:
            scale = (self._scale(losses, upstream)[:, 0] * slope).double()
            run_rows(x, unweighted, row_scale=memory_of(scale), gradient=gradient)
        return losses


def _job(rows: Rows, denominator: float | None) -> SlopeJob:
    return (SurprisalJob if _of_one_surprisal(rows) else SlopeJob)(rows, denominator)


def _piece(x: Tensor, rows: Rows, scale: Tensor | None, _figures: bool) -> tuple[Tensor, None]:
    check_rows(x, rows)
    return _job(rows, None)._run(x, None if scale is None else x, scale), None


ROWS = RowEngine(_piece, copies=0)
