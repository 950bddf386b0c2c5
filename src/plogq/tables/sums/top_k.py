"""The few items of a stream that have the highest values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from plogq.tables.arrays import Array

Item = dict[str, Any]


class TopK:
    """The n items of highest value; of equal ones the first. NaN is never among them."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._least = -np.inf  # a value that n items held before have reached
        self._seen = 0
        self._held: list[tuple[float, int, Item]] = []

    def add(self, values: Array, describe: Callable[[int], Item]) -> None:
        """Offer items in their order, of which only those that may stay are described."""
        near = np.flatnonzero(values > self._least) if self._n else np.empty(0, np.int64)
        near = near[np.argsort(-values[near], kind="stable")[: self._n]]
        self._held += [(float(values[i]), self._seen + int(i), describe(int(i))) for i in near]
        self._seen += len(values)
        if len(self._held) >= 2 * self._n:
            self._shrink()

    def items(self) -> list[Item]:
        """Return the items, the highest first."""
        self._shrink()
        return [item for _, _, item in self._held]

    def _shrink(self) -> None:
        self._held.sort(key=lambda held: (-held[0], held[1]))
        del self._held[self._n :]
        if self._n and len(self._held) == self._n:
            self._least = self._held[-1][0]
