"""The same training with optax's cross-entropy and with ours: `python examples/jax_training.py`.

A classifier of handwritten digits, and a small transformer that reads Python's standard library
character by character, in JAX without another library of layers. `benchmarks/training.py` measures
both.
"""

import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

import plogq.jax as pj

Loss = Callable[[Array, Array], Array]
Batches = Iterator[tuple[np.ndarray, np.ndarray]]
Model = tuple[Any, Callable[[Any, Array], Array], Batches]
LOSSES: dict[str, Loss] = {
    "optax": lambda x, y: optax.softmax_cross_entropy_with_integer_labels(x, y).mean(),
    "plogq": lambda x, y: pj.cross_entropy(x, y, reduction="mean"),
}
CONTEXT, WIDTH, HEADS, LAYERS = 64, 64, 4, 2


def digits() -> Model:
    """Return a classifier of 8×8 images: its parameters, its logits, batches without end."""
    from sklearn.datasets import load_digits

    data, rng = load_digits(), np.random.default_rng(0)
    images, labels = np.float32(data.data / 16), np.int32(data.target)

    def logits(parameters: Any, x: Array) -> Array:
        return dense(jax.nn.relu(dense(x, *parameters[0])), *parameters[1])

    def batches() -> Batches:
        while True:
            rows = rng.integers(len(images), size=128)
            yield images[rows], labels[rows]

    return [new_dense(rng, 64, 128), new_dense(rng, 128, 10)], logits, batches()


def characters() -> Model:
    """Return a reader of source code: its parameters, its logits, batches of text without end."""
    library, rng = Path(sysconfig.get_paths()["stdlib"]), np.random.default_rng(0)
    text = "".join((library / name).read_text("utf-8") for name in ("argparse.py", "typing.py"))
    alphabet, code = np.unique(list(text), return_inverse=True)
    code = np.int32(code)
    parameters = {
        "embed": np.float32(rng.normal(size=(len(alphabet), WIDTH))),
        "place": np.float32(rng.normal(size=(CONTEXT, WIDTH))),
        "layers": [
            {
                "attend": new_dense(rng, WIDTH, 3 * WIDTH),
                "mix": new_dense(rng, WIDTH, WIDTH),
                "rise": new_dense(rng, WIDTH, 2 * WIDTH),
                "fall": new_dense(rng, 2 * WIDTH, WIDTH),
            }
            for _ in range(LAYERS)
        ],
        "head": new_dense(rng, WIDTH, len(alphabet)),
    }

    def batches() -> Batches:
        while True:
            starts = rng.integers(len(code) - CONTEXT, size=(16, 1))
            window = code[starts + np.arange(CONTEXT + 1)]
            yield window[:, :-1], window[:, 1:]

    return parameters, read, batches()


def read(parameters: Any, text: Array) -> Array:
    """Return the logits of each next character, (N, T, C), of a causal transformer."""
    x = parameters["embed"][text] + parameters["place"]
    for layer in parameters["layers"]:
        split = dense(normed(x), *layer["attend"]).reshape(*text.shape, HEADS, -1)
        mixed = jax.nn.dot_product_attention(*jnp.split(split, 3, axis=-1), is_causal=True)
        x = x + dense(mixed.reshape(x.shape), *layer["mix"])
        x = x + dense(jax.nn.relu(dense(normed(x), *layer["rise"])), *layer["fall"])
    return dense(normed(x), *parameters["head"])


def dense(x: Array, weight: Array, bias: Array) -> Array:
    """Return a linear layer of x."""
    return x @ weight + bias


def new_dense(rng: np.random.Generator, inputs: int, outputs: int) -> tuple[Any, Any]:
    """Return the weight and bias of a linear layer before training."""
    weight = rng.normal(size=(inputs, outputs)) / inputs**0.5
    return np.float32(weight), np.zeros(outputs, np.float32)


def normed(x: Array) -> Array:
    """Return x with the mean 0 and the variance 1 along its last axis."""
    return jax.nn.standardize(x, axis=-1)


TASKS = {"digits": digits, "characters": characters}


def train(task: str, loss_of: Loss, steps: int) -> tuple[list[float], list[float]]:
    """Train with Adam from one seed, and return the loss and the seconds of every step."""
    parameters, logits, batches = TASKS[task]()
    optimizer = optax.adam(1e-3)
    state = optimizer.init(parameters)

    @jax.jit
    def step(parameters: Any, state: Any, x: Array, y: Array) -> Any:
        loss, grad = jax.value_and_grad(lambda p: loss_of(logits(p, x), y))(parameters)
        updates, state = optimizer.update(grad, state)
        return optax.apply_updates(parameters, updates), state, loss

    losses, seconds = [], []
    for _, (x, y) in zip(range(steps), batches, strict=False):
        start = time.perf_counter()
        parameters, state, loss = step(parameters, state, x, y)
        losses.append(float(loss))
        seconds.append(time.perf_counter() - start)
    return losses, seconds


def main() -> None:
    """Train with each loss, and print where its curve begins and ends."""
    for task in TASKS:
        for name, loss in LOSSES.items():
            first, *_, last = train(task, loss, 100)[0]
            print(f"{task}, {name}: loss {first:.6f} to {last:.6f}")


if __name__ == "__main__":
    main()
