"""The rows of a head in pieces, each as large as the workspace allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from plogq.errors import refuse
from plogq.torch.checks import check_rows, on_host, sound_rows
from plogq.torch.engines.head_logits import CAPPING, teacher_bytes
from plogq.torch.engines.head_products import wide
from plogq.torch.questions import Figures, Head, Rows

_ALIGNED = 16  # rows: a product of so many keeps every lane of a processor busy
_ALIGNED_HALF = 256  # rows of half precision, which processors multiply by larger tiles


class RowEngine(NamedTuple):
    """What computes the losses of a piece of logits.

    Attributes
    ----------
    answer
        Takes logits z (n, C), which it may overwrite, the question about them, (n,) factors of the
        gradient or None, and whether figures are wanted. Returns the losses (n,) and the figures;
        with factors, z is Σ factor · loss's gradient in z afterwards.
    copies
        How many float32 arrays like the logits it has at a time, beside them.
    capped
        `answer` with a softcap, which it applies itself; None if the logits must be capped before.
    """

    answer: Callable[[Tensor, Rows, Tensor | None, bool], tuple[Tensor, Figures | None]]
    copies: int
    capped: Callable[[Tensor, Rows, Tensor | None, bool, float], Any] | None = None


@dataclass(frozen=True)
class Pieces:
    """The rows of a head in pieces of about one size.

    Attributes
    ----------
    number
        The number of rows that are computed.
    index
        Those rows among all; None if they are all.
    size
        The number of rows of a piece; the last may have fewer.
    clean
        Whether no row that is left out is among them.
    enough
        Whether all rows that count are among them, as a bool of the device; None if it is certain.
    """

    number: int
    index: Tensor | None
    size: int
    clean: bool = False
    enough: Tensor | None = None

    @classmethod
    def of(cls, head: Head, engine: RowEngine) -> Pieces:
        """Return the fewest pieces that fit into the workspace, without rows that are left out."""
        size, index, kept = rows_that_fit(head, engine), None, head.rows.kept()
        hidden = head.layer.terms[0][0]
        count, host, enough = hidden.shape[0], on_host(hidden), None
        if head.compact and host and kept is not None:
            index = kept.nonzero()[:, 0]
        elif head.compact and not host:
            number = _number(head, kept) if head.valid is None else head.valid
            if kept is not None and number < count:
                index = (~kept).to(torch.uint8).argsort(stable=True)[:number]
                enough = None if head.valid is None else kept.sum() <= number
        if index is not None and len(index) == count:
            index = None
        number = count if index is None else len(index)
        even = -(-number // max(1, -(-number // size)))
        step = _ALIGNED_HALF if head.layer.dtype.itemsize == 2 else _ALIGNED
        size = max(1, min(size // step * step or size, -(-even // step) * step, number))
        return cls(number, index, size, host and index is not None, enough)

    def all(self) -> Iterator[slice | Tensor]:
        """Give what picks the rows of each piece among all rows."""
        for begin in range(0, self.number, self.size):
            at = slice(begin, min(begin + self.size, self.number))
            yield at if self.index is None else self.index[at]


def _number(head: Head, kept: Tensor | None) -> int:
    """Return how many rows count, and refuse bad targets: one copy of two numbers to the host."""
    rows, hidden = head.rows, head.layer.terms[0][0]
    x = torch.empty((len(hidden), head.layer.classes), dtype=hidden.dtype, device="meta")
    sound = None if rows.target is None else sound_rows(rows, x)
    if sound is None:
        return len(hidden) if kept is None else int(kept.sum())
    counted = torch.ones_like(sound) if kept is None else kept
    number, bad = torch.stack([counted.sum(), (~sound).sum()]).tolist()
    if bad:
        check_rows(x, rows)
    return int(number)


def rows_that_fit(head: Head, engine: RowEngine) -> int:
    """Return how many rows a workspace holds, and refuse one that holds none."""
    layer = head.layer
    width = sum(hidden.shape[1] for hidden, _ in layer.terms)
    caps = head.softcap is not None and engine.capped is None
    copies = engine.copies + (CAPPING if caps else 0)
    of_row = layer.classes * (layer.dtype.itemsize + copies * wide(layer.dtype).itemsize)
    of_row += 2 * width * layer.dtype.itemsize  # of the hidden rows, and of their gradient
    of_row += teacher_bytes(head.teacher, layer.classes)
    if head.workspace < of_row:
        expected = f"hold one row of {layer.classes} classes, which takes {of_row} bytes"
        refuse("workspace", expected, f"{head.workspace} bytes")
    return head.workspace // of_row
