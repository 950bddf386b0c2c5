"""Each family of recalibrations against an independent fit, with weights, soft labels and masks."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import MPContext
from scipy.optimize import isotonic_regression, minimize
from scipy.special import log_softmax as scipy_log_softmax

from plogq.score.recalibration import LabelledRows, choose_families, cross_fit, log_softmax
from plogq.score.recalibration.cross_fit import FAMILIES
from plogq.score.recalibration.families.base_rate import TemperatureAndBase
from plogq.score.recalibration.families.identity import Identity
from plogq.score.recalibration.families.isotonic import Isotonic
from plogq.score.recalibration.families.temperature import Temperature
from plogq.score.recalibration.families.vector import Vector
from plogq.score.recalibration.solve import lowest_point

mp = MPContext()
mp.dps = 30


def labelled_rows(rows, classes, seed, *, soft=False, weighted=False, masked=False, sharpness=2.0):
    rng = np.random.default_rng(seed)
    z = 1.5 * rng.standard_normal((rows, classes))
    label = np.argmax(z + rng.gumbel(size=z.shape), axis=1)
    x = z * sharpness
    if masked:  # no label among them
        hidden = rng.random((rows, classes)) < 0.2
        hidden[np.arange(rows), label] = False
        x = np.where(hidden, -np.inf, x)
    if soft:
        label = 0.7 * np.eye(classes)[label] + 0.3 * np.exp(log_softmax(x / 2))
    weight = rng.gamma(1.0, size=rows) if weighted else np.ones(rows)
    base = rng.dirichlet(np.full(classes, 20.0))
    return LabelledRows(log_softmax(x), label, weight / weight.mean(), base)


def shares(rows):
    return np.eye(rows.classes)[rows.label] if rows.label.ndim == 1 else rows.label


def cross_entropies(log_q, label):
    """−Σ p log q of each row, by NumPy alone."""
    p = np.eye(log_q.shape[1])[label] if label.ndim == 1 else label
    with np.errstate(invalid="ignore"):
        return -np.where(p > 0, p * log_q, 0.0).sum(axis=1)


ALL = pytest.mark.parametrize(
    "options",
    [{}, {"soft": True}, {"weighted": True}, {"masked": True}, {"soft": True, "weighted": True}],
    ids=lambda options: "+".join(options) or "plain",
)


def test_log_softmax_against_mpmath():
    x = np.array([[1e3, 0.0, -1e3], [0.1, 0.2, -np.inf], [-3e38, 0.0, 0.0]], np.float32)
    found = log_softmax(x)
    for row, given_row in zip(found, x, strict=True):
        lse = mp.log(sum(mp.exp(mp.mpf(float(v))) for v in given_row if v > -np.inf))
        for value, v in zip(row, given_row, strict=True):
            exact = mp.mpf(float(v)) - lse
            assert value == (-np.inf if v < -2e37 else pytest.approx(float(exact), rel=1e-15))


@ALL
def test_temperature_is_the_best_of_all(options):
    rows = labelled_rows(60, 3, 1, **options)
    fit = Temperature.fit(rows)

    def loss(t):
        return rows.weight @ cross_entropies(
            scipy_log_softmax(2.0**t * rows.log_q, axis=1), rows.label
        )

    best = minimize(lambda t: loss(t[0]), [0.0], method="Nelder-Mead", options={"xatol": 1e-9})
    assert fit.log2_beta == pytest.approx(best.x[0], abs=1e-6)
    assert rows.weight @ fit.losses(rows) == pytest.approx(loss(fit.log2_beta), rel=1e-13)


@ALL
def test_temperature_and_base_is_the_best_of_all(options):
    rows = labelled_rows(60, 3, 2, **options)
    fit = TemperatureAndBase.fit(rows)

    def cost(t, epsilon):
        q = np.exp(scipy_log_softmax(2.0**t * rows.log_q, axis=1))
        return cross_entropies(np.log((1 - epsilon) * q + epsilon * rows.base), rows.label)

    def objective(at):
        epsilon = 1 / (1 + np.exp(-at[1]))
        return rows.weight @ cost(at[0], epsilon) - 0.5 * np.log(epsilon)

    tight = {"xatol": 1e-10, "fatol": 1e-12, "maxiter": 4000}
    best = minimize(objective, [0.0, -3.0], method="Nelder-Mead", options=tight)
    ours = fit.log2_beta, math.log(fit.epsilon / (1 - fit.epsilon))
    assert objective(ours) <= best.fun + 1e-9
    np.testing.assert_allclose(fit.losses(rows), cost(fit.log2_beta, fit.epsilon), rtol=1e-12)


@ALL
def test_vector_is_the_best_of_all(options):
    rows = labelled_rows(80, 3, 3, **options)
    fit = Vector.fit(rows)
    beta = 2.0**fit.temperature.log2_beta
    z = beta * np.where(np.isneginf(rows.log_q), 0.0, rows.log_q)

    def losses(change):
        v, b = np.split(change, 2)
        x = np.where(np.isneginf(rows.log_q), -np.inf, z * (1 + v) + b)
        return cross_entropies(scipy_log_softmax(x, axis=1), rows.label)

    def objective(change):
        prior = change @ change / (2 * 0.5**2)  # normal, of standard deviation 0.5
        return rows.weight @ losses(change) + prior

    best = minimize(objective, np.zeros(6), method="BFGS", options={"gtol": 1e-7})
    assert objective(fit.change) <= best.fun + 1e-7 * len(rows)
    np.testing.assert_allclose(fit.losses(rows), losses(fit.change), rtol=1e-11)
    parameters = fit.parameters()
    x = np.where(np.isneginf(rows.log_q), -np.inf, np.array(parameters["scale"]) * (z / beta))
    again = scipy_log_softmax(x + parameters["bias"], axis=1)
    np.testing.assert_allclose(cross_entropies(again, rows.label), fit.losses(rows), rtol=1e-11)


@pytest.mark.parametrize("seed", [4, 5])
def test_isotonic_of_two_classes_is_scipys_with_half_a_row_at_each_end(seed):
    rows = labelled_rows(200, 2, seed, weighted=True)
    odds = rows.log_q[:, 1] - rows.log_q[:, 0]
    order = np.argsort(odds)
    hits = np.concatenate([[1.0], rows.label[order], [0.0]])
    weights = np.concatenate([[0.5], rows.weight[order], [0.5]])
    p = np.empty(200)
    p[order] = isotonic_regression(hits, weights=weights).x[1:-1]
    expected = -np.log(np.where(rows.label == 1, p, 1 - p))
    np.testing.assert_allclose(Isotonic.fit(rows).losses(rows), expected, rtol=1e-12)


@pytest.mark.parametrize("soft", [False, True])
def test_isotonic_of_many_classes_is_scipys_by_class_normalised(soft):
    rows = labelled_rows(150, 4, 6, weighted=True, masked=True, soft=soft)
    g = np.empty((150, 4))
    for j in range(4):
        _, of = np.unique(rows.log_q[:, j], return_inverse=True)  # equal ones are one point
        seen = np.bincount(of, rows.weight)
        hits = np.bincount(of, rows.weight * shares(rows)[:, j])
        y = np.concatenate([[1.0], hits / seen, [0.0]])
        g[:, j] = isotonic_regression(y, weights=[0.5, *seen, 0.5]).x[1:-1][of]
    expected = cross_entropies(np.log(g / g.sum(axis=1, keepdims=True)), rows.label)
    np.testing.assert_allclose(Isotonic.fit(rows).losses(rows), expected, rtol=1e-12)


def test_isotonic_steps_are_its_values():
    rows = labelled_rows(3000, 2, 7)  # more rows than groups
    fit = Isotonic.fit(rows)
    (curve,) = fit.parameters()["curves"]
    assert fit.parameters()["of"] == "log_odds"
    assert np.all(np.diff(curve["value"]) > 0)
    assert curve["value"][0] > 0
    assert curve["value"][-1] < 1
    odds = rows.log_q[:, 1] - rows.log_q[:, 0]
    at = np.searchsorted(curve["from"], odds, "right") - 1
    p = np.array(curve["value"])[at]
    expected = -np.log(np.where(rows.label == 1, p, 1 - p))
    np.testing.assert_allclose(fit.losses(rows), expected, rtol=1e-12)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_what_is_mended_is_finite_and_what_is_not_is_infinite(family):
    rows = labelled_rows(400, 3, 8)
    rows.log_q[[3, 9], rows.label[[3, 9]]] = -np.inf
    assert not rows.possible[[3, 9]].any()
    losses = family.fit(rows).losses(rows)
    assert np.isfinite(losses[[3, 9]]).all() == family.mends
    assert np.isfinite(np.delete(losses, [3, 9])).all()


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@pytest.mark.parametrize("soft", [False, True])
def test_losses_of_any_row_are_of_a_distribution(family, soft):
    """Σ_j exp(−loss of label j) = 1: what is judged are probabilities."""
    rows = labelled_rows(200, 4, 9, masked=True, soft=soft)
    fit = family.fit(rows)
    total = np.zeros(len(rows))
    for j in range(4):
        as_if = LabelledRows(rows.log_q, np.full(len(rows), j), rows.weight, rows.base)
        total += np.exp(-fit.losses(as_if))
    np.testing.assert_allclose(total, 1, rtol=1e-12)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_start_does_not_change_the_fit(family):
    rows = labelled_rows(2000, 3, 10)
    part = rows.take(np.arange(1600))
    near, far = family.fit(part, family.fit(rows)), family.fit(part)
    np.testing.assert_allclose(near.losses(rows).mean(), far.losses(rows).mean(), rtol=2e-6)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_extreme_rows(family):
    """Labels that are all but impossible, certain rows, one class only."""
    x = np.array([[1e4, 0.0, -1e4], [0.0, 700.0, 0.0], [-1e18, 0.0, 1.0]] * 20)
    label = np.array([2, 1, 0] * 20)
    for labels in (label, np.zeros(60, np.int64)):
        rows = LabelledRows(log_softmax(x), labels, np.ones(60), np.full(3, 1 / 3))
        assert np.isfinite(family.fit(rows).losses(rows)).all()


def test_the_slope_of_the_loss_in_temperature_is_loss_less_entropy():
    """What the search stands on, against a difference quotient in mpmath."""
    from plogq.score.recalibration.families.temperature import excess

    rows = labelled_rows(5, 4, 11, soft=True)

    def loss(t, i):
        z = [mp.exp(t) * mp.mpf(float(v)) for v in rows.log_q[i]]
        lse = mp.log(sum(mp.exp(v) for v in z))
        return sum(mp.mpf(float(p)) * (lse - v) for p, v in zip(rows.label[i], z, strict=True))

    t, h = mp.mpf(2) / 5 * mp.log(2), mp.mpf("1e-10")
    found = excess(rows, 0.4)
    for i in range(5):
        slope = (loss(t + h, i) - loss(t - h, i)) / (2 * h)
        assert found[i] == pytest.approx(float(slope), rel=1e-8)


@given(
    zero=st.floats(-5, 5),
    power=st.sampled_from([1, 3]),
    start=st.floats(-4, 4),
    step=st.floats(0.01, 2),
)
def test_lowest_point(zero, power, start, step):
    found = lowest_point(
        lambda x: math.copysign(abs(x - zero) ** power, x - zero),
        start, step=step, low=-4, high=4, tolerance=1e-9,
    )  # fmt: skip
    assert found == pytest.approx(min(4, max(-4, zero)), abs=1e-8 if power == 1 else 1e-2)


def test_cross_fit_is_fit_and_judged_apart():
    rows = labelled_rows(300, 3, 12)
    fold = np.random.default_rng(0).integers(0, 3, 300)
    bases = [np.full(3, 1 / 3) + np.eye(3)[f] * 0.01 for f in range(3)]
    surprisal = cross_entropies(rows.log_q, rows.label)
    losses, fits = cross_fit(rows, surprisal, fold, bases, FAMILIES)
    assert [type(fit) for fit in fits] == list(FAMILIES)
    for i, family in enumerate(FAMILIES):
        for f in range(3):
            learn = rows.take(np.flatnonzero(fold != f), bases[f])
            alone = family.fit(learn).losses(rows.take(np.flatnonzero(fold == f)))
            # Isotonic groups are those of all predictions, whose labels they do not see.
            tolerance = 0.5 if family is Isotonic else 1e-4
            np.testing.assert_allclose(losses[i, fold == f], alone, atol=tolerance)
    np.testing.assert_array_equal(losses[0], surprisal)


def test_held_out_labels_do_not_reach_their_own_loss():
    """A label turned round changes its own row's loss and those of other folds, no more."""
    rows = labelled_rows(300, 3, 13)
    fold = np.arange(300) % 3
    bases = [rows.base] * 3
    surprisal = cross_entropies(rows.log_q, rows.label)
    one, _ = cross_fit(rows, surprisal, fold, bases, FAMILIES)
    turned = rows.label.copy()
    turned[0] = (turned[0] + 1) % 3
    other = LabelledRows(rows.log_q, turned, rows.weight, rows.base)
    two, _ = cross_fit(other, surprisal, fold, bases, FAMILIES)
    same = np.flatnonzero(fold == 0)[1:]
    np.testing.assert_allclose(one[:, same], two[:, same], rtol=3e-5, atol=3e-6)
    assert np.abs(one[1:, fold == 1] - two[1:, fold == 1]).max() > 1e-4


@pytest.mark.parametrize(
    ("rows", "classes", "folds", "names"),
    [
        (5, 3, 5, ["identity"]),
        (10, 3, 5, ["identity", "temperature"]),
        (20, 3, 5, ["identity", "temperature", "temperature+base"]),
        (60, 3, 5, ["identity", "temperature", "temperature+base", "vector"]),
        (300, 3, 5, [family.name for family in FAMILIES]),
        (100, 2, 5, [family.name for family in FAMILIES]),
        (30_000, 128, 5, [family.name for family in FAMILIES]),
        (30_000, 129, 5, ["identity", "temperature", "temperature+base"]),
        (30_000, 1, 5, ["identity"]),
        (30_000, 3, 1, ["identity"]),
    ],
)
def test_which_families_are_tried(rows, classes, folds, names):
    tried, aside = choose_families(rows, classes, False, folds)
    assert [family.name for family in tried] == names
    assert sorted(names + list(aside)) == sorted(family.name for family in FAMILIES)


def test_a_few_impossible_rows_get_the_mixture_at_once():
    tried, _ = choose_families(2, 3, True, 2)
    assert tried == [Identity, TemperatureAndBase]
