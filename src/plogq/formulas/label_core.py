"""Cross-entropy of class indices, in the few passes over the logits that a compiler vectorises.

The numbers are those of `softmax_core`. Its mask of the first maximum keeps XLA from vectorising on
a CPU: here all maxima of a row are left out of its sum, and counted.
"""

from __future__ import annotations

from types import ModuleType
from typing import NamedTuple

from plogq.formulas.arrays import Array


class LabelParts(NamedTuple):
    """What a row of logits x with its label y needs.

    Attributes
    ----------
    exp
        (…, C) exp((x_j − m) / T), with m = max x.
    rest
        (…) their sum over all classes but one maximum; NaN where m is infinite.
    drop
        (…) (m − x_y) / T.
    lse
        (…) log Σ exp(x_j / T).
    """

    exp: Array
    rest: Array
    drop: Array
    lse: Array


def label_parts(xp: ModuleType, x: Array, x_label: Array, temperature: float = 1.0) -> LabelParts:
    """Return the parts of logits x (…, C), and of those of their labels (…)."""
    top = xp.max(x, axis=-1, keepdims=True)
    is_top = x == top
    exp = xp.exp((x - top) / temperature)
    rest = xp.sum(xp.where(is_top, 0.0, exp), axis=-1)
    rest = rest + (xp.sum(xp.astype(is_top, x.dtype), axis=-1) - 1)
    top = top[..., 0]
    rest = xp.where(xp.isfinite(top), rest, xp.nan)
    return LabelParts(exp, rest, (top - x_label) / temperature, top / temperature + xp.log1p(rest))


def surprisal(xp: ModuleType, parts: LabelParts) -> Array:
    """Return −log p_y = (m − x_y) / T + log1p(r), (…)."""
    return parts.drop + xp.log1p(parts.rest)


def gradient(
    xp: ModuleType, parts: LabelParts, share: Array, of_lse: Array | float, temperature: float = 1.0
) -> tuple[Array, Array]:
    """Return the gradient of share · (−log p_y) + L(lse) with L′ = `of_lse`, over T.

    It is (share + L′) p for all classes (…, C), but at the label (…), where 1 − p_y is computed
    from the rest: share · p_y − share would cancel.
    """
    scale = 1 / ((1 + parts.rest) * temperature)
    of_label = xp.exp(-parts.drop)
    at_label = (of_lse * of_label - share * (parts.rest + (1 - of_label))) * scale
    return parts.exp * ((share + of_lse) * scale)[..., None], at_label
