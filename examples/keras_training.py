"""The same training with Keras's cross-entropy and with ours: `python examples/keras_training.py`.

A classifier of handwritten digits, and a small transformer that reads Python's standard library
character by character, on the backend that `KERAS_BACKEND` names. `benchmarks/training.py` measures
both on all three.
"""

import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

import plogq.keras as pk

Batches = Iterator[tuple[np.ndarray, np.ndarray]]
LOSSES: dict[str, Callable[[], keras.losses.Loss]] = {
    "keras": lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    "plogq": lambda: pk.SparseCategoricalCrossentropy(from_logits=True),
}
CONTEXT, WIDTH, HEADS, LAYERS = 64, 64, 4, 2


def digits() -> tuple[keras.Model, Batches]:
    """Return a classifier of 8×8 images that gives logits, and batches without end."""
    from sklearn.datasets import load_digits

    data, rng = load_digits(), np.random.default_rng(0)
    images, labels = np.float32(data.data / 16), np.int32(data.target)

    def batches() -> Batches:
        while True:
            rows = rng.integers(len(images), size=128)
            yield images[rows], labels[rows]

    model = keras.Sequential([keras.Input((64,)), layers.Dense(128, "relu"), layers.Dense(10)])
    return model, batches()


def characters() -> tuple[keras.Model, Batches]:
    """Return a causal transformer that gives the logits of each next character, and its batches."""
    library, rng = Path(sysconfig.get_paths()["stdlib"]), np.random.default_rng(0)
    text = "".join((library / name).read_text("utf-8") for name in ("argparse.py", "typing.py"))
    alphabet, code = np.unique(list(text), return_inverse=True)
    code = np.int32(code)

    def batches() -> Batches:
        while True:
            starts = rng.integers(len(code) - CONTEXT, size=(16, 1))
            window = code[starts + np.arange(CONTEXT + 1)]
            yield window[:, :-1], window[:, 1:]

    given = keras.Input((CONTEXT,), dtype="int32")
    place = keras.ops.zeros_like(given) + keras.ops.arange(CONTEXT, dtype="int32")
    x = layers.Embedding(len(alphabet), WIDTH)(given) + layers.Embedding(CONTEXT, WIDTH)(place)
    for _ in range(LAYERS):
        y = layers.LayerNormalization()(x)
        x = x + layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(y, y, use_causal_mask=True)
        y = layers.Dense(2 * WIDTH, "relu")(layers.LayerNormalization()(x))
        x = x + layers.Dense(WIDTH)(y)
    return keras.Model(
        given, layers.Dense(len(alphabet))(layers.LayerNormalization()(x))
    ), batches()


TASKS = {"digits": digits, "characters": characters}


def train(
    task: str, loss: Callable[[], keras.losses.Loss], steps: int
) -> tuple[list[float], list[float]]:
    """Train with Adam from one seed, and return the loss and the seconds of every step."""
    keras.utils.set_random_seed(0)
    model, batches = TASKS[task]()
    model.compile(keras.optimizers.Adam(1e-3), loss())
    losses, seconds = [], []
    for _, (x, y) in zip(range(steps), batches, strict=False):
        start = time.perf_counter()
        result: Any = model.train_on_batch(x, y)  # the mean over all batches since the last reset
        losses.append(float(result))
        seconds.append(time.perf_counter() - start)
        model.reset_metrics()
    return losses, seconds


def main() -> None:
    """Train with each loss, and print where its curve begins and ends."""
    for task in TASKS:
        for name, loss in LOSSES.items():
            first, *_, last = train(task, loss, 100)[0]
            print(f"{task}, {name}: loss {first:.6f} to {last:.6f}")


if __name__ == "__main__":
    main()
