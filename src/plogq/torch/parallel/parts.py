"""Where the classes of each rank lie, and what is asked of rows that are in such parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from array_api_compat import torch as xp
from torch import Tensor

from plogq.errors import check_count, refuse
from plogq.formulas.arrays import first_row
from plogq.torch.parallel.exchange import starts
from plogq.torch.parallel.ranks import Ranks, Whole
from plogq.torch.parallel.sums import ELSEWHERE, NO_INDEX, Fields
from plogq.torch.questions import Rows


class Part(NamedTuple):
    """Where this rank's part lies among all classes.

    Attributes
    ----------
    first
        The number of its first class.
    width
        The number of its columns that are classes; the others are padding, and come last.
    widths
        The number of columns of each rank's part.
    classes
        The number of classes of all ranks, without padding.
    """

    first: int
    width: int
    widths: tuple[int, ...]
    classes: int

    def of_classes(self, x: Tensor, axis: int, blank: float) -> Tensor:
        """Return x without its padding along the axis; of no class at all, one that is `blank`.

        So a part always has a column, which counts nothing.
        """
        if x.shape[axis] != self.width:
            x = x.narrow(axis, 0, self.width)
        if self.width:
            return x
        shape = list(x.shape)
        shape[axis] = 1
        return torch.cat([x, torch.full(shape, blank, dtype=x.dtype, device=x.device)], axis)


@dataclass(slots=True)
class Asked:
    """A question about rows whose classes are in parts.

    Attributes
    ----------
    ranks
        Who holds the parts.
    rows
        The question; labels are numbers of all classes, distributions are of this part.
    weight
        (C,) the class weights of this part or of all classes; None for 1.
    fields
        What is exchanged.
    vocabulary
        The number of classes, if the last columns are padding; None if none is.
    whole
        What a sharded tensor says; None if there is none.
    dtype
        That of the arithmetic, and of what is exchanged.
    """

    ranks: Ranks
    rows: Rows
    weight: Tensor | None
    fields: Fields
    vocabulary: int | None
    whole: Whole | None
    dtype: torch.dtype

    def part(self, widths: tuple[int, ...]) -> Part:
        """Return where this rank's part lies, and refuse parts that do not add up."""
        total = sum(widths)
        if self.whole is not None and self.whole.classes != total:
            expected = f"have parts that add up to its {self.whole.classes} classes"
            refuse("input", expected, f"{total}, of {' + '.join(map(str, widths))}")
        classes = total
        if self.vocabulary is not None:
            check_count("vocab", self.vocabulary, 1)
            classes = self.vocabulary
            if classes > total:
                expected = f"be at most the {total} columns of all ranks"
                refuse("vocab", expected, f"{classes}, beside {' + '.join(map(str, widths))}")
        if self.fields.top_k > classes:
            refuse("top_k", f"be at most the number of classes, {classes}", self.fields.top_k)
        first, own = starts(widths)[self.ranks.rank], widths[self.ranks.rank]
        return Part(first, max(0, min(own, classes - first)), widths, classes)

    def of_part(self, part: Part) -> Rows:
        """Return the question about this rank's part: its labels, weights and distributions."""
        rows, kept = self.rows, self.rows.kept()
        weight = None
        if self.weight is not None:
            weight = self._weight(self.weight, part).to(self.dtype)
        assert rows.target is not None
        if self.fields.soft:
            target = part.of_classes(rows.target, 1, 0.0)
        else:
            _check_labels(rows, kept, part.classes)
            label = rows.target - part.first
            here = (label >= 0) & (label < part.width)
            target = torch.where(here if kept is None else here & kept, label, ELSEWHERE)
        return replace(
            rows, target=target, keep=kept, weight=weight, ignore_index=NO_INDEX,
            row_weight=None, reduction="none", denominator=None, statistics=False,
        )  # fmt: skip

    def _weight(self, weight: Tensor, part: Part) -> Tensor:
        own, total = part.widths[self.ranks.rank], sum(part.widths)
        if weight.shape not in ((own,), (part.classes,), (total,)):
            expected = f"have shape ({own},) as this rank's part, or ({part.classes},)"
            refuse("weight", expected, tuple(weight.shape))
        if weight.shape == (own,) == (part.classes,) and part.width and part.first:
            came = f"({own},), which may be this rank's part or all classes"
            refuse("weight", f"have shape ({total},), as the columns of all ranks", came)
        if weight.shape != (own,):
            weight = weight[part.first : part.first + part.width]
        return part.of_classes(weight, 0, 0.0)


def _check_labels(rows: Rows, kept: Tensor | None, classes: int) -> None:
    """Refuse a label that is no class, as one process would."""
    label = rows.target
    assert label is not None
    bad = (label < 0) | (label >= classes)
    row = first_row(xp, (bad if kept is None else bad & kept).reshape(rows.shape))
    if row is not None:
        expected = f"be a class index in [0, {classes}) or the ignore_index {rows.ignore_index}"
        refuse("target", expected, int(label.reshape(rows.shape)[row]), row=row)
