"""Every figure of a score against its definition in mpmath, over every kind of table."""

import json
import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from plogq.score import Result, score
from plogq.score.parts import Surprise
from plogq.tables import readers
from tests.score import oracle
from tests.score.oracle import mp

ROWS, CLASSES = 60, 4
FIGURES = (
    "weight", "cross_entropy", "cross_entropy_finite", "zero_probability_rows", "label_entropy",
    "information_gain", "explained", "perplexity", "accuracy", "brier", "prediction_entropy",
    "overconfidence",
)  # fmt: skip


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def close(value, expected, relative=1e-13, absolute=1e-13):
    """Both may be inf or None; a difference is weighed in mpmath."""
    if expected is None or value is None:
        return value is expected is None
    if mp.isinf(expected) or math.isinf(value):
        return mp.mpf(value) == expected
    return abs(mp.mpf(value) - expected) <= absolute + relative * abs(expected)


def check(result: Result, expected: dict):
    in_unit = ("cross_entropy", "entropy", "information_gain", "overconfidence")
    for name in FIGURES:
        value = expected[name]
        if value is not None and any(part in name for part in in_unit):
            value = value / mp.log(2)
        assert close(getattr(result, name), value), name
    for j, item in enumerate(result.per_class):
        assert close(item.share, expected["share"][j])
        assert close(item.accuracy, expected["class_accuracy"][j])
    assert math.fsum(item.share for item in result.per_class) == pytest.approx(1, abs=1e-14)


def predictions(kind, dtype, rng, impossible=False):
    """Give a matrix, and the exact surprisals of the numbers in it."""
    x = rng.normal(size=(ROWS, CLASSES)).astype(dtype) * 3
    if impossible:
        x[5, 2] = x[9, 0] = -np.inf
    if kind == "logits":
        return x, [oracle.surprisals_of_logits(row) for row in x]
    if kind == "probs":
        q = softmax(x).astype(dtype)
        return q, [oracle.surprisals_of_probs(row) for row in q]
    with np.errstate(divide="ignore"):
        log = np.log(softmax(x)).astype(dtype)
    return log, [[-mp.mpf(float(v)) for v in row] for row in log]


def one_hot(labels):
    return [[mp.mpf(int(j == y)) for j in range(CLASSES)] for y in labels]


@pytest.mark.parametrize("impossible", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["logits", "logprobs", "probs"])
def test_hard_labels(kind, dtype, weighted, impossible):
    rng = np.random.default_rng(1)
    x, surprisals = predictions(kind, dtype, rng, impossible)
    labels = rng.integers(0, CLASSES, ROWS)
    labels[5] = 2  # of probability 0 where `impossible`
    weights = rng.gamma(1.0, size=ROWS) if weighted else np.ones(ROWS)
    result = score(
        {kind: x, "labels": labels, "w": weights}, weight="w" if weighted else None, floor=0.02
    )
    expected = oracle.score(surprisals, one_hot(labels), weights, floor=0.02)
    check(result, expected)
    assert result.rows == ROWS
    assert result.zero_probability_rows == int(impossible)
    below = sum(loss > -mp.log(mp.mpf(0.02)) for loss in expected["loss"])
    assert 0 < below < ROWS
    assert result.floor.rows == below
    assert close(result.floor.cross_entropy, expected["floored"] / mp.log(2))
    for j, item in enumerate(result.per_class):
        mean = expected["class_cost"][j] / mp.log(2)
        assert close(item.cross_entropy, mp.inf if impossible and j == 2 else mean)
        assert item.rows == np.sum(labels == j)
    assert result.entropy_floor is None
    assert result.kl is None


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["logits", "logprobs", "probs"])
def test_soft_labels(kind, weighted):
    rng = np.random.default_rng(2)
    x, surprisals = predictions(kind, np.float64, rng)
    soft = rng.dirichlet(np.full(CLASSES, 0.4), ROWS)
    soft[3] = [0, 1, 0, 0]
    weights = rng.gamma(1.0, size=ROWS) if weighted else np.ones(ROWS)
    result = score({kind: x, "labels": soft, "w": weights}, weight="w" if weighted else None)
    expected = oracle.score(surprisals, [oracle.distribution(p) for p in soft], weights)
    check(result, expected)
    assert close(result.entropy_floor, expected["entropy_floor"] / mp.log(2))
    assert close(result.kl, expected["kl"] / mp.log(2))
    assert result.cross_entropy == pytest.approx(result.entropy_floor + result.kl, rel=1e-15)


def test_soft_label_of_an_impossible_class_costs_only_where_it_says_so():
    q = np.array([[1.0, 0.0], [1.0, 0.0], [0.5, 0.5]])
    soft = np.array([[1.0, 0.0], [0.75, 0.25], [0.5, 0.5]])
    result = score({"probs": q, "labels": soft})
    assert result.cross_entropy == math.inf
    assert result.kl == math.inf
    assert result.zero_probability_rows == 1
    assert result.cross_entropy_finite == 0.5  # 0 · inf = 0 in row 0, one bit in row 2
    assert result.entropy_floor == pytest.approx((0 + 0.8112781244591328 + 1) / 3)


def test_annotators_are_the_soft_label_of_their_frequencies():
    x = np.random.default_rng(3).normal(size=(3, 3))
    votes = pa.array([["b", "a", "b"], ["c"], ["a", "c"]])
    named = pa.table({"label": votes, **{f"logit_{c}": x[:, j] for j, c in enumerate("abc")}})
    soft = np.array([[1 / 3, 2 / 3, 0], [0, 0, 1], [0.5, 0, 0.5]])
    by_vote = score(named, annotators=True)
    by_share = score({"logits": x, "labels": soft}, classes=["a", "b", "c"])
    assert by_vote.cross_entropy == pytest.approx(by_share.cross_entropy, rel=1e-15)
    assert by_vote.entropy_floor == pytest.approx((0.9182958340544896 + 0 + 1) / 3, rel=1e-15)


@pytest.mark.parametrize("kind", ["logits", "logprobs", "probs"])
def test_one_column_is_about_class_1(kind):
    rng = np.random.default_rng(4)
    x = rng.normal(size=ROWS) * 4
    labels = rng.integers(0, 2, ROWS)
    p = 1 / (1 + np.exp(-x))
    column = {"logits": x, "probs": p, "logprobs": np.log(p)}[kind]
    surprisals = {
        "logits": lambda v: [mp.log1p(mp.exp(v)), mp.log1p(mp.exp(-v))],
        "probs": lambda v: [-mp.log1p(-v), -mp.log(v)],
        "logprobs": lambda v: [-mp.log(-mp.expm1(v)), -v],
    }[kind]
    result = score({kind: column, "labels": labels})
    exact = [surprisals(mp.mpf(float(v))) for v in column]
    hot = [[mp.mpf(int(y == 0)), mp.mpf(int(y == 1))] for y in labels]
    check(result, oracle.score(exact, hot, np.ones(ROWS)))
    assert result.classes == ("0", "1")


def test_binary_probabilities_keep_tiny_losses():
    result = score({"probs": np.array([1e-20, 1e-20]), "labels": np.array([0, 0])}, unit="nat")
    assert result.cross_entropy == pytest.approx(1e-20, rel=1e-15)


@pytest.mark.parametrize(("unit", "nats"), [("bit", 2), ("nat", math.e), ("hartley", 10)])
def test_units(unit, nats):
    table = {"probs": np.array([[0.25, 0.75]]), "labels": np.array([0])}
    result = score(table, unit=unit)
    assert result.cross_entropy == pytest.approx(math.log(4, nats), rel=1e-15)
    assert result.perplexity == pytest.approx(4)
    assert result.surprises[0].surprisal == pytest.approx(math.log(4, nats))


def test_reliability_bins():
    rng = np.random.default_rng(5)
    x, surprisals = predictions("probs", np.float64, rng)
    labels = rng.integers(0, CLASSES, ROWS)
    result = score({"probs": x, "labels": labels})
    expected = oracle.score(surprisals, one_hot(labels), np.ones(ROWS))
    bins = [int(mp.ceil(c * 10)) - 1 for c in expected["confidence"]]
    assert sum(item.rows for item in result.reliability) == ROWS
    for i, item in enumerate(result.reliability):
        rows = [r for r in range(ROWS) if bins[r] == i]
        assert item.rows == len(rows)
        if not rows:
            assert item.confidence is item.accuracy is None
            continue
        assert close(item.confidence, sum(expected["confidence"][r] for r in rows) / len(rows))
        right = sum(expected["top"][r] == labels[r] for r in rows)
        assert item.accuracy == pytest.approx(right / len(rows))
    assert any(item.rows == 0 for item in result.reliability)


def test_confusions():
    q = np.array([[0.5, 0.25, 0.25], [0.5, 0.25, 0.25], [0.25, 0.25, 0.5], [0.25, 0.5, 0.25]])
    result = score({"probs": q, "labels": np.array([1, 1, 1, 1])}, classes=["x", "y", "z"])
    assert result.per_class[1].mistaken_for == (("x", 2, 2.0), ("z", 1, 2.0))
    assert result.per_class[0].mistaken_for == ()
    assert result.per_class[0].cross_entropy is None


def test_more_classes_than_are_told_apart():
    rng = np.random.default_rng(6)
    x, labels = rng.normal(size=(30, 1100)), rng.integers(0, 1100, 30)
    result = score({"logits": x, "labels": labels})
    assert [w.code for w in result.warnings if w.code == "many_classes"]
    assert all(item.mistaken_for == () for item in result.per_class)
    right = x.argmax(axis=1) == labels
    assert result.accuracy == np.mean(right)
    exact = [oracle.surprisals_of_logits(row)[y] for row, y in zip(x, labels, strict=True)]
    assert close(result.cross_entropy, sum(exact) / 30 / mp.log(2))


def test_slices():
    rng = np.random.default_rng(7)
    x, surprisals = predictions("logits", np.float64, rng)
    labels = rng.integers(0, CLASSES, ROWS)
    site = [None if i % 7 == 0 else "ab"[i % 2] for i in range(ROWS)]
    table = pa.table({"logits": pa.array(list(x)), "label": labels, "site": site})
    result = score(table, slices=["site"])
    assert list(result.slices["site"]) == ["a", "b", "null"]
    for value, found in result.slices["site"].items():
        rows = [i for i in range(ROWS) if str(site[i] or "null") == value]
        expected = oracle.score(
            [surprisals[i] for i in rows], one_hot(labels[rows]), np.ones(len(rows))
        )
        assert found.rows == len(rows)
        assert close(found.cross_entropy, expected["cross_entropy"] / mp.log(2))
        assert close(found.information_gain, expected["information_gain"] / mp.log(2))


def test_surprises_are_ranked_and_ties_go_by_row():
    q = np.array([0.9, 0.1, 0.0, 0.1, 0.0, 0.5])
    ids = pa.array(["a", "b", "c", "d", "e", "f"])
    table = pa.table({"probs": q, "label": [1, 1, 1, 1, 1, 1], "name": ids})
    named = score(table, id="name", top=4)
    assert [item.id for item in named.surprises] == ["c", "e", "b", "d"]
    assert [item.surprisal for item in named.surprises[:2]] == [math.inf, math.inf]
    assert named.surprises[2].q_label == pytest.approx(0.1)
    third = replace(named.surprises[2], q_label=0, surprisal=0)
    assert third == Surprise(id="b", label="1", predicted="0", q_label=0, surprisal=0)
    by_row = score(table, top=4)
    assert [item.row for item in by_row.surprises] == [2, 4, 1, 3]
    assert score(table, top=0).surprises == ()


def test_a_class_masked_with_the_lowest_float_is_impossible():
    x = np.array([[np.finfo(np.float32).min, 0.0, 1.0]], np.float32)
    result = score({"logits": x, "labels": np.array([0])})
    assert result.cross_entropy == math.inf
    assert result.zero_probability_rows == 1


def test_weight_zero_takes_a_row_out():
    table = {"probs": np.array([[0.5, 0.5], [1.0, 0.0]]), "labels": np.array([0, 1])}
    result = score(table | {"w": np.array([2.0, 0.0])}, weight="w")
    assert result.cross_entropy == 1
    assert result.weight == 2
    assert result.rows == 2
    assert result.zero_probability_rows == 0
    assert "zero_probability" not in [warning.code for warning in result.warnings]
    assert [item.row for item in result.surprises] == [0]


def test_huge_surprisals_and_weights_are_summed():
    table = {"logits": np.array([[1e19, 0.0], [0.0, 0.0]]), "labels": np.array([1, 0])}
    result = score(table | {"w": np.array([1e18, 1e18])}, weight="w", unit="nat")
    assert result.cross_entropy == pytest.approx(5e18, rel=1e-15)


def test_ids_of_any_kind_become_json():
    table = pa.table({"probs": [0.5, 0.5, 0.5], "label": [0, 1, 1]})
    for ids in ([1.5, math.nan, None], [b"x", b"y", None], pa.array([1, 2, 3], pa.date32())):
        text = score(table.append_column("name", [ids]), id="name").to_json()
        assert len(json.loads(text)["surprises"]) == 3


def test_q_of_the_label_of_a_soft_label_is_that_of_its_likeliest_class():
    table = {"probs": np.array([[0.75, 0.25]]), "labels": np.array([[0.75, 0.25]])}
    (item,) = score(table).surprises
    assert (item.label, item.q_label) == ("0", pytest.approx(0.75, rel=1e-15))


def test_shares_where_there_is_nothing_to_share():
    result = score({"probs": np.eye(2), "labels": np.arange(2)})
    assert [item.share for item in result.per_class] == [None, None]


@pytest.mark.parametrize("values", [["null", None, "a"], ["null", None, '"null"']])
def test_null_is_not_the_string_null(values):
    table = pa.table({"probs": [0.5, 0.25, 0.125], "label": [1, 1, 1], "site": values})
    found = score(table, slices=["site"]).slices["site"]
    assert len(found) == 3
    assert found["null"].cross_entropy == 2
    assert found['"null"'].cross_entropy == 1
    del values[1]
    found = score(table.take([0, 2]), slices=["site"]).slices["site"]
    assert sorted(found) == sorted(values)


@pytest.mark.parametrize("top", [0, 1, 7, 60, 1000])
def test_the_most_surprising_rows(top, monkeypatch):
    monkeypatch.setattr(readers, "BATCH_ROWS", 10)
    q = np.random.default_rng(3).integers(1, 16, 300) / 16  # many alike
    found = score(pa.table({"probs": q, "label": [1] * 300}), top=top).surprises
    expected = sorted(range(300), key=lambda i: (q[i], i))[:top]
    assert [item.row for item in found] == expected
    assert [item.q_label for item in found] == pytest.approx(q[expected].tolist(), rel=1e-15)
