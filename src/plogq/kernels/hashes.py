"""A sample of a table's rows that no split changes: the rows whose numbers hash lowest."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from plogq.kernels import _native
from plogq.kernels import threads as machine


def lowest_hashes(start: int, n: int, seed: int, limit: int) -> npt.NDArray[np.int64]:
    """Find, among the n rows from `start` on, those whose numbers hash to `limit` at most.

    Row i hashes to the output of the generator SplitMix64 at its i-th step from `seed`, an integer
    of 64 bits: one to one. (Steele, Lea, Flood 2014, Fast splittable pseudorandom number
    generators; constants: Vigna.)

    Returns
    -------
    ndarray of int64
        Their positions, counted from `start`, in increasing order.

    Examples
    --------
    >>> lowest_hashes(0, 10, seed=0, limit=2**62)
    array([2, 4, 6, 8])
    """
    place = np.empty(n, np.int64)
    found = _native.lowest_hashes(start, seed, limit, place, machine.INSTRUCTION_SET)
    return place[:found]
