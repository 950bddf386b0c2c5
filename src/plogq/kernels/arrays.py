"""Arrays and tensors of any library as plain NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from plogq.errors import refuse
from plogq.formulas.arrays import unmasked


def to_numpy(name: str, x: Any, error: type[Exception] = TypeError) -> npt.NDArray[Any]:
    """Return anything like an array as a plain one, detached, on the CPU and without a mask.

    A half precision that NumPy does not have becomes float32. A mask that hides values is refused.

    Parameters
    ----------
    name
        What errors call the array.
    x
        An array or tensor of any library, a column of a frame, or lists of numbers or strings.
    error
        What is raised where x is nothing like an array.

    Examples
    --------
    >>> to_numpy("labels", [[1, 0], [0, 1]]).shape
    (2, 2)
    >>> to_numpy("labels", np.ma.array([0, 1, 1], mask=[False, True, False]))
    Traceback (most recent call last):
        ...
    ValueError: labels must hide nothing under a mask, ...; got 1 masked (first at row 1)
    """
    if type(x) is np.ndarray:
        return x
    plain = unmasked(name, x)
    try:
        if hasattr(x, "detach"):  # a tensor of PyTorch
            plain = x.detach().cpu()
            if plain.is_floating_point() and plain.dtype.itemsize < 4:
                plain = plain.float() if str(plain.dtype) != "torch.float16" else plain
        return np.asarray(plain)
    except (TypeError, ValueError, RuntimeError) as wrong:
        reason = str(wrong).strip().splitlines()[0]
        return refuse(name, "be an array", f"{type(x).__name__}: {reason}", error=error)
