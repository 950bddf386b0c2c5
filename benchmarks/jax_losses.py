"""Losses of `plogq.jax` beside optax's on the CPU, with gradients, and beside plain copies.

Each case has a process of its own, in which all take turns. Every step is one compiled call of
`value_and_grad`; where logits are donated, the gradient of a run is the next run's logits. Prints,
and writes benchmarks/results/jax_losses.txt.
"""

import os
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import numpy as np
import optax
from _side_by_side import compare, extra_memory, in_own_process, line, machine, medians

import plogq.jax as pj

RESULTS = Path(__file__).parent / "results" / "jax_losses.txt"
Steps = dict[str, Callable[[], object]]
CASES = [("rows", 4096, 32_000), ("rows", 200_000, 10), ("head", 2048, 512, 32_000)]
QUICK_CASES = [("rows", 64, 999), ("head", 32, 16, 99)]


def stepping(loss, x, *, donated):
    """Return a step of value and gradient; a donated x is replaced by its gradient."""
    both = jax.jit(jax.value_and_grad(loss), donate_argnums=(0,) if donated else ())
    given = [x + 0 if donated else x]

    def run():
        loss, gradient = jax.block_until_ready(both(given[0]))
        if donated:
            given[0] = gradient
        return loss

    return run


def rows(count, classes) -> Steps:
    import torch
    from torch_losses import Head

    import plogq.torch as pt

    rng = np.random.default_rng(0)
    numbers = rng.standard_normal((count, classes), dtype=np.float32)
    labels = rng.integers(classes, size=count)
    x, y, spare = jnp.asarray(numbers), jnp.asarray(labels), np.empty_like(numbers)
    tensor, target = torch.from_numpy(numbers.copy()), torch.from_numpy(labels)
    parameter = torch.zeros((), requires_grad=True)

    def theirs(x):
        return optax.softmax_cross_entropy_with_integer_labels(x, y).mean()

    def ours(x):
        return pj.cross_entropy(x, y, reduction="mean")

    def swapped(x):
        return pj.softmax_cross_entropy_with_integer_labels(x, y).mean()

    def operations(x):
        with pj.engine("xla"):
            return ours(x)

    losses = {"optax": theirs, "plogq": ours, "swapped": swapped, "engine xla": operations}
    steps = {name: stepping(loss, x, donated=False) for name, loss in losses.items()}
    steps |= {f"{name}, donated": stepping(losses[name], x, donated=True) for name in losses}
    return steps | {
        "plogq.torch in place": lambda: pt.cross_entropy(
            Head.apply(parameter, tensor), target, inplace=True
        ).backward(),
        "XLA's copy": lambda: jax.block_until_ready(jnp.copy(x)),
        "NumPy's copy": lambda: np.copyto(spare, numbers),
    }


def head(count, width, classes) -> Steps:
    rng = np.random.default_rng(0)
    hidden = jnp.asarray(rng.standard_normal((count, width), dtype=np.float32))
    weight = jnp.asarray(rng.standard_normal((classes, width), dtype=np.float32) / width**0.5)
    y = jnp.asarray(rng.integers(classes, size=count))

    def theirs(layer):
        logits = layer[0] @ layer[1].T
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    def materialised(layer):
        return pj.cross_entropy(layer[0] @ layer[1].T, y, reduction="mean")

    def ours(layer):
        return pj.linear_cross_entropy(*layer, y, reduction="mean")

    losses = {"optax": theirs, "plogq, all logits": materialised, "plogq": ours}
    if find_spec("jax_cce") is not None:  # a peer that plogq does not install
        losses["jax-cce"] = lambda layer: import_module("jax_cce").linear_cross_entropy(*layer, y)
    return {n: stepping(f, (hidden, weight), donated=False) for n, f in losses.items()}


KINDS = {"rows": rows, "head": head}


def measure(kind, repeats, *size):
    """In a process of its own: median milliseconds of each step."""
    return medians(KINDS[kind](*size), repeats)


def measure_memory(kind, step, *size):
    """In a process of its own, under Linux: MB that a run needs at its peak beyond the rest."""
    run = KINDS[kind](*size)[step]
    run()
    return extra_memory(run)


def report(cases, repeats):
    """Yield the lines of the report as they come."""
    yield machine("plogq", "jax", "jaxlib", "optax", "torch", "numpy")
    yield f"value and gradient; medians of {repeats} runs that take turns, each straight after an"
    yield "untimed run of the same. swapped: optax's name, and .mean() of it; engine xla: without"
    yield "the kernel; MB: extra memory of one run at its peak. XLA's threads, glibc's allocator"
    for kind, *size in cases:
        yield f"\n{kind}, {' x '.join(map(str, size))} float32"
        ms = in_own_process({}, "time", kind, repeats, *size)
        least = ms["optax, donated" if kind == "rows" else "optax"]
        yield line("", ["ms", "optax / it", "MB"])
        for name, taken in ms.items():
            mb = in_own_process({}, "memory", kind, name, *size)["extra"]
            yield line(name, [f"{taken:.3g}", f"{least / taken:.2f}", f"{mb:.0f}"])


if __name__ == "__main__":
    tasks = {"time": measure, "memory": measure_memory}
    full, short = (CASES, 7), (QUICK_CASES, 2)
    compare(__doc__, tasks, lambda quick: report(*(short if quick else full)), RESULTS)
