"""On JAX: the losses of `plogq.jax`, with its engines."""

from __future__ import annotations

import jax

import plogq.jax as pj

Array = jax.Array


def softmax_loss(
    x: Array,
    target: Array,
    keep: Array | None,
    weight: Array | None,
    label_smoothing: float,
    gamma: float,
) -> Array:
    """Return cross-entropy, or the focal loss, of each row of logits (…, C)."""
    loss: Array = pj.cross_entropy(
        x, target, where=keep, weight=weight, label_smoothing=label_smoothing, gamma=gamma,
        validate=False,
    )  # fmt: skip
    return loss


def distillation_loss(
    x: Array,
    teacher: Array,
    target: Array | None,
    keep: Array | None,
    temperature: float,
    alpha: float,
) -> Array:
    """Return the distillation loss of each row of logits (…, C)."""
    loss: Array = pj.distillation_loss(
        x, teacher, target, where=keep, temperature=temperature, alpha=alpha, validate=False
    )
    return loss


def binary_loss(
    z: Array, target: Array, keep: Array | None, gamma: float, alpha: float | None
) -> Array:
    """Return binary cross-entropy, or the focal loss, of each logit."""
    if gamma or alpha is not None:
        return pj.binary_focal_loss(z, target, gamma, alpha, keep, validate=False)
    return pj.sigmoid_binary_cross_entropy(z, target, keep, validate=False)


def is_known(x: Array) -> bool:
    """Tell whether the values of an array can be looked at."""
    return not isinstance(x, jax.core.Tracer) and x.is_fully_addressable


def replicas() -> int:
    """Return how many replicas share a batch."""
    return 1
