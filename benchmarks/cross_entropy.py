"""Mean cross-entropy of float32 logits and its gradient on the CPU: plogq beside the usual ways.

Each framework has a process of its own (PyTorch reads its allocator's setting when it starts), in
which it takes turns with plogq and with a copy of the logits into a buffer that is already there:
what moving the data costs at the least. Prints, and writes benchmarks/results/cross_entropy.txt.
"""

import argparse
import json
import resource
from collections.abc import Callable
from pathlib import Path

import numpy as np
from _side_by_side import in_own_process, machine, medians, print_and_keep

import plogq.numpy as pn

RESULTS = Path(__file__).parent / "results" / "cross_entropy.txt"
SHAPES = [(200_000, 10), (16_384, 1000), (4096, 32_000), (512, 128_256)]
QUICK_SHAPES = [(2000, 10), (256, 1000), (64, 4000)]
Steps = dict[str, Callable[[], object]]


def plogq_steps(x: np.ndarray, y: np.ndarray) -> Steps:
    out, in_place = np.empty_like(x), x.copy()
    return {
        "forward": lambda: pn.cross_entropy(x, y),
        "fresh": lambda: pn.cross_entropy(x, y, return_grad=True),
        "buffer": lambda: pn.cross_entropy(x, y, out=out),
        "in place": lambda: pn.cross_entropy(in_place, y, out=in_place),
        "copy": lambda: np.copyto(out, x),
    }


def torch_steps(x: np.ndarray, y: np.ndarray) -> Steps:
    import torch
    from torch.nn.functional import cross_entropy

    logits, target = torch.from_numpy(x).requires_grad_(), torch.from_numpy(y)

    def forward() -> object:
        with torch.no_grad():
            return cross_entropy(logits, target)

    def both() -> object:
        logits.grad = None
        loss = cross_entropy(logits, target)
        loss.backward()
        return loss

    return {"their forward": forward, "theirs": both}


def scipy_steps(x: np.ndarray, y: np.ndarray) -> Steps:
    from scipy.special import log_softmax

    rows = np.arange(len(x))

    def forward() -> object:
        return -log_softmax(x, axis=1)[rows, y].mean()

    def both() -> object:
        log_p = log_softmax(x, axis=1)
        grad = np.exp(log_p)
        grad[rows, y] -= 1
        grad /= len(x)
        return -log_p[rows, y].mean(), grad

    return {"their forward": forward, "theirs": both}


def jax_steps(x: np.ndarray, y: np.ndarray) -> Steps:
    import jax

    logits, target = jax.device_put(x), jax.device_put(y)

    def loss(logits: jax.Array) -> jax.Array:
        log_p = jax.nn.log_softmax(logits)
        return -jax.numpy.take_along_axis(log_p, target[:, None], axis=1).mean()

    forward, both = jax.jit(loss), jax.jit(jax.value_and_grad(loss))
    return {
        "their forward": lambda: jax.block_until_ready(forward(logits)),
        "theirs": lambda: jax.block_until_ready(both(logits)),
    }


# name: (steps, environment, share of the repeats)
FRAMEWORKS = {
    "torch": (torch_steps, {}, 1.0),
    "torch, THP_MEM_ALLOC_ENABLE=1": (torch_steps, {"THP_MEM_ALLOC_ENABLE": "1"}, 1.0),
    "numpy + scipy": (scipy_steps, {}, 0.3),
    "jax": (jax_steps, {"JAX_PLATFORMS": "cpu"}, 0.5),
}


def batch(rows: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, classes), dtype=np.float32)
    return x, rng.integers(0, classes, rows)


def measure(framework: str, rows: int, classes: int, repeats: int) -> dict[str, float]:
    """In a process of its own: milliseconds of plogq, of a copy and of this framework."""
    x, y = batch(rows, classes)
    steps = plogq_steps(x, y) | FRAMEWORKS[framework][0](x, y)
    return medians(steps, max(2, round(repeats * FRAMEWORKS[framework][2])))


def fresh(x: np.ndarray, y: np.ndarray) -> object:
    return pn.cross_entropy(x, y, return_grad=True)


def in_place(x: np.ndarray, y: np.ndarray) -> object:
    return pn.cross_entropy(x, y, out=x)


def measure_memory(contender: str, rows: int, classes: int) -> dict[str, float]:
    """In a process of its own: MB resident before one run, and at its peak."""
    ours = {"plogq, fresh": fresh, "plogq, in place": in_place}.get(contender)

    def prepared(x: np.ndarray, y: np.ndarray) -> Callable[[], object]:
        return (lambda: ours(x, y)) if ours else FRAMEWORKS[contender][0](x, y)["theirs"]

    prepared(*batch(2, 2))()  # load what loads at the first call
    run = prepared(*batch(rows, classes))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"before": before / 1024, "peak": peak / 1024}


def report(shapes: list[tuple[int, int]], repeats: int):
    """Yield the lines of the report as they come."""
    yield machine("plogq", "numpy", "torch", "scipy", "jax")
    yield f"float32; medians of {repeats} runs (numpy + scipy, jax: fewer) that take turns,"
    yield "each straight after an untimed run of the same"
    yield "plogq with its gradient: a new array (fresh), out= (buffer), out=logits (in place)"
    yield "copy: np.copyto of the logits into a buffer; x: the framework's time / plogq's beside it"
    for rows, classes in shapes:
        yield f"\n{rows} x {classes}, milliseconds"
        yield f"{'':30}{'forward alone':^27}|{'forward and gradient':^81}"
        names = ["theirs", "plogq", "x", "theirs", "fresh", "x", "buffer", "x", "in place", "x"]
        yield f"{'':30}" + "".join(f"{name:>9}" for name in [*names, "copy"])
        for name, (_, environment, _) in FRAMEWORKS.items():
            ms = in_own_process(environment, "time", name, rows, classes, repeats)
            figures = [ms["their forward"], ms["forward"], ms["their forward"] / ms["forward"]]
            figures.append(ms["theirs"])
            for way in ("fresh", "buffer", "in place"):
                figures += [ms[way], ms["theirs"] / ms[way]]
            yield f"{name:30}" + "".join(f"{figure:9.2f}" for figure in [*figures, ms["copy"]])
    rows, classes = max(shapes, key=lambda shape: shape[0] * shape[1])
    yield f"\nmemory, {rows} x {classes}: MB resident with the logits, and at the peak of one run"
    for name in ["plogq, fresh", "plogq, in place", *FRAMEWORKS]:
        environment = FRAMEWORKS[name][1] if name in FRAMEWORKS else {}
        mb = in_own_process(environment, "memory", name, rows, classes)
        yield f"{name:30}{mb['before']:>9.0f}{mb['peak']:>9.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small shapes, nothing written")
    parser.add_argument("--child", type=json.loads, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        kind, *task = asked.child
        found = {"time": measure, "memory": measure_memory}[kind](*task)
        print(json.dumps(found))
        return
    lines = report(*((QUICK_SHAPES, 2) if asked.quick else (SHAPES, 7)))
    print_and_keep(lines, None if asked.quick else RESULTS)


if __name__ == "__main__":
    main()
