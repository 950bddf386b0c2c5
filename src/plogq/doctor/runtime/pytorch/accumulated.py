"""Batches whose gradients were added: what they weigh, and what one large batch would give."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from plogq.doctor.runtime.pytorch.copies import copied
from plogq.doctor.runtime.pytorch.loss_name import named, row_weight
from plogq.doctor.runtime.pytorch.steps import Step
from plogq.doctor.runtime.pytorch.tensors import full
from plogq.doctor.runtime.training import Accumulated


def accumulated(model: nn.Module, loss: Any, steps: Sequence[Step]) -> Accumulated | None:
    """Return what each batch before one update weighs; None where that cannot be told.

    The gradient of one batch is Σ n_i ∇loss_i / Σ n_i, that of the update Σ s_i ∇loss_i: n_i is
    the weight of the rows that count in a batch, and s_i what its loss was multiplied by.
    """
    known = [(each, named(loss, each)) for each in steps]
    if len(known) < 2 or any(each is None or step.scale is None for step, each in known):
        return None
    n = []
    for step, each in known:
        assert each is not None
        weight = _rows(step, each)
        if weight is None or weight <= 0:
            return None
        n.append(weight)
    is_mean = all(each is not None and each.reduction == "mean" for _, each in known)
    s = [float(step.scale or 0.0) for step, _ in known]
    per_row = [scale / weight if is_mean else scale for scale, weight in zip(s, n, strict=True)]
    mean = sum(w * r for w, r in zip(n, per_row, strict=True)) / sum(n)
    if not mean > 0:
        return None
    per_row = [each / mean for each in per_row]
    one = [each / sum(n) for each in n]
    used = [share * weight for share, weight in zip(one, per_row, strict=True)]
    losses, difference, whole = _gradients(model, loss, steps, used, one)
    by_row = [each if is_mean else each / w for each, w in zip(losses, n, strict=True)]
    return Accumulated(
        tuple(n), tuple(per_row),
        sum(a * b for a, b in zip(used, by_row, strict=True)),
        sum(a * b for a, b in zip(one, by_row, strict=True)),
        difference / whole if whole else 0.0,
    )  # fmt: skip


def _rows(step: Step, loss: Any) -> float | None:
    """Return the weight of a batch's rows, of a sum as of a mean."""
    from dataclasses import replace

    return row_weight(replace(loss, options={**loss.options, "reduction": "mean"}))


def _gradients(
    model: nn.Module, loss: Any, steps: Sequence[Step], used: Sequence[float], one: Sequence[float]
) -> tuple[list[float], float, float]:
    """Return the losses, and the norms of the gradients' difference and of that of one batch.

    The model is in eval mode: dropout and the batch's own statistics are no matter of weights.
    """
    twin, its_loss = copied(model, loss)
    twin.eval()
    weights = [each for each in twin.parameters() if each.requires_grad]
    losses: list[float] = []
    difference = [torch.zeros_like(full(each), dtype=torch.float64) for each in weights]
    whole = [torch.zeros_like(each) for each in difference]
    for step, a, b in zip(steps, used, one, strict=True):
        value, _ = step.repeat(twin, its_loss)
        losses.append(float(value.detach()))
        gradients = torch.autograd.grad(value, weights, allow_unused=True)
        for i, gradient in enumerate(gradients):
            if gradient is not None:
                difference[i] += (a - b) * full(gradient).double()
                whole[i] += b * full(gradient).double()
    return losses, _norm(difference), _norm(whole)


def _norm(tensors: Sequence[Tensor]) -> float:
    return math.sqrt(sum(float(each.square().sum()) for each in tensors))
