"""Labels coded as a model learns them."""

import math

import numpy as np
import pytest

from plogq.codes import compress, prequential
from tests.optional import optional

pd, sparse = optional("pandas"), optional("scipy.sparse")
datasets, linear_model = optional("sklearn.datasets"), optional("sklearn.linear_model")


class Frequencies:
    """Predicts classes as often as it saw them, whatever the input: what KT does block by block."""

    def fit(self, inputs, labels):
        self.classes_, counts = np.unique(labels, return_counts=True)
        self.q = counts / counts.sum()

    def predict_proba(self, inputs):
        return np.tile(self.q, (len(inputs), 1))


def data(n=400, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 2))
    return x, np.where(x[:, 0] + 0.3 * rng.standard_normal(n) > 0, "yes", "no")


def test_bits_are_what_the_blocks_cost_decision_by_decision():
    x, y = data()
    cuts = [20, 50, 200]
    found = prequential(Frequencies(), x, y, cuts=cuts)
    bits = 20.0
    for start, stop in zip(cuts, [*cuts[1:], len(y)], strict=True):
        share = {c: np.mean(y[:start] == c) for c in ("yes", "no")}
        bits -= sum(math.log2((start * share[c] + 0.5) / (start + 1)) for c in y[start:stop])
    assert found.bits == pytest.approx(bits, rel=1e-12)
    assert [(b.start, b.stop) for b in found.blocks] == [(0, 20), (20, 50), (50, 200), (200, 400)]
    rows, total = found.curve
    assert rows.tolist() == [0, 20, 50, 200, 400]
    assert total[-1] == pytest.approx(found.bits)
    assert found.blocks[1].bits_per_row == found.blocks[1].bits / 30


def test_every_row_a_block_of_frequencies_is_krichevsky_trofimov():
    _, y = data(60)
    found = prequential(Frequencies(), np.zeros((60, 1)), y, cuts=list(range(1, 60)))
    counts, bits = {"yes": 0.0, "no": 0.0}, 0.0
    for t, label in enumerate(y):
        bits -= math.log2((counts[label] + 0.5) / (t + 1))
        counts[label] += 1
    assert found.labels_bits == pytest.approx(bits, rel=1e-12)
    assert found.bits == pytest.approx(bits, rel=1e-12)  # of two classes the mixture is the same
    assert found.uniform_bits == 60.0


def test_a_model_that_learns_and_one_that_only_fits():
    x, y = data()
    found = prequential(linear_model.LogisticRegression(), x, y)
    assert found.learned_bits > 0.4 * found.labels_bits
    noise = np.random.default_rng(1).standard_normal((400, 100))
    lost = prequential(linear_model.LogisticRegression(C=100), noise, y)
    assert lost.learned_bits < 0
    assert lost.parameters == 101
    # It fits, but what it fits has to be sent: no better than without a model.
    assert lost.two_part_bits > lost.labels_bits
    assert found.two_part_bits < found.labels_bits


def test_digits_are_learned():
    digits = datasets.load_digits()
    model = linear_model.LogisticRegression(max_iter=200)
    found = prequential(model, digits.data / 16, digits.target)
    assert not hasattr(model, "coef_")  # copies were fitted
    assert found.bits < 0.25 * found.uniform_bits
    assert found.uniform_bits == pytest.approx(1797 * math.log2(10))
    assert len(found.blocks) == 11
    per_row = [block.bits_per_row for block in found.blocks]
    assert per_row[-1] < 0.5 < 1 < per_row[1]


def test_the_number_is_a_code_that_can_be_sent():
    x, y = data(100)
    found = prequential(Frequencies(), x, y, cuts=[10, 40])
    index = (y == "yes").astype(int)
    q = np.full((100, 2), 0.5)
    for start, stop in ((10, 40), (40, 100)):
        ones = index[:start].sum()
        q[start:stop] = np.array([start - ones + 0.5, ones + 0.5]) / (start + 1)
    assert compress(index, q)[1].exact_bits == pytest.approx(found.bits, rel=1e-12)


def test_data_frames_one_class_and_unknown_parameters():
    x, y = data(50)
    frame = prequential(linear_model.LogisticRegression(), pd.DataFrame(x, columns=["a", "b"]), y)
    assert frame.bits == pytest.approx(prequential(linear_model.LogisticRegression(), x, y).bits)
    ordered = np.sort(y)  # the first blocks hold one class: no model is trained on them
    assert prequential(linear_model.LogisticRegression(), x, ordered, cuts=[5, 10]).bits > 0
    one = prequential(linear_model.LogisticRegression(), x, np.zeros(50))
    assert (one.bits, one.uniform_bits, one.labels_bits) == (0.0, 0.0, 0.0)
    unknown = prequential(Frequencies(), x, y)
    assert (unknown.two_part_bits, unknown.parameters) == (None, None)
    known = prequential(Frequencies(), x, y, parameters=1)
    assert known.two_part_bits > known.parameters / 2 * math.log2(50)


def test_sparse_inputs():
    x, y = data(60)
    wanted = prequential(linear_model.LogisticRegression(), x, y)
    found = prequential(linear_model.LogisticRegression(), sparse.csr_matrix(x), y)
    assert found.bits == pytest.approx(wanted.bits, rel=1e-6)
    with pytest.raises(ValueError, match="inputs must have 60 rows"):
        prequential(linear_model.LogisticRegression(), sparse.csr_matrix(x[1:]), y)


class Broken(Frequencies):
    def __init__(self, q):
        self.broken = q

    def predict_proba(self, inputs):
        return np.tile(self.broken, (len(inputs), 1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": []}, "labels must have shape"),
        ({"labels": ["a", "b"]}, "inputs must have 2 rows, one for each label; got 50"),
        ({"labels": [0.0, math.nan] * 25}, "labels must be classes; got nan .*row 1"),
        ({"cuts": [10, 10]}, "cuts must ascend between 0 and 50"),
        ({"cuts": [0]}, "cuts must ascend"),
        ({"cuts": [50]}, "cuts must ascend"),
        ({"model": Broken([0.5, 0.6])}, "model must predict probabilities that sum to 1"),
        ({"model": Broken([math.nan, 1.0])}, "model must predict probabilities"),
        ({"model": Broken([0.5, 0.25, 0.25])}, "model must predict 2 known classes"),
    ],
)
def test_bad_input(arguments, message):
    x, y = data(50)
    with pytest.raises(ValueError, match=message):
        prequential(**{"model": Frequencies(), "inputs": x, "labels": y} | arguments)
