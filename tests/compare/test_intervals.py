"""Intervals of a difference hold the truth as often as they say."""

import numpy as np
import pytest

from plogq.compare import compare
from plogq.tables.sums.level import LEVEL


def binary(logit, label, patient):
    return {"logits": np.column_stack([np.zeros_like(logit), logit]), "label": label,
            "patient": patient}  # fmt: skip


@pytest.mark.slow
def test_coverage():
    """Rows of a patient are alike; the truth is the mean of very many."""
    rng = np.random.default_rng(3)

    def draw(patients, rows=4):
        patient = np.repeat(np.arange(patients), rows)
        logit = rng.normal(size=patients)[patient] + rng.normal(size=patients * rows)
        label = (rng.random(len(logit)) < 1 / (1 + np.exp(-logit))).astype(np.int64)
        lean = 0.5 * rng.normal(size=patients)[patient]
        return binary(logit + lean, label, patient), binary(0.6 * logit, label, patient)

    truth = compare(*draw(200_000), bootstrap=0).difference
    held, trials = 0, 150
    for trial in range(trials):
        result = compare(*draw(150), group="patient", seed=trial, top=0)
        low, high = result.intervals["difference_finite"]
        held += low <= truth <= high
    assert LEVEL - 0.05 <= held / trials <= LEVEL + 0.03
