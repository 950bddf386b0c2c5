"""Single figures of a score, each against arithmetic by hand: quick to fail, and of known rows."""

import math
from fractions import Fraction

import numpy as np
import pytest

from plogq.score import score
from plogq.score.figures.measures.estimate import Estimate, average, mean
from plogq.score.figures.measures.smooth import CELLS, _Grid, smooth_error
from plogq.score.figures.promise import refit_variance
from tests.oracles import exact, mp

NORMAL_END = 1.959963984540054  # of 95 %: scipy.stats.norm.ppf(0.975)


def test_an_interval_is_that_of_the_sums_over_buckets():
    """Buckets hold 2 − 1 = 1, 3 and −4 of weight 8: their squares, over 8², times 3 / 2."""
    estimate = Estimate(0.75, np.array([2.0, -1.0, 1.5, -4.0]))
    weight, bucket = np.array([1.0, 1.0, 2.0, 1.0]), np.array([0, 0, 4, 2])
    sums = [Fraction(1), Fraction(3), Fraction(-4)]
    square = sum((s / 5) ** 2 for s in sums) * Fraction(3, 2)
    half = NORMAL_END * math.sqrt(square)
    low, high = estimate.interval(weight, bucket)
    assert (low, high) == (0.0, pytest.approx(0.75 + half, rel=1e-15))
    assert estimate.interval(weight, bucket, most=1.0) == (0.0, 1.0)


@pytest.mark.parametrize("noise", [0.0, 0.125])
def test_the_lower_end_allows_for_noise(noise):
    estimate = Estimate(0.75, np.array([0.1, -0.1]), noise)
    half = NORMAL_END * math.sqrt(2 * (0.1 / 2) ** 2 * 2)
    found = estimate.interval(np.ones(2), np.arange(2))
    assert found == pytest.approx((0.75 - noise - half, 0.75 + half), rel=1e-15)


@pytest.mark.parametrize(
    ("influence", "bucket"),
    [([1.0, -1.0], [3, 3]), ([0.0, 0.0], [0, 1]), ([1e-13, -1e-13], [0, 1])],
    ids=["one bucket", "no spread", "rounding alone"],
)
def test_without_spread_there_is_no_interval(influence, bucket):
    assert Estimate(0.5, np.array(influence)).interval(np.ones(2), np.array(bucket)) is None


def test_a_mean_under_weights():
    values, weight = np.array([1.0, 2.0, 6.0]), np.array([3.0, 1.0, 1.0])
    assert average(values, weight) == 11 / 5
    assert mean(values, weight).influence == pytest.approx(values - 2.2, abs=1e-15)


@pytest.mark.parametrize("folds", [2, 3, 5, 10, 100])
def test_the_variance_of_a_refit_is_its_formula_in_fractions(folds):
    """2 a² + (2 b² + 4 a b) / K − 1 / l, with l = (K − 1) / K of the rows learnt from."""
    learnt = Fraction(folds - 1, folds)
    again = 1 / (2 * folds * learnt**2)
    a = (folds - 2) * again - 1 / learnt - Fraction(1, 2)
    b = 1 / learnt + again
    right = 2 * a * a + (2 * b * b + 4 * a * b) / folds - 1 / learnt
    assert refit_variance(folds) == pytest.approx(float(right), rel=1e-14)


def weighted(probs, labels, weight, classes=None):
    table = {"probs": np.array(probs), "labels": np.array(labels), "w": np.array(weight)}
    return score(table, weight="w", classes=classes, unit="bit")


def test_weights_below_1_count():
    """Of class y half the weight, ½ of ½ together, is right; z has one impossible row of ¼."""
    probs = [[0.25, 0.5, 0.25], [0.5, 0.25, 0.25], [0.75, 0.25, 0.0]]
    found = weighted(probs, [1, 1, 2], [0.25, 0.25, 0.25], ["x", "y", "z"])
    x, y, z = found.per_class
    assert (x.rows, x.cross_entropy, x.accuracy) == (0, None, None)
    assert (y.rows, y.cross_entropy, y.accuracy) == (2, 1.5, 0.5)
    assert (z.rows, z.cross_entropy, z.accuracy) == (1, math.inf, 0.0)
    assert y.mistaken_for == (("x", 1, 2.0),)
    assert z.mistaken_for == (("x", 1, math.inf),)
    assert found.cross_entropy == math.inf
    assert found.cross_entropy_finite == 1.5


@pytest.mark.parametrize("classes", [2, 3])
def test_too_few_rows_for_a_recalibration_are_said_to_be(classes):
    """One class alone has nothing to recalibrate, and two are enough to say so."""
    probs = np.full((1, classes), 1 / classes)
    codes = [w.code for w in score({"probs": probs, "labels": np.array([0])}).warnings]
    assert "no_recalibration" in codes


@pytest.mark.parametrize("impossible", [1, 2])
def test_the_mean_of_what_is_possible_leaves_out_what_is_not(impossible):
    probs = [[0.5, 0.5], [0.25, 0.75], *[[0.0, 1.0]] * impossible]
    found = score({"probs": np.array(probs), "labels": np.zeros(2 + impossible, int)}, unit="bit")
    assert found.cross_entropy == math.inf
    assert found.cross_entropy_finite == 1.5
    assert found.zero_probability_rows == impossible


def sharpened(rows, classes, seed=0):
    """Return labelled rows whose labels were drawn at T = 2."""
    rng = np.random.default_rng(seed)
    x = 3 * rng.normal(size=(rows, classes))
    p = np.exp(x / 2)
    p /= p.sum(axis=1, keepdims=True)
    labels = (rng.random((rows, 1)) > np.cumsum(p, axis=1)).sum(axis=1)
    return x, labels


def test_the_interval_of_a_temperature_is_the_sandwich_in_mpmath():
    """log T ± 1.96 √Σ s² / Σ v: s is loss − entropy of a row, v the variance of β z."""
    x, labels = sharpened(40, 3)
    fit = score({"logits": x, "labels": labels}).temperature
    beta = 1 / mp.mpf(fit.value)
    slopes, curvature = mp.zero, mp.zero
    for row, label in zip(exact_rows(x), labels, strict=True):
        p = [mp.exp(beta * v) for v in row]
        p = [v / sum(p) for v in p]
        entropy = -sum(v * mp.log(v) for v in p)
        slopes += (-mp.log(p[label]) - entropy) ** 2
        mean = sum(v * beta * z for v, z in zip(p, row, strict=True))
        curvature += sum(v * (beta * z - mean) ** 2 for v, z in zip(p, row, strict=True))
    half = NORMAL_END * mp.sqrt(slopes) / curvature
    right = [float(fit.value * mp.exp(-half)), float(fit.value * mp.exp(half))]
    assert fit.interval == pytest.approx(right, rel=1e-6)


def exact_rows(x):
    return [exact(row) for row in x]


def test_the_measures_by_class_end_beyond_128_classes():
    x, labels = sharpened(150, 128)
    assert score({"logits": x, "labels": labels}).measures.classwise_ece is not None
    x, labels = sharpened(150, 129)
    assert score({"logits": x, "labels": labels}).measures.classwise_ece is None


def reflected(place, width):
    """The share of a Gaussian around a place, reflected at 0 and 1, that lies below ½."""
    normal = mp.ncdf
    ends = [sign * place + 2 * k for k in range(-6, 7) for sign in (1, -1)]
    return sum(normal((mp.mpf(0.5) - e) / width) - normal(-e / width) for e in ends)


def test_the_smooth_error_of_two_places_is_the_root_in_mpmath():
    """Of −¼ at ¼ and ¼ at ¾, both sides of ½ are as far off: ∫ |r| is twice that below ½."""
    q, hit, weight = np.array([0.25, 0.75]), np.array([0.75, 0.25]), np.ones(2)

    def off(width):
        return 2 * (reflected(mp.mpf(0.25), width) - reflected(mp.mpf(0.75), width)) / 4

    root = mp.findroot(lambda width: off(width) - width, (0.1, 0.5), solver="anderson")
    assert smooth_error(q, hit, weight).value == pytest.approx(float(root), rel=1e-5)


@pytest.mark.parametrize("q", [0.0, 0.01, 0.3, 0.9, 1.0])
def test_the_smooth_error_of_one_place_is_its_residual(q):
    """A Gaussian reflected at both ends loses nothing, so that ∫ |r| is |q − hit| at any width."""
    for hit in (0.0, 1.0):
        found = smooth_error(np.array([q, q]), np.array([hit, hit]), np.array([1.0, 3.0]))
        assert found.value == pytest.approx(abs(q - hit), rel=1e-6, abs=1e-12)


def test_masses_lie_between_the_centres_of_cells():
    """Spread over two cells, a mass keeps its size and its place."""
    q = np.array([0.3, 0.50001, 0.9])
    centres = (np.arange(CELLS) + 0.5) / CELLS
    for place in q:
        cells = _Grid(np.array([place])).spread(np.array([2.0]))
        assert cells.sum() == pytest.approx(2, rel=1e-15)
        assert (cells * centres).sum() / 2 == pytest.approx(place, rel=1e-12)
    ends = [_Grid(np.array([end])).spread(np.array([2.0])) for end in (0.0, 1.0)]
    assert (ends[0][0], ends[1][-1]) == (2, 2)  # beyond the outer centres all is in one cell
    assert _Grid(q).at(centres) == pytest.approx(q, rel=1e-12)


def test_two_classes_the_wrong_way_round_are_said_to_be():
    x, _ = sharpened(60, 2)
    warnings = score({"logits": x, "labels": x.argmin(axis=1)}).warnings
    assert any(w.code == "reading" and "mostly predicted" in w.message for w in warnings)
