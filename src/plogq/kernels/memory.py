"""Memory for large gradients: what one call lets go, the next one takes, without page faults.

A training step wants a gradient as large as its logits, and lets it go before the next step wants
one. Fresh pages for it cost as much as the arithmetic: the system zeroes 500 MB in 20 ms. So the
last such block is kept when its array dies, marked as free for the system to take back whenever
memory is short (`MADV_FREE`), and reused for the next gradient of about its size.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import mmap
from typing import Any

import numpy as np
import numpy.typing as npt

SMALLEST = 1 << 22  # what the allocator hands out below that has mostly been touched before

# Elsewhere than on Linux NumPy's own allocator does.
_SYSTEM_HELPS = hasattr(mmap, "MADV_FREE") and hasattr(mmap, "MADV_HUGEPAGE")
_spare: list[mmap.mmap] = []  # at most one block; pop and append are atomic


def empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Give an uninitialised C-ordered array, as `numpy.empty` does.

    Examples
    --------
    >>> empty((2, 3), np.float32).shape
    (2, 3)
    """
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    if size < SMALLEST or not _SYSTEM_HELPS:
        return np.empty(shape, dtype)
    try:
        block = _block(size)
    except OSError:  # no memory: NumPy says so in its own words
        return np.empty(shape, dtype)
    return np.asarray(_Lease(block, shape, dtype))


def _block(size: int) -> mmap.mmap:
    try:
        block = _spare.pop()
    except IndexError:
        block = None
    if block is not None and size <= len(block) <= 2 * size:
        return block
    del block  # before the new one is there: never two
    block = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError):  # a kernel without huge pages
        block.madvise(mmap.MADV_HUGEPAGE)
    return block


class _Lease:
    """The owner of an array's memory, alive as long as any view of it; then the block is spare."""

    def __init__(self, block: mmap.mmap, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._block = block
        self.__array_interface__ = {
            "version": 3,
            "shape": shape,
            "typestr": dtype.str,
            "data": (ctypes.addressof(ctypes.c_char.from_buffer(block)), False),
        }

    def __del__(self, spare: list[mmap.mmap] = _spare) -> None:  # also while Python shuts down
        if not spare:
            self._block.madvise(mmap.MADV_FREE)
            spare.append(self._block)
