"""Numbers that are called logits or labels, and may be something else: each kind is doubted."""

import numpy as np
import pyarrow as pa
import pytest

from plogq.score import score

ROWS = 40
RNG = np.random.default_rng(5)
LOGITS = RNG.normal(0.0, 1.5, (ROWS, 3))
PROBS = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
LABELS = np.array([RNG.choice(3, p=q) for q in PROBS])
UPPER = RNG.uniform(0.01, 0.99, ROWS)
BINARY = (RNG.random(ROWS) < UPPER).astype(int)


def doubts(result):
    return " ".join(each.message for each in result.warnings if each.code == "reading")


def found(**arrays):
    return score(arrays, unit="nat", bootstrap=0)


@pytest.mark.parametrize(
    ("logits", "said"),
    [
        (np.sort(LOGITS), "rises from its first number to its last"),
        (np.cumsum(PROBS, axis=1) * 2, "rises from its first number to its last"),
        (LOGITS.argsort(axis=1).argsort(axis=1), "are they ranks"),
        (100 * PROBS, "sums to about 100: are these percents, votes or counts"),
        (np.rint(256 * PROBS).clip(0, 255), "are these percents, votes or counts"),
        (-np.log(PROBS), "of −log q, where the numbers q sum to 1"),
        (np.tanh(LOGITS), r"lies in [-1, 1]: are these cosines"),
    ],
)
def test_numbers_of_another_scale_are_no_logits(logits, said):
    assert said in doubts(found(logits=logits.astype(float), labels=LABELS))


def test_a_lone_number_in_minus_1_to_1_is_doubted_and_its_way_on_is_right():
    whole = found(logits=2 * UPPER - 1, labels=BINARY)
    assert "is it 2p − 1 of a probability p" in doubts(whole)
    right = found(probs=(1 + (2 * UPPER - 1)) / 2, labels=BINARY)
    cost = -np.where(BINARY == 1, np.log(UPPER), np.log1p(-UPPER)).mean()
    assert right.cross_entropy == pytest.approx(cost)
    assert not doubts(right)


def test_logits_as_they_should_be_are_not_doubted():
    for logits in (LOGITS, np.abs(LOGITS), LOGITS / 9, np.log(PROBS), np.rint(LOGITS * 3)):
        assert not doubts(found(logits=logits, labels=LABELS))
    assert not doubts(found(logits=np.log(UPPER / (1 - UPPER)), labels=BINARY))


@pytest.mark.parametrize("which", ["largest", "label's"])
def test_a_column_that_repeats_others_is_doubted(which):
    more = LOGITS.max(axis=1) if which == "largest" else LOGITS[np.arange(ROWS), LABELS]
    names = ["a", "b", "c"]
    columns = {f"logit_{name}": LOGITS[:, j] for j, name in enumerate(names)}
    columns |= {"logit_own": more, "label": [names[y] for y in LABELS]}
    result = score(pa.table(columns), unit="nat", bootstrap=0)
    assert "'logit_own' is the number of another column" in doubts(result)
    right = score(pa.table(columns), unit="nat", bootstrap=0, exclude=["logit_own"])
    assert right.cross_entropy == pytest.approx(-np.log(PROBS[np.arange(ROWS), LABELS]).mean())
    assert not doubts(right)


@pytest.mark.parametrize("name", ["gold_label", "YTrue", "actual", "ground_truth", "true_class"])
def test_a_label_beside_a_column_called_the_truth_is_doubted(name):
    sure = np.where(np.arange(3) == LABELS[:, None], 0.99, 0.005)
    columns = {"probs": list(sure), "label": LABELS, name: np.roll(LABELS, 1)}
    assert f"Column {name!r} stands beside 'label'" in doubts(score(pa.table(columns), bootstrap=0))
    assert not doubts(score(pa.table(columns), bootstrap=0, exclude=[name]))
