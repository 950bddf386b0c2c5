"""Reductions by Keras's names: what is left out neither adds to a mean nor is counted by it."""

from __future__ import annotations

from typing import Any

from keras import ops
from keras.src.backend import get_keras_mask  # on JAX a mask is no attribute, and this finds it

from plogq.errors import refuse
from plogq.formulas.terms import times
from plogq.keras.arguments import DEVICE, Found, Tensor, as_tensor, fits, sizes
from plogq.keras.namespace import xp

BY_COUNT = ("sum_over_batch_size", "mean")
BY_WEIGHT = "mean_with_sample_weight"
NAMES = (*BY_COUNT, BY_WEIGHT, "sum", "none", None)


def check_reduction(reduction: Any) -> Any:
    """Refuse a reduction that Keras has not."""
    if reduction not in NAMES:
        refuse("reduction", f"be one of {', '.join(map(repr, NAMES))}", repr(reduction))
    return reduction


def weights_of(given: Any, losses: Tensor) -> Tensor:
    """Return the weight of each loss; weights by sample count for all that its axes hold.

    Keras aligns shapes by their last axes, so that weights (N,) of losses (N, N) meet the wrong
    ones; these are aligned by their first.
    """
    weight = ops.cast(as_tensor("sample_weight", given), losses.dtype)
    shape, found = sizes(losses), sizes(weight)
    if len(found) == len(shape) + 1 and found[-1] == 1:
        weight, found = weight[..., 0], found[:-1]
    padded = (*found, *[1] * (len(shape) - len(found)))
    one = tuple(1 if size == 1 else wanted for size, wanted in zip(padded, shape, strict=False))
    if not fits(padded, one) or len(padded) != len(shape):
        refuse("sample_weight", f"fit the losses {shape}, from their first axis on", found)
    if len(padded) > len(found):
        weight = ops.reshape(weight, (*ops.shape(weight), *padded[len(found) :]))
    return ops.broadcast_to(weight, ops.shape(losses))


def finished(found: Found, weight: Any, reduction: str | None) -> Tensor:
    """Return losses as they were asked for.

    Parameters
    ----------
    found
        The losses of rows.
    weight
        As `weights_of` takes them; None for 1.
    reduction
        "sum_over_batch_size" and "mean" divide Σ weight · loss by the number of rows that count;
        "mean_with_sample_weight" by Σ weight · counts; 0 divides as 1, since nothing is left.
    """
    losses, keep, counts = found
    given = None if weight is None else weights_of(weight, losses)
    if given is not None:
        # What has no weight has no say, even where its loss is infinite.
        losses = times(xp, given, losses)
        if keep is not None:
            losses = xp.where(keep, losses, 0.0)
    if reduction in (None, "none"):
        return losses
    total = ops.sum(losses)
    if reduction == "sum":
        return total
    each = ops.ones_like(losses)
    if reduction == BY_WEIGHT:
        each = each if given is None else given
        each = each if counts is None else each * ops.cast(counts, each.dtype)
    divisor = ops.sum(each if keep is None else xp.where(keep, each, 0.0))
    mean = total / xp.where(divisor == 0, 1.0, divisor)
    return mean / DEVICE.replicas()


def mask_of(given: Any, x: Tensor) -> Tensor | None:
    """Return the mask that a layer of Keras has left on its output x, for the rows or elements."""
    mask = get_keras_mask(given)
    if mask is None:
        return None
    mask, shape = ops.cast(mask, "bool"), sizes(x)
    if len(sizes(mask)) == len(shape) and sizes(mask)[-1] == 1 != shape[-1]:
        mask = mask[..., 0]
    if len(sizes(mask)) < len(shape) - 1:
        missing = len(shape) - 1 - len(sizes(mask))
        mask = ops.reshape(mask, (*ops.shape(mask), *[1] * missing))
        mask = ops.broadcast_to(mask, ops.shape(x)[:-1])
    return mask
