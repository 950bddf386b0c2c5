"""The three products of a linear layer on a piece of its rows, within a bound of scratch memory.

A matrix in another dtype than the products is cast by blocks of its rows, and so is the gradient
of a half-precision matrix, which is summed in float32.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import torch
from torch import Tensor

from plogq.kernels import memory

_SCRATCH = 1 << 22  # bytes of a block of the matrix, or of its gradient


def wide(dtype: torch.dtype) -> torch.dtype:
    """Return the dtype in which a gradient is summed."""
    return torch.float64 if dtype == torch.float64 else torch.float32


def logits_room(
    rows: int, classes: int, dtype: torch.dtype, device: torch.device, *, apart: int | None = None
) -> Tensor:
    """Return memory for logits (rows, C), whose rows lie a multiple of `apart` elements apart.

    On a GPU it is 16 by default, so that every row begins where whole vectors do, whatever C is.
    """
    step = apart or (1 if device.type == "cpu" else 16)
    width = -(-classes // step) * step
    return torch.empty((rows, width), dtype=dtype, device=device)[:, :classes]


def add_logits(
    out: Tensor, hidden: Tensor, matrix: Tensor, bias: Tensor | None, *, new: bool
) -> None:
    """Write hidden · matrixᵀ + bias to `out`, (n, C); or add it, if the memory is not new."""
    # A block of a float32 matrix stays in the cache while all rows of the piece are multiplied.
    small = matrix.dtype != out.dtype or (out.device.type == "cpu" and out.dtype.itemsize > 2)
    for at in _blocks(matrix, out.dtype, small=small):
        part = matrix[at].to(out.dtype).t()
        if not new:
            out[:, at].addmm_(hidden, part)
        elif bias is None:
            torch.mm(hidden, part, out=out[:, at])
        else:
            torch.addmm(bias[at].to(out.dtype), hidden, part, out=out[:, at])


def hidden_gradient(slope: Tensor, matrix: Tensor) -> Tensor:
    """Return slope · matrix, (n, D), of the gradient `slope` (n, C) in the logits."""
    if matrix.dtype == slope.dtype:
        return slope @ matrix
    total = torch.zeros(len(slope), matrix.shape[1], dtype=wide(slope.dtype), device=slope.device)
    for at in _blocks(matrix, slope.dtype):
        total += slope[:, at] @ matrix[at].to(slope.dtype)
    return total


def add_matrix_gradient(total: Tensor, slope: Tensor, hidden: Tensor, *, new: bool) -> None:
    """Write slopeᵀ · hidden to `total`, (C, D); or add it, if the memory is not new."""
    beta = 0 if new else 1
    if total.dtype == slope.dtype:
        torch.addmm(total, slope.t(), hidden, beta=beta, out=total)
        return
    if slope.is_cuda and sums_in_float32(slope.device, slope.dtype):
        torch.addmm(total, slope.t(), hidden, out_dtype=torch.float32, beta=beta, out=total)
        return
    for at in _blocks(total, slope.dtype):
        part = slope[:, at].t() @ hidden
        total[at].copy_(part) if new else total[at].add_(part)


@functools.cache
def sums_in_float32(device: torch.device, dtype: torch.dtype) -> bool:
    """Tell whether a product of this half precision can be added to a float32 matrix, by trying."""
    a = torch.full((16, 16), 1 / 16, dtype=dtype, device=device)
    total = torch.ones((16, 16), device=device)
    try:
        torch.addmm(total, a, a, out_dtype=torch.float32, out=total)
    except (TypeError, RuntimeError):  # a torch, or a device, without it
        return False
    return bool((total == 1 + 1 / 16).all())


def matrix_room(matrix: Tensor, dtype: torch.dtype) -> Tensor:
    """Return memory for the gradient of a matrix; on the CPU it may be that of the last."""
    if matrix.device.type != "cpu":
        return torch.empty(matrix.shape, dtype=dtype, device=matrix.device)
    room = memory.empty((matrix.numel(),), f"i{dtype.itemsize}")
    return torch.from_numpy(room).view(dtype).view(matrix.shape)


def _blocks(matrix: Tensor, dtype: torch.dtype, *, small: bool = True) -> Iterator[slice]:
    """Give the rows of a matrix in blocks that are small in this dtype, or all at once."""
    count, width = matrix.shape
    step = max(64, _SCRATCH // max(1, width * dtype.itemsize)) if small else max(1, count)
    for begin in range(0, count, step):
        yield slice(begin, begin + step)
