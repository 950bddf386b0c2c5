"""The native rows: cross-entropy of logits on a CPU, with its gradient in the same pass."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from plogq.jax.arguments import arithmetic
from plogq.jax.engines.row_call import NO_KERNEL, Arrays, Call, Found, computed
from plogq.jax.engines.xla_rows import (
    accuracy_of,
    labels,
    predicted,
    prepared,
    reduced,
    row_scale,
    rows_answer,
)
from plogq.jax.losses import CrossEntropy
from plogq.jax.questions import Answer, Rows
from plogq.jax.tangents import is_live, no_tangent, tangent_by_fields
from plogq.kernels.question import Statistics

Array = jax.Array
_DTYPES = ("float32", "float64", "bfloat16", "float16")


def refusal(x: Array, rows: Rows) -> str:
    """Say why the kernel cannot answer; an empty text if it can."""
    if NO_KERNEL:
        return NO_KERNEL
    loss = rows.loss
    if type(loss) is not CrossEntropy:
        return f"the kernel has no {type(loss).__name__}"
    if loss.gamma and (rows.soft or loss.label_smoothing):
        return "the kernel has no focal loss of distributions or smoothed labels"
    if x.dtype.name not in _DTYPES:
        return f"the kernel has no {x.dtype.name}"
    if not all(isinstance(size, int) for size in x.shape):
        return f"the shape {x.shape} is symbolic"
    if (backend := jax.default_backend()) != "cpu":
        return f"the kernel runs on the CPU, and JAX on {backend}"
    if jax.device_count() > 1 or not jax.sharding.get_abstract_mesh().empty:
        return "the logits may lie on several devices"
    return ""


def copies(rows: Rows) -> int:
    """Return how many arrays like the logits are kept at a time with their gradient (measured)."""
    return 3 if rows.mask is None and rows.softcap is None else 6


@partial(jax.jit, inline=True)  # what is lent to the program must be seen
def rows_answer_by_kernel(x: Array, rows: Rows) -> Answer:
    """Return what was asked of logits (…, C)."""
    if rows.mask is not None or rows.softcap is not None:
        x = prepared(x, rows, rows.softcap)
        rows = replace(rows, mask=None, softcap=None)
    elif x.dtype == jnp.float16:
        # Its gradient would be rounded, or underflow, before what it is multiplied by.
        x = x.astype(jnp.float32)
    found: Answer = _answer(x, rows)
    return found


@jax.custom_jvp
def _answer(x: Array, rows: Rows) -> Answer:
    return _finished(rows, x, _found(x, rows))


def _answer_jvp(primals: Any, tangents: Any) -> tuple[Answer, Any]:
    """Take the gradient in the logits from the kernel's pass, and any other from the formula."""
    (x, rows), (of_x, of_rows) = primals, tangents
    tangent = tangent_by_fields(partial(rows_answer, x), rows, of_rows)
    if is_live(of_x):
        found = _found(x, rows, row_scale(rows, x))
        wide = arithmetic(x)
        each = (found.gradient.astype(wide) * of_x.astype(wide)).sum(axis=-1)
        tangent = tangent + (each if rows.reduction == "none" else each.sum())
    else:
        found = _found(x, rows)
    answer = _finished(rows, x, found)
    if not rows.statistics:
        return answer, tangent
    return answer, (tangent, jax.tree.map(no_tangent, answer[1]))


_answer.defjvp(_answer_jvp, symbolic_zeros=True)


def _found(x: Array, rows: Rows, scale: Array | None = None) -> Found:
    """Return what one pass finds of logits (…, C), with their gradients times scale (…)."""
    wide, classes = arithmetic(x), x.shape[-1]
    none = jnp.zeros(0, wide)
    assert rows.target is not None
    assert isinstance(rows.loss, CrossEntropy)
    if rows.soft:
        target = rows.target.astype(wide).reshape(-1, classes)
    else:
        label, known = labels(rows, classes)
        target = jnp.where(known, label, -1).astype(jnp.int32).reshape(-1)
    found = computed(
        Call(rows.loss, rows.temperature, rows.z_loss, scale is not None, rows.statistics),
        Arrays(
            x.reshape(-1, classes),
            target,
            none if rows.weight is None else rows.weight.astype(wide),
            jnp.zeros(0, bool) if rows.keep is None else rows.keep.reshape(-1),
            none if scale is None else scale.astype(wide).reshape(-1),
        ),
    )
    shaped: Found = jax.tree.map(lambda a: a.reshape(*x.shape[:-1], *a.shape[1:]), found)
    return shaped


def _finished(rows: Rows, x: Array, found: Found) -> Answer:
    loss = reduced(rows, found.loss, x.shape[-1])
    if not rows.statistics:
        return loss
    assert rows.target is not None
    label = jnp.argmax(rows.target, axis=-1) if rows.soft else labels(rows, x.shape[-1])[0]
    argmax = predicted(found.argmax.astype(int), found.lse)  # int as `jnp.argmax` has it
    accuracy = accuracy_of(argmax, label, rows.keep)
    return loss, Statistics(found.lse, found.entropy, argmax, accuracy)
