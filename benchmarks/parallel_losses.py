"""Cross-entropy over ranks: its parts on one rank of eight, and beside others on two processes.

Eight ranks are not here: what one of them computes is measured, with the numbers of the other seven
made up, and so is the loss of one process. Two processes on this machine, which exchange by gloo
over its own memory, run ours beside torch's `loss_parallel`, and beside the formulas of Megatron-LM
in torch operations. Prints, and writes benchmarks/results/parallel_losses.txt.
"""

import tempfile
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from _side_by_side import compare, in_own_process, line, machine, medians
from torch.distributed.tensor import DTensor, Shard, init_device_mesh
from torch.distributed.tensor.parallel import loss_parallel
from torch.nn import functional as F

import plogq.torch as pt
from plogq.kernels.question import Options
from plogq.torch import parallel
from plogq.torch.engines.formula import CROSS_ENTROPY
from plogq.torch.parallel.engines import part_sums, write_slopes
from plogq.torch.parallel.merged import Merged
from plogq.torch.parallel.slopes import Sloping
from plogq.torch.parallel.sums import Fields, Summing
from plogq.torch.questions import Rows

RESULTS = Path(__file__).parent / "results" / "parallel_losses.txt"
RANKS = 8
OF_EIGHT = (512, 262_144, 5)  # rows, classes of all ranks, repeats
OF_TWO = (1024, 65_536, 9)
QUICK_OF_EIGHT, QUICK_OF_TWO = (16, 4096, 2), (16, 1000, 2)


def parts(rows, classes, smoothing):
    """Return what a rank of eight computes, step by step, and what one process does."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    width = classes // RANKS
    x, y = torch.randn(rows, width), torch.randint(width, (rows,))
    options = Options(label_smoothing=smoothing)
    asked = Rows(y, False, -1, None, None, options, (rows,), loss=CROSS_ENTROPY)
    fields = Fields(smoothed=smoothing > 0)
    summing = Summing(asked, fields, 0)
    own = part_sums(x, summing)
    numbers = torch.stack([own.by_name[name] for name in fields.names()])
    numbers = numbers.expand(RANKS, -1, -1).clone()
    owner, scale = torch.zeros(rows, dtype=torch.int64), torch.full((rows,), 1 / rows)
    part, room = torch.stack([own.by_name["max"], own.by_name["rest"]]), torch.empty_like(x)

    def merge():
        merged = Merged.of(numbers, fields, options, owner)
        return merged, merged.losses(), merged.coefficients(scale)

    merged, _, coefficients = merge()
    holds = merged.holder == 0
    sloping = Sloping(asked, coefficients, merged.state.max, part, own.top, holds, room)
    return {
        "sums": lambda: part_sums(x, summing),
        "merge": merge,
        "gradient": lambda: write_slopes(x, sloping),
    }  # fmt: skip


def measure_parts(rows, classes, repeats, smoothing):
    """In a process of its own: median milliseconds of the steps, and of the loss of one process."""
    found = medians(parts(rows, classes, smoothing), repeats)
    x, y = torch.randn(rows, classes).requires_grad_(), torch.randint(classes, (rows,))

    def whole():
        x.grad = None
        pt.cross_entropy(x, y, label_smoothing=smoothing).backward()

    return found | medians({"one process": whole}, repeats)


def megatron(own, first, y):
    """Restate the formulas of megatron/core/tensor_parallel/cross_entropy.py under autograd."""

    class Loss(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            highest = x.amax(1)
            dist.all_reduce(highest, op=dist.ReduceOp.MAX)
            e = x - highest[:, None]
            elsewhere = (y < first) | (y >= first + x.shape[1])
            label = torch.where(elsewhere, 0, y - first)
            picked = e.gather(1, label[:, None])[:, 0].masked_fill(elsewhere, 0.0)
            dist.all_reduce(picked)
            total = e.exp_().sum(1)
            dist.all_reduce(total)
            ctx.save_for_backward(e.div_(total[:, None]), label, elsewhere)
            return total.log() - picked

        @staticmethod
        def backward(ctx, upstream):
            p, label, elsewhere = ctx.saved_tensors
            p.scatter_add_(1, label[:, None], elsewhere[:, None].float() - 1)
            return p.mul_(upstream[:, None])

    return Loss.apply(own).mean()


def _rank(rank, folder, rows, classes, repeats):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=2)
    torch.manual_seed(0)
    mesh, width = init_device_mesh("cpu", (2,)), classes // 2
    own = torch.randn(2, rows, width)[rank].requires_grad_()
    y = torch.randint(classes, (rows,))

    def step(loss):
        def run():
            own.grad = None
            loss().backward()

        return run

    def torch_own():
        logits = DTensor.from_local(own, mesh, [Shard(1)])
        with loss_parallel():
            own.grad = None
            F.cross_entropy(logits, y).backward()

    found = medians(
        {
            "plogq": step(lambda: parallel.cross_entropy(own, y)),
            "loss_parallel": torch_own,
            "Megatron": step(lambda: megatron(own, rank * width, y)),
        },
        repeats,
    )
    if rank == 0:
        torch.save(found, f"{folder}/found")
    dist.destroy_process_group()


def measure_ranks(rows, classes, repeats):
    """In two processes: median milliseconds of forward and backward, on the first of them."""
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(_rank, (folder, rows, classes, repeats), nprocs=2)
        return torch.load(f"{folder}/found")


def report(of_eight, of_two):
    """Yield the lines of the report as they come."""
    yield machine("plogq", "torch")
    rows, classes, _ = of_eight
    yield f"\none rank of {RANKS}, {rows} rows, {classes} classes float32, one thread, ms; one"
    yield f"process: forward and backward of all classes. bytes: sent by a rank, {RANKS} received"
    for smoothing, name in ((0.0, "labels"), (0.1, "label_smoothing=0.1")):
        ms = in_own_process({"OMP_NUM_THREADS": "1"}, "parts", *of_eight, smoothing)
        if not smoothing:
            names = [*ms, "bytes"]
            yield line("", names, names)
        sent = 40 + 4 * rows * len(Fields(smoothed=smoothing > 0).names())
        yield line(name, [*(f"{v:.4g}" for v in ms.values()), f"{sent}"], names)
    rows, classes, _ = of_two
    ms = in_own_process({"OMP_NUM_THREADS": "1"}, "ranks", *of_two)
    yield f"\ntwo processes of one thread, {rows} rows, {classes} classes float32, forward and"
    yield "backward, ms"
    yield line("", list(ms), list(ms))
    yield line("ms", [f"{v:.4g}" for v in ms.values()], list(ms))


if __name__ == "__main__":
    tasks = {"parts": measure_parts, "ranks": measure_ranks}
    full, short = (OF_EIGHT, OF_TWO), (QUICK_OF_EIGHT, QUICK_OF_TWO)
    compare(__doc__, tasks, lambda quick: report(*(short if quick else full)), RESULTS)
