"""Losses of `plogq.keras` beside Keras's own on the CPU, with gradients, on each backend.

Each backend has a process of its own, in which both take turns, in the way that is fastest there: a
compiled step on TensorFlow and JAX, eager calls on PyTorch, which is how Keras trains there; torch
compiled is beside them. Prints, and writes benchmarks/results/keras_losses.txt.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from _side_by_side import TUNED, compare, extra_memory, in_own_process, line, machine, medians

RESULTS = Path(__file__).parent / "results" / "keras_losses.txt"
Steps = dict[str, Callable[[], object]]
BACKENDS = {
    "torch": {},
    "torch, THP_MEM_ALLOC_ENABLE=1": TUNED,
    "jax": {"JAX_PLATFORMS": "cpu"},
    "tensorflow": {"TF_CPP_MIN_LOG_LEVEL": "3"},
}
CASES = [(4096, 32_000), (200_000, 10)]
QUICK_CASES = [(64, 999)]


def on_torch(loss: Any, logits: np.ndarray, labels: np.ndarray) -> Callable[[], object]:
    import torch

    x, y = torch.tensor(logits, requires_grad=True), torch.tensor(labels)

    def run():
        loss(y, x).backward()
        x.grad = None

    return run


def on_jax(loss: Any, logits: np.ndarray, labels: np.ndarray) -> Callable[[], object]:
    import jax

    x, y = jax.numpy.array(logits), jax.numpy.array(labels)
    # Compiled here: the first call would otherwise take memory for constants, too.
    both = jax.jit(jax.value_and_grad(lambda x: loss(y, x))).lower(x).compile()
    return lambda: jax.block_until_ready(both(x))


def on_tensorflow(loss: Any, logits: np.ndarray, labels: np.ndarray) -> Callable[[], object]:
    import tensorflow as tf

    x, y = tf.constant(logits), tf.constant(labels)

    @tf.function(jit_compile=True)
    def both():
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = loss(y, x)
        return value, tape.gradient(value, x)

    return lambda: both()[1][0, 0].numpy()


ON = {"torch": on_torch, "jax": on_jax, "tensorflow": on_tensorflow}


def steps(backend: str, count: int, classes: int) -> Steps:
    """Return a step of value and gradient for each loss, of the mean over float32 rows."""
    import keras

    import plogq.keras as pk

    rng = np.random.default_rng(0)
    logits = rng.standard_normal((count, classes), dtype=np.float32)
    labels = rng.integers(classes, size=count).astype(np.int64 if backend == "torch" else np.int32)
    given = {
        "keras": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        "plogq": pk.SparseCategoricalCrossentropy(from_logits=True),
    }
    if backend == "torch":
        import torch

        given["keras compiled"] = torch.compile(given["keras"])
    return {name: ON[backend](loss, logits, labels) for name, loss in given.items()}


def measure(repeats: int, *size: Any) -> dict[str, float]:
    """In a process of its own: median milliseconds of each step."""
    return medians(steps(*size), repeats)


def measure_memory(step: str, backend: str, *size: int) -> dict[str, float]:
    """In a process of its own, under Linux: MB that a run needs at its peak beyond the logits."""
    steps(backend, 64, 64)[step]()  # load and start what the first call does
    run = steps(backend, *size)[step]
    return extra_memory(run)


def report(cases: list[tuple[int, int]], repeats: int) -> Iterator[str]:
    """Yield the lines of the report as they come."""
    yield machine("plogq", "keras", "torch", "jax", "tensorflow-cpu", "numpy")
    yield "SparseCategoricalCrossentropy(from_logits=True), value and gradient; medians of"
    yield f"{repeats} runs that take turns, each straight after an untimed run of the same."
    yield "MB: extra memory of one run at its peak. Each framework's own number of threads"
    for count, classes in cases:
        for name, environment in BACKENDS.items():
            backend = name.split(",")[0]
            environment = environment | {"KERAS_BACKEND": backend}
            ms = in_own_process(environment, "time", repeats, backend, count, classes)
            yield f"\n{count} x {classes} float32, {name}"
            yield line("", ["ms", "keras / it", "MB"])
            for step, taken in ms.items():
                task = "memory", step, backend, count, classes
                mb = in_own_process(environment, *task)["extra"]
                yield line(step, [f"{taken:.3g}", f"{ms['keras'] / taken:.2f}", f"{mb:.0f}"])


if __name__ == "__main__":
    tasks = {"time": measure, "memory": measure_memory}
    full, short = (CASES, 7), (QUICK_CASES, 2)
    compare(__doc__, tasks, lambda quick: report(*(short if quick else full)), RESULTS)
