"""The path of every softmax loss: arguments to a question, which an engine answers."""

from __future__ import annotations

from typing import Any, Unpack

import jax
import jax.numpy as jnp

from plogq.errors import refuse
from plogq.formulas.arrays import sum_tolerance
from plogq.formulas.distributions import check_distribution
from plogq.jax.arguments import (
    Array,
    ArrayLike,
    Axis,
    Validate,
    arithmetic,
    as_floats,
    as_real,
    check_labels,
    check_validate,
    classes_last,
    debug,
    denominator_of,
    masks,
    shape_of,
    target_of,
)
from plogq.jax.engines import ENGINES
from plogq.jax.losses import RowLoss
from plogq.jax.options import TemperedOptions
from plogq.jax.questions import Answer, Rows
from plogq.kernels.arguments import check_softcap
from plogq.kernels.question import Options, check_options


def softmax_loss(
    loss: RowLoss,
    logits: ArrayLike,
    target: ArrayLike | None,
    weight: ArrayLike | None,
    other: Array | None,
    axis: Axis,
    where: ArrayLike | None,
    /,
    **options: Unpack[TemperedOptions],
) -> Answer:
    """Return the loss, or (loss, Statistics); `TemperedOptions` says what the keywords mean."""
    given = as_floats("logits", logits)
    x = classes_last("logits", given, axis)
    rows = asked(loss, given, target, weight, other, axis, where, **options)
    answer: Answer = ENGINES.choose(x, rows).answer(x, rows)
    return answer


def asked(
    loss: RowLoss,
    logits: Array | jax.ShapeDtypeStruct,
    target: ArrayLike | None,
    weight: ArrayLike | None,
    other: Array | None,
    axis: Axis,
    where: ArrayLike | None,
    /,
    *,
    temperature: float = 1.0,
    z_loss: float = 0.0,
    softcap: float | None = None,
    row_weight: ArrayLike | None = None,
    reduction: str = "none",
    denominator: ArrayLike | None = None,
    return_stats: bool = False,
    validate: Validate = True,
) -> Rows:
    """Return what is asked of rows of logits, of which the shape and dtype are enough."""
    check_options(Options(temperature=temperature, z_loss=z_loss))
    if softcap is not None:
        check_softcap(softcap)
    divisor = denominator_of(denominator, reduction)
    shape, classes = shape_of("logits", logits, axis)
    mask, keep = masks(where, logits, axis)
    soft = False
    if target is not None:
        target, soft = target_of(target, logits, axis)
        if not soft:
            check_labels(target, classes, keep, validate)
        elif check_validate(validate):
            target = _checked(target, arithmetic(logits), keep, validate)
    return Rows(
        loss, target, soft, mask, keep,
        _shaped("weight", weight, (classes,)),
        None if other is None else classes_last("logits", other, axis),
        _shaped("row_weight", row_weight, shape),
        float(temperature), float(z_loss), None if softcap is None else float(softcap),
        reduction, divisor, return_stats,
    )  # fmt: skip


def _checked(given: Array, dtype: Any, keep: Array | None, validate: Validate) -> Array:
    """Return distributions (…, C) in the dtype of arithmetic, checked; NaN for a row at fault."""
    target: Array = given.astype(dtype)
    tolerance = sum_tolerance(jnp, given, target)
    if keep is not None:
        target = jnp.where(keep[..., None], target, 1 / target.shape[-1])
    checked: Array = check_distribution(jnp, target, "target", tolerance)
    debug(jnp.isnan(checked), "target must be distributions along its class axis", validate)
    return checked


def _shaped(name: str, given: ArrayLike | None, shape: tuple[int, ...]) -> Array | None:
    if given is None:
        return None
    x = as_real(name, given)
    if x.shape != shape:
        refuse(name, f"have shape {shape}", x.shape)
    return x
