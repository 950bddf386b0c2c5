"""Losses of `plogq.torch` beside torch's own, torch.compile and JAX on the CPU, with gradients.

Each setting of torch has a process of its own (it reads its allocator's setting when it starts), in
which plogq takes turns with it; JAX has one too. Calls are default calls: a loss, then backward, on
logits that are a leaf. Prints, and writes benchmarks/results/torch_losses.txt.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from _side_by_side import TUNED, compare, extra_memory, in_own_process, line, machine, medians
from torch.nn import functional as F

import plogq.torch as pt

RESULTS = Path(__file__).parent / "results" / "torch_losses.txt"
Steps = dict[str, Callable[[], object]]
CASES = [
    ("4096 x 32000", 4096, 32_000, "float32"),
    ("16384 x 1000", 16_384, 1000, "float32"),
    ("200000 x 10", 200_000, 10, "float32"),
    ("4096 x 32000", 4096, 32_000, "bfloat16"),
    ("32 x 10", 32, 10, "float32"),
]
QUICK_CASES = [("64 x 999", 64, 999, "float32"), ("64 x 99", 64, 99, "bfloat16")]


class Head(torch.autograd.Function):
    """What a linear layer is to a loss: the maker of logits that are no leaf and not its own."""

    @staticmethod
    def forward(ctx, parameter, logits):
        """Hand over the logits, as a tensor of its own."""
        return torch.from_dlpack(logits)

    @staticmethod
    def backward(ctx, gradient):
        """Take the gradient, and leave it there."""
        return None, None


def batch(rows, classes, dtype):
    torch.manual_seed(0)
    x = torch.from_numpy(np.empty((rows, classes), np.float32)).normal_()
    return x.to(getattr(torch, dtype)).requires_grad_(), torch.randint(classes, (rows,))


def with_backward(x, loss_of):
    def run():
        loss_of().backward()
        x.grad = None

    return run


def cross_entropy_steps(rows, classes, dtype) -> Steps:
    x, y = batch(rows, classes, dtype)
    w = torch.rand(classes, dtype=x.dtype) + 0.5
    extras = {"label_smoothing": 0.1, "z_loss": 1e-4}
    compiled, ours = torch.compile(F.cross_entropy), torch.compile(pt.cross_entropy)
    logits, spare = x.detach().clone(), torch.empty_like(x)
    parameter = torch.zeros((), requires_grad=True)
    return {
        "torch": with_backward(x, lambda: F.cross_entropy(x, y)),
        "compiled": with_backward(x, lambda: compiled(x, y)),
        "plogq": with_backward(x, lambda: pt.cross_entropy(x, y)),
        "plogq compiled": with_backward(x, lambda: ours(x, y)),
        "unchecked": with_backward(x, lambda: pt.cross_entropy(x, y, validate=False)),
        "options": with_backward(x, lambda: pt.cross_entropy(x, y, w, **extras)),
        "in place": lambda: pt.cross_entropy(
            Head.apply(parameter, logits), y, inplace=True
        ).backward(),
        "copy": lambda: spare.copy_(logits),
    }


def binary_steps(elements) -> Steps:
    x, _ = batch(elements // 64, 64, "float32")
    t = torch.rand(x.shape).round()
    compiled = torch.compile(F.binary_cross_entropy_with_logits)
    return {
        "torch": with_backward(x, lambda: F.binary_cross_entropy_with_logits(x, t)),
        "compiled": with_backward(x, lambda: compiled(x, t)),
        "plogq": with_backward(x, lambda: pt.binary_cross_entropy_with_logits(x, t)),
    }


def jax_steps(rows, classes, dtype) -> Steps:
    import jax

    x, y = batch(rows, classes, "float32")
    logits = jax.numpy.asarray(x.detach().numpy(), dtype=dtype)
    target = jax.numpy.asarray(y.numpy())

    def loss(logits):
        log_p = jax.nn.log_softmax(logits)
        return -jax.numpy.take_along_axis(log_p, target[:, None], axis=1).mean()

    both = jax.jit(jax.value_and_grad(loss))
    return {"jax": lambda: jax.block_until_ready(both(logits))}


KINDS = {"softmax": cross_entropy_steps, "binary": binary_steps, "jax": jax_steps}


def in_a_row(step, calls):
    def run():
        for _ in range(calls):
            step()

    return run


def measure(kind, size, repeats):
    """In a process of its own: median milliseconds of each step, many of a small one at a time."""
    steps = KINDS[kind](*size)
    calls = 500 if size[0] < 100 else 1
    taken = medians({name: in_a_row(step, calls) for name, step in steps.items()}, repeats)
    return {name: ms / calls for name, ms in taken.items()}


def measure_memory(kind, size, step):
    """In a process of its own, under Linux: MB that a run needs at its peak beyond the rest."""
    KINDS[kind](64, 64, *size[2:])[step]()  # load and start what the first call does
    run = KINDS[kind](*size)[step]
    return extra_memory(run)


def compared(kind, size, repeats, jax):
    """Yield the lines of one case: milliseconds, and how many times plogq's time that is."""
    columns = None
    for name, environment in (("torch at its defaults", {}), ("THP_MEM_ALLOC_ENABLE=1", TUNED)):
        ms = in_own_process(environment, "time", kind, size, repeats)
        if columns is None:
            columns = list(ms)
            yield line("", columns, columns)
        yield line(f"{name}, ms", [f"{ms[c]:.3g}" for c in columns], columns)
        yield line("  of plogq's time", [f"{ms[c] / ms['plogq']:.2f}" for c in columns], columns)
    if jax:
        ms = in_own_process({"JAX_PLATFORMS": "cpu"}, "time", "jax", size, repeats)
        yield line("jax, ms", ["", f"{ms['jax']:.3g}"])


def report(cases, elements, repeats, memory_of):
    """Yield the lines of the report as they come."""
    yield machine("plogq", "numpy", "torch", "jax")
    yield f"forward and backward; medians of {repeats} runs that take turns, each straight after an"
    yield "untimed run of the same. unchecked: validate=False; options: label smoothing, class"
    yield "weights and z-loss; in place: inplace=True; copy: of the logits into memory that is"
    yield "there"
    for name, *size in cases:
        yield f"\ncross_entropy, {name} {size[-1]}"
        yield from compared("softmax", size, repeats, jax=True)
    yield f"\nbinary_cross_entropy_with_logits, {elements} elements float32"
    yield from compared("binary", [elements], repeats, jax=False)
    rows, classes = memory_of
    tensor = rows * classes * 4 / 2**20
    yield f"\nextra memory of one run, {rows} x {classes} float32, in tensors of {tensor:.0f} MB"
    for step in ("torch", "compiled", "plogq", "plogq compiled", "in place"):
        mb = in_own_process({}, "memory", "softmax", [rows, classes, "float32"], step)["extra"]
        yield f"{step:34}{mb / tensor:11.2f}"


if __name__ == "__main__":
    full = (CASES, 64 << 20, 7, (4096, 32_000))
    short = (QUICK_CASES, 1 << 16, 2, (256, 1000))
    tasks = {"time": measure, "memory": measure_memory}
    compare(__doc__, tasks, lambda quick: report(*(short if quick else full)), RESULTS)
