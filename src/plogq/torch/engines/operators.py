"""Operators of torch that torch.compile keeps whole in its graph.

They have no autograd of their own: torch.compile follows functions whose forward and backward call
them. torch's wrapper around an operator with autograd, and `torch.library.custom_op`, cost as much
as a small batch.
"""

from __future__ import annotations

from typing import Any

import torch

_library: Any = torch.library.Library("plogq", "FRAGMENT")  # type: ignore[no-untyped-call]
_TAGS = (
    torch.Tag.pt2_compliant_tag,
    # A torch without the tag for exact strides has one for their order.
    getattr(torch.Tag, "needs_exact_strides", torch.Tag.needs_fixed_stride_order),
)


def define(name: str, inputs: str, outputs: str, run: Any, fake: Any, key: str = "CPU") -> None:
    """Define an operator that is a pure function without autograd."""
    _library.define(f"{name}({inputs}) -> {outputs}", tags=_TAGS)
    _library.impl(name, run, key)
    _library.impl(name, torch.library.fallthrough_kernel, "Autograd")
    torch.library.register_fake(f"plogq::{name}", fake, lib=_library)
