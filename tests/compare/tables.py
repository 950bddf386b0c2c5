"""Pairs of tables: two models of the same rows."""

import numpy as np
import pyarrow as pa

CLASSES = ("cat", "dog", "eel", "fox")


def models(seed, rows=300, noise=(0.5, 1.0)):
    """Give labels, two (rows, 4) arrays of log-probabilities, and columns of rows."""
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(rows, 4))
    label = (logits + rng.gumbel(size=(rows, 4))).argmax(axis=1)
    both = []
    for scale in noise:
        x = logits + scale * rng.normal(size=(rows, 4))
        both.append(x - np.log(np.exp(x).sum(axis=1, keepdims=True)))
    columns = {
        "id": [f"r{i}" for i in range(rows)],
        "site": rng.choice(["north", "south"], rows),
        "patient": rng.integers(0, rows // 4, rows),
        "w": rng.uniform(0, 3, rows),
    }
    return label, both, columns


def table(label, logprobs, columns, order=range(4)):
    """Give a table whose classes have the given order."""
    wide = {f"logit_{CLASSES[j]}": logprobs[:, j] for j in order}
    return pa.table({**wide, "label": np.array(CLASSES)[label], **columns})


def pair(seed, **options):
    label, (a, b), columns = models(seed, **options)
    return table(label, a, columns), table(label, b, columns, (2, 0, 3, 1))
