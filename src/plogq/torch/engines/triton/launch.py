"""Kernels called on the device of their tensors, and small sums that stay on it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from plogq.torch.engines.triton.support import NVIDIA_LANES, lanes_of_warp
from plogq.torch.reductions import not_zero, weighed


def launched(kernel: Any, programs: int, threads: int, *arguments: Any, **flags: Any) -> None:
    """Call a kernel with so many programs of so many threads, unless there is none."""
    if not programs:
        return
    first = next(a for a in arguments if isinstance(a, Tensor))
    with torch.cuda.device_of(first):  # type: ignore[no-untyped-call]
        kernel[(programs,)](*arguments, **flags, **options_of(threads, lanes_of_warp()))


def options_of(threads: int, lanes: int) -> dict[str, int]:
    """Return the options of a kernel with so many threads, whose warps have so many lanes.

    Without a bound that they set, NVIDIA's assembler spills some registers to fit one more program.
    """
    options = {"num_warps": max(1, threads // lanes)}
    if lanes == NVIDIA_LANES:
        options["maxnreg"] = min(255, (1 << 16) // threads)
    return options


def scalar_of(value: float | Tensor, device: torch.device) -> Tensor:
    """Return a number as a 0-d float32 tensor, without waiting for the device."""
    if isinstance(value, Tensor):
        return value.detach().to(device, torch.float32, non_blocking=True)
    return torch.full((), float(value), dtype=torch.float32, device=device)


def total_of(losses: Tensor, weight: Tensor | None, divisor: Tensor | None) -> Tensor:
    """Return Σ weight · loss / divisor; in float32 the sum would be the main error."""
    total = weighed(losses, weight).sum(dtype=torch.float64)
    return (total if divisor is None else total / not_zero(divisor)).to(losses.dtype)
