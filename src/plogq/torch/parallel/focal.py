"""The focal loss of smoothed labels and of distributions, over ranks.

Each class's term has its own (1 − p_j)^γ, so that a part's sum of them needs the probabilities of
all ranks first: it is exchanged by a second call. It restates `focal_slopes` of
`plogq.torch.engines.blocks`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from plogq.torch.engines.block_parts import BLOCK
from plogq.torch.parallel.sums import ELSEWHERE
from plogq.torch.questions import Rows, arithmetic


class Focus(NamedTuple):
    """What is known of whole rows, (R,), before their focal loss.

    Attributes
    ----------
    highest, rest
        m of the whole rows, and the rest of their log-sum-exp.
    open
        How many classes are not masked; None without smoothing.
    top, holds
        The class of this part's largest logit, and whether that is the largest of all.
    """

    highest: Tensor
    rest: Tensor
    open: Tensor | None
    top: Tensor
    holds: Tensor

    def of(self, at: slice | Tensor) -> Focus:
        """Return what is known of some of the rows."""
        count = None if self.open is None else self.open[at]
        return Focus(self.highest[at], self.rest[at], count, self.top[at], self.holds[at])


def focal_block(x: Tensor, rows: Rows, focus: Focus, at: slice) -> tuple[Tensor, Tensor]:
    """Return the losses (n,) of a block's part of the classes, and v of each class, (n, C_r).

    The gradient of the loss Σ_j u_j (1 − p_j)^γ (−log p_j) is (Σ v) p − v.
    """
    options, known = rows.options, focus.of(at)
    highest, rest, top = known.highest[:, None], known.rest[:, None], known.top[:, None]
    total, masked = 1 + rest, x == -torch.inf
    gap = (highest - x) / options.temperature
    surprisal, p = gap + rest.log1p(), (-gap).exp() / total
    miss = 1 - p
    at_top = torch.where(known.holds[:, None], rest / total, miss.gather(1, top))
    miss.scatter_(1, top, at_top)
    # −log p / (1 − p) is 1 at p = 1, and p (−log p) is 0 at p = 0.
    slope = torch.where(miss > 0, surprisal / miss, 1.0).mul_(p).masked_fill_(masked, 0.0)
    share = miss.pow_(options.gamma).mul_(_weights(rows, at, masked, known))
    loss = torch.where(share == 0, 0.0, share * surprisal).sum(1)
    return loss, slope.mul_(options.gamma).add_(1.0).mul_(share)


def _weights(rows: Rows, at: slice, masked: Tensor, known: Focus) -> Tensor:
    """Give w_j t_j of the smoothed target, as far as it is of this part."""
    assert rows.target is not None
    smoothing, dtype = rows.options.label_smoothing, known.rest.dtype
    if rows.soft:
        u = (1 - smoothing) * rows.target[at].to(dtype)
    else:
        label = rows.target[at, None]
        share = (label != ELSEWHERE).to(dtype) * (1 - smoothing)
        u = torch.zeros(masked.shape, dtype=dtype, device=masked.device)
        u.scatter_(1, label.clamp(min=0), share)
    if known.open is not None:
        u += torch.where(masked, 0.0, smoothing / known.open[:, None])
    weighted: Tensor = u if rows.weight is None else u * rows.weight
    return weighted


def focal_sums(x: Tensor, rows: Rows, focus: Focus) -> Tensor:
    """Return (3, n): the losses of this part, Σ v beside its largest logit, and v there."""
    dtype = arithmetic(x)
    found = torch.zeros(3, len(x), dtype=dtype, device=x.device)
    step = max(1, BLOCK // x.shape[1])
    for i in range(0, len(x), step):
        at = slice(i, i + step)
        block = x[at].to(dtype)
        if rows.keep is not None:
            block = block.masked_fill(~rows.keep[at, None], 0.0)
        loss, v = focal_block(block, rows, focus, at)
        top = focus.top[at, None]
        found[0, at], found[2, at] = loss, v.gather(1, top)[:, 0]
        found[1, at] = v.scatter(1, top, 0.0).sum(1)
    return found


def merged_focal_sums(parts: Tensor, holder: Tensor) -> dict[str, Tensor]:
    """Merge these of all ranks, (size, 3, R), to sums of whole rows."""
    loss, beside, at_top = parts.unbind(1)
    is_holder = torch.arange(len(parts), device=parts.device)[:, None] == holder
    return {
        "focal": loss.sum(0),
        "focal_beside": (beside + torch.where(is_holder, 0.0, at_top)).sum(0),
        "focal_top": torch.where(is_holder, at_top, 0.0).sum(0),
    }
