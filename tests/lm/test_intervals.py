"""Intervals hold the truth as often as they say, where documents differ much."""

import numpy as np
import pyarrow as pa
import pytest

from plogq.lm import score_tokens
from plogq.tables.sums.level import LEVEL


@pytest.mark.slow
def test_coverage():
    """Long documents are harder here, so that rows alone would give far too short intervals."""
    rng = np.random.default_rng(7)
    trials, documents = 200, 120
    # E[Σ cost] / E[Σ n], with n tokens uniform on 1..20 and a document's mean cost 1 + n/20 + noise
    n = np.arange(1, 21)
    per_token = float((n * (1 + n / 20)).sum() / n.sum())
    truth = {"token": per_token, "byte": per_token / 2}
    held = dict.fromkeys(truth, 0)
    for trial in range(trials):
        size = rng.integers(1, 21, documents)
        mean = 1 + size / 20 + rng.uniform(-0.9, 0.9, documents)
        doc = np.repeat(np.arange(documents), size)
        cost = rng.uniform(0, 2, len(doc)) * mean[doc]
        data = {"doc": doc, "logprob": -cost, "bytes": np.full(len(doc), 2)}
        result = score_tokens(pa.table(data), unit="nat", seed=trial, top=0)
        for of, cost in truth.items():
            low, high = result.intervals[f"cross_entropy_per_{of}"]
            held[of] += low <= cost <= high
    assert LEVEL - 0.05 <= held["token"] / trials <= LEVEL + 0.03
    assert held["byte"] == held["token"]  # of 2 bytes each, the same quotients
