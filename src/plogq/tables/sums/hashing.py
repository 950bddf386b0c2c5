"""A hash that deals rows at random, the same on every machine."""

from __future__ import annotations

import numpy as np

from plogq.kernels.hashes import lowest_hashes
from plogq.tables.arrays import Array


def splitmix64(n: Array, seed: np.uint64) -> Array:
    """Return SplitMix64's n-th number from a seed, uint64: it hashes 64-bit integers one to one.

    Steele, Lea, Flood (2014), Fast splittable pseudorandom number generators; constants: Vigna.
    """
    with np.errstate(over="ignore"):
        z = seed + (n + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def lowest_rows(start: int, n: int, rows: Array | None, seed: np.uint64, limit: np.uint64) -> Array:
    """Return which of n rows have numbers that hash to `limit` at most: (k,) places, increasing.

    The rows are those of the table from row `start` on. Where some were left out, `rows` has the
    offsets of the n that remain, so that the same rows are found whatever was left out.
    """
    if rows is None:
        return lowest_hashes(start, n, int(seed), int(limit))
    chosen = lowest_hashes(start, int(rows[-1]) + 1 if n else 0, int(seed), int(limit))
    place = np.searchsorted(rows, chosen)
    found: Array = place[rows[place] == chosen]
    return found
