"""Processes that train together: what each one's rows weigh, and what one large batch would give.

Data parallelism takes the mean of the processes' gradients: a mean of means, where their batches
have other numbers of rows. The processes tell each other through the group's store and never by a
collective operation, so that one that is not watched keeps no other waiting for long.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

from plogq.doctor.runtime.pytorch.copies import copied
from plogq.doctor.runtime.pytorch.loss_name import named, row_weight
from plogq.doctor.runtime.pytorch.steps import LookError, Step
from plogq.doctor.runtime.pytorch.tensors import full
from plogq.doctor.runtime.training import Accumulated

WAIT = timedelta(seconds=10)  # for what other processes tell
MOST = 1 << 22  # parameters whose gradient is told: 16 MB for each process


def rank() -> tuple[int, int] | None:
    """Return which process of how many this is; None where there is one."""
    if not dist.is_available() or not dist.is_initialized() or dist.get_world_size() < 2:
        return None
    return dist.get_rank(), dist.get_world_size()


def averages(model: nn.Module) -> bool:
    """Return whether a model takes the mean of the processes' gradients."""
    inner: Any = model
    while hasattr(inner, "_orig_mod"):
        inner = inner._orig_mod
    return isinstance(inner, nn.parallel.DistributedDataParallel) and rank() is not None


def across(model: nn.Module, loss: Any, step: Step, turn: int) -> Accumulated | None:
    """Return what the rows of each process weigh; None where that cannot be told.

    Parameters
    ----------
    model, loss, step
        What this process computed.
    turn
        Which of the watches of this process it is: the same in all.

    Raises
    ------
    LookError
        Another process tells nothing.
    """
    here = rank()
    assert here is not None
    own, world = here
    told = _told(model, loss, step)
    store = dist.distributed_c10d._get_default_store()
    keys = [f"plogq/watch/{turn}/{each}" for each in range(world)]
    store.set(keys[own], told.tobytes())  # type: ignore[arg-type]
    try:
        store.wait(keys, WAIT)
    except (RuntimeError, ValueError) as error:
        raise LookError(f"other processes told nothing in {WAIT.seconds} s: watch all of them, or "
                        "none") from error  # fmt: skip
    all_told = [np.frombuffer(store.get(each), dtype=np.float64) for each in keys]
    if any(len(each) != len(told) or not each[0] > 0 for each in all_told):
        return None
    n = np.array([each[0] for each in all_told])
    scales, losses = (np.array([each[i] for each in all_told]) for i in (1, 2))
    used = scales / scales.sum()  # of the mean over processes, by the size of the whole
    one = n / n.sum()
    gradients = np.stack([each[3:] for each in all_told])
    whole = float(np.linalg.norm(one @ gradients))
    difference = float(np.linalg.norm((used - one) @ gradients))
    return Accumulated(
        tuple(n.tolist()), tuple((used / one).tolist()), float(used @ losses), float(one @ losses),
        difference / whole if whole else 0.0, processes=True,
    )  # fmt: skip


def _told(model: nn.Module, loss: Any, step: Step) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the rows that count, the loss's factor, the loss and its gradient; 0 rows: unknown."""
    known = named(loss, step) if step.can_be_repeated else None
    weight = None if known is None or known.reduction != "mean" else row_weight(known)
    twin, its_loss = copied(model, loss)
    weights = [each for each in twin.parameters() if each.requires_grad]
    size = sum(full(each).numel() for each in weights)
    if not weight or step.scale is None or size > MOST:
        return np.zeros(3 + (0 if size > MOST else size))
    twin.eval()  # dropout and the batch's own statistics are no matter of weights
    value, _ = step.repeat(twin, its_loss)
    found = torch.autograd.grad(value, weights, allow_unused=True)
    flat = [
        (torch.zeros_like(full(each)) if gradient is None else full(gradient)).flatten().cpu()
        for each, gradient in zip(weights, found, strict=True)
    ]
    head = [weight, step.scale, float(value.detach())]
    return np.concatenate([head, *(each.double().numpy() for each in flat)])
