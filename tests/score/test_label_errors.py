"""Labels that are likely wrong: flipped ones are found, clean tables are left alone."""

import io
import json
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from plogq.reports.findings.label_errors import OUT_OF_FOLD, findings
from plogq.reports.suspects_csv import suspects_csv
from plogq.reports.terminal.label_errors import print_report
from plogq.reports.terminal.text import plain
from plogq.score import LabelErrors, TableError, label_errors, score
from plogq.score.label_noise.noise import LabelNoise, NoiseRange, least_doubt


def simulated(seed, rows=3_000, classes=4, *, flips=0.1, by_class=False, sharp=6.0):
    """Return true classes, labels of which some are flipped, and what a perfect model predicts."""
    rng = np.random.default_rng(seed)
    z = sharp * rng.standard_normal((rows, classes))
    true = np.argmax(z + rng.gumbel(size=z.shape), axis=1)
    noise = np.eye(classes) * (1 - flips * classes / (classes - 1)) + flips / (classes - 1)
    if by_class:
        noise = np.eye(classes)
        noise[1, [1, 2]] = 1 - flips, flips
    labels = (rng.random((rows, 1)) < np.cumsum(noise[true], axis=1)).argmax(axis=1)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return true, labels, (p / p.sum(axis=1, keepdims=True)) @ noise, noise


@pytest.mark.parametrize("by_class", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_flipped_labels_are_found_and_counted(seed, by_class):
    true, labels, q, _ = simulated(seed, flips=0.2, by_class=by_class)
    bad = labels != true
    found = label_errors(labels, q)
    assert found.interval[0] <= bad.sum() * 1.15
    assert bad.sum() * 0.85 <= found.interval[1]
    named = [each.row for each in found.suspects]
    assert len(named) == round(found.expected)
    assert bad[named].mean() > 0.8
    assert bad[named].sum() / bad.sum() > 0.8
    right = [labels[each.row] == int(each.label) for each in found.suspects]
    assert all(right)
    suggested = np.array([int(each.suggested) for each in found.suspects])
    assert (suggested == true[named])[bad[named]].mean() > 0.9


def test_the_noise_by_class_is_found():
    _, labels, q, noise = simulated(0, 20_000, flips=0.3, by_class=True)
    fitted = LabelNoise.fit(q, labels, np.ones(len(labels))).given
    assert fitted == pytest.approx(noise, abs=0.05)
    found = label_errors(labels, q).confused[0]
    assert (found.label, found.suggested) == ("2", "1")


def test_the_true_class_is_bayes_rule_by_hand():
    """Of r = (0.9, 0.1) and T = ((0.8, 0.2), (0, 1)): q = (0.72, 0.28), and of label 1 class 0 has
    0.9 · 0.2 / 0.28."""
    noise = LabelNoise(np.array([[0.8, 0.2], [0.0, 1.0]]))
    q = np.array([[0.72, 0.28], [0.72, 0.28]])
    label = np.array([1, 0])
    expected = np.array([[0.18 / 0.28, 0.1 / 0.28], [1.0, 0.0]])
    assert noise.true_classes(q, label) == pytest.approx(expected, abs=1e-12)
    assert noise.wrong(q, label) == pytest.approx([0.18 / 0.28, 0.0], abs=1e-12)


def test_the_noise_is_the_prediction_of_the_surest_rows():
    """Of 100 rows that are predicted to be of class 0, the surest 50; of 10 of class 1, all."""
    q = np.concatenate([np.tile([0.95, 0.05], (50, 1)), np.tile([0.6, 0.4], (50, 1)),
                        np.tile([0.2, 0.8], (10, 1))])  # fmt: skip
    label = q.argmax(axis=1)
    given = LabelNoise.fit(q, label, np.ones(110)).given
    assert given == pytest.approx(np.array([[0.95, 0.05], [0.2, 0.8]]))
    # Of the surest 50 rows 2.5 are predicted to have the label 1; 7 are within 1.96 √2.5 + 1.
    for ones, share in ((6, 0.05), (7, 7 / 50), (20, 0.4)):
        label[:50] = np.arange(50) < ones
        found = LabelNoise.fit(q, label, np.ones(110)).given[0, 1]
        assert found == pytest.approx(share)


def test_a_class_that_is_never_predicted_is_taken_to_be_labelled_right():
    q = np.tile([0.6, 0.3, 0.1], (60, 1))
    given = LabelNoise.fit(q, np.arange(60) % 3, np.ones(60)).given
    assert given[1:] == pytest.approx(np.eye(3)[1:])


@pytest.mark.parametrize("sharp", [1.0, 2.0])
@pytest.mark.parametrize("flips", [0.0, 0.05])
def test_overlap_is_told_from_noise_or_the_interval_has_both(sharp, flips):
    """Ten classes that overlap, 5,000 rows, as a perfect model has them."""
    true, labels, q, _ = simulated(3, 5_000, 10, flips=flips, sharp=sharp)
    bad = (true != labels).sum()
    found = label_errors(labels, q)
    assert found.interval[0] <= bad <= found.interval[1]
    assert found.expected <= bad + 100  # taken for noise, the overlap would be 400 to 1,900


@pytest.mark.parametrize("sharp", [3.0, 4.0])
def test_noise_is_told_from_little_overlap(sharp):
    true, labels, q, _ = simulated(4, 5_000, 3, flips=0.1, sharp=sharp)
    bad = (true != labels).sum()
    found = label_errors(labels, q)
    assert found.expected == pytest.approx(bad, rel=0.12)
    low, high = found.interval
    assert low <= bad <= high
    assert high - low < bad / 2


def test_the_least_doubt_is_the_shift_of_a_lognormal():
    rng = np.random.default_rng(0)
    for shift in (0.0, 0.05, 0.3):
        doubt = shift + 0.1 * rng.lognormal(-1, 1.5, 20_000)
        assert least_doubt(doubt, np.ones(20_000)) == pytest.approx(shift, abs=0.002)
        # A weight of 2 is the row twice.
        twice = least_doubt(np.concatenate([doubt, doubt[:9]]), np.ones(20_009))
        weights = 1.0 + (np.arange(20_000) < 9)
        assert least_doubt(doubt, weights) == pytest.approx(twice, abs=1e-3)
    assert least_doubt(np.full(9, 0.25), np.ones(9)) == 0.25
    assert least_doubt(np.linspace(0.1, 0.2, 9), np.ones(9)) >= 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 5), st.integers(1, 40))
def test_probabilities_are_probabilities(seed, classes, rows):
    rng = np.random.default_rng(seed)
    q, label = rng.dirichlet(np.full(classes, 0.3), rows), rng.integers(0, classes, rows)
    for noise in NoiseRange.fit(q, label, rng.exponential(size=rows)):
        assert (noise.given >= 0).all()
        assert noise.given.sum(axis=1) == pytest.approx(np.ones(classes))
        true = noise.true_classes(q, label)
        assert (true >= 0).all()
        assert true.sum(axis=1) == pytest.approx(np.ones(rows))


@pytest.mark.parametrize("seed", range(3))
def test_where_the_model_is_sure_and_right_no_label_is_wrong(seed):
    true, _, _, _ = simulated(seed)
    q = np.full((len(true), 4), 1e-4) + (1 - 4e-4) * np.eye(4)[true]
    found = label_errors(true, q)
    assert found.expected == 0
    assert found.suspects == found.confused == ()
    assert [each.code for each in found.warnings] == ["fitted"]
    words = findings(found)
    assert words.answers[0].startswith("No label of 3,000 is expected to be wrong")
    assert words.answers[2] == "Leave the labels as they are."
    assert "out-of-fold" in words.warnings[0]


def test_doubtful_rows_are_not_wrong_ones():
    """A perfect model of classes that overlap: labels are surprising, and few are suspected."""
    _, labels, q, _ = simulated(1, flips=0.0, sharp=1.5)
    found = label_errors(labels, q)
    assert (q.argmax(axis=1) != labels).sum() > 600
    assert found.expected < (q.argmax(axis=1) != labels).sum() / 2


def test_the_same_figures_as_the_score():
    _, labels, q, _ = simulated(2)
    for unit in ("bit", "nat"):
        found, scored = label_errors(labels, q, unit=unit), score(labels, q, unit=unit, bootstrap=0)
        assert found.cross_entropy == pytest.approx(scored.cross_entropy, rel=1e-15)
        assert found.accuracy == scored.accuracy
        assert found.recalibration == scored.recalibration.family
        assert 0 < found.cost < found.cross_entropy


def test_a_file_in_parts_gives_the_same(tmp_path):
    """The table streams in batches, and only the rows that are listed are held."""
    from pyarrow import parquet

    _, labels, q, _ = simulated(3)
    table = pa.table({f"prob_{j}": q[:, j] for j in range(4)} | {"label": labels})
    whole = label_errors(table, top=50)
    parquet.write_table(table, tmp_path / "t.parquet", row_group_size=97)
    parts = label_errors(str(tmp_path / "t.parquet"), top=50)
    assert parts.suspects == whole.suspects
    assert (parts.expected, parts.interval) == (whole.expected, whole.interval)
    assert len(whole.suspects) == 50


def test_an_impossible_label_is_the_most_suspicious():
    _, labels, q, _ = simulated(4, 500)
    q[17] = np.eye(4)[(labels[17] + 1) % 4]
    found = label_errors(labels, q)
    assert found.suspects[0].row == 17
    assert found.cost == found.cross_entropy == math.inf
    assert "had probability 0" in findings(found).answers[1]
    assert LabelErrors.read(json.loads(found.to_json())) == found


def test_ids_weights_of_groups_and_left_out_rows():
    _, labels, q, _ = simulated(5, 400)
    labels[3] = -100
    table = {"probs": q, "labels": labels, "name": [f"n{i}" for i in range(400)]}
    found = label_errors(table, id="name", ignore=[-100], group="name")
    assert found.rows == 399
    assert all(each.row is None and each.id.startswith("n") for each in found.suspects)
    assert labels[int(found.suspects[0].id[1:])] == int(found.suspects[0].label)
    rows = [label_errors(table, ignore=[-100]).suspects[i].row for i in range(3)]
    assert [f"n{row}" for row in rows] == [each.id for each in found.suspects[:3]]


def test_few_rows_have_no_interval():
    found = label_errors([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    assert found.interval is None
    assert "interval" not in " ".join(findings(found).answers)


def test_soft_labels_are_refused():
    with pytest.raises(TableError, match="labels must be one class in each row"):
        label_errors([[0.5, 0.5]], [[0.5, 0.5]])


def test_very_many_classes_are_refused():
    with pytest.raises(TableError, match=r"classes must be at most 1,000: .*; got 1001"):
        label_errors([0, 1], np.full((2, 1_001), 1 / 1_001))


def test_masked_classes_and_a_single_class():
    x = np.array([[0, -np.inf, 1.0], [1, 2, -np.inf]] * 30)
    impossible = label_errors([1, 2] * 30, logits=x)
    assert impossible.cost == math.inf
    assert 0 <= label_errors([0, 1] * 30, logits=x).expected <= 60
    table = pa.table({"logits": [[0.5], [1.0]], "label": ["a", "a"]})
    assert label_errors(table, classes=["a"]).expected == 0


def test_what_is_read_back_is_the_same():
    _, labels, q, _ = simulated(6, 300)
    found = label_errors(labels, q)
    assert LabelErrors.read(json.loads(found.to_json())) == found


def test_the_report_and_the_file_for_annotators():
    _, labels, q, _ = simulated(7)
    found = label_errors(labels, q)
    out = io.StringIO()
    print_report(found, Console(file=out, width=80, highlight=False))
    text = out.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    joined = " ".join(text.split())
    for words in (*findings(found).answers, findings(found).suspects.title, OUT_OF_FOLD):
        assert plain(words) in joined
    assert f"The first 20 of {len(found.suspects)}: --csv writes all." in text
    lines = suspects_csv(found).splitlines()
    assert lines[0] == "row,label,suggested,probability,surprisal"
    assert len(lines) == 1 + len(found.suspects)
    first = found.suspects[0]
    assert lines[1].split(",")[:3] == [str(first.row), first.label, first.suggested]
    assert float(lines[1].split(",")[4]) == first.surprisal


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", ["temperature", "isotonic", "vector", "temperature+base"])
def test_recalibrated_probabilities_cost_what_the_family_says(kind, classes):
    from plogq.score.recalibration import LabelledRows
    from plogq.score.recalibration.cross_fit import FAMILIES

    rng = np.random.default_rng(0)
    q = rng.dirichlet(np.ones(classes), 300)
    label = rng.integers(0, classes, 300)
    rows = LabelledRows(np.log(q), label, np.ones(300), np.full(classes, 1 / classes))
    family = next(each for each in FAMILIES if each.name == kind).fit(rows)
    found = family.probabilities(rows.log_q, **family.parameters())
    assert -np.log(found[np.arange(300), label]) == pytest.approx(family.losses(rows), abs=1e-12)
    some = family.probabilities(rows.log_q[40:50], **family.parameters())
    assert some == pytest.approx(found[40:50], abs=1e-12)
