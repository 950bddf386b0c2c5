"""A linear layer and its cross-entropy by `plogq.torch` beside torch, and the products alone.

Forward and backward on the CPU. The products alone, into memory that is there, are the floor. Each
shape has a process of its own, in which all take turns, and each contender has one for its memory.
Prints, and writes benchmarks/results/linear_heads.txt.
"""

from pathlib import Path

import torch
from _side_by_side import compare, extra_memory, in_own_process, line, machine, medians
from torch.nn import functional as F

import plogq.torch as pt

RESULTS = Path(__file__).parent / "results" / "linear_heads.txt"
CASES = [(4096, 768, 50_304, "float32", 3), (2048, 512, 32_000, "bfloat16", 3)]
MEMORY = (512, 64, 131_072, "float32")
QUICK_CASES = [(64, 16, 999, "float32", 2), (64, 16, 999, "bfloat16", 2)]


def steps(rows, width, classes, dtype):
    torch.manual_seed(0)
    kind = getattr(torch, dtype)
    h = torch.randn(rows, width).to(kind).requires_grad_()
    m = (torch.randn(classes, width) / width**0.5).to(kind).requires_grad_()
    y = torch.randint(classes, (rows,))
    half = y.clone()
    half[::2] = -100

    def with_backward(loss):
        def run():
            loss().backward()
            h.grad = m.grad = None

        return run

    logits = None

    def products():
        nonlocal logits
        if logits is None:
            logits = torch.empty(rows, classes, dtype=kind)
        with torch.no_grad():
            torch.mm(h, m.t(), out=logits)
            return logits @ m, logits.t() @ h

    found = {
        "plogq": with_backward(lambda: pt.linear_cross_entropy(h, m, y)),
        "half ignored": with_backward(lambda: pt.linear_cross_entropy(h, m, half)),
        "products": products,
        "all logits": with_backward(lambda: F.cross_entropy(F.linear(h, m), y)),
    }
    if hasattr(F, "linear_cross_entropy"):
        found["torch"] = with_backward(lambda: F.linear_cross_entropy(h, m, y))
        options = torch.nn.LinearCrossEntropyOptions()
        found["torch, chunked"] = with_backward(
            lambda: F.linear_cross_entropy(h, m, y, options=options)
        )
    return found


def measure(rows, width, classes, dtype, repeats):
    """In a process of its own: median milliseconds of each."""
    return medians(steps(rows, width, classes, dtype), repeats)


def measure_memory(rows, width, classes, dtype, name):
    """In a process of its own, under Linux: MB that a run needs at its peak beyond the rest."""
    steps(64, 16, 64, dtype)[name]()  # load and start what the first call does
    return extra_memory(steps(rows, width, classes, dtype)[name])


def report(cases, memory):
    """Yield the lines of the report as they come."""
    yield machine("plogq", "torch")
    yield "forward and backward, a mean; medians of runs that take turns. products: the three"
    yield "alone; half ignored: plogq with every second row left out"
    for *shape, repeats in cases:
        ms = in_own_process({}, "time", *shape, repeats)
        yield "\n" + " x ".join(map(str, shape[:3])) + f" {shape[3]}"
        yield line("", list(ms), list(ms))
        yield line("ms", [f"{v:.4g}" for v in ms.values()], list(ms))
        yield line("of the products'", [f"{v / ms['products']:.2f}" for v in ms.values()], list(ms))
    rows, width, classes, dtype = memory
    gradient = 4 * classes * width / 2**20
    yield f"\nextra memory of one run, {rows} x {width} x {classes} {dtype}, MB, of which the"
    yield f"gradient of the matrix is {gradient:.0f}, and all logits would be"
    yield f"{4 * rows * classes / 2**20:.0f}"
    for name in steps(2, 2, 2, dtype):
        yield f"{name:34}{in_own_process({}, 'memory', *memory, name)['extra']:11.0f}"


if __name__ == "__main__":
    tasks = {"time": measure, "memory": measure_memory}
    full, short = (CASES, MEMORY), (QUICK_CASES, (64, 16, 999, "float32"))
    compare(__doc__, tasks, lambda quick: report(*(short if quick else full)), RESULTS)
