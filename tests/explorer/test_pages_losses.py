"""The pages on losses and gradients: worked numbers, and mpmath's derivatives at any state."""

import json
import math
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf

from plogq.explorer.pages import PAGES
from plogq.explorer.shown import shown
from tests.explorer.conftest import cut_off, looks_right
from tests.explorer.states import states

TEXT = (Path(__file__).parents[1] / "data" / "worked_numbers.json").read_text()
WORKED = {item["id"]: item["expected"] for item in json.loads(TEXT)}
LABELS = st.sampled_from(["0", "1"])


@pytest.fixture(autouse=True)
def _digits():
    with mpmath.workdps(40):
        yield


def of(name, **state):
    """Give a page's answer, and its readouts' values in order."""
    got = PAGES[name].answer(state)
    return got, [figure["value"] for figure in got["readouts"]]


def near(got, expected, tolerance=1e-11):
    return math.isclose(got, float(expected), rel_tol=tolerance, abs_tol=1e-300)


# The same in mpmath


def sigmoid(z):
    return 1 / (1 + mpmath.exp(-z))


def bce(z, t):
    return mpmath.log(1 + mpmath.exp(-z if t else z))


def square(p, t):
    return (p - t) ** 2


# Binary cross-entropy


def test_the_worked_logit():
    _, (prob, loss, grad) = of("binary")
    expected = WORKED["bce_logit"]
    assert prob == pytest.approx(expected["probability"], rel=1e-14)
    assert loss == pytest.approx(expected["loss"], rel=1e-14)
    assert grad == pytest.approx(expected["gradient"], rel=1e-14)


@given(logit=st.floats(-5, 5), label=LABELS)
def test_a_logit_has_the_loss_and_the_slope_of_the_definition(logit, label):
    got, (prob, loss, grad) = of("binary", logit=logit, label=label)
    t, z = int(label), mpf(logit)
    assert near(prob, sigmoid(z))
    assert near(loss, bce(z, t))
    assert near(grad, mpmath.diff(lambda x: bce(x, t), z))
    assert got["point"] == [logit, loss]
    (x0, y0), (x1, y1) = got["tangent"]
    assert -5 <= x0 < x1 <= 5
    assert (y1 - y0) / (x1 - x0) == pytest.approx(grad, rel=1e-6)
    assert y0 + (logit - x0) * grad == pytest.approx(loss, abs=1e-12)
    assert math.copysign(1, got["step"][1] - got["step"][0]) == (1 if t else -1)
    assert ("moves the logit up" in got["notice"]) == bool(t)
    assert ("wrong side" in got["notice"]) == (abs(grad) > 0.5)


def test_both_labels_have_their_curve():
    got, _ = of("binary")
    for label, curve in got["curves"].items():
        assert all(near(y, bce(mpf(x), int(label))) for x, y in curve)
    assert all(near(y, sigmoid(mpf(x))) for x, y in got["sigmoid"])


# Squared error against cross-entropy


@pytest.mark.parametrize(("at", "prob"), [(0, 0.7), (1, 0.05)])
def test_the_worked_predictions(at, prob):
    got, values = of("squared_error", prob=prob)
    expected = WORKED["mse_vs_ce"]
    names = "squared_error", "squared_error_gradient", "log_loss", "log_loss_gradient"
    worked = [expected[name][at] for name in names]
    assert [*values[:2], *values[3:5]] == pytest.approx(worked, rel=1e-14)
    assert np.ravel(got["answer"]).tolist() == [*values[:2], *values[3:5]]


@given(prob=st.floats(0.01, 0.99), target=LABELS)
def test_both_gradients_in_the_probability_and_in_the_logit(prob, target):
    got, values = of("squared_error", prob=prob, target=target)
    p, t = mpf(prob), int(target)
    z = mpmath.log(p / (1 - p))

    def cross(q):
        return -mpmath.log(q if t else 1 - q)

    expected = [
        square(p, t), mpmath.diff(lambda q: square(q, t), p),
        mpmath.diff(lambda x: square(sigmoid(x), t), z),
        cross(p), mpmath.diff(cross, p), mpmath.diff(lambda x: cross(sigmoid(x)), z),
    ]  # fmt: skip
    assert all(map(near, values, expected))
    assert got["logit"] == pytest.approx(float(z), abs=1e-13)
    assert f"= {shown(float(2 * p * (1 - p)), 3)} times as much" in got["notice"]
    for loss, value, grad, pull in zip(
        got["losses"], values[::3], values[1::3], values[2::3], strict=True
    ):
        assert loss["point"] == [prob, value]
        assert loss["pull"] == [got["logit"], abs(pull)]
        (x0, y0), (x1, y1) = loss["tangent"]
        assert 0 <= x0 <= prob <= x1 <= 1
        assert (y1 - y0) / (x1 - x0) == pytest.approx(grad, rel=1e-6)


@pytest.mark.parametrize("target", [0, 1])
def test_the_pull_of_squared_error_fades_where_it_is_sure_and_wrong(target):
    got, _ = of("squared_error", target=str(target))
    squared, cross = (np.array(loss["pulls"]) for loss in got["losses"])
    for z, pull in squared:
        assert near(pull, abs(mpmath.diff(lambda x: square(sigmoid(x), target), mpf(z))))
    for z, pull in cross:
        assert near(pull, abs(sigmoid(mpf(z)) - target))
    steepest = squared[np.argmax(squared[:, 1])]
    assert steepest[1] == pytest.approx(8 / 27, abs=1e-3)  # what the page says
    assert float(sigmoid(mpf(steepest[0]))) == pytest.approx(abs(target - 2 / 3), abs=0.02)


# Gradient flow


@pytest.mark.parametrize(("loss", "key"), [("cross_entropy", "bce"), ("squared_error", "mse")])
def test_the_worked_chain(loss, key):
    got, values = of("gradient_flow", loss=loss)
    expected = WORKED["gradient_flow"][key]
    layers = got["layers"]
    assert [layer["value"]["value"] for layer in layers] == pytest.approx(
        [expected[name] for name in ("h1", "h2", "output")], rel=1e-14
    )
    grads = [expected[f"d_{name}"] for name in ("logit", "hidden2", "hidden1")]
    assert got["answer"] == pytest.approx(grads, rel=1e-13)
    assert [layer["grad"]["value"] for layer in layers] == got["answer"][::-1]
    assert values[:4] == pytest.approx(
        [expected["output"], expected["loss"], grads[0], grads[2]], rel=1e-13
    )


def chain_loss(state, at=None, z_at=None):
    """Give (loss, every z, every value) of the chain, with z of layer `at` set, in mpmath."""
    value, sums, values, bias = mpf(state["input"]), [], [], mpf(state["bias"])
    for i in range(state["depth"]):
        z = z_at if i == at else mpf(state["weights"][i % 3]) * value + bias
        value = sigmoid(z)
        sums.append(z)
        values.append(value)
    t = int(state["target"])
    loss = bce(z, t) if state["loss"] == "cross_entropy" else square(value, t)
    return loss, sums, values


@settings(max_examples=40)
@given(data=st.data())
def test_what_comes_back_is_the_derivative(data):
    got = PAGES["gradient_flow"].answer(data.draw(states(PAGES["gradient_flow"])))
    state, layers = got["state"], got["layers"]
    loss, sums, values = chain_loss(state)
    assert len(layers) == state["depth"]
    assert near(got["readouts"][1]["value"], loss, 1e-8)
    for i in range(state["depth"]):
        slope = mpmath.diff(lambda z, i=i: chain_loss(state, i, z)[0], sums[i])
        other = {
            **state,
            "loss": {"cross_entropy": "squared_error"}.get(state["loss"], "cross_entropy"),
        }
        other_slope = mpmath.diff(lambda z, i=i, o=other: chain_loss(o, i, z)[0], sums[i])
        assert near(layers[i]["value"]["value"], values[i])
        for figure, size, exact in (("grad", "size", slope), ("other", "otherSize", other_slope)):
            number = layers[i][figure]["value"]
            if abs(exact) > 1e-25:  # mpmath's own steps have no more digits of what is smaller
                assert number == pytest.approx(float(exact), rel=1e-8)
                assert layers[i][size] == pytest.approx(math.log10(abs(number)), rel=1e-12)
            else:
                assert abs(number) < 1e-24
    low, high = got["scale"]
    sizes = [layer[key] for layer in layers for key in ("size", "otherSize")]
    assert all(low <= size <= high for size in sizes if size != "-inf")


@given(data=st.data())
def test_what_the_loss_mends_and_what_it_does_not(data):
    """Between the two losses stands 2 p (1 − p) at every layer: at most a half."""
    got = PAGES["gradient_flow"].answer(data.draw(states(PAGES["gradient_flow"])))
    p = got["layers"][-1]["value"]["value"]
    for layer in got["layers"]:
        pair = layer["grad"]["value"], layer["other"]["value"]
        squared, cross = pair if got["state"]["loss"] == "squared_error" else pair[::-1]
        if abs(cross) > 1e-290:
            assert squared / cross == pytest.approx(2 * p * (1 - p), rel=1e-6, abs=1e-12)
            assert squared / cross <= 0.5 + 1e-12
    for layer in got["layers"][:-1]:
        assert abs(layer["factor"]["value"]) <= 1.25 + 1e-12  # a quarter of the greatest weight


def test_a_weight_of_0_lets_nothing_through():
    got, values = of("gradient_flow", weights=[0.5, 0, 0.5], depth=2)
    assert values[3:] == [0, 0]
    assert math.copysign(1, values[3]) == 1
    assert got["layers"][0]["size"] == "-inf"
    assert "weight of 0" in got["notice"]


# Losses


def altered(logit, state):
    """Give the loss of `logit` and two zeros, written out."""
    x = [mpf(logit) / mpf(state["temperature"]), mpf(0), mpf(0)]
    total = mpmath.log(sum(map(mpmath.exp, x)))
    share = mpf(state["smoothing"]) / 3
    loss = mpf(state["z_loss"]) * total**2
    for j, weight in enumerate([mpf(state["weight"]), 1, 1]):
        target = (1 - mpf(state["smoothing"])) * (j == 0) + share
        odds = sum(mpmath.exp(x[k] - x[j]) for k in range(3) if k != j)  # (1 − q) / q
        miss, surprise = odds / (1 + odds), mpmath.log1p(odds)
        loss += weight * target * miss ** mpf(state["gamma"]) * surprise
    return loss


@settings(max_examples=60)
@given(data=st.data())
def test_the_losses_are_what_they_are_made_of(data):
    got = PAGES["losses"].answer(data.draw(states(PAGES["losses"])))
    state = got["state"]
    plain = {"smoothing": 0, "gamma": 0, "weight": 1, "temperature": 1, "z_loss": 0}
    values = [figure["value"] for figure in got["readouts"]]
    z = mpf(state["logit"])
    for (loss, grad), options in ((values[:2], state), (values[2:4], plain)):
        slope = float(mpmath.diff(lambda x, o=options: altered(x, o), z))
        assert near(loss, altered(z, options), 1e-9)
        assert grad == pytest.approx(slope, rel=1e-9, abs=1e-12)
    assert got["loss"]["point"] == [state["logit"], values[0]]
    assert got["gradient"]["plainPoint"] == [state["logit"], values[3]]
    for key, options in (("curve", state), ("plain", plain)):
        for x, y in got["loss"][key][::48]:
            assert near(y, altered(x, options), 1e-9)
        for x, y in got["gradient"][key][::48]:
            slope = float(mpmath.diff(lambda v, o=options: altered(v, o), mpf(x)))
            assert y == pytest.approx(slope, rel=1e-9, abs=1e-12)


@pytest.mark.slow
@settings(max_examples=40)
@given(data=st.data())
def test_no_point_of_the_curve_lies_below_the_least(data):
    got = PAGES["losses"].answer(data.draw(states(PAGES["losses"])))
    state, (least, where) = got["state"], [f["value"] for f in got["readouts"][4:]]
    if where == "inf":
        assert (least, state["smoothing"], state["z_loss"]) == (0, 0, 0)
        return
    assert near(least, altered(where, state), 1e-9)
    wide = state["temperature"] * np.linspace(-30, 60, 91)
    lowest = min(altered(x, state) for x in [*wide, *(where + state["temperature"] * wide / 200)])
    assert least <= float(lowest) * (1 + 1e-9) + 1e-300
    assert (got["least"] is not None) == (-6 <= where <= 6)


@given(smoothing=st.floats(1e-6, 1), temperature=st.floats(0.25, 4))
def test_the_least_loss_that_smoothing_allows(smoothing, temperature):
    got, values = of("losses", smoothing=smoothing, temperature=temperature)
    share = mpf(smoothing) / 3
    target = [1 - mpf(smoothing) + share, share, share]
    entropy = -sum(t * mpmath.log(t) for t in target)
    assert near(values[4], entropy, 1e-10)
    where = mpf(temperature) * mpmath.log(target[0] / share)
    assert values[5] == pytest.approx(float(where), abs=1e-6)
    assert shown(float(entropy)) in got["notice"]


def test_the_worked_smoothing():
    _, values = of("losses")
    assert values[4] == pytest.approx(WORKED["smoothing"]["least_loss"], rel=1e-14)
    assert values[4] == pytest.approx(
        -sum(t * math.log(t) for t in WORKED["smoothing"]["targets"]), rel=1e-12
    )


def test_each_change_has_its_sentence():
    _, values = of("losses", smoothing=0)
    assert values[:2] == values[2:4]
    assert values[4:] == [0, "inf"]
    said = {
        "smoothing": (0.3, "the target 0.8000"), "gamma": (2, "focal factor"),
        "weight": (2, "counts 2.00 times"), "temperature": (2, "wider"), "z_loss": (0.1, "z-loss"),
    }  # fmt: skip
    for name, (value, words) in said.items():
        got, values = of("losses", **{"smoothing": 0, name: value})
        assert words in got["notice"]
        assert [other for other, (_, w) in said.items() if w in got["notice"]] == [name]
        assert values[0] != values[2]


# On the screen


@pytest.mark.matrix
@pytest.mark.parametrize("context", ["desk", "phone"])
@pytest.mark.parametrize(
    "address",
    [
        "/binary?logit=-5", "/binary?logit=2&label=0", "/binary?logit=5&label=0",
        "/squared_error?prob=0.01", "/squared_error?prob=0.99&target=0",
        "/gradient_flow?depth=1", "/gradient_flow?depth=5&loss=squared_error",
        "/gradient_flow?depth=20", "/gradient_flow?depth=7&weights=0,5,-5&bias=5&input=2",
        "/losses?smoothing=0", "/losses?smoothing=1&logit=6",
        "/losses?gamma=5&smoothing=0.3&weight=5&temperature=0.25&z_loss=0.1&logit=-6",
    ],
)  # fmt: skip
def test_the_pictures_at_their_ends(address, context, visit):
    page = visit(address, context)
    looks_right(page)
    assert cut_off(page) == []


def test_the_chain_on_a_phone_shows_its_numbers(visit):
    page = visit("/gradient_flow", "phone")
    shown_texts = page.locator(".page-picture svg text").all_text_contents()
    for text in ["0.6457", "0.5729", "0.4964", "−0.5036", "0.0246", "0.0017"]:
        assert text in shown_texts
