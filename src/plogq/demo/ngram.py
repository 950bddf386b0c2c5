"""A byte-level n-gram model with interpolation: sorted arrays of counts, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
BYTE = np.uint64(8)
LONGEST = 8  # bytes that a 64-bit key holds


class Counts(NamedTuple):
    """The different n-grams of one order, sorted, and how often each was seen."""

    grams: Keys
    counts: Ints


class NGram:
    """Interpolated modified Kneser-Ney smoothing, of bytes.

    P_k(b | c) = (n(cb) − D(n(cb)) + Σ_b D(n(cb)) · P_{k−1}(b | c')) / n(c), with c the k − 1 bytes
    before b, c' without the first of them, and P_0 = 1/256. n counts occurrences at the highest
    order, and below it how many different bytes were seen before cb. The discounts D(1), D(2) and
    D(3) for all above are found from how many n-grams were seen once, twice, three and four times.

    Parameters
    ----------
    documents
        What to learn from. Zero bytes stand before the start of each document.
    order
        The length of the longest n-gram in bytes, at most 8.
    progress
        Called after each order.

    Examples
    --------
    >>> model = NGram([b"abracadabra"] * 2, order=3)
    >>> float(model.surprisals([b"abra"]).sum()) < float(model.surprisals([b"arba"]).sum())
    True

    References
    ----------
    Kneser, Ney (1995), Improved backing-off for m-gram language modeling.
    Chen, Goodman (1999), An empirical study of smoothing techniques for language modeling,
    section 3.
    """

    def __init__(
        self,
        documents: Sequence[bytes],
        order: int = LONGEST,
        progress: Callable[[], Any] | None = None,
    ) -> None:
        if not 1 <= order <= LONGEST:
            raise ValueError(f"order must be from 1 to {LONGEST}; got {order}")
        self.order = order
        self.tables: list[Counts] = []  # of orders 1, 2, …
        seen = _keys(documents, order)
        for k in range(order, 0, -1):
            # Each n-gram of the order above counts once: the different bytes before are counted.
            table = _counted(_last(seen, k))
            self.tables.insert(0, table)
            seen = table.grams
            if progress is not None:
                progress()

    def surprisals(
        self, documents: Sequence[bytes], progress: Callable[[], Any] | None = None
    ) -> Floats:
        """Return −ln P of every byte of the documents, one document after another, in nats."""
        keys = _keys(documents, self.order)
        p = np.full(len(keys), 1 / 256)
        for k, table in enumerate(self.tables, 1):
            _interpolate(p, _last(keys, k), table)
            if progress is not None:
                progress()
        costs: Floats = -np.log(p)
        return costs


def _interpolate(p: Floats, keys: Keys, table: Counts) -> None:
    """Replace P_{k−1} by P_k, in place, for the n-grams `keys` of order k."""
    discount = _discounts(table.counts)[np.minimum(table.counts, 3)]
    contexts = table.grams >> BYTE
    start = _starts(contexts)
    total = np.add.reduceat(table.counts, start)
    freed = np.add.reduceat(discount, start)
    contexts = contexts[start]
    order = np.argsort(keys)  # sorted look-ups run through the tables once
    wanted = keys[order]
    place = np.minimum(np.searchsorted(table.grams, wanted), len(table.grams) - 1)
    seen = np.where(table.grams[place] == wanted, (table.counts - discount)[place], 0.0)
    before = wanted >> BYTE
    place = np.minimum(np.searchsorted(contexts, before), len(contexts) - 1)
    known = contexts[place] == before  # an unseen context says nothing: P_k = P_{k−1}
    lower = p[order]
    p[order] = np.where(known, (seen + freed[place] * lower) / total[place], lower)


def _discounts(counts: Ints) -> Floats:
    """Return D(0) = 0, D(1), D(2), D(3): Chen and Goodman's equation 17."""
    n1, n2, n3, n4 = (int(np.count_nonzero(counts == i)) for i in (1, 2, 3, 4))
    if min(n1, n2, n3) == 0:  # too few n-grams to tell
        return np.array([0, 0.5, 0.5, 0.5])
    y = n1 / (n1 + 2 * n2)
    found = np.array([0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3])
    discounts: Floats = np.where(found > 0, found, [0, 0.5, 0.5, 0.5])
    return discounts


def _keys(documents: Sequence[bytes], order: int) -> Keys:
    """Return the n-gram that ends in each byte, as a number: that byte is its lowest."""
    pad = bytes(order - 1)
    found = [np.empty(0, np.uint64)]
    for document in documents:
        data = np.frombuffer(pad + document, np.uint8)
        keys = np.zeros(len(document), np.uint64)
        for i in range(order):
            keys = (keys << BYTE) | data[i : i + len(document)]
        found.append(keys)
    return np.concatenate(found)


def _last(keys: Keys, k: int) -> Keys:
    """Return the last k bytes of each n-gram."""
    return keys if k == LONGEST else keys & np.uint64((1 << 8 * k) - 1)


def _counted(keys: Keys) -> Counts:
    ordered = np.sort(keys)
    start = _starts(ordered)
    return Counts(ordered[start], np.diff(start, append=len(ordered)))


def _starts(ordered: Keys) -> Ints:
    """Return where each run of equal values starts."""
    if len(ordered) == 0:
        return np.empty(0, np.int64)
    return np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1])
