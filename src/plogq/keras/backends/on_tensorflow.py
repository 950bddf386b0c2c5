"""On TensorFlow: the cores of `plogq.formulas`, with the gradients that are written there.

XLA compiles a value and a gradient into a few passes, so that what lies between the logits and the
gradient is never in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import tensorflow as tf

from plogq.formulas import binary_core, softmax_core
from plogq.formulas.softmax_state import Softmax, softmax_parts
from plogq.formulas.terms import times
from plogq.keras.namespace import xp

Tensor = Any  # of TensorFlow, which has no static types
Formula = Callable[..., Tensor]


def softmax_loss(
    x: Tensor,
    target: Tensor,
    keep: Tensor | None,
    weight: Tensor | None,
    label_smoothing: float,
    gamma: float,
) -> Tensor:
    """Return cross-entropy, or the focal loss, of each row of logits (…, C)."""
    x = _wide(x)
    return _kept(_cross_entropy(label_smoothing, gamma), x, keep, target, _like(weight, x))


def distillation_loss(
    x: Tensor,
    teacher: Tensor,
    target: Tensor | None,
    keep: Tensor | None,
    temperature: float,
    alpha: float,
) -> Tensor:
    """Return the distillation loss of each row of logits (…, C)."""
    x = _wide(x)
    teacher = tf.stop_gradient(tf.cast(teacher, x.dtype))
    if keep is not None:
        teacher = tf.where(keep[..., None], teacher, tf.zeros_like(teacher))
    return _kept(_distillation(temperature, alpha), x, keep, teacher, target)


def binary_loss(
    z: Tensor, target: Tensor, keep: Tensor | None, gamma: float, alpha: float | None
) -> Tensor:
    """Return binary cross-entropy, or the focal loss, of each logit."""
    z = _wide(z)
    target = _like(target, z)
    if keep is not None:
        target = tf.where(keep, target, tf.zeros_like(target))
    return _kept(_binary(gamma, alpha), z, keep, target)


def is_known(x: Tensor) -> bool:
    """Tell whether the values of a tensor can be looked at."""
    return hasattr(x, "numpy")


def replicas() -> int:
    """Return how many replicas share a batch."""
    count: int = tf.distribute.get_strategy().num_replicas_in_sync
    return count


def _kept(formula: Formula, x: Tensor, keep: Tensor | None, *others: Tensor | None) -> Tensor:
    """Return the losses of a formula: 0, with the gradient 0, for what is left out."""
    if keep is None:
        return formula(x, *others)
    by_element = keep if keep.shape.rank == x.shape.rank else keep[..., None]
    loss = formula(tf.where(by_element, x, tf.zeros_like(x)), *others)
    return tf.where(keep, loss, tf.zeros_like(loss))


def _with_gradient(value: Formula, gradient: Formula) -> Formula:
    """Return a formula of x and others with the gradient that is written for x."""
    value, gradient = (tf.function(f, jit_compile=True) for f in (value, gradient))

    def formula(x: Tensor, *others: Tensor | None) -> Tensor:
        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def of_x(x: Tensor) -> Any:
            return value(x, *others), lambda upstream: gradient(x, upstream, *others)

        return of_x(x)

    return formula


@cache
def _cross_entropy(label_smoothing: float, gamma: float) -> Formula:
    def value(x: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        u = _shares(x, target, weight, label_smoothing)
        return xp.sum(times(xp, u, softmax_core.class_costs(xp, _parts(x), gamma)), axis=-1)

    def gradient(x: Tensor, upstream: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
        v, parts = _shares(x, target, weight, label_smoothing), _parts(x)
        if gamma:
            v = v * softmax_core.class_slopes(xp, parts, gamma)
        return upstream[..., None] * softmax_core.softmax_gradient(xp, parts, v)

    return _with_gradient(value, gradient)


@cache
def _distillation(temperature: float, alpha: float) -> Formula:
    cost = softmax_core.class_costs
    square = temperature**2

    def value(x: Tensor, teacher: Tensor, target: Tensor | None) -> Tensor:
        truth, model = _parts(teacher, temperature), _parts(x, temperature)
        soft = square * softmax_core.kl_divergence(xp, teacher, x, truth, model, temperature)
        if target is None or alpha == 1:
            return soft
        u = _shares(x, target, None, 0.0)
        hard = xp.sum(times(xp, u, cost(xp, _parts(x))), axis=-1)
        return alpha * soft + (1 - alpha) * hard

    def gradient(x: Tensor, upstream: Tensor, teacher: Tensor, target: Tensor | None) -> Tensor:
        given = teacher, x, _parts(teacher, temperature), _parts(x, temperature)
        soft = temperature * softmax_core.kl_divergence_gradient(xp, *given, temperature)
        upstream = upstream[..., None]
        if target is None or alpha == 1:
            return upstream * soft
        hard = softmax_core.softmax_gradient(xp, _parts(x), _shares(x, target, None, 0.0))
        return upstream * (alpha * soft + (1 - alpha) * hard)

    return _with_gradient(value, gradient)


@cache
def _binary(gamma: float, alpha: float | None) -> Formula:
    def value(z: Tensor, t: Tensor) -> Tensor:
        if gamma or alpha is not None:
            return binary_core.focal(xp, z, t, gamma, alpha)
        return binary_core.cross_entropy(xp, z, t)

    def gradient(z: Tensor, upstream: Tensor, t: Tensor) -> Tensor:
        if gamma or alpha is not None:
            return upstream * binary_core.focal_gradient(xp, z, t, gamma, alpha)
        return upstream * binary_core.cross_entropy_gradient(xp, z, t)

    return _with_gradient(value, gradient)


def _parts(x: Tensor, temperature: float = 1.0) -> Softmax:
    position = tf.range(x.shape[-1], dtype=tf.int32)
    first = tf.argmax(x, axis=-1, output_type=tf.int32)
    return softmax_parts(xp, x, temperature, is_top=position == first[..., None])


def _shares(x: Tensor, target: Tensor, weight: Tensor | None, label_smoothing: float) -> Tensor:
    """Return what each class counts, (…, C), of class indices (…) or distributions (…, C)."""
    if target.shape.rank < x.shape.rank:
        target = tf.range(x.shape[-1], dtype=target.dtype) == target[..., None]
    shares = softmax_core.smoothed(xp, tf.cast(target, x.dtype), x, label_smoothing)
    return shares if weight is None else weight * shares


def _wide(x: Tensor) -> Tensor:
    """Return x in the dtype of arithmetic: half precisions are summed in float32."""
    return x if x.dtype == tf.float64 else tf.cast(x, tf.float32)


def _like(given: Tensor | None, x: Tensor) -> Tensor | None:
    return None if given is None else tf.cast(given, x.dtype)
