"""Of models whose labels are drawn from what they say, next to nothing is found."""

from collections import Counter

import numpy as np
import pytest

from plogq.doctor import check
from tests.doctor.corpus.values.draws import coins, drawn, on, sigmoid, softmax

MODELS = 400
MOST = 0.02  # of the models, in which one check may find something by chance


def models():
    """Yield logits and labels of few and many rows, unsure and sure, of equal classes and not."""
    random = np.random.default_rng(1)
    for seed in range(MODELS):
        rows, classes = random.choice([1, 2, 3, 8, 32, 64, 200]), random.choice([2, 2, 3, 10, 50])
        scale, bias = random.choice([0.05, 0.3, 1.0, 3.0, 8.0]), random.choice([0.0, 0.0, 1.0, 3.0])
        x = scale * random.normal(size=(rows, classes)) + bias * random.normal(size=classes)
        yield x, drawn(x, seed), coins(x, seed), random.integers(0, classes, rows)


LOSSES = {
    "logits": lambda x, y, coins, any: on(x, y, "cross_entropy", "torch"),
    "wrong labels": lambda x, y, coins, any: on(x, any, "cross_entropy", "torch"),
    "log-probabilities": lambda x, y, coins, any: on(np.log(softmax(x)), y, "nll_loss", "torch"),
    "probabilities": lambda x, y, coins, any: on(
        softmax(x), y, "sparse_categorical_crossentropy", "keras"
    ),
    "sigmoids": lambda x, y, coins, any: on(
        x, coins, "binary_cross_entropy_with_logits", "torch"
    ),
    "one sigmoid": lambda x, y, coins, any: on(
        sigmoid(x[:, 0]), coins[:, 0], "binary_cross_entropy", "torch"
    ),
    "numbers": lambda x, y, coins, any: on(x, x + coins - 0.3, "mse_loss", "torch"),
    "at the start": lambda x, y, coins, any: on(
        x / (1 + np.abs(x).max()), any, "cross_entropy", "torch", at_start=True
    ),
}  # fmt: skip


@pytest.mark.parametrize("loss", LOSSES)
def test_little_is_found_by_chance(loss):
    found = Counter()
    for model in models():
        found.update(finding.code for finding in check(**LOSSES[loss](*model)).findings)
    assert max(found.values(), default=0) <= MOST * MODELS, found
