"""What the ranks find together: the sums of all parts, exchanged and merged, and their loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from array_api_compat import torch as xp
from torch import Tensor

from plogq.errors import refuse
from plogq.formulas.arrays import first_row
from plogq.kernels.question import Statistics
from plogq.torch.checks import nan_unless, on_host
from plogq.torch.parallel.exchange import (
    Heading,
    checked,
    digest_of_rows,
    exchanged,
    fits,
    meet,
    sketch_of,
    starts,
)
from plogq.torch.parallel.focal import Focus, merged_focal_sums
from plogq.torch.parallel.merged import Merged
from plogq.torch.parallel.parts import Asked, Part
from plogq.torch.parallel.ranks import gathered
from plogq.torch.parallel.slopes import Sloping
from plogq.torch.parallel.sums import NO_INDEX, PartSums
from plogq.torch.questions import Rows, statistics
from plogq.torch.reductions import not_zero, total_weight, weighed


@dataclass(slots=True)
class Found:
    """What the ranks have found together.

    Attributes
    ----------
    asked
        The question.
    part
        Where this rank's part lies.
    rows
        The question about this part.
    merged
        The sums of whole rows.
    sums
        Those of this part, and the class of its largest logit.
    numbers
        Those of all parts, (size, count, R).
    sound
        Where nobody has read whether the ranks fit together, a 0-d bool that says so.
    """

    asked: Asked
    part: Part
    rows: Rows
    merged: Merged
    sums: PartSums
    numbers: Tensor
    sound: Tensor | None

    def per_row(self, values: Tensor, blank: float = 0.0) -> Tensor:
        """Return numbers of rows, `blank` where a row is left out, NaN where ranks do not fit."""
        kept = self.rows.keep
        values = values if kept is None else torch.where(kept, values, blank)
        return values if self.sound is None else nan_unless(self.sound, values)

    def sloping(self, scale: Tensor, of_entropy: Tensor | None, into: Tensor) -> Sloping:
        """Return the question for the gradient of Σ scale · loss + of_entropy · H."""
        kept = self.rows.keep
        if kept is not None:
            scale = torch.where(kept, scale, 0.0)
            of_entropy = None if of_entropy is None else torch.where(kept, of_entropy, 0.0)
        if self.sound is not None:
            scale = nan_unless(self.sound, scale)
        part = torch.stack([self.sums.by_name["max"], self.sums.by_name["rest"]])
        coefficients = self.merged.coefficients(scale, of_entropy)
        holds = self.merged.holder == self.asked.ranks.rank
        highest, focus = self.merged.state.max, self.focus() if self.is_focal else None
        return Sloping(self.rows, coefficients, highest, part, self.sums.top, holds, focus, into)

    @property
    def is_focal(self) -> bool:
        """Tell whether the terms of the loss need the probabilities of all ranks first."""
        options = self.asked.rows.options
        return bool(options.gamma and (self.asked.fields.soft or options.label_smoothing))

    def focus(self) -> Focus:
        """Return what such terms need."""
        state, holds = self.merged.state, self.merged.holder == self.asked.ranks.rank
        return Focus(state.max, state.rest, self.merged.sums.get("open"), self.sums.top, holds)

    def reduced(self, losses: Tensor) -> Tensor:
        """Return the losses (R,) weighted and reduced; a sum is one of float64."""
        rows = self.asked.rows
        losses_weighed = weighed(losses, rows.row_weight)
        if rows.reduction == "none":
            return losses_weighed.reshape(rows.shape)
        total = losses_weighed.sum(dtype=torch.float64)
        if rows.reduction == "mean":
            total = total / not_zero(self._divisor())
        return total.to(losses.dtype)

    def _divisor(self) -> float | Tensor:
        rows, of_label = self.asked.rows, self.merged.sums.get("w_target")
        if rows.denominator is not None:
            divisor: float | Tensor = rows.denominator
            return divisor
        if of_label is not None and rows.row_weight is not None:
            of_label = of_label * rows.row_weight
        by_row = rows.row_weight if of_label is None else of_label
        return total_weight(replace(rows, weight=None, row_weight=by_row))

    def statistics(self) -> Statistics:
        """Return the statistics of whole rows."""
        sums, rows = self.merged.sums, self.asked.rows
        label = sums["target_argmax"] if self.asked.fields.soft else rows.target
        asked = replace(rows, target=label, soft=False, keep=rows.kept(), ignore_index=NO_INDEX)
        found = statistics(asked, self.merged.lse, self.merged.entropy, sums["argmax"])
        lse, entropy, argmax = (t.reshape(rows.shape) for t in found[:3])
        return Statistics(lse, entropy, argmax, found.accuracy)


SumsOfPart = Callable[[Part, Rows], PartSums]
FocalOfPart = Callable[[Part, Rows, Focus], Tensor]


def together(
    asked: Asked,
    heading: Heading,
    sums_of: SumsOfPart,
    focal_of: FocalOfPart,
    like: Tensor,
    hidden: Tensor | None = None,
) -> Found:
    """Exchange the sums of all parts, and merge them.

    Parameters
    ----------
    sums_of
        Computes the sums of this rank's part.
    focal_of
        Computes `focal_sums` of it, if they are needed.
    like
        A tensor on the device of the part.
    hidden
        (R, D) rows that every rank should have, to be compared; None if there are none.
    """
    ranks, fields, rows = asked.ranks, asked.fields, asked.rows
    names = fields.names()
    room = torch.empty(0, dtype=asked.dtype, device=like.device)
    divisor = rows.denominator
    if divisor is not None and not isinstance(divisor, Tensor):
        divisor = torch.tensor(float(divisor))
    for _ in range(2):
        widths = meet(ranks, heading, like)
        own: list[tuple[Part, Rows, PartSums]] = []

        def numbers(
            widths: tuple[int, ...] = widths, own: list[tuple[Part, Rows, PartSums]] = own
        ) -> list[Tensor]:
            part = asked.part(widths)
            local = asked.of_part(part)
            sums = sums_of(part, local)
            own[:] = [(part, local, sums)]
            labels = None if fields.soft else rows.target
            digest = digest_of_rows(room, labels, rows.keep, rows.row_weight, divisor)
            return [digest, sketch_of(hidden, room), *(sums.by_name[name] for name in names)]

        heading = heading._replace(first=starts(widths)[ranks.rank])
        words, sketches, values, failure = exchanged(ranks, heading, numbers, len(names), room)
        sound = None
        if on_host(like) or rows.validate:
            try:
                if not checked(words, sketches, ranks, failure):
                    continue
            finally:
                failure = None  # it holds this frame, and with it the group and all tensors
        elif failure is not None:
            raise failure
        else:
            sound = fits(words, sketches)
        part, local, sums = own[0]
        owner = None if fields.soft else _owner(rows, local.keep, part)
        merged = Merged.of(values, fields, rows.options, owner)
        found = Found(asked, part, local, merged, sums, values, sound)
        if fields.soft and rows.validate:
            _check_distributions(found)
        if found.is_focal:
            own_sums = focal_of(part, local, found.focus())
            merged.sums.update(merged_focal_sums(gathered(own_sums, ranks), merged.holder))
        return found
    raise AssertionError("the headings of one call cannot say two things")


def _owner(rows: Rows, kept: Tensor | None, part: Part) -> Tensor:
    """Return the rank of each label, and 0 for a row that is left out."""
    label = rows.target
    assert label is not None
    label = label if kept is None else torch.where(kept, label, 0)
    ends = torch.tensor(part.widths, device=label.device).cumsum(0)
    return torch.bucketize(label, ends, right=True).clamp_(max=len(part.widths) - 1)


def _check_distributions(found: Found) -> None:
    """Refuse distributions that are negative or do not sum to 1 over all parts."""
    rows, sums = found.rows, found.merged.sums
    assert rows.target is not None
    eps = max(torch.finfo(dtype).eps for dtype in (rows.target.dtype, found.asked.dtype))
    total, least = sums["target_total"], sums["target_least"]
    for bad, expected, came in (
        (~(least >= 0), "be probabilities, none negative or NaN", least),
        (~((total - 1).abs() <= eps**0.5), "sum to 1 over the parts of all ranks", total),
    ):
        row = first_row(xp, (bad if rows.keep is None else bad & rows.keep).reshape(rows.shape))
        if row is not None:
            refuse("target", expected, f"{came.reshape(rows.shape)[row].item():.9g}", row=row)
