"""The one table of what the Triton kernels take, and in which tiles.

The dispatcher, the tests and the benchmarks read it: what is not here is refused.
"""

from __future__ import annotations

from typing import NamedTuple

import torch

from plogq.torch.engines.triton.support import DTYPES


class Tile(NamedTuple):
    """How a kernel cuts rows.

    Attributes
    ----------
    rows, block
        The shape of a tile, (rows, classes).
    threads
        The number of threads of a program.
    whole
        Whether a row fits into its tile, and is read once.
    """

    rows: int
    block: int
    threads: int
    whole: bool


_MANY = 9  # sums that a lane keeps: with more, and 8 classes a thread, registers spill
_SHORT = 96 << 10  # bytes of a row
_VECTOR = 16  # bytes that a thread reads at once


def row_tile(classes: int, itemsize: int, *, sums: int) -> Tile:
    """Return the tile for rows of so many classes; each lane keeps `sums` beside its state."""
    block = max(16, 1 << (classes - 1).bit_length())
    widest, by_thread = (8192, 16) if not sums else (4096 if sums <= _MANY else 2048, 8)
    if block <= widest:
        rows = max(1, 1024 // block)
        return Tile(rows, block, min(512, max(128, rows * block // by_thread)), True)
    # The second pass finds a row in the cache if the rows in flight fit there: of long rows there
    # are fewer at a time, with more threads each, unless each thread needs many registers.
    threads = 256 if sums or classes * itemsize <= _SHORT else 512
    by_thread = 8 if not sums else min(_VECTOR // itemsize, 4 if sums > _MANY else 8)
    return Tile(1, threads * by_thread, threads, False)


ELEMENTS = Tile(1, 2048, 256, False)  # of binary losses, and of products with upstream


def vector(itemsize: int) -> int:
    """Return the number of elements that a thread reads at once."""
    return _VECTOR // itemsize


class Variant(NamedTuple):
    """A kernel of rows as it is compiled: what is asked of it beside the logits.

    Attributes
    ----------
    soft, smooth, weight, focal, cap, moment, gradient
        Whether there are distributions, smoothing, class weights, a focal exponent, a softcap,
        statistics, a gradient.
    """

    soft: bool = False
    smooth: bool = False
    weight: bool = False
    focal: bool = False
    cap: bool = False
    moment: bool = False
    gradient: bool = True

    @property
    def sums(self) -> int:
        """Return how many sums each lane keeps beside its state."""
        return 5 * self.soft + 4 * self.smooth + self.moment

    def refusal(self) -> str:
        """Say what the kernel has not; an empty text if it has it."""
        if self.focal and (self.soft or self.smooth):
            return "the kernel has no focal loss of distributions or smoothed labels"
        return ""


# What is compiled ahead of time and measured: each option alone, and all that go together.
VARIANTS = {
    "plain": Variant(),
    "loss alone": Variant(gradient=False),
    "smoothing": Variant(smooth=True),
    "class weights": Variant(weight=True),
    "focal": Variant(focal=True),
    "softcap": Variant(cap=True),
    "statistics": Variant(moment=True),
    "labels, all options": Variant(smooth=True, weight=True, cap=True, moment=True),
    "distributions": Variant(soft=True),
    "distributions, all options": Variant(
        soft=True, smooth=True, weight=True, cap=True, moment=True
    ),
}
PAIR_SUMS = 3  # the other's state, or the sums of slopes
WIDTHS = (10, 1000, 4096, 8192, 32000, 32001, 50257, 128256, 151936)  # classes
PAIR_WIDTHS = (1000, 4096, 32001, 128256)
ROW_DTYPES: tuple[torch.dtype, ...] = DTYPES
