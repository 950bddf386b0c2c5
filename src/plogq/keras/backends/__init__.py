"""The backend that Keras runs on, and what each one computes by its own means.

A module of this folder has the same five functions: the two losses of a softmax and that of a
sigmoid, from logits; whether the values of a tensor can be looked at; how many replicas share a
batch.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import keras

NAMES = ("tensorflow", "jax", "torch")


def chosen() -> Any:
    """Return the module of the backend that Keras runs on.

    Raises
    ------
    ImportError
        Keras runs on a backend that computes no gradients.
    """
    name = keras.backend.backend()
    if name not in NAMES:
        raise ImportError(f"plogq.keras needs the backend {', '.join(NAMES)}; got {name!r}")
    return import_module(f"{__name__}.on_{name}")
