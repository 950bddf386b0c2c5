"""The ranks that hold one vocabulary together, and what a tensor of a mesh says of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor

from plogq.errors import refuse

# The second is what a torch before 2.13 calls it.
_gather = getattr(dist, "all_gather_single", None) or getattr(dist, "all_gather_into_tensor", None)

Group = Any  # a ProcessGroup, a DeviceMesh of one axis, or None for all ranks


class Ranks(NamedTuple):
    """The ranks of a process group.

    Attributes
    ----------
    group
        The group.
    rank
        This process among them; shards are in the order of the ranks.
    size
        Their number.
    """

    group: Any
    rank: int
    size: int


class Whole(NamedTuple):
    """What a tensor that is sharded over a mesh says of the whole.

    Attributes
    ----------
    group
        The group over which its classes are sharded.
    classes
        The number of classes of all ranks.
    """

    group: Any
    classes: int


def ranks_of(group: Group) -> Ranks:
    """Return the ranks of a group, and refuse one that this process is not in."""
    if not (dist.is_available() and dist.is_initialized()):
        expected = "be of processes that know each other: call torch.distributed.init_process_group"
        refuse("group", expected, "none")
    if hasattr(group, "get_group") and hasattr(group, "mesh_dim_names"):
        if group.ndim != 1:
            refuse("group", "be a mesh of one axis: take mesh[name]", f"{group.ndim} axes")
        group = group.get_group()
    group = dist.group.WORLD if group is None else group
    is_outside = isinstance(group, int) and group == dist.GroupMember.NON_GROUP_MEMBER
    if not (is_outside or isinstance(group, dist.ProcessGroup)):
        expected = "be a process group or a DeviceMesh of one axis"
        refuse("group", expected, type(group).__name__, error=TypeError)
    rank = -1 if is_outside else dist.get_rank(group)
    if rank < 0:
        came = f"a group without rank {dist.get_rank()}"
        refuse("group", "have this process among its ranks", came)
    return Ranks(group, rank, dist.get_world_size(group))


def is_sharded(x: object) -> bool:
    """Tell a DTensor, without the import of its package."""
    return isinstance(x, Tensor) and hasattr(x, "device_mesh") and hasattr(x, "to_local")


def part_of(name: str, x: Tensor, axis: int) -> tuple[Tensor, Whole | None]:
    """Return this rank's part of a tensor whose classes are on `axis`, and what it says of all.

    A plain tensor is that part itself.
    """
    if not is_sharded(x):
        return x, None
    sharded: Any = x
    over = [i for i, p in enumerate(sharded.placements) if p.is_shard(axis)]
    others = [p for i, p in enumerate(sharded.placements) if i not in over]
    if len(over) != 1 or not all(p.is_replicate() for p in others):
        expected = f"be sharded over its classes, axis {axis}, by one axis of its mesh alone"
        refuse(name, expected, f"placements {sharded.placements}")
    local: Tensor = sharded.to_local()
    return local, Whole(sharded.device_mesh.get_group(over[0]), sharded.shape[axis])


def replicated(name: str, x: Tensor | None) -> Tensor | None:
    """Return the tensor that every rank has whole; refuse a DTensor of which it has a part."""
    if x is None or not is_sharded(x):
        return x
    sharded: Any = x
    if not all(p.is_replicate() for p in sharded.placements):
        expected = "be whole on every rank: take its redistribute(placements=[Replicate()])"
        refuse(name, expected, f"placements {sharded.placements}")
    local: Tensor = sharded.to_local()
    return local


def gathered(x: Tensor, ranks: Ranks) -> Tensor:
    """Return x of every rank, (size, …), in one call."""
    flat = x.contiguous().view(-1)
    out = torch.empty(ranks.size * flat.numel(), dtype=x.dtype, device=x.device)
    assert _gather is not None
    _gather(out, flat, group=ranks.group)
    return out.view(ranks.size, *x.shape)


def summed(x: Tensor, ranks: Ranks) -> Tensor:
    """Add x of every rank, in the memory of x."""
    dist.all_reduce(x, group=ranks.group)
    return x
