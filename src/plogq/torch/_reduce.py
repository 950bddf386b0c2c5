"""Reductions: a mean is (Σ loss, Σ weight) until its last step."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import _reduction

from plogq.formulas._check import refuse
from plogq.torch._rows import Rows


def reduction_name(
    size_average: bool | None, reduce: bool | None, reduction: str, denominator: object = None
) -> str:
    """Resolve torch's two deprecated flags, and refuse what is no reduction."""
    if size_average is not None or reduce is not None:
        reduction = _reduction.legacy_get_string(size_average, reduce)
    if reduction not in ("none", "mean", "sum"):
        refuse("reduction", 'be "none", "mean" or "sum"', repr(reduction))
    if denominator is not None and reduction != "mean":
        refuse("denominator", 'be given with reduction "mean" alone', f"reduction {reduction!r}")
    return reduction


def total_weight(
    rows: Rows, row_weight: Tensor | None, by_class: bool, *, native: bool = False
) -> float | Tensor:
    """Σ of what the rows weigh in a mean: w_y for a label, 1 or Σ_j w_j t_j for a distribution."""
    if native and row_weight is rows.keep is None and not rows.soft:
        # What the rest would find too, in a third of the time: it counts in small calls.
        label = rows.target.numpy()
        counted = label != rows.ignore_index
        if rows.weight is None:
            return int(np.count_nonzero(counted))
        weight = rows.weight.detach().numpy().take(label, mode="clip")
        return float(np.sum(weight, where=counted, dtype=np.float64))
    kept, per_row = rows.kept(), row_weight
    if rows.weight is not None and (by_class or not rows.soft):
        if rows.soft:
            per_class = rows.target.to(rows.weight.dtype) @ rows.weight
        else:
            per_class = rows.weight[rows.target.clamp(0, len(rows.weight) - 1)]
        per_row = per_class if per_row is None else per_class * per_row
    if per_row is None:
        return len(rows.target) if kept is None else kept.sum()
    return (per_row if kept is None else torch.where(kept, per_row, 0.0)).sum()


def reduced(loss: Tensor, reduction: str, denominator: float | Tensor | None) -> Tensor:
    """Give the losses, their sum, or that over the denominator: where nothing counts, 0 / 1."""
    if reduction == "none":
        return loss
    total = loss.sum()
    if reduction == "sum":
        return total
    if isinstance(denominator, Tensor):
        return total / torch.where(denominator == 0, 1.0, denominator.detach()).to(total.dtype)
    return total / (denominator or 1.0)
