"""One bootstrap for every interval: buckets of rows, weighted at random.

Rows fall into at most 4,096 buckets by their numbers (clusters, by the hash of their names), and
every figure is a function of sums over buckets. A replicate gives each bucket a Poisson(1) weight.
With no more rows than buckets this is the Poisson bootstrap over rows; with more, over random
groups of rows, of the same expected variance. It costs a row nothing but its place in a bucket,
and neither order nor split of the table changes it.

References
----------
Chamandy, Muralidharan, Najmi, Naidu (2012), Estimating uncertainty for massive data streams.
Efron, Tibshirani (1993), An introduction to the bootstrap.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa

from plogq.errors import check_count, refuse
from plogq.tables.arrays import Array
from plogq.tables.sums.hashing import splitmix64
from plogq.tables.sums.level import LEAST_REPLICATES, LEVEL, PERCENT
from plogq.tables.sums.products import weighted_sums
from plogq.tables.sums.values import coded

MOST_BUCKETS = 4_096
FEWEST = 20  # rows, or groups, that an interval needs to be reliable


def row_buckets(start: int, n: int, buckets: int, seed: int, kept: Array | None = None) -> Array:
    """Return the bucket of each of the n rows from row `start` on, or of those `kept`, int64.

    Each run of `buckets` rows has one row in every bucket. Their order is rotated by a random
    step, so that a period in the order of the table does no harm.
    """
    if kept is not None:
        n = int(kept[-1]) + 1
    first, last = start // buckets, (start + n - 1) // buckets
    run = np.arange(first, last + 1, dtype=np.uint64)
    turn = (splitmix64(run, np.uint64(seed)) % np.uint64(buckets)).tolist()
    places = np.tile(np.arange(buckets), 2)
    whole = np.concatenate([places[step : step + buckets] for step in turn])
    found = whole[start - first * buckets :][:n]
    return found if kept is None else found[kept]


def value_buckets(values: pa.DictionaryArray, buckets: int, seed: int) -> Array:
    """Return the bucket of each row by the name of its cluster, (n,) int64; missing is a name."""
    salt = seed.to_bytes(8, "little")
    names, codes = coded(values)
    hashed = [_hash(name, salt) % buckets for name in names]
    return np.array(hashed, np.int64)[codes]


def _hash(name: str | None, salt: bytes) -> int:
    data = b"\0" if name is None else b"\1" + name.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8, salt=salt).digest(), "little")


def check_replicates(bootstrap: int) -> None:
    """Refuse so few replicates that their percentiles are no ends of an interval."""
    check_count("bootstrap", bootstrap)
    if 0 < bootstrap < LEAST_REPLICATES:
        expected = (
            f"be 0, or {LEAST_REPLICATES} or more: fewer replicates make no {PERCENT} interval"
        )
        refuse("bootstrap", expected, bootstrap)


def replicate_weights(buckets: int, replicates: int, seed: int) -> Array:
    """Return the weight of each bucket in each replicate, Poisson(1), (replicates, buckets)."""
    generator = np.random.Generator(np.random.Philox(seed))
    return generator.poisson(1.0, (replicates, buckets)).astype(np.float64)


def interval(replicates: Array) -> tuple[float, float] | None:
    """Return the percentiles that hold `LEVEL` of the replicates; None unless all are finite."""
    if len(replicates) == 0 or not np.isfinite(replicates).all():
        return None
    ends = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    low, high = np.quantile(replicates, ends, method="weibull")
    return float(low), float(high)


def of_means(weights: Array, sums: Array, amounts: Array) -> tuple[float, float] | None:
    """Return the percentiles of the replicates of a mean, `means` of the same arguments.

    A replicate that holds nothing has no mean, and is left out.
    """
    found = means(weights, sums, amounts)
    return interval(found[~np.isnan(found)])


def means(weights: Array, sums: Array, amounts: Array) -> Array:
    """Return Σ w s / Σ w a of each replicate, (replicates, n), (n,), (n,) → (replicates,).

    It is NaN for a replicate that holds nothing.
    """
    total = weighted_sums(weights, amounts)
    found = np.full(len(weights), np.nan)
    np.divide(weighted_sums(weights, sums), total, out=found, where=total > 0)
    return found


def too_few(count: int, what: str) -> str:
    """Return a sentence that rows, or groups, are too few for intervals; '' where they are not."""
    if count >= FEWEST:
        return ""
    return f"intervals from fewer than {FEWEST} {what} are too narrow to rely on"


def fold_of_buckets(used: Array, folds: int, seed: int) -> Array:
    """Return the fold of each bucket, (buckets,) int64; −1 for a bucket that is not in use.

    The buckets in use are dealt at random into folds of as many buckets, but for one.
    """
    # Not the seed itself: the hash of bucket i must not be that of run i in `row_buckets`.
    hashed = splitmix64(np.arange(len(used), dtype=np.uint64), ~np.uint64(seed))
    order = np.argsort(hashed, kind="stable")
    order = order[used[order]]
    fold = np.full(len(used), -1, np.int64)
    fold[order] = np.arange(len(order)) % folds
    return fold
