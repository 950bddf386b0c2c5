"""A matrix that is sharded over two processes, gathered for a step of data-parallel batches."""

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.distributed.tensor import Partial, Shard, distribute_tensor, init_device_mesh

import plogq.torch as pt
from tests.torch.head_cases import HIDDEN, LABELS, MATRIX, leaves, of_all_logits

pytestmark = pytest.mark.slow
COUNT = int((LABELS != -100).sum())


def _rank(rank, path):
    dist.init_process_group("gloo", init_method=f"file://{path}", rank=rank, world_size=2)
    try:
        mesh = init_device_mesh("cpu", (2,))
        matrix = distribute_tensor(MATRIX, mesh, [Shard(0)]).requires_grad_()
        own = slice(0, 20) if rank == 0 else slice(20, None)
        with pytest.raises(TypeError, match=r"linear_weight must be whole .* full_tensor"):
            pt.linear_cross_entropy(HIDDEN[own], matrix, LABELS[own])
        whole = matrix.full_tensor(grad_placements=[Partial()])
        loss = pt.linear_cross_entropy(HIDDEN[own], whole, LABELS[own], denominator=COUNT)
        loss.backward()
        right = leaves(MATRIX)[0]
        of_all_logits(HIDDEN, right).backward()
        assert matrix.grad.placements == (Shard(0),)
        torch.testing.assert_close(matrix.grad.full_tensor(), right.grad)
    finally:
        dist.destroy_process_group()


def test_the_shards_get_the_gradient_of_all_ranks(tmp_path):
    mp.spawn(_rank, (str(tmp_path / "meeting"),), nprocs=2)
