"""Random corpora, as rows of a table."""

import numpy as np
import pyarrow as pa


def corpus(seed, documents=12, longest=40, first_unscored=True):
    """Give rows: documents of random lengths, tokens of random costs and sizes."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(documents):
        for j in range(int(rng.integers(1, longest))):
            size = int(rng.integers(0, 6))
            rows.append(
                {
                    "doc": f"d{i}",
                    "logprob": float(np.log(rng.beta(1, 2) + 1e-9)),
                    "bytes": size,
                    "words": int(rng.integers(0, 2)) if size else 0,
                    "characters": int(rng.integers(0, size + 1)),
                    "token": f"▁{int(rng.integers(9))}",  # a name, and no text
                }
            )
            if j == 0 and first_unscored and i % 2:
                rows[-1]["logprob"] = None
    rows.append(rows[-1] | {"logprob": -1.5, "bytes": 1, "words": 1, "characters": 1})
    return rows


def table(rows):
    return pa.Table.from_pylist(rows)
