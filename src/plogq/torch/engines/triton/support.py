"""Where the Triton kernels run: on GPUs, and in Triton's interpreter for tests."""

from __future__ import annotations

import functools
import importlib.util
import os

import torch
from torch import Tensor

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
NVIDIA_LANES, AMD_LANES = 32, 64  # of a warp; AMD's are those of its cards for data centres
OLDEST = (8, 0)  # the capability of the first NVIDIA cards that Triton compiles bfloat16 for


def no_triton(x: Tensor, *, interprets: bool) -> str:
    """Say why Triton has no kernel for this device and dtype; an empty text if it has one."""
    if not x.is_cuda and not (interprets and x.is_cpu):
        return f"no GPU: the tensors are on {x.device.type}"
    if not _installed():
        return "Triton is not installed: pip install triton"
    if x.dtype not in DTYPES:
        return f"no Triton kernel for tensors of {x.dtype}"
    if x.is_cuda and not is_new_enough(x.device.index):
        return f"Triton needs an NVIDIA card of capability {OLDEST[0]}.{OLDEST[1]}, or an AMD card"
    return ""


@functools.cache
def _installed() -> bool:
    return importlib.util.find_spec("triton") is not None


@functools.cache
def is_new_enough(index: int | None) -> bool:
    """Tell whether Triton compiles for this GPU."""
    return torch.version.hip is not None or torch.cuda.get_device_capability(index) >= OLDEST


def lanes_of_warp() -> int:
    """Return the number of threads that a GPU of this torch runs in step."""
    return AMD_LANES if torch.version.hip is not None else NVIDIA_LANES


def interpreting() -> bool:
    """Tell whether kernels are interpreted, which Triton decides when it is imported."""
    return os.environ.get("TRITON_INTERPRET", "0") == "1"
