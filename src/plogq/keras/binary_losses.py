"""Losses of yes-or-no predictions, by Keras's names: the mean along `axis`, in nats."""

from __future__ import annotations

from typing import Any

from keras import ops

from plogq.errors import refuse
from plogq.formulas.binary_core import smoothed
from plogq.keras import probabilities
from plogq.keras.arguments import (
    DEVICE,
    Found,
    Rows,
    Tensor,
    arithmetic,
    as_exponent,
    as_floats,
    as_mask,
    as_share,
    as_tensor,
    both,
    by_row,
    check_elements,
    check_eps,
    fits,
    sizes,
)
from plogq.keras.namespace import xp


@by_row
def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    *,
    mask: Any = None,
    eps: float = 0.0,
) -> Found:
    """−t log p − (1 − t) log(1 − p), the mean along `axis`, in nats.

    Parameters
    ----------
    y_true
        t in [0, 1], in the shape of `y_pred`, whose last axis of size 1 it may lack.
    y_pred : any shape
        Probabilities p, or logits z with p = σ(z).
    from_logits
        Whether these are logits, from which the loss is exact.
    label_smoothing
        ε in [0, 1]: t becomes (1 − ε) t + ε/2.
    axis
        Of the mean.
    mask
        bool, in the shape of `y_pred`, or in that of the loss: what is False is left out, and is
        not counted by the mean.
    eps
        A floor of given probabilities, and of 1 − p, named by the caller. With 0, p = 0 for a
        positive costs inf.

    Returns
    -------
    Tensor
        In the shape of `y_pred` without `axis`, float32 or float64.

    Raises
    ------
    ValueError, TypeError
        A target or a probability outside [0, 1], with its place; shapes that differ. While
        TensorFlow or JAX traces, the loss of such an element is NaN.

    Notes
    -----
    Differs from Keras: nothing is clipped; p = 1e-9 for a positive costs 20.72, and not 16.12.

    Examples
    --------
    >>> import numpy as np
    >>> loss = binary_crossentropy(np.array([[1.0]]), np.array([[1e-9]], "float32"))
    >>> print(f"{float(loss[0]):.2f}")
    20.72
    """
    return _loss(y_true, y_pred, from_logits, label_smoothing, axis, 0.0, None, mask, eps)


@by_row
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
    *,
    mask: Any = None,
    eps: float = 0.0,
) -> Found:
    """α t (1 − p)^γ (−log p) + (1 − α)(1 − t) p^γ (−log(1 − p)), the mean along `axis`.

    Parameters
    ----------
    y_true, y_pred, from_logits, label_smoothing, axis, mask, eps
        As `binary_crossentropy` has them.
    apply_class_balancing
        Whether α counts; without it both classes weigh 1.
    alpha
        α in [0, 1].
    gamma
        γ ≥ 0.

    Notes
    -----
    Differs from Keras: of a t between 0 and 1 it is the mean over its labels, where Keras weighs
    the whole cross-entropy once.

    Examples
    --------
    >>> import numpy as np
    >>> loss = binary_focal_crossentropy(np.array([[1.0]]), np.array([[0.9]]))
    >>> print(f"{float(loss[0]):.6f}")
    0.001054
    """
    gamma, alpha = as_exponent("gamma", gamma), as_share("alpha", alpha)
    balance = alpha if apply_class_balancing else None
    return _loss(y_true, y_pred, from_logits, label_smoothing, axis, gamma, balance, mask, eps)


def _loss(
    y_true: Any,
    y_pred: Any,
    from_logits: bool,
    label_smoothing: float,
    axis: int,
    gamma: float,
    alpha: float | None,
    mask: Any,
    eps: float,
) -> Found:
    label_smoothing = as_share("label_smoothing", label_smoothing)
    eps = check_eps(eps, from_logits)
    z, t = as_floats("y_pred", y_pred), as_tensor("y_true", y_true)
    shape = sizes(z)
    if not -len(shape) <= axis < len(shape):
        refuse("y_pred", f"have an axis {axis}", f"shape {shape}")
    if len(sizes(t)) == len(shape) - 1 and shape[-1] == 1:
        t = t[..., None]
    if not fits(sizes(t), shape):
        refuse("y_true", f"have the shape of y_pred {shape}", sizes(t))
    keep, wide = _kept(mask, z, axis), arithmetic(z)
    t = ops.cast(t, wide)
    sound = check_elements("y_true", t, keep)
    t = smoothed(t, label_smoothing)
    if from_logits:
        losses = DEVICE.binary_loss(z, t, keep, gamma, alpha)
    else:
        p = ops.cast(z, wide)
        sound = both(sound, check_elements("y_pred", p, keep, probabilities.LOGITS))
        if keep is not None:
            p, t = xp.where(keep, p, 0.5), xp.where(keep, t, 0.5)
        losses = probabilities.binary_loss(p, t, gamma, alpha, eps)
        losses = losses if keep is None else xp.where(keep, losses, 0.0)
    losses = Rows(z, t, keep, sound).sounded(losses)
    # Not ops.mean, which on PyTorch is in float32.
    each = ops.ones_like(losses) if keep is None else ops.cast(keep, losses.dtype)
    counted = ops.sum(each, axis=axis)
    mean = ops.sum(losses, axis=axis) / ops.maximum(counted, 1.0)
    return Found(mean, None if keep is None else counted > 0)


def _kept(mask: Any, z: Tensor, axis: int) -> Tensor | None:
    """Return which elements count, like the predictions; None for all."""
    if mask is None:
        return None
    keep, shape = as_mask("mask", mask), sizes(z)
    rows = tuple(size for i, size in enumerate(shape) if i != axis % len(shape))
    if fits(sizes(keep), rows):
        keep = ops.expand_dims(keep, axis)
    elif not fits(sizes(keep), shape):
        refuse("mask", f"have the shape of y_pred {shape}, or of the loss {rows}", sizes(keep))
    return ops.broadcast_to(keep, ops.shape(z))
