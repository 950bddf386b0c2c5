"""A formula with the gradient that is written beside it.

The gradient g comes as a tangent, Σ g · ẋ, which JAX transposes for reverse mode and derives again
for second derivatives.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

Array = jax.Array


def is_live(tangent: Any) -> bool:
    """Tell whether a tangent is an array, and not zero by construction."""
    return isinstance(tangent, (jax.Array, np.ndarray)) and tangent.dtype != jax.dtypes.float0


def no_tangent(a: Array) -> Any:
    """Return the tangent, zero, of what has no derivative."""
    if jnp.issubdtype(a.dtype, jnp.floating):
        return jnp.zeros_like(a)
    return np.zeros(a.shape, jax.dtypes.float0)


class Formula(Protocol):
    """A function of arrays (or None for one that is not there), hashed by its numbers."""

    def value(self, x: Array, *others: Array | None) -> Array:
        """Return the values: one for each element of x, or for each row of it."""

    def gradient(self, x: Array, *others: Array | None) -> Array | None:
        """Return the gradient with respect to x, like x; None where JAX derives the values."""


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def evaluate(formula: Formula, x: Array, *others: Array | None) -> Array:
    """Return the formula's values."""
    return formula.value(x, *others)


def _evaluate_jvp(formula: Formula, primals: Any, tangents: Any) -> tuple[Array, Array]:
    value = evaluate(formula, *primals)
    # A tangent that is zero by construction is left out: 0 · inf would make NaN of its part.
    live = [i for i, dot in enumerate(tangents) if is_live(dot)]
    tangent = jnp.zeros_like(value)
    gradient = formula.gradient(*primals) if 0 in live else None
    if gradient is not None:
        live.remove(0)
        product = gradient * tangents[0]
        tangent = product.sum(axis=-1) if product.ndim > value.ndim else product

    def of_live(*arrays: Array) -> Array:
        full = list(primals)
        for i, array in zip(live, arrays, strict=True):
            full[i] = array
        return formula.value(*full)

    if live:
        dots = [tangents[i] for i in live]
        tangent = tangent + jax.jvp(of_live, [primals[i] for i in live], dots)[1]
    return value, tangent


evaluate.defjvp(_evaluate_jvp, symbolic_zeros=True)
