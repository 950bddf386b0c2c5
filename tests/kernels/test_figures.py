"""Figures of rows against mpmath, and their sums against the figures."""

import functools
import math

import mpmath as mp
import numpy as np
import pytest

from plogq.kernels.exact_sum import ExactSums
from plogq.kernels.row_figures import row_figures
from plogq.kernels.sums import Counts, Sums, sum_rows

pytestmark = pytest.mark.usefixtures("instruction_set")

CLASSES = [1, 2, 3, 10, 63, 64, 65, 300]
BOUNDS = {"surprisal": 7, "confidence": 6, "entropy": 9, "brier": 12}
WIDTH = 0.17


@functools.cache
def rows(dtype, classes):
    """Rows of every temper, of a number that no vector divides."""
    rng = np.random.default_rng(classes)
    n = max(2, min(13, 1500 // classes))
    x = np.concatenate([rng.normal(size=(n, classes)) * s for s in (0.01, 1, 5, 40, 400)])
    x = x.astype(dtype)
    if classes > 2:
        x[1::4, 1] = -np.inf
        x[3, 0] = x[3, 2] = x[3].max() + 1  # a tie
        x[-1] = 1e30 * rng.normal(size=classes)
    y = rng.integers(0, classes, len(x))
    y[::3] = x[::3].argmax(axis=1)
    x.flags.writeable = y.flags.writeable = False
    return x, y


@functools.cache
def expected(dtype, classes):
    x, y = rows(dtype, classes)
    found = {name: [] for name in BOUNDS}
    with mp.workprec(1500):
        for row, label in zip(x.tolist(), y.tolist(), strict=True):
            top = max(row)
            e = [mp.exp(mp.mpf(v) - top) for v in row]
            total = mp.fsum(e)
            log_total = mp.log(total)
            q = [v / total for v in e]
            logs = [mp.mpf(v) - top - log_total if v > -mp.inf else -mp.inf for v in row]
            found["surprisal"].append(-logs[label])
            found["confidence"].append(max(q))
            found["entropy"].append(-mp.fsum(p * log for p, log in zip(q, logs, strict=True) if p))
            squares = [(p - (j == label)) ** 2 for j, p in enumerate(q)]
            found["brier"].append(mp.fsum(squares))
    return {name: np.array(values, object) for name, values in found.items()}


@pytest.mark.parametrize("classes", CLASSES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_figures(dtype, classes, ulps):
    x, y = rows(dtype, classes)
    found = row_figures(x, y)
    want = expected(dtype, classes)
    for name, bound in BOUNDS.items():
        got = getattr(found, name)
        possible = np.array([value < mp.inf for value in want[name]])
        assert ulps(got[possible], want[name][possible]) <= bound, name
        assert (got[~possible] == np.inf).all()
    np.testing.assert_array_equal(found.predicted, x.argmax(axis=1))
    np.testing.assert_array_equal(found.correct, found.predicted == y)


@pytest.mark.parametrize("classes", CLASSES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_layout_changes_a_bit(dtype, classes):
    x, y = rows(dtype, classes)
    want = row_figures(x, y)
    for other in (tuple(x.T), [column.copy() for column in x.T], np.asfortranarray(x), x[:, ::1]):
        for a, b in zip(want, row_figures(other, y), strict=True):
            np.testing.assert_array_equal(a, b)
    mixed = [column.astype(np.float64) if j % 2 else column for j, column in enumerate(x.T)]
    np.testing.assert_array_equal(row_figures(mixed, y.astype(np.int16)), want)


def kept(buckets, classes):
    counts = (buckets, buckets * classes, classes**2, 10, 130)
    groups = (buckets, buckets, buckets, buckets, classes**2, 10, 10)
    return Counts(*(np.zeros(n, np.int64) for n in counts)), Sums(*map(ExactSums, groups))


@pytest.mark.parametrize("kind", ["in a row", "one", "any"])
@pytest.mark.parametrize("classes", [1, 2, 10, 64])
def test_sums_are_those_of_the_figures(classes, kind):
    rng = np.random.default_rng(0)
    n, buckets = 1003, 64
    x = rng.normal(size=(n, classes)) * 10.0 ** rng.integers(-3, 5, (n, 1))
    y = rng.integers(0, classes, n)
    if classes > 1:
        x[::50, 0] = -np.inf
        y[::100] = 0
    places = {"in a row": np.arange(n) + 5, "one": np.zeros(n, int), "any": rng.permutation(n)}
    bucket = places[kind] % buckets
    counts, sums = kept(buckets, classes)
    for first in range(0, n, 400):
        part = slice(first, first + 400)
        found = sum_rows(
            x[part], y[part], bucket[part], counts, sums, surprisal_width=WIDTH, most_in_bucket=400
        )
        figures = row_figures(x[part], y[part])
        np.testing.assert_array_equal(found.surprisal, figures.surprisal)
        np.testing.assert_array_equal(found.apart, np.flatnonzero(figures.surprisal >= 512))

    figures = row_figures(x, y)
    near = figures.surprisal < 512
    assert classes == 1 or 0 < near.sum() < n
    cell = y * classes + figures.predicted
    sure = np.ceil(figures.confidence * 10).astype(int) - 1
    cost = np.where(near, figures.surprisal, 0.0)
    of_surprisal = np.minimum(cost[near] / WIDTH, 128).astype(int)
    groups = [bucket, bucket * classes + y, cell, sure, of_surprisal]
    for count, group in zip(counts, groups, strict=True):
        np.testing.assert_array_equal(count, np.bincount(group, minlength=len(count)))
    terms = [
        (cost, bucket), (figures.entropy, bucket), (figures.brier, bucket),
        (figures.correct, bucket), (cost, cell), (figures.confidence, sure),
        (figures.correct, sure),
    ]  # fmt: skip
    for total, (values, group) in zip(sums, terms, strict=True):
        same = ExactSums(len(total.limbs))
        same.add(values, group)
        np.testing.assert_array_equal(total.limbs, same.limbs)


def test_bins_hold_their_upper_edge():
    # Confidences of 1/2, in bin (0.4, 0.5], and of 1, in the last.
    x = np.array([[0.0, 0.0], [0.0, -1e9]])
    counts, sums = kept(1, 2)
    y = np.zeros(2, np.int64)
    sum_rows(x, y, y, counts, sums, surprisal_width=math.log(2), most_in_bucket=2)
    assert np.flatnonzero(counts.confidence).tolist() == [4, 9]
    assert np.flatnonzero(counts.surprisal).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("bad", "came"), [(np.nan, "NaN"), (np.inf, "inf"), (-np.inf, "no finite number")]
)
@pytest.mark.parametrize("classes", [3, 100])
def test_logits_at_fault(classes, bad, came):
    x = np.zeros((40, classes))
    x[[17, 23]] = bad
    if bad != -np.inf:
        x[17, 1:] = 0
    y = np.zeros(40, np.int64)
    message = rf"logits must be finite, .*; got {came} \(first at row 17\)"
    for given in (x, tuple(x.T)):
        with pytest.raises(ValueError, match=message):
            row_figures(given, y)
        if classes == 3:
            counts, sums = kept(1, 3)
            with pytest.raises(ValueError, match=message):
                sum_rows(given, y, y, counts, sums, surprisal_width=1.0, most_in_bucket=40)


def test_arguments_at_fault():
    x, y = np.zeros((4, 3)), np.zeros(4, np.int64)
    for bad in (-1, 3):
        with pytest.raises(
            ValueError, match=rf"target must be a class index .*; got {bad} .*row 2"
        ):
            row_figures(x, np.array([0, 0, bad, 0]))
    with pytest.raises(ValueError, match=r"target must be integers of shape \(4,\)"):
        row_figures(x, y[:3])
    with pytest.raises(ValueError, match="logits must be columns of one length"):
        row_figures([x[:, 0], x[:3, 1]], y)
    with pytest.raises(ValueError, match="logits must be columns of float32 or float64"):
        row_figures([y], y)
    counts, sums = kept(1, 2)
    with pytest.raises(ValueError, match="do not fit"):
        sum_rows(x, y, y, counts, sums, surprisal_width=1.0, most_in_bucket=4)
    counts, sums = kept(1, 3)
    with pytest.raises(ValueError, match=r"bucket must be in \[0, 1\); got 1 \(first at row 3\)"):
        sum_rows(x, y, y + np.arange(4) // 3, counts, sums, surprisal_width=1.0, most_in_bucket=4)
