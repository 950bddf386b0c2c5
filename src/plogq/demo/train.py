"""Softmax regression by plain gradient descent: one linear layer, one loss, nothing hidden."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# (logits, labels) -> (mean loss, its gradient in the logits)
Loss = Callable[[Floats, NDArray[np.int64]], tuple[float, Floats]]


class Linear(NamedTuple):
    """logits = pixels @ weights + bias."""

    weights: Floats
    bias: Floats

    def logits(self, pixels: Floats) -> Floats:
        """Return (N, C) logits for (N, D) pixels."""
        return pixels @ self.weights + self.bias


class Epoch(NamedTuple):
    """The model after a pass over the training rows, and the size of the gradient meanwhile."""

    model: Linear
    gradient_norm: float  # mean over the steps of ‖∂loss/∂weights‖


def random_start(features: int, classes: int, rng: np.random.Generator) -> Linear:
    """Return weights from N(0, 1): a model that is sure of itself, and wrong."""
    return Linear(rng.normal(size=(features, classes)), np.zeros(classes))


def train(
    model: Linear,
    pixels: Floats,
    labels: NDArray[np.int64],
    loss: Loss,
    rng: np.random.Generator,
    *,
    epochs: int = 100,
    batch: int = 32,
    rate: float = 0.5,
) -> Iterator[Epoch]:
    """Yield the model after each epoch of gradient descent on the mean loss of shuffled batches."""
    for _ in range(epochs):
        norms = []
        order = rng.permutation(len(labels))
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            _, grad = loss(model.logits(pixels[rows]), labels[rows])
            step = pixels[rows].T @ grad
            norms.append(float(np.linalg.norm(step)))
            model = Linear(model.weights - rate * step, model.bias - rate * grad.sum(axis=0))
        yield Epoch(model, float(np.mean(norms)))
