"""A formula with the gradient that is written beside it.

The gradient g comes as a tangent, Σ g · ẋ, which JAX transposes for reverse mode and derives again
for second derivatives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
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


def tangent_by(function: Callable[..., Any], primals: Any, tangents: Any) -> Any:
    """Return the tangent of a function by JAX's derivative, and 0.0 where no argument has any.

    A tangent that is zero by construction is left out: 0 · inf would make NaN of its part.
    """
    live = [i for i, dot in enumerate(tangents) if is_live(dot)]
    if not live:
        return 0.0

    def of_live(*arrays: Array) -> Any:
        full = list(primals)
        for i, array in zip(live, arrays, strict=True):
            full[i] = array
        return function(*full)

    return jax.jvp(of_live, [primals[i] for i in live], [tangents[i] for i in live])[1]


def tangent_by_fields(answer: Callable[[Any], Any], question: Any, tangents: Any) -> Any:
    """Return the tangent of the answer to a question by its arrays, without its statistics."""
    names = [field.name for field in fields(question)]

    def of_fields(*values: Any) -> Any:
        given = dict(zip(names, values, strict=True)) | {"statistics": False}
        return answer(replace(question, **given))

    values, dots = ([getattr(each, name) for name in names] for each in (question, tangents))
    return tangent_by(of_fields, values, dots)


def _evaluate_jvp(formula: Formula, primals: Any, tangents: Any) -> tuple[Array, Array]:
    value = evaluate(formula, *primals)
    of_x, *others = tangents
    tangent = jnp.zeros_like(value)
    gradient = formula.gradient(*primals) if is_live(of_x) else None
    if gradient is not None:
        product = gradient * of_x
        tangent = product.sum(axis=-1) if product.ndim > value.ndim else product
        of_x = None
    return value, tangent + tangent_by(formula.value, primals, (of_x, *others))


evaluate.defjvp(_evaluate_jvp, symbolic_zeros=True)
