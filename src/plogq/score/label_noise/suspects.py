"""The rows whose labels are most likely wrong."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from plogq.tables.arrays import Array


class Suspicious(NamedTuple):
    """Rows, with the probability that their label is wrong."""

    probability: Array
    surprisal: Array  # of the label, recalibrated, in nats
    row: Array  # its number in the table
    id: Array  # of objects
    label: Array
    suggested: Array  # the most probable other class

    def take(self, index: Array) -> Suspicious:
        """Return some of the rows."""
        return Suspicious(*(field[index] for field in self))


class Suspects:
    """The `top` rows of the highest probability; among equal ones, of the highest surprisal."""

    def __init__(self, top: int) -> None:
        self._top = top
        self._parts: list[Suspicious] = []
        self._held = 0

    def add(self, rows: Suspicious) -> None:
        """Offer rows."""
        self._parts.append(rows)
        self._held += len(rows.row)
        if self._held >= 2 * self._top:
            self._shrink()

    def rows(self) -> Suspicious | None:
        """Return the rows, the most suspicious first; None where there are none."""
        if not self._parts:
            return None
        self._shrink()
        return self._parts[0]

    def _shrink(self) -> None:
        whole = Suspicious(*(np.concatenate(fields) for fields in zip(*self._parts, strict=True)))
        order = np.lexsort((whole.row, -whole.surprisal, -whole.probability))
        self._parts = [whole.take(order[: self._top])]
        self._held = len(self._parts[0].row)
