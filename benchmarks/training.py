"""The same training with a framework's cross-entropy and with ours: curves, time and memory.

`python benchmarks/training.py`. The models are those of `examples/torch_training.py`,
`examples/jax_training.py` and `examples/keras_training.py`, on its three backends: a classifier of
digits, and a small transformer over characters. Each run has a process of its own, in turns.
"""

import argparse
import importlib
import json
import resource
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from _side_by_side import in_own_process, machine, print_and_keep

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).parent / "results" / "training.txt"
sys.path.insert(0, str(ROOT))

# Whose loss is the other, by the example, and by the backend where it is one of Keras.
FRAMEWORKS = {("torch", ""): "torch", ("jax", ""): "optax"} | {
    ("keras", backend): "keras" for backend in ("torch", "jax", "tensorflow")
}
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3"}
ROUNDS = 3
WARM_UP = 10  # steps, of which JAX compiles the first


def measured(framework: str, task: str, loss: str, steps: int) -> dict[str, object]:
    """Train, and return the curve, the median seconds of a step and the peak memory in MB."""
    example = importlib.import_module(f"examples.{framework}_training")
    curve, seconds = example.train(task, example.LOSSES[loss], steps)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"curve": curve, "step": statistics.median(seconds[WARM_UP:] or seconds), "peak": peak}


def compared(framework: str, backend: str, task: str, steps: int, rounds: int) -> Iterator[str]:
    """Yield a line for each loss: its time, its memory, and how far its curve is from theirs."""
    theirs = FRAMEWORKS[framework, backend]
    losses = importlib.import_module(f"examples.{framework}_training").LOSSES
    chosen = {"KERAS_BACKEND": backend, **QUIET} if backend else {}
    runs = [
        {loss: in_own_process(chosen, framework, task, loss, steps) for loss in losses}
        for _ in range(rounds)
    ]
    first, *_, last = runs[0][theirs]["curve"]
    on = f"{framework} on {backend}" if backend else framework
    yield f"{on}, {task}: {steps} steps, loss {first:.3f} to {last:.3f}"
    for loss in losses:
        pairs = zip(runs[0][loss]["curve"], runs[0][theirs]["curve"], strict=True)
        apart = max(abs(a - b) for a, b in pairs)
        step = min(run[loss]["step"] for run in runs) * 1e3
        peak = min(run[loss]["peak"] for run in runs)
        cost = f"{step:7.2f} ms a step, {peak:5.0f} MB at its peak"
        yield f"  {loss:23} {cost}, off {theirs}'s curve by {apart:.1e}"


def report(steps: int, rounds: int) -> Iterator[str]:
    """Yield the page."""
    yield machine("torch", "jax", "optax", "keras", "tensorflow-cpu", "plogq")
    yield ""
    for framework, backend in FRAMEWORKS:
        for task in ("digits", "characters"):
            yield from compared(framework, backend, task, steps, rounds)


def main() -> None:
    """Compare, and keep what was printed where nothing was made shorter."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--child", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(measured(*arguments.child)))
    elif arguments.steps:
        print_and_keep(report(arguments.steps, 1), None)
    else:
        print_and_keep(report(100, ROUNDS), RESULTS)


if __name__ == "__main__":
    main()
