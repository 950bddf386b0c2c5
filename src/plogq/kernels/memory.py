"""Memory for large gradients: the next call reuses the block of the last, without page faults.

A training step needs a gradient as large as its logits, and frees it before the next step needs
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

SMALLEST = 1 << 22  # bytes; for less the allocator mostly reuses pages that have been touched

# On systems other than Linux, NumPy's own allocator is used.
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
    except OSError:  # there is no memory, and NumPy raises its own error
        return np.empty(shape, dtype)
    return np.asarray(_Lease(block, shape, dtype))


def _block(size: int) -> mmap.mmap:
    try:
        block = _spare.pop()
    except IndexError:
        block = None
    if block is not None and size <= len(block) <= 2 * size:
        return block
    del block  # the old block is freed before the new one exists, so that there are never two
    block = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError):  # the system may have no huge pages
        block.madvise(mmap.MADV_HUGEPAGE)
    return block


class _Lease:
    """The owner of an array's memory; when the last view dies, the block becomes the spare one."""

    def __init__(self, block: mmap.mmap, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._block = block
        self.__array_interface__ = {
            "version": 3,
            "shape": shape,
            "typestr": dtype.str,
            "data": (ctypes.addressof(ctypes.c_char.from_buffer(block)), False),
        }

    def __del__(self, spare: list[mmap.mmap] = _spare) -> None:  # a default outlives the module
        if not spare:
            self._block.madvise(mmap.MADV_FREE)
            spare.append(self._block)
