"""The divisor of a mean over the rows of all ranks, each of which has some of them."""

from __future__ import annotations

import torch
from torch import Tensor

from plogq.errors import refuse
from plogq.torch.checks import check_tensors
from plogq.torch.parallel.asking import not_compiled
from plogq.torch.parallel.ranks import Group, is_sharded, ranks_of, summed


@not_compiled
def global_denominator(
    target: Tensor,
    *,
    ignore_index: int = -100,
    weight: Tensor | None = None,
    mask: Tensor | None = None,
    row_weight: Tensor | None = None,
    shift: bool = False,
    averaged: bool = False,
    group: Group = None,
) -> Tensor:
    """Σ v_i w_{y_i} over the rows i of all ranks that count, the `denominator` of their mean.

    With it the losses of the ranks, whose rows are parts of one batch (data-, sequence- or
    context-parallel), add up to the mean of that batch, however unequal the parts are.

    Parameters
    ----------
    target
        This rank's class indices, of any shape.
    ignore_index
        Rows with this target do not count.
    weight : (C,)
        w, by class, as the loss has it; None for 1.
    mask, row_weight
        As the loss has them, in the shape of `target`: False leaves a row out; v, None for 1.
    shift
        Whether the loss shifts: then the first position along the last axis is no target.
    averaged
        Whether the gradients of the ranks are averaged rather than added (DistributedDataParallel,
        FSDP): then the divisor is that over the number of ranks.
    group
        The process group, or a DeviceMesh of one axis; None for all ranks.

    Returns
    -------
    Tensor
        A float64 number of no axes, the same on every rank; 0 if no row is left.

    Raises
    ------
    ValueError, TypeError
        Shapes that do not fit; distributions, of which every row that is not masked counts 1.

    Notes
    -----
    One call of all ranks, of 8 bytes.

    Examples
    --------
    >>> import torch.distributed as dist
    >>> dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    >>> global_denominator(torch.tensor([3, -100, 1]))
    tensor(2., dtype=torch.float64)
    >>> dist.destroy_process_group()
    """
    ranks = ranks_of(group)
    check_tensors(target=target, weight=weight, mask=mask, row_weight=row_weight)
    if is_sharded(target):
        refuse("target", "be this rank's own rows: take its to_local()", "a DTensor")
    if target.is_floating_point() or target.is_complex() or target.dtype == torch.bool:
        refuse("target", "be integers as class indices", target.dtype, error=TypeError)
    counted = target != ignore_index
    for name, t in (("mask", mask), ("row_weight", row_weight)):
        if t is not None and t.shape != target.shape:
            refuse(name, f"have the target's shape {tuple(target.shape)}", tuple(t.shape))
        if t is not None and (name == "mask") != (t.dtype == torch.bool):
            kind = "bool" if name == "mask" else "numbers"
            refuse(name, f"be {kind}", t.dtype, error=TypeError)
    if mask is not None:
        counted = counted & mask
    by_row = counted.double()
    if weight is not None:
        label = torch.where(counted, target, 0).long()
        bad = (label < 0) | (label >= len(weight))
        if bad.any():
            refuse("target", f"be a class index in [0, {len(weight)})", int(label[bad][0]))
        by_row = torch.where(counted, weight.detach().double()[label], 0.0)
    if row_weight is not None:
        by_row = torch.where(counted, by_row * row_weight.detach(), 0.0)
    if shift:
        if not target.ndim:
            refuse("shift", "be False for a target of one row", True)
        by_row = by_row[..., 1:]
    total = summed(by_row.sum(), ranks)
    return total / ranks.size if averaged else total
