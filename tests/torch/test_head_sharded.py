"""A matrix that is sharded over two processes: gathered for a step, or by FSDP2."""

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import (
    Partial,
    Replicate,
    Shard,
    distribute_tensor,
    init_device_mesh,
)

import plogq.torch as pt
from tests.torch.head_cases import HIDDEN, LABELS, MATRIX, SMALL, C, D, leaves, of_all_logits

pytestmark = pytest.mark.slow
COUNT = int((LABELS != -100).sum())
OWN = slice(0, 20), slice(20, None)


def of_two_means():
    """Return the gradients of the mean of the ranks' means, of which each has rows of its own."""
    hidden, matrix = leaves(HIDDEN, MATRIX)
    sum(of_all_logits(hidden[own], matrix, target=LABELS[own]) / 2 for own in OWN).backward()
    return hidden.grad, matrix.grad


def of_all_rows():
    hidden, matrix = leaves(HIDDEN, MATRIX)
    of_all_logits(hidden, matrix).backward()
    return hidden.grad, matrix.grad


def _gathered(rank):
    """Take each way that the refusal names."""
    own, mesh = OWN[rank], init_device_mesh("cpu", (2,))
    ways = (
        ('Partial("avg")', Partial("avg"), own, {}, of_two_means()[1]),
        ('Partial("sum")', Partial("sum"), own, {"denominator": COUNT}, of_all_rows()[1]),
        ("Replicate()", Replicate(), slice(None), {}, of_all_rows()[1]),
    )
    for text, placement, rows, options, right in ways:
        matrix = distribute_tensor(MATRIX, mesh, [Shard(0)]).requires_grad_()
        with pytest.raises(TypeError, match=r"linear_weight must be whole .* full_tensor") as said:
            pt.linear_cross_entropy(HIDDEN[rows], matrix, LABELS[rows])
        assert text in str(said.value)
        whole = matrix.full_tensor(grad_placements=[placement] * mesh.ndim)
        pt.linear_cross_entropy(HIDDEN[rows], whole, LABELS[rows], **options).backward()
        assert matrix.grad.placements == (Shard(0),)
        torch.testing.assert_close(matrix.grad.full_tensor(), right)


class _Model(nn.Module):
    """A layer and a head: as a module with its loss, or as a matrix that is taken from it."""

    def __init__(self, way):
        super().__init__()
        torch.manual_seed(0)
        self.way = way
        self.body = nn.Linear(D, D, dtype=torch.float64)
        kind = pt.LinearCrossEntropyLoss if way == "module" else nn.Linear
        options = {"workspace": SMALL} if way == "module" else {}
        self.head = kind(D, C, bias=False, dtype=torch.float64, **options)

    def forward(self, x, y):
        hidden = self.body(x).tanh()
        if self.way == "module":
            return self.head(hidden, y)
        if self.way == "unshard":
            self.head.unshard()
        matrix = self.head.weight
        if self.way == "gathered":
            matrix = matrix.full_tensor(grad_placements=[Partial("avg")])
        return pt.linear_cross_entropy(hidden, matrix, y, workspace=SMALL)


def _gradients(model, rows):
    loss = model(HIDDEN[rows], LABELS[rows])
    loss.backward()
    found = [p.grad for p in model.parameters()]
    return [g.full_tensor() if hasattr(g, "full_tensor") else g for g in found]


def _by_fsdp(rank):
    """Take the model's root unit, and a unit of the head alone."""
    parts = [_gradients(_Model("plain"), own) for own in OWN]
    right = [(a + b) / 2 for a, b in zip(*parts, strict=True)]
    for way in ("root", "module", "unshard", "gathered"):
        model = _Model(way)
        if way != "root":
            fully_shard(model.head)
        fully_shard(model)
        for _ in range(2):
            model.zero_grad()
            torch.testing.assert_close(_gradients(model, OWN[rank]), right)
    model = _Model("plain")
    for part in (model.head, model):
        fully_shard(part)
    with pytest.raises(TypeError, match="linear_weight must be whole"):
        model(HIDDEN[OWN[rank]], LABELS[OWN[rank]])


def _rank(rank, path, check):
    dist.init_process_group("gloo", init_method=f"file://{path}", rank=rank, world_size=2)
    try:
        check(rank)
    finally:
        dist.destroy_process_group()


@pytest.mark.parametrize("check", [_gathered, _by_fsdp])
def test_the_shards_get_the_gradient_of_all_ranks(tmp_path, check):
    mp.spawn(_rank, (str(tmp_path / "meeting"), check), nprocs=2)
