"""The loss of a head, and its gradient in the same pass over pieces of rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from array_api_compat import torch as xp
from torch import Tensor

from plogq.formulas import softmax_core
from plogq.torch.checks import check_rows, nan_unless, on_host, sound_rows
from plogq.torch.engines.formula import row_losses
from plogq.torch.engines.head_gradients import GradientSums
from plogq.torch.engines.head_logits import (
    TeacherPieces,
    logits_of,
    teacher_logits,
    write_logits,
)
from plogq.torch.engines.head_pieces import Pieces, RowEngine
from plogq.torch.engines.head_products import logits_room
from plogq.torch.questions import Figures, Head, Layer, Rows, arithmetic, without_autocast
from plogq.torch.reductions import divisor_of, finished, not_zero, weighed


@dataclass(slots=True)
class HeadJob:
    """The loss of each row; or, if it reduces, Σ row_weight · loss over the divisor.

    Attributes
    ----------
    figures
        After a run, the statistics of all rows, if they are wanted.
    """

    head: Head
    engine: RowEngine
    pieces: Pieces
    reduces: bool
    figures: Figures | None = None

    def run(
        self, layer: Layer, wanted: tuple[bool, ...], upstream: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor | None]]:
        """Return the loss, and the gradients of the layer's tensors that are wanted.

        The gradients are those of the loss that is one number, or of Σ upstream · loss.
        """
        first, asked = layer.terms[0][0], self.head.rows
        losses = torch.zeros(len(first), dtype=arithmetic(first), device=first.device)
        sums = GradientSums.of(layer, wanted, self.pieces.index is not None)
        divisor = self._divisor() if self.reduces else 1.0
        scale = self._scale(losses, divisor, upstream) if any(wanted) else None
        enough = self.pieces.enough
        if enough is not None and scale is not None:
            scale = nan_unless(enough, scale)
        figures = self._room_for_figures(losses) if upstream is None and asked.statistics else None
        room = logits_room(self.pieces.size, layer.classes, layer.dtype, first.device)
        teacher = TeacherPieces.of(self.head.teacher, self.pieces.size)
        with torch.no_grad(), without_autocast(first):
            for at in self.pieces.all():
                hidden = [self._hidden(h, at, layer.dtype) for h, _ in layer.terms]
                x = write_logits(room, hidden, layer)
                rows = self._rows(at, len(x), None if teacher is None else teacher.logits(at))
                part = None if scale is None else _marked(rows, scale[at])
                of_piece, found = self._loss(x, rows, part, figures is not None)
                losses[at] = _marked(rows, of_piece)
                if figures is not None and found is not None:
                    for room_of, values in zip(figures, found, strict=True):
                        room_of[at] = values
                if scale is not None:
                    sums.add(x, hidden, layer, at)
        if enough is not None:
            losses = nan_unless(enough, losses)
        if figures is not None:
            self.figures = figures
        return self._total(losses, divisor), sums.finished()

    def _loss(
        self, x: Tensor, rows: Rows, scale: Tensor | None, figures: bool
    ) -> tuple[Tensor, Figures | None]:
        """Return the losses of a piece; its gradient overwrites the logits x, if it has a scale."""
        try:
            if self.head.softcap is None:
                return self.engine.answer(x, rows, scale, figures)
            if self.engine.capped is not None:
                found = self.engine.capped(x, rows, scale, figures, self.head.softcap)
                return found[0], found[1]
            z = softmax_core.capped(xp, x.to(arithmetic(x)), self.head.softcap)
            if scale is None:
                return self.engine.answer(z, rows, scale, figures)
            # The derivative of c tanh(x / c) is 1 − (z / c)²; where x was infinite it is 0.
            slope = (z / self.head.softcap).square_().neg_().add_(1.0).clamp_(min=0.0)
            found = self.engine.answer(z, rows, scale, figures)
            x.copy_(z.mul_(slope))
            return found
        except ValueError:
            shape = (len(self.head.layer.terms[0][0]), x.shape[1])
            check_rows(x.new_empty(shape, device="meta"), self.head.rows)  # it names the row
            raise

    def _hidden(self, hidden: Tensor, at: slice | Tensor, dtype: torch.dtype) -> Tensor:
        part = hidden.detach()[at].to(dtype)
        kept = self.head.rows.kept()
        if kept is None or self.pieces.clean:
            return part
        return part.masked_fill(~kept[at, None], 0.0)  # 0 · NaN would be NaN

    def _rows(self, at: slice | Tensor, count: int, teacher: Tensor | None) -> Rows:
        """Return the question about a piece of so many rows.

        On another device than the CPU, what its bad targets touch becomes NaN later.
        """
        rows = self.head.rows
        target = None if rows.target is None else rows.target[at]
        keep = None if rows.keep is None else rows.keep[at]
        piece = replace(
            rows, target=target, keep=keep, shape=torch.Size([count]), reduction="none",
            row_weight=None, denominator=None, statistics=False, teacher=teacher,
        )  # fmt: skip
        if target is not None and not on_host(target):
            piece.sound = self._sound(piece)
            if piece.sound is not None and not piece.soft:
                piece.target = torch.where(piece.sound, target, 0)
        return piece

    def _sound(self, rows: Rows) -> Tensor | None:
        """Return `sound_rows` of rows, whose logits are not all there."""
        assert rows.target is not None
        shape = len(rows.target), self.head.layer.classes
        return sound_rows(rows, torch.empty(shape, dtype=self.head.layer.dtype, device="meta"))

    def _divisor(self) -> float | Tensor:
        """Return the divisor of the loss."""
        rows = self.head.rows
        if rows.weight is not None and not rows.soft:
            # Labels gather the class weights before a piece refuses the one that is no class.
            rows = replace(rows, sound=self._sound(rows))
        return divisor_of(rows)

    def _scale(self, losses: Tensor, divisor: float | Tensor, upstream: Tensor | None) -> Tensor:
        """Return the factor of each row's gradient."""
        weight = self.head.rows.row_weight if self.reduces else None
        scale = torch.ones_like(losses, dtype=torch.float64)
        if weight is not None:
            scale *= weight.detach()
        scale /= not_zero(divisor)
        if upstream is None:
            return scale
        return scale * upstream if upstream.ndim == 1 else scale[:, None] * upstream

    def _total(self, losses: Tensor, divisor: float | Tensor) -> Tensor:
        if not self.reduces:
            return losses
        total = weighed(losses, self.head.rows.row_weight).sum(dtype=torch.float64)
        return (total / not_zero(divisor)).to(losses.dtype)

    @staticmethod
    def _room_for_figures(losses: Tensor) -> Figures:
        argmax = torch.zeros_like(losses, dtype=torch.int64)
        return torch.zeros_like(losses), torch.zeros_like(losses), argmax

    def formula(self, layer: Layer) -> Tensor:
        """Return the loss in torch operations on all logits."""
        rows = replace(self.head.rows, teacher=teacher_logits(self.head.teacher))
        losses, _ = row_losses(logits_of(self.head, layer), rows)
        if not self.reduces:
            return losses
        return finished(losses, self.head.rows)

    def others(self) -> tuple[Tensor | None, ...]:
        """Return all that the gradient reads beside the layer."""
        rows, teacher = self.head.rows, self.head.teacher
        read = () if teacher is None else teacher.tensors
        return rows.target, rows.weight, rows.keep, rows.row_weight, *read


def _marked(rows: Rows, by_row: Tensor) -> Tensor:
    """Return numbers by row, (n,) or (n, k), and NaN where a bad target could not be refused."""
    if rows.sound is None:
        return by_row
    return nan_unless(rows.sound if by_row.ndim == 1 else rows.sound[:, None], by_row)
