"""Histograms of the surprisal of rows, and of the pointwise information of predictions."""

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
    """Return the bin of each surprisal s (nats): ⌊4 s / ln 2⌋, one for s ≥ 32 bits, one for ∞."""
    bins = np.minimum(surprisal / WIDTH, BEYOND).astype(np.int64)
    bins[np.isinf(surprisal)] = INFINITE
    return bins


def surprisal_histogram(amounts: Array, unit: Unit) -> dict[str, Any]:
    """Return edges in `unit`, and the share of all weight between them and beyond them."""
    share = amounts / amounts.sum()
    return {
        "edges": tuple(from_nats(i * WIDTH, unit) for i in range(FINITE_BINS + 1)),
        "weight": tuple(share[:FINITE_BINS].tolist()),
        "beyond": float(share[BEYOND]),
        "infinite": float(share[INFINITE]),
    }


def information_histogram(information: Array, weight: Array, unit: Unit) -> dict[str, Any]:
    """Return a histogram, in `unit`, of log q(y) − log P(y) in nats; bins are a quarter of a bit.

    Where it would have more than 128 bins, the lowest holds all that lies below. Where q(y) = 0
    the information is −inf, and `infinite` is the share of such rows.
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
