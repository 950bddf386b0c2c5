"""How the rows' surprisals are distributed, and how much each prediction tells of its label."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plogq.formulas.units import Unit, from_nats
from plogq.tables.arrays import Array

WIDTH = math.log(2) / 4  # of a bin: a quarter of a bit
FINITE_BINS = 128  # up to 32 bits
BEYOND, INFINITE = FINITE_BINS, FINITE_BINS + 1
SURPRISAL_BINS = FINITE_BINS + 2
MOST_INFORMATION_BINS = 128


def surprisal_bins(surprisal: Array) -> Array:
    """Give the bin of each surprisal (nats): ⌊4 s / ln 2⌋, all above 32 bits, or infinite."""
    bins = np.minimum(surprisal / WIDTH, BEYOND).astype(np.int64)
    bins[np.isinf(surprisal)] = INFINITE
    return bins


def surprisal_histogram(amounts: Array, unit: Unit) -> dict[str, Any]:
    """Give edges in `unit`, and the share of all weight between them and beyond."""
    share = amounts / amounts.sum()
    return {
        "edges": tuple(from_nats(i * WIDTH, unit) for i in range(FINITE_BINS + 1)),
        "weight": tuple(share[:FINITE_BINS].tolist()),
        "beyond": float(share[BEYOND]),
        "infinite": float(share[INFINITE]),
    }


def information_histogram(information: Array, weight: Array, unit: Unit) -> dict[str, Any]:
    """Count pointwise information log q(y) − log P(y), in nats, by bins of a quarter of a bit.

    With more than 128 bins of it, the lowest holds all that lies below. Where q(y) = 0 it is
    −inf, and `infinite` is the share of those.
    """
    total = weight.sum()
    finite = np.isfinite(information)
    bins = np.floor(information[finite] / WIDTH)
    high = int(bins.max(initial=0))
    low = max(int(bins.min(initial=0)), high - MOST_INFORMATION_BINS + 1)
    places = (np.maximum(bins, low) - low).astype(np.int64)
    amounts = np.bincount(places, weight[finite], high - low + 1)
    return {
        "edges": tuple(from_nats(i * WIDTH, unit) for i in range(low, high + 2)),
        "weight": tuple((amounts / total).tolist()),
        "infinite": float(weight[~finite].sum() / total),
    }
