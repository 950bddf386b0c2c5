"""The measures that other reports show, against sums of exact fractions over every row and pair."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, roc_auc_score, top_k_accuracy_score

from plogq.score import score
from plogq.score.figures.measures.ranking import TOPS
from plogq.score.figures.measures.smooth import smooth_error
from tests.score.tables import drawn

PARTS = 16  # probabilities are whole numbers of sixteenths, so that many are equal
BINS = 15


def rows_of(seed, rows, classes, *, soft=False, weighted=False):
    """Return labels (distributions), probabilities and weights, all of them exact fractions."""
    rng = np.random.default_rng(seed)

    def distributions():
        counts = rng.multinomial(PARTS, np.full(classes, 1 / classes), rows)
        return [[Fraction(int(n), PARTS) for n in row] for row in counts]

    q = distributions()
    p = distributions()
    if not soft:
        p = [[Fraction(int(j == y)) for j in range(classes)]
             for y in rng.integers(0, classes, rows)]  # fmt: skip
    w = [Fraction(int(n)) for n in (rng.integers(0, 4, rows) if weighted else np.ones(rows))]
    if not any(w):
        w[0] = Fraction(1)
    return p, q, w


def measured(p, q, w, **options):
    table = {"probs": np.array(q, float), "w": np.array(w, float)}
    hard = all(max(row) == 1 for row in p)
    table["labels"] = np.array(p, float).argmax(axis=1) if hard else np.array(p, float)
    return score(table, weight="w", **options)


def top_class(q):
    """Return each row's confidence and how right its top class is."""
    first = [row.index(max(row)) for row in q]
    return first, [row[k] for row, k in zip(q, first, strict=True)]


def bin_of(q):
    return max(0, math.ceil(q * BINS) - 1)


def error(q, p, w, bins):
    """Return Σ_bins |Σ w (q − p)| / Σ w."""
    off = {}
    for a, b, weight, k in zip(q, p, w, bins, strict=True):
        off[k] = off.get(k, 0) + weight * (a - b)
    return sum(map(abs, off.values())) / sum(w)


def mass_bins(q, w):
    out = []
    for a in q:
        below = sum(v for b, v in zip(q, w, strict=True) if b < a)
        equal = sum(v for b, v in zip(q, w, strict=True) if b == a)
        out.append(min(BINS - 1, math.floor((below + Fraction(equal, 2)) / sum(w) * BINS)))
    return out


def brier_parts(p, q, w):
    """Return reliability, resolution and uncertainty, bin by bin and class by class."""
    total, out = sum(w), [Fraction(0)] * 3
    for j in range(len(q[0])):
        triples = [(b[j], a[j], v) for a, b, v in zip(p, q, w, strict=True)]
        base = sum(v * y for _, y, v in triples) / total
        for k in range(BINS):
            inside = [each for each in triples if bin_of(each[0]) == k]
            mass = sum(v for *_, v in inside)
            if mass:
                said = sum(v * a for a, _, v in inside) / mass
                came = sum(v * y for _, y, v in inside) / mass
                out[0] += mass * (said - came) ** 2 / total
                out[1] += mass * (came - base) ** 2 / total
        out[2] += sum(v * (y - base) ** 2 for _, y, v in triples) / total
    return out


def area(scores, hits, w):
    """Return how often a hit outranks a miss, over all pairs; None where there are none."""
    won = pairs = Fraction(0)
    triples = list(zip(scores, hits, w, strict=True))
    for (a, y, v), (b, z, u) in product(triples, triples):
        weight = v * y * u * (1 - z)
        pairs += weight
        won += weight * (Fraction(a > b) + Fraction(a == b) / 2)
    return won / pairs if pairs else None


def risk_area(confidence, correct, w):
    out = Fraction(0)
    for a, v in zip(confidence, w, strict=True):
        above = [(r, u) for b, r, u in zip(confidence, correct, w, strict=True) if b >= a]
        if v:
            out += v * sum(u * (1 - r) for r, u in above) / sum(u for _, u in above)
    return out / sum(w)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize(("rows", "classes"), [(40, 2), (60, 4), (1, 3), (2, 2), (30, 12)])
def test_every_measure_is_that_of_exact_fractions(rows, classes, soft, weighted):
    p, q, w = rows_of(rows + classes, rows, classes, soft=soft, weighted=weighted)
    found = measured(p, q, w, bootstrap=0)
    m = found.measures
    # Rows without weight are in no sample.
    p, q, w = zip(*((a, b, v) for a, b, v in zip(p, q, w, strict=True) if v), strict=True)
    first, confidence = top_class(q)
    correct = [row[k] for row, k in zip(p, first, strict=True)]
    assert m.rows == len(w)
    assert m.ece == near(error(confidence, correct, w, map(bin_of, confidence)))
    assert m.ece_equal_mass == near(error(confidence, correct, w, mass_bins(confidence, w)))
    columns = [([b[j] for b in q], [a[j] for a in p]) for j in range(classes)]
    classwise = [error(a, b, w, map(bin_of, a)) for a, b in columns]
    assert m.classwise_ece == near(sum(classwise) / classes)
    parts = m.brier_reliability, m.brier_resolution, m.brier_uncertainty
    assert parts == near(brier_parts(p, q, w))
    assert parts[0] - parts[1] + parts[2] + m.brier_within == near(found.brier)
    areas = [(area(a, b, w), sum(v * y for y, v in zip(b, w, strict=True))) for a, b in columns]
    known = [each for each in areas if each[0] is not None]
    if known:
        assert m.auc == near(sum(a for a, _ in known) / len(known))
        assert m.auc_weighted == near(sum(a * f for a, f in known) / sum(f for _, f in known))
    else:
        assert m.auc is m.auc_weighted is None
    for k in TOPS:
        if k < classes:
            order = [sorted(range(classes), key=lambda j: -row[j])[:k] for row in q]
            hits = [sum(a[j] for j in js) for a, js in zip(p, order, strict=True)]
            expected = sum(v * h for h, v in zip(hits, w, strict=True)) / sum(w)
            assert m.top_accuracy[f"top_{k}"] == near(expected)
    assert m.selective_risk == near(risk_area(confidence, correct, w))
    assert m.selective[-1] == near(
        (1, sum(v * r for r, v in zip(correct, w, strict=True)) / sum(w))
    )


def near(value):
    exact = [float(each) for each in value] if hasattr(value, "__len__") else float(value)
    return pytest.approx(exact, abs=1e-12)


def sure(seed, rows=3_000, classes=4):
    table = drawn(rows, classes, seed, lambda z: 1.4 * z)
    x = table["logits"]
    q = np.exp(x - x.max(axis=1, keepdims=True))
    return table["labels"], x, q / q.sum(axis=1, keepdims=True)


def test_beside_scikit_learn():
    labels, x, q = sure(1)
    for found in (score(labels, q, bootstrap=0), score(labels, logits=x, bootstrap=0)):
        m = found.measures
        for name, average in (("auc", "macro"), ("auc_weighted", "weighted")):
            theirs = roc_auc_score(labels, q, multi_class="ovr", average=average)
            assert getattr(m, name) == pytest.approx(theirs, abs=1e-12)
        for k in (2, 3):
            theirs = top_k_accuracy_score(labels, q, k=k)
            assert m.top_accuracy[f"top_{k}"] == pytest.approx(theirs, abs=1e-15)
        parts = m.brier_reliability - m.brier_resolution + m.brier_uncertainty + m.brier_within
        assert parts == pytest.approx(found.brier, abs=1e-12)
    labels, x, q = sure(2, classes=2)
    m = score(labels, logits=x, bootstrap=0).measures
    assert m.auc == pytest.approx(roc_auc_score(labels, q[:, 1]), abs=1e-12)
    halves = [m.brier_reliability, -m.brier_resolution, m.brier_uncertainty, m.brier_within]
    assert sum(halves) / 2 == pytest.approx(brier_score_loss(labels, q[:, 1]), abs=1e-12)


def smooth_by_images(q, hit, weight, points=2_001, images=3):
    """Return the fixed point of the integral by its definition: mirror images, summed."""
    t = np.linspace(0, 1, points)
    centres = np.concatenate([[2 * k + q, 2 * k - q] for k in range(-images, images + 1)])
    residual = weight * (q - hit) / weight.sum()

    def integral(width):
        kernel = np.exp(-(((t[:, None, None] - centres) / width) ** 2) / 2).sum(axis=1)
        smooth = kernel @ residual / (width * math.sqrt(2 * math.pi))
        return np.trapezoid(np.abs(smooth), t)

    low, high = 1e-6, 1.0
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if integral(middle) > middle else (low, middle)
    return high


@pytest.mark.parametrize("seed", range(3))
def test_the_smooth_error_is_the_fixed_point_of_its_integral(seed):
    rng = np.random.default_rng(seed)
    q = rng.uniform(0, 1, 60)
    hit = (rng.uniform(size=60) < q**2).astype(float)
    weight = rng.integers(1, 4, 60).astype(float)
    ours = smooth_error(q, hit, weight).value
    assert ours == pytest.approx(smooth_by_images(q, hit, weight), rel=2e-4)


def test_predictions_that_are_right_have_no_smooth_error():
    found = score([0, 1, 1], np.eye(2)[[0, 1, 1]], bootstrap=0).measures
    assert found.ece == found.ece_equal_mass == found.classwise_ece == found.selective_risk == 0
    assert found.smooth_ece < 1e-12
    assert found.auc == 1


def test_a_class_without_rows_is_in_no_area():
    labels, _, q = sure(3, 200, 4)
    labels = np.where(labels == 2, 1, labels)
    m = score(labels, q, bootstrap=0).measures
    theirs = [roc_auc_score(labels == j, q[:, j]) for j in (0, 1, 3)]
    assert m.auc == pytest.approx(np.mean(theirs), abs=1e-12)
    assert score([1, 1], [[0.5, 0.5], [0.25, 0.75]], bootstrap=0).measures.auc is None


def test_a_single_class_has_no_measures():
    table = pa.table({"logits": [[0.5], [1.0]], "label": ["a", "a"]})
    assert score(table, classes=["a"], bootstrap=0).measures is None


def test_beyond_128_classes_those_by_class_are_left_out():
    rng = np.random.default_rng(0)
    m = score(rng.integers(0, 130, 50), logits=rng.normal(size=(50, 130))).measures
    by_class = m.classwise_ece, m.brier_reliability, m.brier_within, m.auc, m.auc_weighted
    assert by_class == (None,) * 5
    assert set(m.top_accuracy) == {f"top_{k}" for k in TOPS}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.permutations(range(30)))
def test_the_order_of_rows_changes_nothing_but_rounding(seed, order):
    p, q, w = rows_of(seed, 30, 3)
    m = measured(p, q, w, bootstrap=0).measures
    again = measured(*([each[i] for i in order] for each in (p, q, w)), bootstrap=0).measures
    for name, value in vars(m).items():
        if isinstance(value, float):
            assert getattr(again, name) == pytest.approx(value, abs=1e-12)


def test_probabilities_that_differ_by_rounding_are_equal():
    """Of 0.7 and 0.7 plus a rounding error, neither comes first."""
    q = np.array([0.7, 0.7 + 1.2e-16] * 20)
    m = score(np.arange(40) % 2, np.stack([1 - q, q], axis=1), bootstrap=0).measures
    same = score(np.arange(40) % 2, np.tile([0.3, 0.7], (40, 1)), bootstrap=0).measures
    assert m.ece_equal_mass == pytest.approx(same.ece_equal_mass, abs=1e-12)
    assert m.selective_risk == same.selective_risk == 0.5


def test_influences_are_derivatives_in_the_weights():
    """The intervals stand on them: a measure moves as its influence says if a row gains weight."""
    from plogq.score.figures.measures import bins, ranking
    from plogq.score.figures.measures.judged_rows import JudgedRows

    rng = np.random.default_rng(5)
    log_q = np.log(rng.dirichlet(np.ones(3), 40))
    label = rng.integers(0, 3, 40)

    def all_of(weight):
        rows = JudgedRows(log_q, log_q, label, weight, np.arange(40))
        judged = rows.confidence, rows.correct, weight
        areas, parts = ranking.areas(rows), bins.murphy(rows)
        return [
            bins.calibration_error(*judged, bins.equal_width(rows.confidence)),
            smooth_error(*judged),
            bins.classwise_error(rows),
            *parts[:3],
            areas.plain,
            areas.weighted,
            *ranking.top_accuracies(rows).values(),
            ranking.selective(*judged).area,
        ]

    even, step = np.ones(40), 1e-6
    found = all_of(even)
    for row in (0, 7, 39):
        more = all_of(even + step * 40 * (np.arange(40) == row))
        for before, after in zip(found, more, strict=True):
            slope = (after.value - before.value) / step
            assert slope == pytest.approx(before.influence[row], rel=3e-3, abs=3e-4)
    for each in found:
        assert each.influence.mean() == pytest.approx(0, abs=1e-9)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """Of AUC and top-2 accuracy; those of calibration errors are wider (docs/score.md)."""
    truth = score(*sure(0, 32_768)[::2], bootstrap=0).measures
    held = {"auc": 0, "top_2": 0, "selective_risk": 0}
    for seed in range(1, 61):
        ends = score(*sure(seed, 400)[::2], bootstrap=40).measures.intervals
        values = {"auc": truth.auc, "selective_risk": truth.selective_risk} | truth.top_accuracy
        for name in held:
            held[name] += ends[name][0] <= values[name] <= ends[name][1]
    assert all(n >= 50 for n in held.values())
    assert score(*sure(1, 400)[::2], bootstrap=0).measures.intervals == {}


def test_a_group_counts_as_one():
    """Rows that are there four times, in one group each, tell no more than once."""
    labels, _, q = sure(4, 200)
    once = score(labels, q).measures.intervals
    four = {
        "labels": np.tile(labels, 4),
        "probs": np.tile(q, (4, 1)),
        "g": np.tile(np.arange(200), 4),
    }
    again = score(four, group="g").measures.intervals
    assert again["auc"] == pytest.approx(once["auc"], abs=2e-3)
