"""The most surprising rows: where to look for wrong labels first."""

from __future__ import annotations

import math
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa

from plogq.score.numbers import Array


class Surprise(NamedTuple):
    """A row, its surprisal in nats."""

    surprisal: float
    row: int
    id: object
    label: int
    predicted: int
    q_label: float


class Surprises:
    """The `top` rows of highest surprisal; of equal ones the first rows."""

    def __init__(self, top: int) -> None:
        self._top = top
        self.rows: list[Surprise] = []

    def add(
        self, start: int, surprisal: Array, label: Array, predicted: Array, ids: pa.Array | None
    ) -> None:
        """Add the rows that follow row `start` of the table."""
        full = len(self.rows) == self._top
        least = self.rows[-1].surprisal if full and self.rows else -np.inf
        near = np.flatnonzero(surprisal >= least)
        if len(near) > self._top > 0:
            kth = np.partition(surprisal[near], -self._top)[-self._top]
            above = near[surprisal[near] > kth]
            equal = near[surprisal[near] == kth]
            near = np.concatenate([above, equal[: self._top - len(above)]])
        self._keep(
            [
                Surprise(
                    float(surprisal[i]),
                    start + int(i),
                    None if ids is None else ids[i].as_py(),
                    int(label[i]),
                    int(predicted[i]),
                    math.exp(-surprisal[i]),
                )
                for i in near
            ]
        )

    def merge(self, other: Self) -> None:
        """Add the rows of another."""
        self._keep(other.rows)

    def _keep(self, more: list[Surprise]) -> None:
        ranked = sorted([*self.rows, *more], key=lambda r: (-r.surprisal, r.row))
        self.rows = ranked[: self._top]
