"""What a rank's part of the logits says of each row: the numbers that all ranks exchange.

With m the largest logit of the part, k its first class, gap_j = m − x_j, e_j = exp(−gap_j / T), w
the class weights and u = w t for distributions t, these are sums over the classes of the part;
those "beside" leave out k. They restate `Sums` of `native/row.hpp`, whose ranks are lanes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from array_api_compat import torch as xp
from torch import Tensor

from plogq.formulas.terms import times
from plogq.kernels.question import Options
from plogq.torch.autograd import no_kernel, no_memory
from plogq.torch.engines.block_parts import BLOCK
from plogq.torch.engines.formula import CROSS_ENTROPY
from plogq.torch.engines.native_rows import run_rows
from plogq.torch.questions import Rows, arithmetic

ELSEWHERE = -1  # the label of a row whose class is another rank's
NO_INDEX = -(1 << 62)  # an ignore_index that no label has: rows are left out by `keep`


class Fields(NamedTuple):
    """Which numbers of a row are exchanged.

    Attributes
    ----------
    soft
        Whether targets are distributions.
    weighted
        Whether there are class weights.
    smoothed
        Whether labels are smoothed.
    entropy
        Whether the entropy is wanted.
    argmax
        Whether the likeliest class is.
    top_k
        How many of the likeliest classes are.
    """

    soft: bool = False
    weighted: bool = False
    smoothed: bool = False
    entropy: bool = False
    argmax: bool = False
    top_k: int = 0

    def names(self) -> tuple[str, ...]:
        """Return the names of the numbers, in the order in which they are sent."""
        found = ["max", "rest"]
        if self.soft:
            found += ["target", "target_gap", "target_top", "target_total", "target_least"]
        else:
            found += ["x_target"]
            if self.weighted:
                found += ["w_target"]
        if self.smoothed:
            found += ["open", "weight", "weight_gap", "weight_top"]
        if self.entropy:
            found += ["gap"]
        if self.argmax:
            found += ["argmax"]
            if self.soft:
                found += ["target_max", "target_argmax"]
        found += [f"top{i}" for i in range(self.top_k)]
        return (*found, *(f"id{i}" for i in range(self.top_k)))


class PartSums(NamedTuple):
    """The sums of n rows of a part, and the class of each row's largest logit, (n,)."""

    by_name: dict[str, Tensor]
    top: Tensor


@dataclass(slots=True)
class Summing:
    """The question for the sums of rows.

    Attributes
    ----------
    rows
        The options, the class weights of this part, and the targets: labels are classes of this
        part, or `ELSEWHERE`.
    fields
        What is wanted.
    first
        The number of this part's first class among all.
    width
        How many classes it has; with 0 its only column is none.
    """

    rows: Rows
    fields: Fields
    first: int
    width: int


def no_native_sums(x: Tensor, asked: Summing) -> str:
    """Say why the kernel cannot give the sums; an empty text if it can."""
    if asked.fields.soft:
        return "the kernel keeps its sums of distributions to itself"
    return no_kernel(x) or no_memory(x, asked.rows.keep, asked.rows.weight)


def native_sums(x: Tensor, asked: Summing) -> PartSums:
    """Give the sums of the logits by the kernel, in one pass."""
    rows, smoothed = asked.rows, asked.fields.smoothed
    plain = plain_rows(x.new_zeros(len(x), dtype=torch.int64), rows.keep, rows.options)
    if smoothed:
        plain.options, plain.weight = plain.options._replace(label_smoothing=1.0), rows.weight
    found = run_rows(x, plain, moments=asked.fields.entropy)
    top, rest = torch.from_numpy(found.argmax).clamp_(min=0), torch.from_numpy(found.rest)
    highest = x.gather(1, top[:, None])[:, 0].to(rest.dtype)
    closed = highest == -torch.inf  # nothing is open in this part
    rest = torch.where(closed, 0.0, rest)
    sums = {"max": highest, "rest": rest}
    if asked.fields.entropy:
        gap = (torch.from_numpy(found.entropy) - rest.log1p()) * (1 + rest)
        sums["gap"] = torch.where(closed, 0.0, gap * rows.options.temperature)
    if smoothed:
        loss = torch.where(closed, 0.0, torch.from_numpy(found.loss))
        sums |= _sums_of_weights(x, rows, top, rest, loss)
    return PartSums(sums, top)


def _sums_of_weights(
    x: Tensor, rows: Rows, top: Tensor, rest: Tensor, loss: Tensor
) -> dict[str, Tensor]:
    """Return the sums that smoothing needs, from the (R,) `loss` of smoothing alone.

    It is (Σ w gap / T + log(1 + rest) Σ w) / K of K open classes. The whole loss adds more than
    that logarithm, so that none of its digits is lost.
    """
    weight = torch.ones(x.shape[1], dtype=rest.dtype) if rows.weight is None else rows.weight
    at_top, weight = weight[top], weight.double()
    if has_masked(x):
        is_open = x > -torch.inf
        at_top = torch.where(is_open.gather(1, top[:, None])[:, 0], at_top, 0.0)
        count, total = is_open.sum(1), torch.where(is_open, weight, 0.0).sum(1)
    else:
        count, total = torch.full_like(top, x.shape[1]), weight.sum().expand(len(x))
    gap = (count * loss.double() - rest.double().log1p() * total) * rows.options.temperature
    found = {
        "open": count, "weight": total - at_top, "weight_gap": gap.clamp(min=0.0)
        if rows.weight is None else gap, "weight_top": at_top,
    }  # fmt: skip
    return {name: values.to(rest.dtype) for name, values in found.items()}


def has_masked(x: Tensor) -> bool:
    """Tell whether any logit is −inf; a NaN may hide it, and then all that follows is NaN."""
    return bool(x.numel()) and not bool(x.amin() > -torch.inf)


def plain_rows(target: Tensor, keep: Tensor | None, options: Options) -> Rows:
    """Return the question for the kernel's plain loss at the options' temperature."""
    plain = Options(temperature=options.temperature)
    return Rows(
        target, False, NO_INDEX, None, keep, plain, target.shape[:1],
        validate=False, loss=CROSS_ENTROPY,
    )  # fmt: skip


def block_sums(x: Tensor, asked: Summing) -> PartSums:
    """Give the sums by torch operations on blocks of rows."""
    step = max(1, BLOCK // x.shape[1])
    blocks = [slice(i, i + step) for i in range(0, max(1, len(x)), step)]
    parts = [_block(x[at], asked, at) for at in blocks]
    names = parts[0].by_name
    joined = {name: torch.cat([p.by_name[name] for p in parts]) for name in names}
    return PartSums(joined, torch.cat([p.top for p in parts]))


def _block(x: Tensor, asked: Summing, at: slice) -> PartSums:
    rows, fields = asked.rows, asked.fields
    x = x.to(arithmetic(x))
    if rows.keep is not None:
        x = x.masked_fill(~rows.keep[at, None], 0.0)  # rows that are left out may hold NaN
    highest, top = x.max(1, keepdim=True)
    gap = torch.where(highest == -torch.inf, 0.0, highest) - x
    e = (gap / -rows.options.temperature).exp_().scatter_(1, top, 0.0)
    sums = {"max": highest[:, 0], "rest": e.sum(1)}
    if fields.entropy:
        sums["gap"] = times(xp, e, gap).sum(1)
    weight = torch.ones_like(x[:1]) if rows.weight is None else rows.weight[None, :]
    if fields.smoothed:
        is_open = x > -torch.inf
        w = torch.where(is_open, weight, 0.0)
        sums["open"] = is_open.sum(1).to(x.dtype)
        sums["weight_top"] = w.gather(1, top)[:, 0]
        sums["weight_gap"] = torch.where(is_open, w * gap, 0.0).sum(1)
        sums["weight"] = w.scatter(1, top, 0.0).sum(1)
    if fields.soft:
        assert rows.target is not None
        t = rows.target[at].to(x.dtype)
        if rows.keep is not None:
            t = t.masked_fill(~rows.keep[at, None], 0.0)
        u = weight * t
        sums["target_total"], sums["target_least"] = t.sum(1), t.amin(1)
        sums["target_top"] = u.gather(1, top)[:, 0]
        sums["target_gap"] = times(xp, u, gap).sum(1)
        sums["target"] = u.scatter(1, top, 0.0).sum(1)
        if fields.argmax:
            sums["target_max"], sums["target_argmax"] = t.max(1)
    return PartSums(sums, top[:, 0])


def add_sums_of_labels(found: PartSums, x: Tensor, asked: Summing) -> None:
    """Add what no engine sums: the label's logit and weight, and the likeliest classes."""
    sums, rows, fields = found.by_name, asked.rows, asked.fields
    if not fields.soft:
        assert rows.target is not None
        here, label = rows.target != ELSEWHERE, rows.target.clamp(min=0)
        sums["x_target"] = torch.where(here, x.gather(1, label[:, None])[:, 0], 0.0)
        if fields.weighted:
            assert rows.weight is not None
            sums["w_target"] = torch.where(here, rows.weight[label], 0.0)
    if fields.argmax:
        sums["argmax"] = found.top + asked.first
        if fields.soft:
            sums["target_argmax"] = sums["target_argmax"] + asked.first
    best = x.topk(min(fields.top_k, x.shape[1])) if fields.top_k else None
    for i in range(fields.top_k):
        assert best is not None
        there = i < min(best.values.shape[1], asked.width)
        lowest = torch.full_like(sums["max"], -torch.inf)
        sums[f"top{i}"] = best.values[:, i] if there else lowest
        none = torch.full_like(found.top, -1)
        sums[f"id{i}"] = best.indices[:, i] + asked.first if there else none
