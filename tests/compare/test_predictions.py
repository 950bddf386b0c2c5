"""Every figure of a comparison against its definition, at 60 digits or from `score`."""

import json
import math
from dataclasses import replace

import mpmath
import numpy as np
import pyarrow as pa
import pytest

from plogq.compare import compare
from plogq.compare.result import TIE, Largest, Wins, winner_of
from plogq.score import score
from plogq.tables.sums.bootstrap import replicate_weights, row_buckets
from plogq.tables.sums.level import LEVEL
from tests.compare.tables import CLASSES, models, pair, table

UNIT = {"bit": math.log(2), "nat": 1.0, "hartley": math.log(10)}


def mean(values, weight):
    with mpmath.workdps(60):
        sums = [mpmath.fsum(mpmath.mpf(float(x)) * mpmath.mpf(float(w))
                            for x, w in zip(xs, weight, strict=True))
                for xs in (values, np.ones(len(weight)))]  # fmt: skip
        return float(sums[0] / sums[1])


@pytest.mark.parametrize("unit", list(UNIT))
@pytest.mark.parametrize("weight", [None, "w"])
def test_figures(unit, weight):
    label, (a, b), columns = models(1)
    one, other = table(label, a, columns), table(label, b, columns, (2, 0, 3, 1))
    result = compare(one, other, unit=unit, weight=weight, slices=["site"])
    w = np.ones(len(label)) if weight is None else columns["w"]
    n = np.arange(len(label))
    costs = [-x[n, label] / UNIT[unit] for x in (a, b)]
    gap = costs[0] - costs[1]
    assert result.difference == pytest.approx(mean(gap, w), rel=1e-12)
    assert result.difference_finite == result.difference
    right = [(x.argmax(axis=1) == label).astype(float) for x in (a, b)]
    assert result.accuracy_difference == pytest.approx(mean(right[0] - right[1], w), rel=1e-12)
    for who, sign in (("a", -1), ("b", 1)):
        assert getattr(result.wins, who) == pytest.approx(mean(sign * gap > 0, w), rel=1e-12)
    for j, (name, item) in enumerate(result.per_class.items()):
        rows = label == j
        assert (name, item.rows) == (CLASSES[j], rows.sum())
        for key, values in (("a", costs[0]), ("b", costs[1]), ("difference", gap)):
            assert getattr(item, key) == pytest.approx(mean(values[rows], w[rows]), rel=1e-12)
    for value, item in result.slices["site"].items():
        rows = columns["site"] == value
        assert item.difference == pytest.approx(mean(gap[rows], w[rows]), rel=1e-12)
    assert sum(item.rows for item in result.slices["site"].values()) == len(label)


@pytest.mark.parametrize("weight", [None, "w"])
def test_each_by_itself_is_as_scored(weight):
    one, other = pair(2)
    result = compare(one, other, weight=weight)
    for side, source in ((result.a, one), (result.b, other)):
        alone = score(source, weight=weight, bootstrap=0)
        for name in ("cross_entropy", "perplexity", "accuracy", "brier", "prediction_entropy",
                     "overconfidence", "zero_probability_rows"):  # fmt: skip
            assert getattr(side, name) == pytest.approx(getattr(alone, name), rel=1e-12), name


def test_the_larger_differences_are_listed():
    label, (a, b), columns = models(3)
    n = np.arange(len(label))
    gap = (b - a)[n, label] / math.log(2)
    result = compare(table(label, a, columns), table(label, b, columns), top=4)
    assert [item.row for item in result.largest.a] == np.argsort(gap)[:4].tolist()
    assert [item.row for item in result.largest.b] == np.argsort(-gap)[:4].tolist()
    for item in result.largest.a + result.largest.b:
        row = item.row
        assert item.label == CLASSES[label[row]]
        assert item.a - item.b == pytest.approx(gap[row], rel=1e-9)


def test_a_model_against_itself():
    one, _ = pair(4)
    result = compare(one, one)
    assert result.difference == 0
    assert result.wins == Wins(0, 0, 1)
    assert result.intervals["difference_finite"] == (0, 0)
    assert result.winner is None
    assert result.largest == Largest((), ())


def test_exchanging_the_two_changes_the_sign():
    one, other = pair(5)
    forth, back = compare(one, other, group="patient"), compare(other, one, group="patient")
    assert back.difference == -forth.difference
    low, high = forth.intervals["difference_finite"]
    np.testing.assert_allclose(back.intervals["difference_finite"], [-high, -low], rtol=1e-12)
    assert (forth.winner, back.winner) == ("a", "b")


def test_impossible_events():
    label = np.zeros(40, np.int64)
    p = np.full((40, 2), 0.5)
    q = p.copy()
    q[0] = 0, 1
    a, b = ({"probs": x, "labels": label} for x in (p, q))
    result = compare(a, b, unit="nat")
    assert (result.difference, result.difference_finite, result.winner) == (-math.inf, 0, "a")
    assert result.wins == Wins(1 / 40, 0, 39 / 40)
    assert result.b.zero_probability_rows == 1
    # The first label is every row's top class, though each costs a bit: doubted, too.
    assert [w.code for w in result.warnings] == ["reading", "zero_probability"]
    assert json.loads(result.to_json())["difference"] == "-inf"
    assert result.largest.a[0].b == math.inf
    both = compare(b, b)
    assert (both.difference, both.difference_finite, both.winner) == (None, 0, None)


def test_a_group_whose_cost_is_infinite_loses_it():
    """Whatever the rest of its rows say: as over all rows."""
    rng = np.random.default_rng(0)
    label = np.arange(400) % 2
    sure = np.where(np.eye(2)[label] == 1, 0.9, 0.1)
    mild = np.full((400, 2), 0.5) + 0.01 * rng.standard_normal((400, 1)) * [1, -1]
    sure[0] = 0, 1  # its label is 0
    a, b = ({"probs": x, "label": label, "s": np.full(400, "all")} for x in (sure, mild))
    result = compare(a, b, slices=["s"])
    first, second = result.per_class.values()
    assert (first.a, first.winner) == (math.inf, "b")
    assert first.difference < first.interval[1] < 0  # over what is possible under both
    assert second.winner == "a"
    assert result.slices["s"]["all"].winner == result.winner == "b"
    both = compare(a, a)
    assert [item.winner for item in both.per_class.values()] == [None, None]


def test_soft_labels():
    rng = np.random.default_rng(0)
    soft = rng.dirichlet(np.ones(3), 60)
    p, q = rng.dirichlet(np.ones(3), (2, 60))
    result = compare({"probs": p, "label": soft}, {"probs": q, "label": soft}, unit="nat")
    expected = (soft * (np.log(q) - np.log(p))).sum(axis=1)
    assert result.difference == pytest.approx(expected.mean(), rel=1e-12)
    ids = np.arange(60)
    order = rng.permutation(60)
    again = compare(
        {"probs": p, "label": soft, "id": ids},
        {"probs": q[order], "label": soft[order], "id": ids[order]},
        id="id",
        unit="nat",
    )
    assert again.difference == result.difference


def test_rows_without_weight_are_not_there():
    """Also where what they say is impossible, or the largest difference of all."""
    label, (a, b), columns = models(3, rows=100)
    a[7] = np.where(np.arange(4) == label[7], -np.inf, -math.log(3))
    a[8] = np.where(np.arange(4) == label[8], -30.0, -math.log(3))
    columns["w"][7:9] = 0
    one, other = table(label, a, columns), table(label, b, columns)
    keep = pa.array(np.delete(np.arange(100), [7, 8]))
    result = compare(one, other, weight="w", bootstrap=0, id="id")
    without = compare(one.take(keep), other.take(keep), weight="w", bootstrap=0, id="id")
    assert result.rows == without.rows + 2
    for name in ("difference", "accuracy_difference", "wins", "largest", "warnings", "winner"):
        assert getattr(result, name) == getattr(without, name), name
    for mine, theirs in ((result.a, without.a), (result.b, without.b)):
        assert replace(mine, source=theirs.source) == theirs
    assert result.a.zero_probability_rows == 0


def test_one_row_has_no_interval_and_no_winner():
    one, other = pair(1)
    result = compare(one.slice(0, 1), other.slice(0, 1))
    assert (result.intervals, result.winner, result.warnings) == ({}, None, ())
    grouped = compare(one.append_column("g", pa.array(["a"] * 300)), other, group="g")
    assert (grouped.intervals, grouped.winner) == ({}, None)


@pytest.mark.parametrize(("rows", "few"), [(5, True), (19, True), (20, False)])
def test_few_rows_are_said_to_be_few(rows, few):
    """Some replicates of five rows draw none of them, and count for nothing."""
    label, (a, b), columns = models(1)
    one, other = (table(label, x, columns).slice(0, rows) for x in (a, b))
    result = compare(one, other, unit="nat")
    assert set(result.intervals) == {"difference_finite", "accuracy_difference"}
    assert [w.code for w in result.warnings] == (["few_rows"] if few else ["few_in_class_or_slice"])
    gap = (b - a)[np.arange(rows), label[:rows]]
    weights = replicate_weights(4096, 200, 0)[:, row_buckets(0, rows, 4096, 0)]
    weights = weights[weights.any(axis=1)]
    assert (len(weights) < 200) == (rows == 5)
    share = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    ends = np.quantile(weights @ gap / weights.sum(axis=1), share, method="weibull")
    assert result.intervals["difference_finite"] == pytest.approx(ends, rel=1e-9)
    assert compare(one, other, bootstrap=0).warnings == ()


def test_few_rows_of_a_class_or_a_slice_are_said_to_be_few():
    label, (a, b), columns = models(1)
    one, other = (table(label, x, columns) for x in (a, b))
    assert compare(one, other).warnings == ()
    value = ["few"] * 19 + ["more"] * (len(label) - 20) + ["one"]
    one = one.append_column("of", pa.array(value))
    result = compare(one, other, slices=["of"])
    message = "in 1 of the classes and slices, intervals from fewer than 20 rows are too narrow"
    (warning,) = result.warnings
    assert (warning.code, warning.rows) == ("few_in_class_or_slice", 19)
    assert warning.message.startswith(message)
    assert compare(one, other, slices=["of"], bootstrap=0).warnings == ()


def test_few_groups_are_said_to_be_few():
    one, other = pair(1)
    one = one.append_column("half", pa.array(["a", "b"] * 150))
    result = compare(one, other, group="half")
    assert [w.code for w in result.warnings] == ["few_groups"]
    assert "fewer than 20 groups" in result.warnings[0].message


def test_groups_widen_the_interval():
    """Rows of a patient differ alike: to draw rows alone would be to count each several times."""
    rng = np.random.default_rng(0)
    patient = np.repeat(np.arange(60), 20)
    shift = rng.normal(size=60)[patient]
    label = np.zeros(1200, np.int64)
    tables = [{"logits": np.column_stack([x, np.zeros(1200)]), "label": label, "patient": patient}
              for x in (shift, np.zeros(1200))]  # fmt: skip
    narrow, wide = compare(*tables), compare(*tables, group="patient")
    size = [np.diff(r.intervals["difference_finite"])[0] for r in (narrow, wide)]
    assert size[1] > 3 * size[0]


def test_too_many_classes_for_intervals():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(6_000), (2, 20)).astype(np.float32)
    a, b = ({"probs": x, "label": np.arange(20)} for x in p)
    result = compare(a, b)
    assert len(result.per_class) == 6_000
    assert result.per_class["0"].interval is None
    assert result.per_class["0"].difference == pytest.approx(
        math.log2(p[1, 0, 0]) - math.log2(p[0, 0, 0]), rel=1e-6
    )
    assert "difference_finite" in result.intervals


def test_memory_tables_of_arrow():
    one, other = pair(6)
    assert isinstance(one, pa.Table)
    assert compare(one, other).a.source.format == "table"


@pytest.mark.parametrize(
    ("ends", "difference", "drawn", "winner"),
    [
        ((-0.3, -0.1), -0.2, 20, "a"),
        ((0.1, 0.3), 0.2, 20, "b"),
        ((-0.3, -0.1), -0.2, 19, None),
        ((-0.3, 0.0), -0.2, 20, None),
        ((-0.3, -0.1), 0.2, 20, None),  # of few replicates
        ((0.1, 0.3), -0.2, 20, None),
        ((-TIE, -TIE / 2), -TIE, 20, None),
        (None, -0.2, 20, None),
        (None, -math.inf, 1, "a"),
        ((-0.3, -0.1), math.inf, 1, "b"),
        ((-0.3, -0.1), None, 20, None),
    ],
)
def test_who_is_clearly_better(ends, difference, drawn, winner):
    assert winner_of(ends, difference, drawn) == winner
