"""Histograms, confusions in bits, the temperature curve, and what the top surprises find."""

import math

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from plogq.score import score
from plogq.score.state.histograms import WIDTH, surprisal_bins
from tests.score import oracle
from tests.score.oracle import mp
from tests.score.tables import drawn


def exact_surprisals(table):
    logits, labels = table["logits"], table["labels"]
    return [
        oracle.surprisals_of_logits(row)[y] / mp.log(2)
        for row, y in zip(logits, labels, strict=True)
    ]


@pytest.mark.parametrize("unit", ["bit", "nat"])
def test_surprisal_histogram_against_mpmath(unit):
    table = drawn(200, 3, 1, lambda z: 8 * z)  # some beyond 32 bits
    table["logits"][:2] = [[0, -np.inf, -np.inf], [0, -100, -100]]
    table["labels"][:2] = 1
    weight = np.random.default_rng(0).gamma(1.0, size=200)
    found = score(table | {"w": weight}, weight="w", unit=unit).histograms.surprisal
    bins = [0 if mp.isinf(s) else int(mp.floor(4 * s)) for s in exact_surprisals(table)]
    infinite = np.array([mp.isinf(s) for s in exact_surprisals(table)])
    expected = np.bincount(np.minimum(bins, 128), weight * ~infinite, 129) / weight.sum()
    np.testing.assert_allclose(found.weight, expected[:128], rtol=1e-13)
    assert found.beyond == pytest.approx(expected[128], rel=1e-13)
    assert expected[128] > 0
    assert found.infinite == pytest.approx(weight[infinite].sum() / weight.sum(), rel=1e-13)
    per = 1.0 if unit == "bit" else math.log(2)
    np.testing.assert_allclose(found.edges, np.arange(129) / 4 * per, rtol=1e-15)
    total = sum(found.weight) + found.beyond + found.infinite
    assert total == pytest.approx(1, rel=1e-13)


def test_whole_bits_begin_their_bins():
    s = -np.log(0.5 ** np.arange(0, 33))
    np.testing.assert_array_equal(surprisal_bins(s), np.arange(33) * 4)
    assert surprisal_bins(np.array([np.inf, 1e300]))[0] == 129
    assert surprisal_bins(np.array([np.inf, 1e300]))[1] == 128
    assert pytest.approx(math.log(2) / 4) == WIDTH


@pytest.mark.parametrize("soft", [False, True])
def test_pointwise_information(soft):
    """Its mean is the information gain; bins are quarters of a bit."""
    table = drawn(300, 3, 2)
    if soft:
        table["labels"] = np.random.default_rng(2).dirichlet(np.ones(3), 300)
    p = table["labels"] if soft else np.eye(3)[table["labels"]]
    result = score(table)
    found = result.histograms.pointwise_information
    x = table["logits"]
    q = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    information = np.log2(q) - np.log2(p.mean(axis=0))
    assert (p * information).sum() / 300 == pytest.approx(result.information_gain)
    counts, _ = np.histogram(information, found.edges, weights=p)
    np.testing.assert_allclose(found.weight, counts / 300, rtol=1e-9, atol=1e-15)
    assert np.diff(found.edges) == pytest.approx(0.25)
    assert sum(found.weight) == pytest.approx(1)
    assert found.infinite == 0


def test_pointwise_information_far_below():
    table = {"logits": np.array([[0.0, 1e5], [0.0, 0.0], [0.0, -np.inf]]), "labels": [0, 1, 1]}
    table["labels"] = np.array(table["labels"])
    found = score(table).histograms.pointwise_information
    assert len(found.weight) == 128
    assert found.weight[0] == pytest.approx(1 / 3)
    assert found.infinite == pytest.approx(1 / 3)


def test_confusion_is_the_cross_entropy_by_cell():
    table = drawn(300, 4, 3)
    weight = np.random.default_rng(3).gamma(1.0, size=300)
    result = score(table | {"w": weight}, weight="w")
    cells = result.confusion
    assert math.fsum(cell.cost for cell in cells) == pytest.approx(result.cross_entropy)
    costs = [cell.cost for cell in cells]
    assert costs == sorted(costs, reverse=True)
    bits = np.array([float(s) for s in exact_surprisals(table)])
    predicted = table["logits"].argmax(axis=1)
    assert len(cells) == 16
    for cell in cells:
        label, taken = int(cell.label), int(cell.predicted)
        at = (table["labels"] == label) & (predicted == taken)
        assert cell.rows == at.sum()
        assert cell.cost == pytest.approx((weight * bits)[at].sum() / weight.sum())


def test_confusion_of_impossible_rows_comes_first():
    q = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    cells = score({"probs": q, "labels": np.array([1, 2])}).confusion
    assert [(c.label, c.predicted, c.cost) for c in cells] == [
        ("2", "0", math.inf), ("1", "0", 0.5),
    ]  # fmt: skip


def test_confusion_of_many_classes():
    rng = np.random.default_rng(4)
    assert len(score(drawn(3000, 100, 4)).confusion) == 2000
    x = rng.standard_normal((30, 1001))
    assert score({"logits": x, "labels": rng.integers(0, 1001, 30)}).confusion == ()


@pytest.mark.parametrize("unit", ["bit", "nat"])
def test_temperature_curve(unit):
    table = drawn(300, 3, 5, lambda z: 3 * z)
    result = score(table, unit=unit)
    fit = result.temperature
    curve = dict(fit.curve)
    assert curve[1.0] == pytest.approx(result.cross_entropy, rel=1e-12)
    assert curve[fit.value] == fit.cross_entropy == min(curve.values())
    assert min(curve) == pytest.approx(0.25)
    assert max(curve) >= 4 * fit.value * 0.99
    for t, cost in list(curve.items())[::5]:
        scaled = score(table | {"logits": table["logits"] / t}, unit=unit, bootstrap=0)
        assert cost == pytest.approx(scaled.cross_entropy, rel=1e-12)
    assert [t for t, _ in fit.curve] == sorted(curve)


def test_wrong_labels_are_among_the_top_surprises():
    """Digits with 1 % of the labels changed: out-of-fold predictions find 90 % in the top 3 %."""
    digits = load_digits()
    n = len(digits.target)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        labels = digits.target.copy()
        wrong = rng.choice(n, round(0.01 * n), replace=False)
        labels[wrong] = (labels[wrong] + rng.integers(1, 10, len(wrong))) % 10
        probs = cross_val_predict(
            LogisticRegression(max_iter=1000),
            digits.data / 16,
            labels,
            cv=StratifiedKFold(5, shuffle=True, random_state=0),
            method="predict_proba",
        )
        result = score({"probs": probs, "labels": labels}, top=round(0.03 * n), bootstrap=0)
        found = {item.row for item in result.surprises}
        assert len(found & set(wrong.tolist())) >= 0.9 * len(wrong)
