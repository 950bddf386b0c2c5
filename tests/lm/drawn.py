"""Corpora of many kinds, drawn by a seed."""

import numpy as np
import pyarrow as pa

from plogq.lm import score_tokens


def result(seed):
    """Give the result of a corpus: of few or many documents, whole, doubtful or infinite."""
    rng = np.random.default_rng(seed)
    documents = int(rng.choice([1, 2, 5, 25, 60]))
    doc = np.repeat([f"d{i}" for i in range(documents)], rng.integers(1, 12, documents))
    n = len(doc)
    logprob = -rng.exponential(rng.choice([1e-7, 0.1, 1, 1, 1, 30, 1e5]), n)
    if rng.random() < 0.1:
        logprob[:] = 0
    if rng.random() < 0.2:
        logprob[rng.choice(n, 1 + n // 50, replace=False)] = -np.inf
    if rng.random() < 0.3:
        first = np.append(True, doc[1:] != doc[:-1]) & (np.arange(n) > 0)
        logprob[first] = np.nan
    data = {"doc": doc, "logprob": pa.array(logprob, from_pandas=True)}
    sizes = rng.integers(1, 6, n)
    if rng.random() < 0.7:
        data["bytes"] = sizes if rng.random() < 0.9 else np.zeros(n, np.int64)
    if rng.random() < 0.5:
        data["characters"] = np.minimum(sizes, rng.choice([3, 9]))
    if rng.random() < 0.5:
        data["words"] = rng.integers(0, rng.choice([2, 2, 50]), n)
    if rng.random() < 0.5:
        data["token"] = [f"[t]{i}\x1b" for i in rng.integers(0, 9, n)]
    unit = str(rng.choice(["bit", "nat", "hartley"]))
    bootstrap, top = int(rng.choice([0, 40])), int(rng.choice([0, 3, 30]))
    return score_tokens(pa.table(data), unit=unit, bootstrap=bootstrap, top=top)
