"""The array libraries that every formula runs on, and arrays in and out of them."""

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from tests.optional import Absent, optional

array_api_strict = optional("array_api_strict")
jax = optional("jax")
jnp = optional("jax.numpy")
torch = optional("torch")

if not isinstance(jax, Absent):
    jax.config.update("jax_enable_x64", True)


@dataclass(frozen=True)
class Backend:
    name: str
    xp: ModuleType
    halves: tuple[str, ...] = ()

    def asarray(self, x: Any, floats: str | None = None) -> Any:
        """Take a NumPy array over, its floats in the dtype called `floats`."""
        x = np.asarray(x)
        dtype = getattr(self.xp, floats) if floats and x.dtype.kind == "f" else None
        return self.xp.asarray(x.tolist() if dtype else x.copy(), dtype=dtype)

    @property
    def array_types(self) -> tuple[type, ...]:
        """What its functions return."""
        array = type(self.xp.asarray(0))
        return (array, np.generic) if self.xp is np else (array,)

    def __str__(self) -> str:
        return self.name


NUMPY = Backend("numpy", np, ("float16",))
STRICT = Backend("array_api_strict", array_api_strict)
TORCH = Backend("torch", torch, ("float16", "bfloat16"))
JAX = Backend("jax", jnp, ("bfloat16",))
BACKENDS = tuple(b for b in (NUMPY, STRICT, TORCH, JAX) if not isinstance(b.xp, Absent))


def to_numpy(x: Any) -> np.ndarray:
    """Give float64, or the integers, that any of them holds."""
    if isinstance(x, TORCH.array_types if TORCH in BACKENDS else ()):
        x = x.detach().to(torch.float64 if x.is_floating_point() else x.dtype)
    return np.asarray(x, dtype=np.float64)


def flat(result: Any) -> list[Any]:
    """Give the arrays of a result: one, or a named tuple of them."""
    return list(result) if isinstance(result, tuple) else [result]
