"""Convexity: the derivatives by mpmath, the valleys, and the ball's way down."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mpf

from plogq.explorer.pages import PAGES
from plogq.explorer.pages import convexity as page
from plogq.explorer.shown import shown
from tests.explorer.conftest import cut_off, looks_right

CONTROLS = page.PAGE.controls
SOMEWHERE = st.floats(-9, 6)


@pytest.fixture(autouse=True)
def _digits():
    with mpmath.workdps(80):  # 1 − p is as small as 1e-33
        yield


def of_rows(loss, weight, bias=0):
    """Give a loss as it is defined, a mean over the rows."""
    terms = []
    for x, t in zip(page.X.tolist(), page.T.tolist(), strict=True):
        p = 1 / (1 + mpmath.exp(-(weight * mpf(x) + bias)))
        terms.append((p - t) ** 2 if loss == page.SE else -mpmath.log(p if t else 1 - p))
    return mpmath.fsum(terms) / len(terms)


def derivative(loss, weight, order=1):
    return mpmath.diff(lambda w: of_rows(loss, w), mpf(weight), order)


@pytest.mark.parametrize("loss", page.LOSSES)
@given(weight=SOMEWHERE, bias=st.floats(-4, 4))
def test_the_losses_and_their_derivatives(loss, weight, bias):
    got = page.curves(np.array(weight), bias)[loss]
    expected = [
        mpmath.diff(lambda w: of_rows(loss, w, mpf(bias)), mpf(weight), order) for order in range(3)
    ]
    for one, other in zip(got, expected, strict=True):
        assert math.isclose(one, other, rel_tol=1e-11, abs_tol=1e-14)


def test_squared_error_has_a_second_valley_that_is_higher():
    places = [mpmath.findroot(lambda w: derivative(page.SE, w), at) for at in (-4.3, -0.6, 0.3)]
    assert page.level_places(page.SE) == pytest.approx([float(w) for w in places], rel=1e-9)
    bad, hill, good = places
    bends = [derivative(page.SE, w, 2) for w in places]
    assert [bend > 0 for bend in bends] == [True, False, True]
    assert of_rows(page.SE, hill) > of_rows(page.SE, bad) > 2 * of_rows(page.SE, good)
    got = PAGES["convexity"].answer({})["losses"][0]["valleys"]
    for (weight, loss), place in zip(got, (bad, good), strict=True):
        assert loss == pytest.approx(float(of_rows(page.SE, place)), rel=1e-12)
        assert weight == pytest.approx(float(place), rel=1e-9)


@pytest.mark.parametrize(("loss", "valleys"), [(page.SE, 2), (page.CE, 1)])
def test_no_valley_is_missed(loss, valleys):
    slopes = page.curves(np.linspace(-60, 60, 48_001))[loss].slope
    assert np.count_nonzero((slopes[:-1] < 0) & (slopes[1:] > 0)) == valleys
    assert len(page.level_places(loss)) == 2 * valleys - 1  # and a hill between two


@given(weight=st.floats(-1e6, 1e6), bias=st.floats(-1e6, 1e6))
def test_cross_entropy_is_nowhere_bent_downwards(weight, bias):
    assert page.curves(np.array(weight), bias)[page.CE].bend >= 0


@given(ends=st.tuples(SOMEWHERE, SOMEWHERE, st.floats(-4, 4), st.floats(-4, 4)))
def test_cross_entropy_lies_below_its_chords_on_the_surface_as_well(ends):
    (w, v), (b, a) = np.array(ends[:2]), np.array(ends[2:])
    one, other, middle = page.curves(np.array([w, v, (w + v) / 2]), np.array([b, a, (b + a) / 2]))[
        page.CE
    ].loss
    assert middle <= (one + other) / 2 + 1e-13


def test_squared_error_does_not():
    low, middle, high = page.curves(np.array([-5.0, -0.6, 3.8]))[page.SE].loss
    assert middle > max(low, high)


@given(start=st.floats(-8, 5), rate=st.floats(0.1, 2), step=st.integers(0, page.LAST - 1))
def test_each_step_goes_down_the_slope(start, rate, step):
    got = PAGES["convexity"].answer({"start": start, "rate": rate, "steps": step + 1})
    for loss in got["losses"]:
        assert len(loss["way"]) == step + 2
        assert loss["way"][0][0] == start
        (before, _), (after, height) = loss["way"][-2:]
        expected = mpf(before) - mpf(rate) * derivative(loss["name"], before)
        assert math.isclose(after, expected, rel_tol=1e-11, abs_tol=1e-12)
        assert math.isclose(height, of_rows(loss["name"], mpf(after)), rel_tol=1e-12)


def test_the_ball_stays_in_the_picture():
    start, rate = CONTROLS["start"], CONTROLS["rate"]
    for begin in np.linspace(start.low, start.high, 14):
        for pace in np.linspace(rate.low, rate.high, 3):
            way = page.paths(float(begin), float(pace))
            assert page.WEIGHTS[0] <= way.min() <= way.max() <= page.WEIGHTS[-1]


def test_where_the_ball_comes_to_rest():
    bad, hill, good = page.level_places(page.SE)
    (only,) = page.level_places(page.CE)
    left, _ = page.paths(-1.0, 1.0)
    assert np.all(np.diff(left) < 0)  # on its way to the bad valley
    assert bad < left[-1] < hill - 2
    right, cross = page.paths(-0.5, 0.5)
    assert right[-1] == pytest.approx(good, abs=1e-9)
    assert cross[-1] == pytest.approx(only, abs=1e-9)


def test_what_the_text_says_of_a_high_rate():
    (only,) = page.level_places(page.CE)
    leap = page.paths(-1.0, 2.0)[1]
    assert leap[0] < only < 4 < leap[1]  # over the valley
    hop = page.paths(-6.0, 2.0)[1]
    assert (hop[-1] - only) * (hop[-2] - only) < 0  # to and fro, to the last
    assert abs(hop[-1] - hop[-2]) > 0.01


def test_on_the_plateau_squared_error_has_next_to_no_slope():
    here = page.curves(np.array(-8.0))
    assert abs(here[page.SE].slope) < 0.01
    assert here[page.CE].slope < -2
    left = page.X * page.level_places(page.SE)[1]
    given = 1 / (1 + np.exp(-page.SIDE * left))
    assert np.flatnonzero(given < 0.01).tolist() == [4, 5]  # sure and wrong: the two large rows
    assert np.flatnonzero(page.SIDE * page.X < 0).tolist() == [0, 1, 2]  # the three small ones


@pytest.mark.parametrize("at", [0, 1])
def test_the_surface(at):
    got = PAGES["convexity"].answer({})
    weights, biases = got["grid"]["weights"], got["grid"]["biases"]
    loss = got["losses"][at]
    values = loss["surface"]["values"]
    assert [len(row) for row in values] == [len(weights)] * len(biases)
    low, right = loss["surface"]["least"]
    assert values[biases.index(right)][weights.index(low)] == min(map(min, values))
    for i in (0, 7, len(biases) - 1):
        for j in (0, 20, len(weights) - 1):
            expected = of_rows(loss["name"], mpf(weights[j]), mpf(biases[i]))
            assert values[i][j] == pytest.approx(float(expected), abs=5.1e-5)


@pytest.mark.parametrize(
    ("start", "side"), [(-8, "left"), (-0.6, "left"), (-0.5, "right"), (5, "right")]
)
def test_what_is_said(start, side):
    got = PAGES["convexity"].answer({"start": start, "steps": 0})
    assert got["notice"].startswith(f"After 0 steps squared error is at w = {shown(start, 2)}, ")
    assert f"{side} of the hill at −0.59" in got["notice"]
    assert f"the {'bad' if side == 'left' else 'good'} valley. Its" in got["notice"]
    here = page.curves(np.array(float(start)))
    for loss in page.LOSSES:
        assert shown(float(here[loss].slope)) in got["notice"]
    assert "After 1 step squared" in PAGES["convexity"].answer({"steps": 1})["notice"]


# On the screen


def steps(shown_page):
    return int(shown_page.get_by_label("steps").input_value())


def test_the_ball_rolls_and_pauses(visit):
    shown_page = visit("/convexity?steps=0")
    roll = shown_page.locator(".button-main")
    roll.press("Enter")
    shown_page.wait_for_function(
        "() => document.querySelector('input[type=range]').valueAsNumber > 3"
    )
    assert roll.inner_text() == "Pause"
    roll.press("Enter")
    assert roll.inner_text() == "Roll"
    stood = steps(shown_page)
    shown_page.wait_for_url(f"**/convexity?steps={stood}")
    assert steps(shown_page) == stood < page.LAST
    shown_page.get_by_role("button", name="Back to the start").press("Enter")
    shown_page.wait_for_url("**/convexity?steps=0")


def test_it_is_there_at_once_for_who_wants_no_motion(visit):
    shown_page = visit("/convexity?steps=0", "phone")
    shown_page.locator(".button-main").tap()
    assert steps(shown_page) == page.LAST
    shown_page.wait_for_url(f"**/convexity?steps={page.LAST}")
    assert shown_page.locator(".button-main").is_disabled()


@pytest.mark.parametrize("context", ["desk", "phone"])
@pytest.mark.parametrize("query", ["steps=0&start=5", "start=-6&rate=2&steps=150", "start=-8"])
def test_the_pictures_at_their_ends(query, context, visit):
    shown_page = visit(f"/convexity?{query}", context)
    looks_right(shown_page)
    assert cut_off(shown_page) == []
