"""Where tanh, sigmoid and ReLU are flat: of arrays of NumPy, JAX and PyTorch alike."""

from __future__ import annotations

import math
from typing import Any

FLAT = 0.05  # of the largest derivative, below which an output is called saturated


def saturated(kind: str, out: Any) -> Any:
    """Return the share of the outputs of a tanh or a sigmoid whose derivative is nearly 0.

    Examples
    --------
    >>> import numpy as np
    >>> float(saturated("sigmoid", np.array([0.5, 0.999])))
    0.5
    """
    slope = 1 - out * out if kind == "tanh" else 4 * out * (1 - out)
    return (slope < FLAT).sum() / math.prod(out.shape)


def dead(out: Any) -> list[tuple[Any, int]]:
    """Return the share of units of a ReLU that are 0 in all rows, and how many units there are.

    Of three axes the units may be the second or the last; both are returned.

    Examples
    --------
    >>> import numpy as np
    >>> [(float(share), units) for share, units in dead(np.array([[0.0, 1.0], [0.0, 2.0]]))]
    [(0.5, 2)]
    """
    if out.ndim < 2:
        return [(0.0, 0)]
    found = []
    for axis in (1, 2) if out.ndim == 3 else (1,):
        others = tuple(each for each in range(out.ndim) if each != axis)
        alive = (out != 0).sum(others) > 0
        found.append((1 - alive.sum() / alive.shape[0], alive.shape[0]))
    return found
