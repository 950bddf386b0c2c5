"""What squared error and cross-entropy send back to the logits of one batch."""

from __future__ import annotations

import numpy as np

from plogq.doctor.readings import Array, are_hot
from plogq.doctor.runtime.training import SquaredError


def squared_error(p: Array, y: Array) -> SquaredError | None:
    """Return what the mean squared error sends back to the logits, beside cross-entropy.

    None where the outputs are not those of a softmax or of sigmoids, beside targets of 0 and 1.
    """
    p, y = p.astype(np.float64), y.astype(np.float64)
    if p.shape != y.shape or p.ndim == 0 or not are_hot(y):
        return None
    if not (p.min() >= 0 and p.max() <= 1) or ((p == 0) | (p == 1)).all():
        return None
    softmax = p.ndim > 1 and p.shape[-1] > 1 and bool((np.abs(p.sum(-1) - 1) < 1e-3).all())
    e = 2 * (p - y) / p.size
    if softmax:
        squared = p * (e - (p * e).sum(-1, keepdims=True))
        cross = (p - y) / (p.size / p.shape[-1])
    else:
        squared, cross = e * p * (1 - p), (p - y) / p.size
    return SquaredError(
        float(np.sqrt(np.square(squared).mean())), float(np.sqrt(np.square(cross).mean())),
        "softmax" if softmax else "sigmoid", p.shape[-1] if p.ndim > 1 else 1,
    )  # fmt: skip
