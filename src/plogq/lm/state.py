"""Exact sums over the documents of a corpus, in buckets for the intervals."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from plogq.kernels.exact_sum import ExactSums
from plogq.lm.documents import UNITS, UNKNOWN, Block, Documents
from plogq.tables.arrays import Array
from plogq.tables.sums.bootstrap import MOST_BUCKETS, value_buckets
from plogq.tables.sums.top_k import TopK


class Corpus:
    """Sums over documents, which fall into buckets by the hash of their names.

    Parameters
    ----------
    top
        How many of the costliest documents to keep.
    seed
        The seed of the buckets.
    """

    def __init__(self, top: int, seed: int) -> None:
        self._seed = seed
        self.surprisal = ExactSums(MOST_BUCKETS)
        self.documents = np.zeros(MOST_BUCKETS, np.int64)
        self.counts = {unit: np.zeros(MOST_BUCKETS, np.int64) for unit in UNITS}
        self.unknown = dict.fromkeys(UNITS, 0)  # documents without that count
        self.impossible = 0  # tokens of probability 0
        self.scored = self.certain = 0  # tokens with a logprob, and with a logprob of exactly 0
        self.unscored = self.unscored_documents = self.unscored_bytes = 0
        self.worst = {unit: TopK(top) for unit in ("byte", "token")}

    def add(self, block: Block) -> None:
        """Add some documents."""
        self.scored += len(block.tokens.surprisal)
        self.certain += int(np.count_nonzero(block.tokens.surprisal == 0))
        documents = block.documents
        if not documents.names:
            return
        names = pa.array(documents.names).dictionary_encode()
        bucket = value_buckets(names, MOST_BUCKETS, self._seed)
        self.surprisal.add(documents.surprisal, bucket)
        np.add.at(self.documents, bucket, 1)
        for unit in UNITS:
            count = documents.counts.get(unit)
            if count is None:
                self.unknown[unit] += len(bucket)
            else:
                self.unknown[unit] += int(np.count_nonzero(count == UNKNOWN))
                np.add.at(self.counts[unit], bucket, count)
        self.impossible += int(documents.impossible.sum())
        self.unscored += int(documents.unscored.sum())
        self.unscored_documents += int(np.count_nonzero(documents.unscored))
        self.unscored_bytes += int(documents.unscored_bytes.sum())
        for unit, worst in self.worst.items():
            if unit in documents.counts:
                worst.add(_rate(documents, unit), lambda i: _described(documents, i))


def _rate(documents: Documents, unit: str) -> Array:
    """Return what each document costs, (d,) nats per unit of text; NaN where it is not known."""
    count = documents.counts[unit].astype(np.float64)
    count[count <= 0] = np.nan
    rate: Array = np.where(documents.impossible > 0, np.inf, documents.surprisal) / count
    return rate


def _described(documents: Documents, i: int) -> dict[str, object]:
    counts = {unit: int(count[i]) for unit, count in documents.counts.items()}
    impossible = documents.impossible[i] > 0
    return {
        "doc": documents.names[i],
        "counts": {unit: None if n == UNKNOWN else n for unit, n in counts.items()},
        "nats": np.inf if impossible else float(documents.surprisal[i]),
    }
