"""Reductions: a mean is (Σ loss, Σ weight) until its last step."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from plogq.formulas.terms import times

Array = jax.Array


def finished(
    loss: Array,
    keep: Array | None,
    weight: Array | None,
    reduction: str,
    denominator: Array | float | None,
    counts: Array | None = None,
) -> Array:
    """Return losses as they were asked for: without what is left out, weighed, and reduced.

    A mean divides by the denominator, or by the sum of weight · counts (1 each) of what is kept; by
    1 where that is 0, since nothing is left.
    """
    if weight is not None:
        # What has no weight has no say, even where its loss is infinite.
        loss = times(jnp, weight.astype(loss.dtype), loss)
        counts = weight if counts is None else weight * counts
    if keep is not None:
        loss = jnp.where(keep, loss, 0.0)
    if reduction == "none":
        return loss
    total = loss.sum()
    if reduction == "sum":
        return total
    if denominator is None:
        counts = jnp.ones_like(loss) if counts is None else counts.astype(loss.dtype)
        denominator = (counts if keep is None else jnp.where(keep, counts, 0.0)).sum()
    return total / jnp.where(denominator == 0, 1.0, denominator).astype(loss.dtype)
