"""Binary cross-entropy of the elements of an array of logits, by native code."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from plogq.kernels import _native, arguments
from plogq.kernels import threads as machine

__all__ = ["binary_loss"]

Array = Any  # on the CPU and with __dlpack__: a NumPy array, or a detached torch.Tensor


def binary_loss(
    logits: Array,
    target: Array,
    *,
    pos_weight: npt.ArrayLike | None = None,
    weight: Array | None = None,
    scale: float = 1.0,
    losses: Array | None = None,
    gradient: Array | None = None,
    validate: bool = True,
    threads: int | None = None,
) -> float:
    """Return the sum of sigmoid losses: plogq.formulas.binary_cross_entropy_from_logits.

    With σ(z) = 1 / (1 + exp(−z)), each costs −v (w t log σ(z) + (1 − t) log σ(−z)).

    Parameters
    ----------
    logits, target
        z and t: float32, float64, bfloat16 or float16, both alike, any shape, contiguous.
    pos_weight
        w: a number, or one for each place along the last axis.
    weight
        v, in the shape of the logits: float64 for float64 logits, else float32; 1 without.
    scale
        What the gradient is multiplied by.
    losses, gradient
        Receive the loss of each element, in float64 for float64 logits, else float32; and scale
        times its derivative, in the dtype of the logits. `gradient` may be the logits themselves.
    validate
        Refuse targets outside [0, 1].
    threads
        The most threads to use; the result does not depend on it.

    Returns
    -------
    float
        Σ loss, in nats.

    Raises
    ------
    ValueError, TypeError
        If arguments do not fit together, or a target is outside [0, 1]. In the second case logits
        that are also the gradient may have been overwritten.

    Examples
    --------
    >>> z = np.array([200.0, 0.0])
    >>> print(f"{binary_loss(z, np.array([0.0, 1.0]), gradient=z):.4f}", z)
    200.6931 [ 1.  -0.5]
    """
    try:
        threads = machine.threads_for(threads, logits.nbytes // logits.itemsize)
        if pos_weight is not None:
            dtype = np.float64 if logits.itemsize == 8 else np.float32
            pos_weight = np.ascontiguousarray(pos_weight, dtype)
        total, bad = _native.elements(
            logits,
            target,
            pos_weight,
            weight,
            scale,
            losses,
            gradient,
            validate,
            threads,
            machine.INSTRUCTION_SET,
        )
    except (AttributeError, TypeError, ValueError):
        arguments.check_elements(logits, target, pos_weight, weight, losses, gradient)
        raise
    if bad >= 0:
        arguments.refuse_element_of_target(target, bad)
    return total
