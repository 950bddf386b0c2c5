"""The rows of a head in pieces, each as large as the workspace allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor

from plogq.errors import refuse
from plogq.torch.engines.head_products import wide
from plogq.torch.questions import Figures, Head, Rows

_ALIGNED = 16  # rows: a product of so many keeps every lane of a processor busy


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
    """

    number: int
    index: Tensor | None
    size: int

    @classmethod
    def of(cls, head: Head, engine: RowEngine) -> Pieces:
        """Return the fewest pieces that fit into the workspace, without rows that are left out."""
        size, index, kept = rows_that_fit(head, engine), None, head.rows.kept()
        count = head.layer.terms[0][0].shape[0]
        if kept is not None and head.compact:
            index = kept.nonzero()[:, 0]
            if len(index) == count:
                index = None
            else:
                count = len(index)
        even = -(-count // max(1, -(-count // size)))
        return cls(count, index, max(1, min(size, -(-even // _ALIGNED) * _ALIGNED)))

    def all(self) -> Iterator[slice | Tensor]:
        """Give what picks the rows of each piece among all rows."""
        for begin in range(0, self.number, self.size):
            at = slice(begin, min(begin + self.size, self.number))
            yield at if self.index is None else self.index[at]


def rows_that_fit(head: Head, engine: RowEngine) -> int:
    """Return how many rows a workspace holds, and refuse one that holds none."""
    layer = head.layer
    width = sum(hidden.shape[1] for hidden, _ in layer.terms)
    caps = head.softcap is not None and engine.capped is None
    copies = engine.copies + (3 if caps else 0)
    of_row = layer.classes * (layer.dtype.itemsize + copies * wide(layer.dtype).itemsize)
    of_row += 2 * width * layer.dtype.itemsize  # of the hidden rows, and of their gradient
    if head.workspace < of_row:
        expected = f"hold one row of {layer.classes} classes, which takes {of_row} bytes"
        refuse("workspace", expected, f"{head.workspace} bytes")
    return head.workspace // of_row
