"""Beside what others have: torch's `loss_parallel`, and the formulas of Megatron-LM."""

import torch
import torch.distributed as dist
from torch.distributed.tensor import Replicate, Shard, distribute_tensor, init_device_mesh
from torch.distributed.tensor.parallel import loss_parallel
from torch.nn import functional as F

import plogq.torch as pt
from plogq.torch import parallel
from tests.torch.parallel.processes import Cases

CASES = Cases()
R, C, D = 9, 11, 4
X = 2 * torch.arange(R * C, dtype=torch.float64).reshape(R, C).cos()
HIDDEN = torch.arange(R * D, dtype=torch.float64).reshape(R, D).sin()
MATRIX = torch.arange(C * D, dtype=torch.float64).reshape(C, D).cos()
LABELS = torch.tensor([0, 10, 3, -100, 5, 6, 7, 9, 1])
WEIGHT = torch.linspace(0.5, 2, C, dtype=torch.float64)


def mesh_of(here):
    return init_device_mesh("cpu", (here.size,))


@CASES
def torch_loss_parallel_has_the_same_numbers(here):
    mesh = mesh_of(here)
    for options in ({}, {"reduction": "sum"}, {"reduction": "none"}, {"weight": WEIGHT}):
        logits = [distribute_tensor(X, mesh, [Shard(1)]).requires_grad_() for _ in range(2)]
        with loss_parallel():
            # Under class weights its backward gathers with an ignored label, −100, and fails.
            labels = LABELS.clamp(min=0) if "weight" in options else LABELS
            right = F.cross_entropy(logits[0], labels, **options)
            right.sum().backward()
        found = parallel.cross_entropy(logits[1], labels, **options)
        found.sum().backward()
        torch.testing.assert_close(found, right.full_tensor())
        assert logits[1].grad.placements == (Shard(1),)
        torch.testing.assert_close(logits[1].grad.to_local(), logits[0].grad.to_local())


@CASES
def a_sharded_matrix(here):
    mesh = mesh_of(here)
    hidden, matrix = HIDDEN.clone().requires_grad_(), MATRIX.clone().requires_grad_()
    right = pt.linear_cross_entropy(hidden, matrix, LABELS, label_smoothing=0.1, weight=WEIGHT)
    right.backward()
    for whole in (False, True):
        own = HIDDEN.clone()
        own = (distribute_tensor(own, mesh, [Replicate()]) if whole else own).requires_grad_()
        sharded = distribute_tensor(MATRIX, mesh, [Shard(0)]).requires_grad_()
        found = parallel.linear_cross_entropy(
            own, sharded, LABELS, label_smoothing=0.1, weight=WEIGHT
        )
        found.backward()
        torch.testing.assert_close(found, right)
        torch.testing.assert_close(own.grad.to_local() if whole else own.grad, hidden.grad)
        assert sharded.grad.placements == (Shard(0),)
        torch.testing.assert_close(sharded.grad.full_tensor(), matrix.grad)
    for name, made, sentence in (
        ("linear_weight", distribute_tensor(MATRIX, mesh, [Shard(1)]), "sharded over its classes"),
        ("linear_weight", distribute_tensor(MATRIX, mesh, [Replicate()]), "sharded over its clas"),
        ("input", distribute_tensor(HIDDEN, mesh, [Shard(0)]), "whole on every rank: take its"),
    ):
        given = {"input": HIDDEN, "linear_weight": sharded.detach(), name: made}
        try:
            parallel.linear_cross_entropy(target=LABELS, **given)
        except ValueError as error:
            assert f"{name} must be {sentence}" in str(error)  # noqa: PT017
        else:
            raise AssertionError(name)


def megatron(own, first, target, smoothing, group_sums):
    """Restate `vocab_parallel_cross_entropy` of megatron/core/tensor_parallel/cross_entropy.py.

    With smoothing it takes the number of classes, and the mean of log p, from its own part
    (github.com/NVIDIA/Megatron-LM/issues/737 and /7464).
    """
    highest = own.amax(1)
    dist.all_reduce(highest, op=dist.ReduceOp.MAX)
    z = own - highest[:, None]
    here = (target >= first) & (target < first + own.shape[1])
    label = torch.where(here, target - first, 0)
    picked = torch.where(here, z.gather(1, label[:, None])[:, 0], 0.0)
    total = z.exp().sum(1)
    group_sums(picked), group_sums(total)
    loss = total.log() - picked
    if smoothing:
        k = own.shape[1]
        share = smoothing * k / (k - 1)
        loss = (1 - share) * loss - share * (z.exp() / total[:, None]).log().mean(1)
    return loss


@CASES
def megatron_without_smoothing(here):
    target = LABELS.clamp(min=0)
    own, first = here.part(X), here.cut(C).start
    if not min(own.shape) or here.size == 3:
        own, first = X[:, [here.rank]].clone(), here.rank
        target = torch.zeros(R, dtype=torch.int64)
    right = megatron(own, first, target, 0.0, dist.all_reduce)
    found = parallel.cross_entropy(own, target, reduction="none")
    torch.testing.assert_close(found, right)


@CASES
def megatron_smooths_over_the_part(here):
    """The report's sizes: six positions, a vocabulary of 8, smoothing .1; its ranks disagree."""
    x = torch.randn(6, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    target = torch.tensor([0, 3, 4, 7, 2, 5])
    if 8 % here.size:
        return
    width = 8 // here.size
    own = x[:, here.rank * width : (here.rank + 1) * width].clone()
    theirs = megatron(own, here.rank * width, target, 0.1, dist.all_reduce)
    ranks = [torch.empty_like(theirs) for _ in range(here.size)]
    dist.all_gather(ranks, theirs)
    assert (ranks[0] - ranks[1]).abs().max() > 0.01
    share = 0.1 * 8 / 7  # their ε of all other classes, as ours of all classes
    dense = F.cross_entropy(x, target, label_smoothing=share, reduction="none")
    found = parallel.cross_entropy(own, target, label_smoothing=share, reduction="none")
    torch.testing.assert_close(found, dense)


@CASES
def beside_fsdp(here):
    """A body under FSDP2 over one axis of a mesh, and a head in parts over the other."""
    from torch.distributed.fsdp import fully_shard

    data = 2 if here.size == 4 else 1
    mesh = init_device_mesh("cpu", (data, here.size // data), mesh_dim_names=("data", "tensor"))

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.body = torch.nn.Linear(D, D, dtype=torch.float64)
            self.head = torch.nn.Parameter(MATRIX.clone())
            with torch.no_grad():
                self.body.weight.copy_(torch.eye(D) / 2 + 0.1), self.body.bias.fill_(0.1)

        def forward(self, x, y, loss, **options):
            return loss(torch.tanh(self.body(x)), self.head, y, **options)

    whole = Net()
    whole(HIDDEN, LABELS, pt.linear_cross_entropy).backward()
    net = Net()
    shards = distribute_tensor(MATRIX.clone(), mesh["tensor"], [Shard(0)])
    net.head = torch.nn.Parameter(shards)
    fully_shard(net, mesh=mesh["data"])
    place = mesh["data"].get_local_rank()
    own = slice(None) if data == 1 else slice(0, 4) if place == 0 else slice(4, None)
    divisor = parallel.global_denominator(LABELS[own], averaged=True, group=mesh["data"])
    loss = net(
        HIDDEN[own], LABELS[own], parallel.linear_cross_entropy, group=mesh["tensor"],
        denominator=divisor,
    )  # fmt: skip
    loss.backward()
    torch.testing.assert_close(net.head.grad.full_tensor(), whole.head.grad)
    torch.testing.assert_close(net.body.weight.grad.full_tensor(), whole.body.weight.grad)
