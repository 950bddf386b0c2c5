"""The most surprising rows, where wrong labels are to be looked for first."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa

from plogq.tables.arrays import Array
from plogq.tables.row_figures import TopClasses


class Surprising(NamedTuple):
    """Rows, with their surprisals in nats."""

    surprisal: Array
    row: Array  # its number in the table
    id: Array  # of objects
    label: Array
    predicted: Array
    q_label: Array

    def take(self, index: Array) -> Surprising:
        """Return some of the rows."""
        return Surprising(*(field[index] for field in self))


class Surprises:
    """The `top` rows of highest surprisal; among equal ones, the first rows."""

    def __init__(self, top: int) -> None:
        self._top = top
        self._least = -np.inf  # `top` rows with at least this surprisal are held
        self._parts: list[Surprising] = []
        self._held = 0

    def add(
        self,
        start: int,
        keep: Array,
        surprisal: Array,
        label: Array,
        predicted: Array | TopClasses,
        of_label: Array,
        ids: pa.Array | None,
        rows: Array | None = None,
    ) -> None:
        """Offer rows from row `start` of the table on, those where `keep` is true.

        `rows` are the offsets of these rows from `start`; None: they follow each other.
        """
        near = np.flatnonzero(surprisal >= self._least) if self._top else np.empty(0, np.int64)
        near = near[keep[near]]
        if len(near) == 0:
            return
        near = near[_highest(surprisal[near], near, self._top)]
        names = [None] * len(near) if ids is None else ids.take(pa.array(near)).to_pylist()
        self._put(
            Surprising(
                surprisal[near],
                start + (near if rows is None else rows[near]),
                np.fromiter(names, object, len(near)),
                label[near],
                predicted[near],
                np.exp(-of_label[near]),
            )
        )

    def merge(self, other: Self) -> None:
        """Add the rows of another."""
        for part in other._parts:
            self._put(part)

    def rows(self) -> Surprising | None:
        """Return the rows, the most surprising first; None where there are none."""
        if not self._parts:
            return None
        self._shrink()
        found = self._parts[0]
        return found.take(np.lexsort((found.row, -found.surprisal)))

    def _put(self, part: Surprising) -> None:
        self._parts.append(part)
        self._held += len(part.row)
        if self._held >= 2 * self._top:
            self._shrink()

    def _shrink(self) -> None:
        whole = Surprising(*(np.concatenate(fields) for fields in zip(*self._parts, strict=True)))
        whole = whole.take(_highest(whole.surprisal, whole.row, self._top))
        if len(whole.row) == self._top:
            self._least = whole.surprisal.min()
        self._parts = [whole]
        self._held = len(whole.row)


def _highest(surprisal: Array, row: Array, top: int) -> Array:
    """Return the places of the `top` highest surprisals; among equal ones, of the first rows."""
    if len(surprisal) <= top:
        return np.arange(len(surprisal))
    kth = np.partition(surprisal, -top)[-top]
    above, equal = np.flatnonzero(surprisal > kth), np.flatnonzero(surprisal == kth)
    return np.concatenate([above, equal[np.argsort(row[equal])[: top - len(above)]]])
