"""The array libraries that every formula runs on, and arrays in and out of them."""

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import array_api_strict
import jax
import jax.numpy as jnp
import numpy as np
import torch

jax.config.update("jax_enable_x64", True)


@dataclass(frozen=True)
class Backend:
    name: str
    xp: ModuleType
    array_types: tuple[type, ...]
    halves: tuple[str, ...] = ()

    def asarray(self, x: Any, floats: str | None = None) -> Any:
        """Take a NumPy array over, its floats in the dtype called `floats`."""
        x = np.asarray(x)
        dtype = getattr(self.xp, floats) if floats and x.dtype.kind == "f" else None
        return self.xp.asarray(x.tolist() if dtype else x.copy(), dtype=dtype)

    def __str__(self) -> str:
        return self.name


NUMPY = Backend("numpy", np, (np.ndarray, np.generic), ("float16",))
STRICT = Backend("array_api_strict", array_api_strict, (type(array_api_strict.asarray(0)),))
TORCH = Backend("torch", torch, (torch.Tensor,), ("float16", "bfloat16"))
JAX = Backend("jax", jnp, (jax.Array,), ("bfloat16",))
BACKENDS = (NUMPY, STRICT, TORCH, JAX)


def to_numpy(x: Any) -> np.ndarray:
    """Give float64, or the integers, that any of them holds."""
    if isinstance(x, torch.Tensor):
        x = x.detach().to(torch.float64 if x.is_floating_point() else x.dtype)
    return np.asarray(x, dtype=np.float64)


def flat(result: Any) -> list[Any]:
    """Give the arrays of a result: one, or a named tuple of them."""
    return list(result) if isinstance(result, tuple) else [result]
