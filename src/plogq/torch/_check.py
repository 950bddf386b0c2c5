"""Bad input, refused with its first row; only where values can be looked at without harm."""

from __future__ import annotations

import functools
import logging

import torch
from array_api_compat import torch as xp
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor

from plogq.formulas._arrays import first_row, shown
from plogq.formulas._check import refuse
from plogq.formulas._distributions import check_distribution
from plogq.torch._rows import Rows, arithmetic

log = logging.getLogger("plogq.torch")


@functools.cache
def say_fallback(device: str, dtype: torch.dtype) -> None:
    """Say once, to who has asked for INFO, that torch operations stand in for the kernel."""
    log.info("no native kernel for %s tensors of %s: torch operations are used", device, dtype)


def in_transform() -> bool:
    """Tell whether a torch.func transform or forward-mode differentiation is under way."""
    return (
        torch._C._functorch.peek_interpreter_stack() is not None
        or torch.autograd.forward_ad._current_level >= 0
    )


def values_known(x: Tensor) -> bool:
    """Tell whether a check may read values: not in a graph, a transform, or on a meta tensor."""
    return not (
        torch.compiler.is_compiling()
        or in_transform()
        or x.device.type == "meta"
        or isinstance(x, FakeTensor)
    )


def check_rows(x: Tensor, rows: Rows) -> None:
    """Refuse a target of logits x that is no class, or no distribution."""
    if not rows.validate or not values_known(rows.target):
        return
    kept, classes = rows.kept(), x.shape[1]
    target = rows.target.detach()
    if rows.soft:
        if kept is not None:
            target = torch.where(kept[:, None], target, 1 / classes)
        target = target.reshape(*rows.shape, classes)
        eps = max(torch.finfo(dtype).eps for dtype in (target.dtype, arithmetic(x)))
        check_distribution(xp, target, "target", eps**0.5)
        return
    bad = (target < 0) | (target >= classes)
    row = first_row(xp, (bad if kept is None else bad & kept).reshape(rows.shape))
    if row is not None:
        expected = f"be a class index in [0, {classes}) or the ignore_index {rows.ignore_index}"
        refuse("target", expected, int(target.reshape(rows.shape)[row]), row=row)


def check_elements(name: str, x: Tensor, good: Tensor, expected: str) -> None:
    """Refuse the first element that is not good."""
    row = first_row(xp, ~good)
    if row is not None:
        refuse(name, expected, shown(x, row), row=row)
