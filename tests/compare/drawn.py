"""Pairs of models of many kinds, drawn by a seed."""

import numpy as np
import pyarrow as pa

from plogq.compare import compare


def comparison(seed, exchanged=False):
    """Give a comparison: of rows or documents, few or many, alike, clear or infinite."""
    rng = np.random.default_rng(seed)
    unit = rng.choice(["bit", "nat", "hartley"])
    options = {"unit": str(unit), "bootstrap": int(rng.choice([0, 40, 100])), "top": 3}
    pair = (_documents if rng.random() < 0.4 else _rows)(rng, options)
    return compare(*pair[:: -1 if exchanged else 1], **options)


def _rows(rng, options):
    n, classes = int(rng.choice([1, 2, 5, 30, 120, 400])), int(rng.integers(2, 6))
    logits = 2 * rng.normal(size=(n, classes))
    label = (logits + rng.gumbel(size=(n, classes))).argmax(axis=1)
    noise = rng.choice([0, 0, 1e-13, 0.05, 0.3, 1, 3], 2)
    columns = {
        "site": rng.choice(["north", "south", "[red]\x1b"], n),
        "of": rng.integers(0, 8, n),
        "w": rng.integers(0, 3, n) + (np.arange(n) == 0),
    }
    for choice, column in (("slices", ["site"]), ("group", "of"), ("weight", "w")):
        if rng.random() < 0.4:
            options[choice] = column
    pair = []
    for scale in noise:
        logprobs = logits + scale * rng.normal(size=logits.shape)
        if rng.random() < 0.15:
            impossible = rng.choice(n, 1 + n // 20, replace=False)
            logprobs[impossible, label[impossible]] = -np.inf
        table = {f"logit_c{j}": logprobs[:, j] for j in range(classes)}
        pair.append(pa.table(table | {"label": [f"c{j}" for j in label]} | columns))
    return pair


def _documents(rng, options):
    documents = int(rng.choice([1, 2, 5, 25, 60]))
    sizes = rng.integers(1, 12, documents)
    doc = np.repeat([f"d{i}" for i in range(documents)], sizes)
    costs = rng.exponential(1.0, len(doc))
    known = rng.random() < 0.7
    pair = []
    for scale in rng.choice([0, 0, 1e-13, 0.01, 0.3, 1], 2):
        logprobs = -np.abs(costs + scale * rng.normal(size=len(doc)) + scale * rng.normal())
        if rng.random() < 0.15:
            logprobs[rng.choice(len(doc), 1 + len(doc) // 50, replace=False)] = -np.inf
        if rng.random() < 0.1:
            logprobs[:] = 0
        pair.append({"doc": doc, "logprob": logprobs * rng.choice([1, 1, 1, 1 / np.log(2)])})
    if known:
        sizes = rng.integers(0, 5, len(doc)) + (rng.random() < 0.9)
        pair = [table | {"bytes": sizes} for table in pair]
    return [pa.table(table) for table in pair]
