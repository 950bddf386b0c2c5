"""Reductions: a mean is (Σ loss, Σ weight) until its last step."""

from __future__ import annotations

import math

import torch
from array_api_compat import torch as xp
from torch import Tensor

from plogq.errors import refuse
from plogq.formulas.terms import times
from plogq.kernels.arguments import check_denominator
from plogq.torch.checks import nan_unless, on_host, values_known
from plogq.torch.private import legacy_reduction
from plogq.torch.questions import Rows


def reduction_name(
    size_average: bool | None, reduce: bool | None, reduction: str, denominator: object = None
) -> str:
    """Return the reduction, after torch's two deprecated flags and a check."""
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    if reduction not in ("none", "mean", "sum"):
        refuse("reduction", 'be "none", "mean" or "sum"', repr(reduction))
    if denominator is not None and reduction != "mean":
        refuse("denominator", 'be given with reduction "mean" alone', f"reduction {reduction!r}")
    return reduction


def given_denominator(denominator: float | Tensor) -> float | Tensor:
    """Give a caller's divisor, checked and detached; as a number if its value is known.

    If the value is not known, one that no mean can have becomes NaN.
    """
    if not isinstance(denominator, Tensor):
        check_denominator(denominator)
        return denominator
    if denominator.ndim or denominator.is_complex():
        came = f"{denominator.dtype} of shape {tuple(denominator.shape)}"
        refuse("denominator", "be a number or a 0-d tensor", came)
    denominator = denominator.detach()
    if not on_host(denominator) or not values_known(denominator):
        known = (denominator >= 0) & (denominator < math.inf)
        return torch.where(known, denominator, math.nan)
    value = denominator.item()
    check_denominator(value)
    return value


def total_weight(rows: Rows) -> float | Tensor:
    """Give the total weight of the rows: w_y for a label, 1 or Σ_j w_j t_j for a distribution."""
    kept, per_row = rows.kept(), rows.row_weight
    if rows.weight is not None and (rows.by_class or not rows.soft):
        if rows.soft:
            # `@` is not used, since under autocast its sum would be in half precision.
            per_class = (rows.distributions().to(rows.weight.dtype) * rows.weight).sum(-1)
        else:
            per_class = rows.weight.gather(0, rows.labels())
        per_row = per_class if per_row is None else per_class * per_row
    if per_row is None:
        return math.prod(rows.shape) if kept is None else kept.sum()
    return (per_row if kept is None else torch.where(kept, per_row, 0.0)).sum()


def divisor_of(rows: Rows) -> float | Tensor:
    """Return the divisor of the sum of losses, which is 1 unless they are averaged."""
    if rows.reduction != "mean":
        return 1.0
    return total_weight(rows) if rows.denominator is None else rows.denominator


def finished(losses: Tensor, rows: Rows) -> Tensor:
    """Return the losses of rows, weighted and reduced as the question says."""
    divisor = divisor_of(rows) if rows.reduction == "mean" else None
    losses = weighed(losses, rows.row_weight)
    if rows.sound is not None:
        losses = nan_unless(rows.sound, losses)
    return reduced(losses, rows.reduction, divisor)


def weighed(loss: Tensor, row_weight: Tensor | None) -> Tensor:
    """Give each loss times its weight; a row of weight 0 gives 0, even if its loss is inf."""
    if row_weight is None:
        return loss
    product: Tensor = times(xp, row_weight, loss)
    return product


def reduced(loss: Tensor, reduction: str, denominator: float | Tensor | None) -> Tensor:
    """Give the losses, their sum, or their mean: the sum over `denominator`, or over their number.

    A denominator of 0 (no row is left) divides as 1.
    """
    if reduction == "none":
        return loss
    total = loss.sum()
    if reduction == "sum":
        return total
    if denominator is None:
        denominator = loss.numel()
    divisor = not_zero(denominator)
    return total / (divisor.to(total.dtype) if isinstance(divisor, Tensor) else divisor)


def not_zero(denominator: float | Tensor) -> float | Tensor:
    """Return the divisor for a denominator: 1 for 0, where no row is left."""
    if isinstance(denominator, Tensor):
        return torch.where(denominator == 0, 1.0, denominator)
    return denominator or 1.0
