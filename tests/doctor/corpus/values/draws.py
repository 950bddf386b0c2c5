"""Models and labels that are drawn by chance, for the cases of values."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.doctor.corpus.case import Case

Given = Callable[[], dict[str, Any]]


def sick(cases: list[Case], *codes: str) -> Callable[[Given], Given]:
    """Add a function to the cases in which these checks are to find something."""

    def add(given: Given) -> Given:
        cases.append(Case(given.__name__, "sick", frozenset(codes), given))
        return given

    return add


def healthy(cases: list[Case]) -> Callable[[Given], Given]:
    """Add a function to the cases in which no check is to find anything."""

    def add(given: Given) -> Given:
        cases.append(Case(given.__name__, "healthy", frozenset(), given))
        return given

    return add


def on(outputs: Any, target: Any, loss: str, framework: str, **options: Any) -> dict[str, Any]:
    """Return the arguments of `check`."""
    return {"outputs": outputs, "target": target, "loss": loss, "framework": framework, **options}


def generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def logits(rows: int, classes: int, seed: int, scale: float = 2.0) -> np.ndarray:
    """Return logits (N, C) of a model that is unsure of some rows and sure of others."""
    return scale * generator(seed).normal(size=(rows, classes))


def softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    shifted = np.exp(x - x.max(axis=axis, keepdims=True))
    return shifted / shifted.sum(axis=axis, keepdims=True)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def drawn(x: np.ndarray, seed: int) -> np.ndarray:
    """Return a label for each row of logits, with the chances that they stand for."""
    return (x + generator(seed).gumbel(size=x.shape)).argmax(axis=-1)


def coins(x: np.ndarray, seed: int) -> np.ndarray:
    """Return 0 or 1 for each logit, with the chances that they stand for, as floats."""
    return (generator(seed).random(x.shape) < sigmoid(x)).astype(np.float64)


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    return np.eye(classes)[labels]
