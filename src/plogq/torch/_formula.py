"""The losses in torch operations: every device, transform and order of derivative.

Composed of the parts of `plogq.formulas`, without its checks, which look at values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from array_api_compat import torch as xp
from torch import Tensor

from plogq.formulas.softmax_state import Softmax
from plogq.formulas.terms import kl_terms
from plogq.torch._rows import Rows, Statistics, arithmetic, statistics


class RowLoss(NamedTuple):
    """A loss of rows: differentiable any number of times; and with its gradient, where written."""

    formula: Callable[[Tensor, Rows, Softmax], Tensor]
    slopes: Callable[..., tuple[Tensor, Tensor]] | None = None


def parts_of(x: Tensor, temperature: float = 1.0) -> Softmax:
    """Give the parts of a softmax, of which the automatic derivative is as exact as they are.

    The derivative at the top is (Σ v) p − v. Where p ≥ ½ it comes as Σ_{others} v − (Σ v) (1 − p),
    with 1 − p from the rest: all the others move with the top, whose own drop is constant. Where
    p < ½ that would cancel; there the top moves alone.
    """
    top, index = x.max(dim=-1, keepdim=True)
    is_top = torch.zeros_like(x, dtype=torch.bool).scatter(-1, index, True)
    rises = ((x - top) / temperature).detach().exp().sum(-1, keepdim=True) <= 2
    top = torch.where(rises, top, top.detach())
    drop = (top - x) / temperature
    drop = torch.where(is_top & rises, drop.detach(), drop)
    e = torch.exp(-drop)
    rest = torch.where(is_top, e - 1, e).sum(-1, keepdim=True)
    rest = rest + (top - top).detach()  # NaN where the top is infinite
    return Softmax(is_top, top, drop, e, rest)


def complements(parts: Softmax) -> Tensor:
    """1 − p_j, which at the top is the others' share."""
    e, total = parts.exp, 1 + parts.rest
    miss: Tensor = torch.where(parts.is_top, parts.rest - (e - 1), total - e) / total
    return miss


def log_normaliser(parts: Softmax, temperature: float) -> Tensor:
    """Log Σ exp(x / T) of each row."""
    lse: Tensor = (parts.top / temperature + torch.log1p(parts.rest))[..., 0]
    return lse


def cross_entropy_rows(x: Tensor, rows: Rows, parts: Softmax) -> Tensor:
    """Restate `plogq.formulas.focal_from_logits`: Σ_j u_j (1 − p_j)^γ (−log p_j), one per row.

    A masked class costs inf where it is the target, with the gradient p − t all the same.
    """
    masked = x == -torch.inf
    surprisal = parts.surprisals(xp)
    cost = torch.where(masked, 0.0, surprisal)  # an inf would make 0 · inf of a gradient
    if rows.gamma:
        miss = complements(parts)
        share = torch.where(miss > 0, miss, 1.0) ** rows.gamma
        cost = torch.where(miss > 0, share, 0.0) * cost
    of_class = torch.where(masked, surprisal, cost)  # 1 − p is 1 where p is 0
    if rows.soft:
        u = rows.distributions().to(cost.dtype)
        loss = weigh(u if rows.weight is None else rows.weight * u, of_class).sum(-1)
    else:
        label = rows.labels()
        loss = of_class.gather(1, label[:, None])[:, 0]
        if rows.weight is not None:
            loss = weigh(rows.weight.gather(0, label), loss)
    if rows.label_smoothing:
        each = cost if rows.weight is None else rows.weight * cost
        uniform = each.sum(-1) / (~masked).sum(-1)
        if rows.label_smoothing == 1:  # what has no share costs nothing, be it inf
            return uniform
        loss = (1 - rows.label_smoothing) * loss + rows.label_smoothing * uniform
    return loss


def squared_error_rows(x: Tensor, rows: Rows, parts: Softmax) -> Tensor:
    """Restate `plogq.formulas.squared_error_from_logits`: Σ_j (p_j − t_j)², one per row."""
    if rows.soft:
        t = rows.distributions().to(x.dtype)
    else:
        t = torch.zeros_like(x).scatter(1, rows.labels()[:, None], 1.0)
    # p − t, or where both are near 1 its equal (1 − t) − (1 − p).
    d = torch.where(t > 0.5, (1 - t) - complements(parts), parts.probs() - t)
    return (d * d).sum(-1)


def negative_entropy_rows(x: Tensor, rows: Rows, parts: Softmax) -> Tensor:
    """−H(softmax(x)) of each row."""
    return -entropy_of(parts)


def entropy_of(parts: Softmax) -> Tensor:
    """H(p) = log1p(r) + Σ p_j · drop_j of each row."""
    return torch.log1p(parts.rest)[..., 0] + weigh(parts.probs(), parts.drop).sum(-1)


def kl_rows(truth: Softmax, model: Softmax) -> Tensor:
    """Restate `plogq.formulas.kl_divergence_from_logits`: D_KL(truth ‖ model), one per row."""
    p, q = truth.probs(), model.probs()
    both = torch.isfinite(truth.drop) & torch.isfinite(model.drop)
    # log(q/p) from the logits: a difference of near distributions' probabilities would cancel.
    d = torch.where(both, truth.surprisals(xp), 0.0) - torch.where(both, model.surprisals(xp), 0.0)
    edge = torch.where(p > 0, -torch.inf, torch.where(q > 0, torch.inf, 0.0))
    kl: Tensor = kl_terms(xp, p, q, torch.where(both, d, edge.to(d.dtype))).sum(-1)
    return kl


def weigh(weight: Tensor, cost: Tensor) -> Tensor:
    """weight · cost with 0 · inf = 0, differentiable in both."""
    return weight * torch.where((weight == 0) & torch.isinf(cost), 0.0, cost)


def row_losses(x: Tensor, rows: Rows, loss_of: RowLoss) -> tuple[Tensor, Softmax]:
    """Give the loss of each row of logits x, and the parts it was made of."""
    x = x.flatten(0, -2).to(arithmetic(x))
    kept = rows.kept()
    if kept is not None:
        x = torch.where(kept[:, None], x, 0.0)  # what is left out may be NaN
    parts = parts_of(x, rows.temperature)
    loss = loss_of.formula(x, rows, parts)
    if rows.z_loss:
        loss = loss + rows.z_loss * log_normaliser(parts, rows.temperature) ** 2
    if kept is not None:
        loss = torch.where(kept, loss, 0.0)
    return loss, parts


def formula_statistics(rows: Rows, parts: Softmax) -> Statistics:
    """Say of the rows what the kernel would."""
    position = torch.arange(parts.is_top.shape[-1], device=parts.is_top.device)
    argmax = (parts.is_top * position).sum(-1)
    lse, entropy = log_normaliser(parts, rows.temperature), entropy_of(parts)
    return statistics(rows, lse.detach(), entropy.detach(), argmax)
