"""The formulas of `plogq.formulas` in torch operations, on every device, at every order.

The losses are composed of the cores of `plogq.formulas`, without its checks, which look at values.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from array_api_compat import torch as xp
from torch import Tensor

from plogq.formulas import binary_core, softmax_core
from plogq.formulas.softmax_state import Softmax, softmax_parts
from plogq.formulas.surprisal_costs import Cost
from plogq.formulas.terms import times
from plogq.torch.questions import ElementLoss, Elements, Figures, RowLoss, Rows, arithmetic


def parts_of(x: Tensor, temperature: float = 1.0) -> Softmax:
    """Return the parts of a softmax, whose automatic derivatives are as exact as they are."""
    return softmax_parts(xp, x, temperature, Tensor.detach)


def cross_entropy_rows(x: Tensor, rows: Rows, parts: Softmax) -> Tensor:
    """Return Σ_j u_j (1 − p_j)^γ (−log p_j) of each row, u the smoothed target times the weights.

    A masked target costs inf, and its gradient is p − t like that of any other class.
    """
    return _of_costs(x, rows, softmax_core.class_costs(xp, parts, rows.options.gamma))


def surprisal_rows(cost: Cost) -> Callable[..., Tensor]:
    """Return the formula of Σ_j u_j `cost`(−log p_j), u the smoothed target times the weights."""

    def formula(x: Tensor, rows: Rows, parts: Softmax) -> Tensor:
        return _of_costs(x, rows, cost.value(xp, parts.surprisals(xp)))

    return formula


def _of_costs(x: Tensor, rows: Rows, cost: Tensor) -> Tensor:
    """Return the loss of each row from the costs of its classes, (R, C)."""
    smoothing = rows.options.label_smoothing
    if rows.soft:
        u = rows.distributions().to(cost.dtype)
        loss: Tensor = times(xp, u if rows.weight is None else rows.weight * u, cost).sum(-1)
    else:
        label = rows.labels()
        loss = cost.gather(1, label[:, None])[:, 0]
        if rows.weight is not None:
            loss = times(xp, rows.weight.gather(0, label), loss)
    if smoothing:
        masked = x == -torch.inf
        each = torch.where(masked, 0.0, cost)  # an inf here would give the gradient 0 · inf
        each = each if rows.weight is None else rows.weight * each
        uniform = each.sum(-1) / (~masked).sum(-1)
        if smoothing == 1:  # the term without weight adds 0, even if it is inf
            return uniform
        loss = (1 - smoothing) * loss + smoothing * uniform
    return loss


CROSS_ENTROPY = RowLoss("cross-entropy", cross_entropy_rows, native=True)


def one_hot(rows: Rows, like: Tensor) -> Tensor:
    """Return the targets as distributions, (R, C)."""
    if rows.soft:
        return rows.distributions().to(like.dtype)
    return torch.zeros_like(like).scatter(1, rows.labels()[:, None], 1.0)


def squared_error_rows(x: Tensor, rows: Rows, parts: Softmax) -> Tensor:
    """Return Σ_j (p_j − t_j)² of each row."""
    loss: Tensor = softmax_core.squared_error(xp, parts, one_hot(rows, x))
    return loss


def negative_entropy_rows(x: Tensor, rows: Rows, parts: Softmax) -> Tensor:
    """Return −H(softmax(x)) of each row, in nats."""
    entropy: Tensor = softmax_core.entropy(xp, parts)
    return -entropy


def row_losses(x: Tensor, rows: Rows) -> tuple[Tensor, Softmax]:
    """Return the loss of each row of logits x, (R,), and the parts of its softmax."""
    x = x.flatten(0, -2).to(arithmetic(x))
    kept = rows.kept()
    if kept is not None:
        x = torch.where(kept[:, None], x, 0.0)  # rows that are left out may hold NaN
    temperature, z_loss = rows.options.temperature, rows.options.z_loss
    parts = parts_of(x, temperature)
    loss = rows.loss.formula(x, rows, parts)
    if z_loss:
        loss = loss + z_loss * softmax_core.log_normaliser(xp, parts, temperature) ** 2
    if kept is not None:
        loss = torch.where(kept, loss, 0.0)
    return loss, parts


def figures(parts: Softmax, temperature: float) -> Figures:
    """Return lse, entropy and argmax of each row, (R,), detached."""
    position = torch.arange(parts.is_top.shape[-1], device=parts.is_top.device)
    argmax = (parts.is_top * position).sum(-1)
    lse = softmax_core.log_normaliser(xp, parts, temperature)
    return lse.detach(), softmax_core.entropy(xp, parts).detach(), argmax


def element_losses(z: Tensor, question: Elements) -> Tensor:
    """Return the weighted loss of each element of logits z."""
    dtype = arithmetic(z)
    positive = None if question.pos_weight is None else question.pos_weight.to(dtype)
    loss = question.loss.formula(z.to(dtype), question.target.to(dtype), positive)
    return loss if question.weight is None else times(xp, question.weight.to(dtype), loss)


def _binary_cross_entropy(z: Tensor, t: Tensor, pos_weight: Tensor | None) -> Tensor:
    loss: Tensor = binary_core.cross_entropy(xp, z, t, 1.0 if pos_weight is None else pos_weight)
    return loss


def binary_focal(gamma: float, alpha: float | None) -> ElementLoss:
    """Return the focal loss of these exponents and weights."""

    def formula(z: Tensor, t: Tensor, pos_weight: Tensor | None) -> Tensor:
        w = 1.0 if pos_weight is None else pos_weight
        loss: Tensor = binary_core.focal(xp, z, t, gamma, alpha, w)
        return loss

    return ElementLoss("binary focal loss", formula)


def asymmetric(gamma_neg: float, gamma_pos: float, margin: float) -> ElementLoss:
    """Return the asymmetric loss of these exponents and this margin."""

    def formula(z: Tensor, t: Tensor, pos_weight: Tensor | None) -> Tensor:
        w = 1.0 if pos_weight is None else pos_weight
        loss: Tensor = binary_core.asymmetric(xp, z, t, gamma_neg, gamma_pos, margin, w)
        return loss

    return ElementLoss("asymmetric loss", formula)


BINARY_CROSS_ENTROPY = ElementLoss("binary cross-entropy", _binary_cross_entropy)
