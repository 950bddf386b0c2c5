"""The softmaxes of a block of rows, of which gradients that are written by hand are made."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from plogq.torch.questions import Rows

BLOCK = 1 << 16  # elements: they stay in the cache from one operation to the next


class Parts(NamedTuple):
    """The softmaxes of a block of n rows, of z = x / T; its arrays may be overwritten."""

    at: slice  # the rows of the block among all rows
    x: Tensor  # (n, C)
    top: Tensor  # (n, 1), the class of max z
    rest: Tensor  # (n, 1), Σ exp(z − max z) over all classes but the top
    miss: Tensor  # (n, 1), 1 − p at the top
    lse: Tensor  # (n, 1)
    below: Tensor  # (n, C), z − max z
    p: Tensor  # (n, C)


def parts_of_block(x: Tensor, at: slice, temperature: float) -> Parts:
    """Compute the parts of the rows x of a block."""
    highest, top = x.max(1, keepdim=True)
    below = (x - highest).div_(temperature)
    p = below.exp().scatter_(1, top, 0.0)
    rest = p.sum(1, keepdim=True) + (highest - highest)  # NaN where the top is infinite
    p = p.scatter_(1, top, 1.0).div_(1 + rest)
    lse = highest / temperature + rest.log1p()
    return Parts(at, x, top, rest, rest / (1 + rest), lse, below, p)


def negative_entropy_slopes(parts: Parts, rows: Rows) -> tuple[Tensor, Tensor]:
    """Give −H(p) of each row, and its gradient p_k (log p_k + H)."""
    below = parts.below.clamp_(min=torch.finfo(parts.p.dtype).min)  # so that 0 · inf is 0
    mean = torch.linalg.vecdot(parts.p, below)[:, None]
    loss = mean - parts.rest.log1p()
    return loss[:, 0], below.sub_(mean).mul_(parts.p)
