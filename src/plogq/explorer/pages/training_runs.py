"""The same network on the same digits, trained under two losses at once, step by step.

The settings decide everything: the held-out rows, the first weights and the batches. So a run that
is continued from step k equals one that was not interrupted.
"""

from __future__ import annotations

import functools
import itertools
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import plogq
from plogq.demo.run import TRAINING_ROWS, Digits, read_digits

Floats = NDArray[np.float64]

CLASSES = 10
LAST = 400  # steps of a run
EVERY = 5  # steps between two looks at the held-out rows
LOSSES = {
    "cross_entropy": plogq.cross_entropy_from_logits,
    "squared_error": plogq.squared_error_from_logits,
}


@dataclass(frozen=True)
class Settings:
    """All that decides a run."""

    rate: float = 0.5
    layers: int = 2  # hidden ones
    hidden: int = 32  # units in each
    batch: int = 32
    units: str = "tanh"  # or "sigmoid"
    start: str = "large"  # or "small": the spread of the first weights
    seed: int = 0


class Gradient(NamedTuple):
    """∂loss/∂weights and ∂loss/∂biases, layer by layer."""

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]


class Network(NamedTuple):
    """Hidden layers of tanh or sigmoid units, then the logits."""

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    units: str

    def layers(self, pixels: Floats) -> list[Floats]:
        """Give every layer's values: the (N, 64) pixels first, the (N, 10) logits last."""
        values = [pixels]
        for i, (weights, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = values[-1] @ weights + bias
            values.append(x if i == len(self.weights) - 1 else self._bend(x))
        return values

    def gradient(self, layers: list[Floats], slope: Floats) -> Gradient:
        """Send ∂loss/∂logits back through the layers."""
        weights, biases = [], []
        for i in reversed(range(len(self.weights))):
            weights.append(layers[i].T @ slope)
            biases.append(slope.sum(axis=0))
            if i > 0:
                h = layers[i]
                bent = 1 - h * h if self.units == "tanh" else h * (1 - h)
                slope = slope @ self.weights[i].T * bent
        return Gradient(tuple(weights[::-1]), tuple(biases[::-1]))

    def descend(self, gradient: Gradient, rate: float) -> Network:
        """Step against the gradient."""
        return Network(
            tuple(w - rate * g for w, g in zip(self.weights, gradient.weights, strict=True)),
            tuple(b - rate * g for b, g in zip(self.biases, gradient.biases, strict=True)),
            self.units,
        )

    def _bend(self, x: Floats) -> Floats:
        # The logistic function is a shifted tanh, and in this form it never overflows.
        return np.tanh(x) if self.units == "tanh" else 0.5 + 0.5 * np.tanh(x / 2)


class State(NamedTuple):
    """A network under one loss after so many steps, seen on its next batch."""

    losses: dict[str, float]  # mean over the batch, by either loss
    norms: tuple[float, ...]  # ‖∂loss/∂weights‖ of each layer, by its own loss
    accuracy: float | None  # of the held-out rows; looked at every few steps
    guesses: tuple[int, ...]  # what it takes each of the examples for


Moment = dict[str, State]  # by the loss that the network is trained under


def split(settings: Settings) -> tuple[Digits, Digits]:
    """Give the rows to train on, and those held out."""
    digits = _digits()
    order = np.random.default_rng(settings.seed).permutation(len(digits.labels))
    return digits.take(order[:TRAINING_ROWS]), digits.take(order[TRAINING_ROWS:])


def start(settings: Settings) -> Network:
    """Give the network that both losses begin with.

    Small: variance 1 / inputs, so that values keep their size from layer to layer. Large: variance
    1, so that the softmax begins sure of itself, and wrong.
    """
    rng = np.random.default_rng([settings.seed, 1])
    sizes = [64, *[settings.hidden] * settings.layers, CLASSES]
    weights = tuple(
        rng.normal(scale=1.0 if settings.start == "large" else a**-0.5, size=(a, b))
        for a, b in itertools.pairwise(sizes)
    )
    return Network(weights, tuple(np.zeros(b) for b in sizes[1:]), settings.units)


def batches(settings: Settings) -> Iterator[tuple[Floats, NDArray[np.int64]]]:
    """Give (pixels, labels) of batch after batch, without end: each pass shuffled anew."""
    training, _ = split(settings)
    rng = np.random.default_rng([settings.seed, 2])
    while True:
        order = rng.permutation(len(training.labels))
        for i in range(0, len(order) - settings.batch + 1, settings.batch):
            rows = training.take(order[i : i + settings.batch])
            yield rows.pixels, rows.labels


class Run:
    """Both networks, trained as far as anyone has asked; every moment is kept."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._held_out = split(settings)[1]
        self.examples = examples(self._held_out)
        self._batches = batches(settings)
        self._networks = dict.fromkeys(LOSSES, start(settings))
        self._moments: list[Moment] = []
        self._lock = threading.Lock()

    def upto(self, step: int, patience: float = math.inf) -> list[Moment]:
        """Give the moments from the start to after `step` steps.

        After `patience` seconds it gives those that there are: always one more than before.
        """
        with self._lock:
            end = time.monotonic() + patience
            while len(self._moments) <= step:
                self._moments.append(self._advance())
                if time.monotonic() >= end:
                    break
            return self._moments[: step + 1]

    def _advance(self) -> Moment:
        pixels, labels = next(self._batches)
        look = len(self._moments) % EVERY == 0
        moment = {}
        for name, network in self._networks.items():
            layers = network.layers(pixels)
            rows = {key: loss(layers[-1], labels) for key, loss in LOSSES.items()}
            gradient = network.gradient(layers, rows[name].grad / len(labels))
            moment[name] = State(
                {key: float(np.mean(row.value)) for key, row in rows.items()},
                tuple(float(np.linalg.norm(g)) for g in gradient.weights),
                accuracy(network, self._held_out) if look else None,
                tuple(guesses(network, self.examples).tolist()),
            )
            self._networks[name] = network.descend(gradient, self.settings.rate)
        return moment


@functools.lru_cache(maxsize=8)
def run_of(settings: Settings) -> Run:
    """Give the run of these settings; it is kept, so that a paused run repeats no step."""
    return Run(settings)


def accuracy(network: Network, digits: Digits) -> float:
    """Give the share of the rows whose digit has the largest logit."""
    return float(np.mean(guesses(network, digits) == digits.labels))


def guesses(network: Network, digits: Digits) -> NDArray[np.int64]:
    """Give the digit with the largest logit of each row."""
    found: NDArray[np.int64] = network.layers(digits.pixels)[-1].argmax(axis=1)
    return found


def examples(digits: Digits) -> Digits:
    """Give the first row of each digit, 0 to 9."""
    return digits.take(np.unique(digits.labels, return_index=True)[1])


@functools.cache
def _digits() -> Digits:
    return read_digits()
