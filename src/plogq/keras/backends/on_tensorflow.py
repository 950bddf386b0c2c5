"""On TensorFlow: the cores of `plogq.formulas`, with the gradients that are written there.

XLA compiles them, and computes some rows at a time: beside the logits there is only the gradient in
memory.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NoReturn

import tensorflow as tf

from plogq.formulas import binary_core, label_core, softmax_core
from plogq.formulas.softmax_state import Softmax, softmax_parts
from plogq.formulas.terms import times
from plogq.keras.namespace import xp

Tensor = Any  # of TensorFlow, which has no static types
Formula = Callable[..., Tensor]
_PIECE = 2**20  # elements of the logits at a time


def softmax_loss(
    x: Tensor,
    target: Tensor,
    keep: Tensor | None,
    weight: Tensor | None,
    label_smoothing: float,
    gamma: float,
) -> Tensor:
    """Return cross-entropy, or the focal loss, of each row of logits (…, C)."""
    plain = target.shape.rank < x.shape.rank and not label_smoothing and not gamma
    formula = _of_labels() if plain else _cross_entropy(label_smoothing, gamma)
    return _of_rows(formula, x, keep, _like(weight, _wide(x)), target)


def distillation_loss(
    x: Tensor,
    teacher: Tensor,
    target: Tensor | None,
    keep: Tensor | None,
    temperature: float,
    alpha: float,
) -> Tensor:
    """Return the distillation loss of each row of logits (…, C)."""
    if keep is not None:
        teacher = tf.where(keep[..., None], teacher, tf.zeros_like(teacher))
    teacher = tf.stop_gradient(_like(teacher, _wide(x)))
    return _of_rows(_distillation(temperature, alpha), x, keep, None, teacher, target)


def binary_loss(
    z: Tensor, target: Tensor, keep: Tensor | None, gamma: float, alpha: float | None
) -> Tensor:
    """Return binary cross-entropy, or the focal loss, of each logit."""
    z = _wide(z)
    target = _like(target, z)
    if keep is not None:
        target = tf.where(keep, target, tf.zeros_like(target))
    if keep is None:
        return _binary(gamma, alpha)(z, target)
    losses = _binary(gamma, alpha)(tf.where(keep, z, tf.zeros_like(z)), target)
    return tf.where(keep, losses, tf.zeros_like(losses))


def is_known(x: Tensor) -> bool:
    """Tell whether the values of a tensor can be looked at."""
    return hasattr(x, "numpy")


def replicas() -> int:
    """Return how many replicas share a batch."""
    count: int = tf.distribute.get_strategy().num_replicas_in_sync
    return count


def _of_rows(
    formula: Formula,
    x: Tensor,
    keep: Tensor | None,
    weight: Tensor | None,
    *by_row: Tensor | None,
) -> Tensor:
    """Return the losses of rows: 0, with the gradient 0, for a row that is left out."""
    shape, classes = tf.shape(x)[:-1], x.shape[-1]
    flat = [
        y if y is None else tf.reshape(y, (-1, *[classes] * (len(y.shape) == len(x.shape))))
        for y in (_wide(x), keep, *by_row)
    ]
    return tf.reshape(formula(*flat, weight), shape)


def _with_gradient(value: Formula, gradient: Formula) -> Formula:
    """Return a formula of x and others with the gradient that is written for x."""
    values, gradients = (tf.function(f, jit_compile=True) for f in (value, gradient))

    def formula(x: Tensor, *others: Tensor | None) -> Tensor:
        # What is compiled is not to be derived: the gradient is written.
        given = [y if y is None else tf.stop_gradient(y) for y in others]

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def slope(upstream: Tensor, x: Tensor) -> Any:
            found = gradients(tf.stop_gradient(x), tf.stop_gradient(upstream), *given)
            return found, _no_second_derivative

        @tf.custom_gradient  # type: ignore[untyped-decorator]
        def of_x(x: Tensor) -> Any:
            return values(tf.stop_gradient(x), *given), lambda upstream: slope(upstream, x)

        return of_x(x)

    return formula


def _no_second_derivative(_: Tensor) -> NoReturn:
    raise NotImplementedError(
        "plogq.keras has no second derivatives on TensorFlow; the backends jax and torch have them"
    )


def _with_row_gradient(value: Formula, gradient: Formula) -> Formula:
    """Return a formula of rows x (R, C), of others by row, and of class weights, in pieces."""

    def values(x: Tensor, keep: Tensor | None, *others: Tensor | None) -> Tensor:
        return _in_pieces(value, tf.zeros_like(x[:, 0]), keep, x, *others)

    def gradients(x: Tensor, upstream: Tensor, keep: Tensor | None, *others: Any) -> Tensor:
        return _in_pieces(gradient, tf.zeros_like(x), keep, x, upstream, *others)

    return _with_gradient(values, gradients)


def _in_pieces(
    formula: Formula, found: Tensor, keep: Tensor | None, x: Tensor, *given: Tensor | None
) -> Tensor:
    """Write what the formula gives of some rows at a time into `found`; 0 for what is left out.

    The last piece begins so early that it is as long as the others.
    """
    *by_row, weight = given
    count = tf.shape(x)[0]
    size = tf.minimum(max(_PIECE // x.shape[-1], 1), count)
    pieces = (count + size - 1) // tf.maximum(size, 1)

    def next_piece(i: Tensor, found: Tensor) -> tuple[Tensor, Tensor]:
        first = tf.minimum(i * size, count - size)
        some, *piece = (y if y is None else _slice(y, first, size) for y in (keep, x, *by_row))
        piece[0] = _where(some, piece[0])
        part = _where(some, formula(*piece, weight))
        rows = first + tf.range(size)[:, None]
        return i + 1, tf.tensor_scatter_nd_update(found, rows, part)

    start = (0, found)
    return tf.while_loop(lambda i, _: i < pieces, next_piece, start, maximum_iterations=pieces)[1]


def _where(keep: Tensor | None, x: Tensor) -> Tensor:
    if keep is None:
        return x
    return tf.where(keep if x.shape.rank == 1 else keep[:, None], x, tf.zeros_like(x))


def _slice(x: Tensor, start: Tensor, size: Tensor) -> Tensor:
    rest = x.shape[1:].as_list()
    return tf.slice(x, [start, *[0] * len(rest)], [size, *rest])


@cache
def _of_labels() -> Formula:
    def value(x: Tensor, label: Tensor, weight: Tensor | None) -> Tensor:
        parts, _, share = of_rows(x, label, weight)
        return times(xp, share, label_core.surprisal(xp, parts))

    def gradient(x: Tensor, upstream: Tensor, label: Tensor, weight: Tensor | None) -> Tensor:
        parts, is_label, share = of_rows(x, label, weight)
        slope, at_label = label_core.gradient(xp, parts, upstream * share, 0.0)
        return tf.where(is_label, at_label[:, None], slope)

    def of_rows(x: Tensor, label: Tensor, weight: Tensor | None) -> Any:
        parts = label_core.label_parts(xp, x, tf.gather(x, label, batch_dims=1))
        is_label = tf.range(x.shape[-1], dtype=label.dtype) == label[:, None]
        share = tf.ones_like(parts.rest) if weight is None else tf.gather(weight, label)
        return parts, is_label, share

    return _with_row_gradient(value, gradient)


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

    return _with_row_gradient(value, gradient)


@cache
def _distillation(temperature: float, alpha: float) -> Formula:
    cost = softmax_core.class_costs
    square = temperature**2

    def value(x: Tensor, teacher: Tensor, target: Tensor | None, _: None) -> Tensor:
        truth, model = _parts(teacher, temperature), _parts(x, temperature)
        soft = square * softmax_core.kl_divergence(xp, teacher, x, truth, model, temperature)
        if target is None or alpha == 1:
            return soft
        u = _shares(x, target, None, 0.0)
        hard = xp.sum(times(xp, u, cost(xp, _parts(x))), axis=-1)
        return alpha * soft + (1 - alpha) * hard

    def gradient(
        x: Tensor, upstream: Tensor, teacher: Tensor, target: Tensor | None, _: None
    ) -> Tensor:
        given = teacher, x, _parts(teacher, temperature), _parts(x, temperature)
        soft = temperature * softmax_core.kl_divergence_gradient(xp, *given, temperature)
        upstream = upstream[..., None]
        if target is None or alpha == 1:
            return upstream * soft
        hard = softmax_core.softmax_gradient(xp, _parts(x), _shares(x, target, None, 0.0))
        return upstream * (alpha * soft + (1 - alpha) * hard)

    return _with_row_gradient(value, gradient)


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
