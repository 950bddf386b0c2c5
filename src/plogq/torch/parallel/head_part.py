"""A rank's part of a head, by pieces of rows: its sums, and its gradients once all are merged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from array_api_compat import torch as xp
from torch import Tensor

from plogq.formulas import softmax_core
from plogq.torch.checks import on_host
from plogq.torch.engines.head_gradients import GradientSums
from plogq.torch.engines.head_logits import write_logits
from plogq.torch.engines.head_loss import like
from plogq.torch.engines.head_pieces import Pieces, RowEngine
from plogq.torch.engines.head_products import wide
from plogq.torch.parallel.engines import part_sums, write_slopes
from plogq.torch.parallel.focal import Focus, focal_sums
from plogq.torch.parallel.found import Found
from plogq.torch.parallel.parts import Part
from plogq.torch.parallel.ranks import Ranks, summed
from plogq.torch.parallel.sums import Fields, PartSums, Summing
from plogq.torch.questions import Head, Layer, Rows, arithmetic, without_autocast

_ROWS = RowEngine(lambda *_: (torch.empty(0), None), copies=0)  # its work is not a head's


@dataclass(slots=True)
class Piece:
    """A piece of rows.

    Attributes
    ----------
    at
        What picks them among all.
    rows
        The question about them.
    hidden
        Their hidden rows, of each term, in the dtype of the products.
    logits
        (n, C_r), in that dtype, before a softcap.
    capped
        After it; the logits themselves without one.
    """

    at: slice | Tensor
    rows: Rows
    hidden: list[Tensor]
    logits: Tensor
    capped: Tensor


@dataclass(slots=True)
class HeadPart:
    """A rank's part of a head.

    Attributes
    ----------
    head
        The head, of this part's classes.
    pieces
        Its rows.
    kept
        The only piece of rows, if they all fit into the workspace, until its gradient is computed.
    """

    head: Head
    pieces: Pieces
    kept: Piece | None = None

    @classmethod
    def of(
        cls, rows: Rows, layer: Layer, softcap: float | None, workspace: int, compact: bool
    ) -> HeadPart:
        """Return the part, and refuse a workspace that holds no row."""
        hidden, keep, valid = layer.terms[0][0], rows.keep, None
        if compact and not on_host(
            hidden
        ):  # else the rows would be counted with a look at the labels
            valid = len(hidden) if keep is None else int(keep.sum())
        head = Head(rows, layer, softcap, workspace, compact, valid)
        return cls(head, Pieces.of(head, _ROWS))

    def sums(self, fields: Fields, part: Part, *, keep: bool) -> PartSums:
        """Return the sums of all rows; those that are left out have any."""
        hidden = self.head.layer.terms[0][0]
        dtype = arithmetic(hidden)
        whole: dict[str, Tensor] = {}
        top = torch.zeros(len(hidden), dtype=torch.int64, device=hidden.device)
        with torch.no_grad(), without_autocast(hidden):
            for piece in self._all(self.head.layer):
                asked = Summing(piece.rows, fields, part.first, part.width)
                found = part_sums(piece.capped, asked)
                top[piece.at] = found.top
                for name, values in found.by_name.items():
                    if name not in whole:
                        kind = dtype if values.is_floating_point() else values.dtype
                        whole[name] = torch.zeros(len(hidden), dtype=kind, device=hidden.device)
                    whole[name][piece.at] = values.to(whole[name].dtype)
                if keep and self.pieces.number <= self.pieces.size:
                    self.kept = piece
        for name in fields.names():
            whole.setdefault(name, torch.zeros(len(hidden), dtype=dtype, device=hidden.device))
        return PartSums(whole, top)

    def focal(self, focus: Focus) -> Tensor:
        """Return `focal_sums` of all rows, (3, R), from logits that are kept or computed again."""
        hidden = self.head.layer.terms[0][0]
        found = torch.zeros(3, len(hidden), dtype=arithmetic(hidden), device=hidden.device)
        with torch.no_grad(), without_autocast(hidden):
            for piece in self._all(self.head.layer) if self.kept is None else [self.kept]:
                found[:, piece.at] = focal_sums(piece.capped, piece.rows, focus.of(piece.at))
        return found

    def gradients(
        self,
        found: Found,
        scales: tuple[Tensor, Tensor | None],
        layer: Layer,
        wanted: tuple[bool, ...],
    ) -> list[Tensor | None]:
        """Return the gradients of the layer's tensors that are wanted, as `Layer.tensors` lists."""
        first = layer.terms[0][0]
        sums = GradientSums.of(layer, wanted, self.pieces.index is not None)
        asked = found.sloping(*scales, first)
        kept, self.kept = self.kept, None
        with torch.no_grad(), without_autocast(first):
            for piece in self._all(layer) if kept is None else [kept]:
                slope = self._derivative_of_cap(piece)
                write_slopes(piece.capped, asked.of(piece.at, piece.rows, piece.capped))
                if slope is not None:
                    piece.logits.copy_(piece.capped.mul_(slope))
                sums.add(piece.logits, piece.hidden, layer, piece.at)
            gradients = sums.finished()
            _add_over_ranks(gradients, found.asked.ranks)
        return like(gradients, layer.tensors)

    def _derivative_of_cap(self, piece: Piece) -> Tensor | None:
        """Return 1 − (z / c)², the derivative of z = c tanh(x / c); 0 where x was infinite."""
        if self.head.softcap is None:
            return None
        return (piece.capped / self.head.softcap).square_().neg_().add_(1.0).clamp_(min=0.0)

    def _all(self, layer: Layer) -> Iterator[Piece]:
        """Give the pieces, one at a time, all in the same memory."""
        shape = self.pieces.size, layer.classes
        room = torch.empty(shape, dtype=layer.dtype, device=layer.terms[0][0].device)
        for at in self.pieces.all():
            hidden = [self._hidden(h, at) for h, _ in layer.terms]
            x = write_logits(room, hidden, layer)
            z = x
            if self.head.softcap is not None:
                z = softmax_core.capped(xp, x.to(arithmetic(x)), self.head.softcap)
            yield Piece(at, self._rows(at), hidden, x, z)

    def _hidden(self, hidden: Tensor, at: slice | Tensor) -> Tensor:
        part, kept = hidden.detach()[at].to(self.head.layer.dtype), self.head.rows.keep
        if kept is None or self.pieces.clean:
            return part
        return part.masked_fill(~kept[at, None], 0.0)  # 0 · NaN would be NaN

    def _rows(self, at: slice | Tensor) -> Rows:
        rows = self.head.rows
        assert rows.target is not None
        keep = None if rows.keep is None else rows.keep[at]
        return replace(rows, target=rows.target[at], keep=keep)


def _add_over_ranks(gradients: list[Tensor | None], ranks: Ranks) -> None:
    """Add the gradients of hidden rows, every second one, over the ranks, in one call."""
    own = [i for i, g in enumerate(gradients) if i % 2 and g is not None]
    given = [g for i in own if (g := gradients[i]) is not None]
    if not given:
        return
    dtype = wide(given[0].dtype)
    if len(given) == 1:
        gradients[own[0]] = summed(given[0].to(dtype), ranks)
        return
    total = summed(torch.cat([g.to(dtype).flatten() for g in given]), ranks)
    for i, part in zip(own, torch.split(total, [g.numel() for g in given]), strict=True):
        gradients[i] = part.view(gradients[i].shape)  # type: ignore[union-attr]
