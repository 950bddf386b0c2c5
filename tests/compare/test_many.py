"""Three models or more: each pair as if compared alone, but for intervals that hold together."""

import math
from dataclasses import replace

import mpmath
import numpy as np
import pyarrow as pa
import pytest

from plogq.compare import ManyComparison, compare
from plogq.reports.findings.compare_many import page
from plogq.score import TableError, score
from plogq.tables.sums.simultaneous import POWER, POWER_END, together
from tests.compare.tables import CLASSES, models, table
from tests.lm.corpora import corpus


def several(seed, noise=(0.5, 0.6, 1.0, 0.5), **options):
    label, found, columns = models(seed, noise=noise, **options)
    return [table(label, each, columns, np.roll(range(4), i)) for i, each in enumerate(found)]


def halves(rows, whole):
    """Give the costs of the same documents under as many other models."""
    return [
        pa.Table.from_pylist([row | {"logprob": row["logprob"] * k if row["logprob"] else None}
                              for row in rows])
        for k in whole
    ]  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"weight": "w", "slices": ["site"]}, {"group": "patient"}])
def test_each_pair_is_as_if_compared_alone(options):
    tables = several(0)
    tables[3] = several(0, noise=(0.5, 0.6, 1.0, 0.5))[3].take(np.arange(300)[::-1])
    many = compare(*tables, id="id", unit="nat", **options)
    for i, a in enumerate("ABCD"):
        for j, b in list(enumerate("ABCD"))[i + 1 :]:
            pair = compare(tables[i], tables[j], id="id", unit="nat", **options)
            found = many.differences[f"{a}-{b}"]
            assert (found.difference, found.difference_finite) == (
                pair.difference,
                pair.difference_finite,
            )
            for name, own in ((a, pair.a), (b, pair.b)):  # B alone has no column of groups
                assert replace(many.models[name], source=own.source) == own
            groups = [(many.per_class, pair.per_class)]
            groups += [(many.slices[c], pair.slices[c]) for c in pair.slices]
            for ours, theirs in groups:
                assert set(ours) == set(theirs)
                for name, group in theirs.items():
                    assert ours[name].rows == group.rows
                    assert (ours[name].costs[a], ours[name].costs[b]) == (group.a, group.b)
                    gap = ours[name].differences[f"{a}-{b}"].difference
                    assert gap == group.difference


def test_intervals_are_those_of_the_replicates():
    estimates = np.array([0.0, 1.0, 2.0, 3.0])
    replicates = np.random.default_rng(0).normal(estimates, [1, 2, 0, 4], (500, 4))
    replicates[0, 3] = np.nan
    low, high, smallest = together(estimates, replicates)
    error = replicates[:, :2].std(axis=0, ddof=1)
    largest = np.sort((np.abs(replicates[:, :2] - estimates[:2]) / error).max(axis=1))
    reach = largest[474] + 0.05 * (largest[475] - largest[474])  # quantile .95 of 500: at 474.05
    np.testing.assert_allclose((high - low)[:2] / 2, reach * error, rtol=1e-12)
    np.testing.assert_allclose(smallest[:2], (reach + POWER_END) * error, rtol=1e-12)
    assert (low[2], high[2]) == (2.0, 2.0)
    assert math.isnan(low[3])


def test_the_end_of_the_power_is_a_normal_quantile():
    with mpmath.workdps(30):
        quantile = mpmath.sqrt(2) * mpmath.erfinv(2 * mpmath.mpf(str(POWER)) - 1)
    assert float(quantile) == POWER_END


def test_intervals_reach_further_than_those_of_two():
    tables = several(1, rows=2000)
    many = compare(*tables)
    for i, j in ((0, 1), (0, 2), (1, 3)):
        low, high = many.differences[f"{'ABCD'[i]}-{'ABCD'[j]}"].interval
        alone = compare(tables[i], tables[j]).intervals["difference_finite"]
        assert 1.05 < (high - low) / (alone[1] - alone[0]) < 1.7
    assert many.best[0] in "AD"
    assert "C" not in many.best


def test_one_model_thrice_is_a_tie():
    tables = [several(2)[0]] * 3
    many = compare(*tables)
    assert many.best == ("A", "B", "C")
    gap = many.differences["A-B"]
    assert (gap.difference, gap.interval, gap.winner) == (0, (0, 0), None)
    assert many.disagreements == ()
    assert "cost the same" in page(many).headline.title


def test_an_infinite_cost_is_worse_and_leaves_the_others_alone():
    tables = several(3)
    logits = np.array(tables[1]["logit_cat"].to_numpy())
    logits[tables[1]["label"].to_numpy(zero_copy_only=False) == "cat"] = -np.inf
    tables[1] = tables[1].set_column(
        tables[1].schema.get_field_index("logit_cat"), "logit_cat", pa.array(logits)
    )
    many = compare(*tables)
    assert many.models["B"].cross_entropy == math.inf
    assert "B" not in many.best
    assert (many.differences["A-B"].difference, many.differences["A-B"].winner) == (-math.inf, "A")
    assert many.differences["A-C"].difference == compare(tables[0], tables[2]).difference
    assert many.disagreements[0].costs["B"] == math.inf
    [section] = [each for each in page(many).sections if each.key == "differences"]
    assert "infinite, its interval is over the rows that are possible" in section.words.text
    everywhere = compare(tables[1], tables[1], tables[1])
    assert everywhere.best == ()
    assert everywhere.differences["A-B"].difference is None
    assert page(everywhere).headline.title == "All models cost infinitely much"


@pytest.mark.parametrize("rows", [4, 19, 20])
def test_few_rows_make_nothing_clear(rows):
    many = compare(*several(4, rows=rows, noise=(0.1, 0.1, 3.0)))
    some = many.differences["A-B"].interval is not None
    assert some == (rows == 20)
    assert [w.code for w in many.warnings] == ([] if some else ["few_rows"])
    if not some:
        assert page(many).headline.answers[2].text.startswith("Compare on 20 rows or more")


def test_no_interval_is_no_tie():
    many = compare(*several(0), bootstrap=0)
    assert page(many).headline.title.endswith("costs least: not clear")
    assert {row["place"] for row in page(many).sections[0].rows} == {""}


def test_rows_of_the_largest_differences():
    tables = several(5)
    many = compare(*tables, top=3, unit="nat")
    costs = [
        -np.take_along_axis(
            np.stack([each[f"logit_{name}"].to_numpy() for name in CLASSES], axis=1),
            np.array([CLASSES.index(x) for x in each["label"].to_pylist()])[:, None],
            axis=1,
        )[:, 0]
        for each in tables
    ]
    spread = np.ptp(costs, axis=0)
    assert [each.row for each in many.disagreements] == np.argsort(-spread)[:3].tolist()
    first = many.disagreements[0]
    assert list(first.costs.values()) == pytest.approx([each[first.row] for each in costs])


def test_documents():
    rows = corpus(1, documents=30, first_unscored=False)
    tables = halves(rows, (1.0, 1.001, 2.0))
    many = compare(*tables)
    pair = compare(tables[0], tables[2])
    assert many.differences["A-C"].difference == pair.difference
    assert many.models["C"] == pair.b
    assert many.best == ("A",)
    assert (many.per, many.pairing, many.kind) == ("byte", "doc", "tokens")
    assert ManyComparison.read(many.to_document()) == many


def test_read_back():
    many = compare(*several(6), slices=["site"])
    assert ManyComparison.read(many.to_document()) == many


def test_refusals():
    tables = several(0)
    with pytest.raises(TableError, match="the models must all be predictions or all token"):
        compare(tables[0], tables[1], pa.Table.from_pylist(corpus(1)))
    with pytest.raises(TableError, match="must have a row for each of"):
        compare(tables[0], tables[1], tables[2].slice(0, 200))
    other = tables[2].set_column(
        tables[2].schema.get_field_index("label"), "label", pa.array(["cat"] * 300)
    )
    with pytest.raises(TableError, match="column 'label' must be the same"):
        compare(tables[0], tables[1], other)


def test_the_figures_are_those_of_a_score():
    tables = several(7)
    many = compare(*tables)
    for name, each in zip("ABCD", tables, strict=True):
        alone = score(each)
        assert many.models[name].cross_entropy == alone.cross_entropy
        assert many.models[name].accuracy == alone.accuracy


@pytest.mark.slow
def test_intervals_hold_together_as_often_as_they_say():
    """Rows are of three kinds, so that the true differences are known exactly."""
    rng = np.random.default_rng(0)
    truth = np.array([0.9, 0.5, 0.2])  # of label 1, by kind of row
    models = np.array([[0.8, 0.6, 0.3], [0.85, 0.4, 0.3], [0.6, 0.5, 0.1], [0.9, 0.7, 0.25]])
    costs = -(truth * np.log2(models) + (1 - truth) * np.log2(1 - models)).mean(axis=1)
    names = {f"{a}-{b}": (i, j) for i, a in enumerate("ABCD") for j, b in enumerate("ABCD")}
    runs, held, alone = 400, 0, 0
    for run in range(runs):
        kind = rng.integers(0, 3, 400)
        label = (rng.random(400) < truth[kind]).astype(int)
        tables = [
            {"probs": np.stack([1 - q[kind], q[kind]], axis=1), "labels": label} for q in models
        ]
        found = compare(*tables, seed=run)
        gaps = {pair: costs[names[pair][0]] - costs[names[pair][1]] for pair in found.differences}
        held += all(
            each.interval[0] <= gaps[pair] <= each.interval[1]
            for pair, each in found.differences.items()
        )
        two = compare(*tables[:2], seed=run).intervals["difference_finite"]
        alone += two[0] <= gaps["A-B"] <= two[1]
    assert 0.915 < held / runs < 0.98
    assert alone / runs > 0.9


def test_batches_of_generators_are_paired_by_their_order():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 500)
    tables = [2 * np.eye(3)[y] + s * rng.normal(size=(500, 3)) for s in (0.5, 1.0, 2.0)]

    def batches(z, size):
        return ((z[i : i + size], y[i : i + size]) for i in range(0, 500, size))

    for some in (tables[:2], tables):
        whole = compare(*({"logits": z, "labels": y} for z in some))
        found = compare(*map(batches, some, (64, 100, 7)[: len(some)]))
        assert (found.rows, found.metrics()) == (500, whole.metrics())
    short = ((z[:10], y[:10]) for z in tables[:1])
    with pytest.raises(ValueError, match="got 10 rows and no more"):
        compare(batches(tables[0], 64), short)
