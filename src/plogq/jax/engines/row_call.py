"""The native rows as one operation of JAX: the kernel on a CPU, the formula elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from plogq.jax.arguments import arithmetic
from plogq.jax.engines.kernel_lowering import lower_to_kernel, register
from plogq.jax.engines.xla_rows import each_row
from plogq.jax.losses import CrossEntropy
from plogq.jax.questions import Rows

Array = jax.Array


class Call(NamedTuple):
    """What is computed of rows of logits.

    Attributes
    ----------
    loss, temperature, z_loss
        As `Rows` has them.
    gradient, statistics
        Whether they are wanted beside the losses.
    """

    loss: CrossEntropy
    temperature: float
    z_loss: float
    gradient: bool
    statistics: bool


class Arrays(NamedTuple):
    """The arrays of a call; one of no elements stands for one that is not there.

    Attributes
    ----------
    x
        (N, C) logits.
    target
        (N,) int32 class indices, −1 for what is no class; or (N, C) distributions.
    weight
        (C,) by class, in the dtype of arithmetic, as distributions and the scale are.
    keep
        (N,) bool: a row that is False has loss 0 and gradient 0.
    scale
        (N,) the factor of each row's gradient.
    """

    x: Array
    target: Array
    weight: Array
    keep: Array
    scale: Array


class Found(NamedTuple):
    """The results of a call: losses (N,), their gradient (N, C) and the statistics of rows (N,)."""

    loss: Array
    gradient: Any
    lse: Any
    entropy: Any
    argmax: Any


def computed(call: Call, arrays: Arrays) -> Found:
    """Return the losses, and what else is wanted, from one pass of the kernel."""
    loss, *others = _rows.bind(*arrays, call=call)
    gradient = others.pop(0) if call.gradient else None
    return Found(loss, gradient, *(others or (None, None, None)))


def _by_formula(*arrays: Array, call: Call) -> list[Array]:
    """Return what the kernel does, in JAX's operations."""
    x, target, weights, kept, scale = arrays
    weight, keep = (a if a.size else None for a in (weights, kept))
    rows = Rows(
        call.loss, target, target.ndim > 1, None, keep, weight, None, None,
        call.temperature, call.z_loss, None, "none", None, call.statistics,
    )  # fmt: skip

    def losses(x: Array) -> tuple[Array, Any]:
        loss, _, statistics = each_row(x, rows)
        return loss if keep is None else jnp.where(keep, loss, 0.0), statistics

    loss, back, statistics = jax.vjp(losses, x, has_aux=True)
    found = [loss, *(back(scale) if call.gradient else ())]
    if statistics is None:
        return found
    lse, entropy, argmax, _ = statistics
    return [*found, lse, entropy, argmax.astype(jnp.int32)]


def _shapes(x: Any, *_: Any, call: Call) -> tuple[Any, ...]:
    """Return the shapes and dtypes of the results."""
    row = jax.core.ShapedArray(x.shape[:1], arithmetic(x))
    gradient = (jax.core.ShapedArray(x.shape, x.dtype),) if call.gradient else ()
    index = jax.core.ShapedArray(x.shape[:1], jnp.int32)
    return (row, *gradient, *((row, row, index) if call.statistics else ()))


def _batched(arrays: Any, axes: Any, *, call: Call) -> tuple[list[Array], list[int]]:
    """Compute the rows of all members of a batch as the rows of one matrix."""
    size = next(a.shape[i] for a, i in zip(arrays, axes, strict=True) if i is not None)
    each = Arrays(
        *(
            jnp.broadcast_to(a, (size, *a.shape)) if i is None else jnp.moveaxis(a, i, 0)
            for a, i in zip(arrays, axes, strict=True)
        )
    )
    weight = Arrays(*arrays).weight
    if Arrays(*axes).weight is None:
        flat = (a.reshape(-1, *a.shape[2:]) for a in each)
        found = _rows.bind(*Arrays(*flat)._replace(weight=weight), call=call)
        found = [a.reshape(size, -1, *a.shape[1:]) for a in found]
    else:  # each member has class weights of its own
        found = jax.lax.map(lambda one: _rows.bind(*one, call=call), each)
    return found, [0] * len(found)


def _derived(
    primals: Sequence[Any], tangents: Sequence[Any], *, call: Call
) -> tuple[list[Array], list[Any]]:
    """Derive the formula: a gradient's own derivatives are seldom asked for."""
    live = {i: t for i, t in enumerate(tangents) if type(t) is not ad.Zero}

    def of_live(*values: Array) -> list[Array]:
        given = dict(enumerate(primals)) | dict(zip(live, values, strict=True))
        return _by_formula(*given.values(), call=call)

    found, dots = jax.jvp(of_live, [primals[i] for i in live], list(live.values()))
    return found, dots


_rows: Any = Primitive("plogq_rows")
_rows.multiple_results = True
_rows.def_abstract_eval(_shapes)
_rows.def_impl(jax.jit(_rows.bind, static_argnames="call"))
batching.primitive_batchers[_rows] = _batched
ad.primitive_jvps[_rows] = _derived


def _lower(ctx: Any, *arrays: Any, call: Call) -> Any:
    """Call the kernel on a CPU.

    A program that is exported may run where there is no kernel: it calls one only where the caller
    lets no other engine answer.
    """
    from plogq.jax.engines import ENGINES  # which knows this engine: it cannot be there before

    module = ctx.module_context
    exported = module.lowering_parameters.for_export and not ENGINES.forced("native")
    if tuple(module.platforms) != ("cpu",) or exported:
        formula = partial(_by_formula, call=call)
        return mlir.lower_fun(formula, multiple_results=True)(ctx, *arrays)
    options = {name: float(value) for name, value in vars(call.loss).items()}  # XLA checks names
    return lower_to_kernel(
        ctx, *arrays, in_place=call.gradient,
        **options, temperature=call.temperature, z_loss=call.z_loss,
        with_gradient=call.gradient, with_statistics=call.statistics,
    )  # fmt: skip


NO_KERNEL = register(_rows, _lower)
