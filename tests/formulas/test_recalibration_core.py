"""The five families of a recalibration against mpmath, and what is refused of their parameters."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from plogq.formulas import recalibration_core as core
from tests.oracles import exact, mp

INF = math.inf
ROWS = [[1.5, -0.25, 0.5], [-3.0, 4.0, -INF], [700.0, 0.0, -700.0], [0.0, 0.0, 0.0]]
CURVES = [
    {"from": [-INF, -2.0, -0.5], "value": [0.01, 0.2, 0.7]},
    {"from": [-INF, -1.0], "value": [0.05, 0.6]},
    {"from": [-INF], "value": [0.3]},
]
FAMILIES = {
    "identity": {},
    "temperature": {"temperature": 1.75},
    "temperature+base": {"temperature": 0.5, "epsilon": 0.125, "base": [0.5, 0.3, 0.2]},
    "vector": {"scale": [0.5, 1.25, 2.0], "bias": [0.1, -0.2, 0.3]},
    "isotonic": {"of": "log_probability", "curves": CURVES},
}


def log_softmax(row):
    total = mp.log(sum(map(mp.exp, row), mp.zero))
    return [x - total for x in row]


def step(curve, score):
    """The value of the last step that begins at the score or below it."""
    pairs = zip(curve["from"], curve["value"], strict=True)
    return mp.mpf([value for begin, value in pairs if begin <= score][-1])


def oracle(family, parameters, row):
    """The recalibrated log-probabilities of one row, by the formulas of the documents."""
    x = exact(row)
    if family.startswith("temperature"):
        log_q = log_softmax([value / mp.mpf(parameters["temperature"]) for value in x])
        if family == "temperature":
            return log_q
        epsilon = mp.mpf(parameters["epsilon"])
        base = exact(parameters["base"])
        return [
            mp.log((1 - epsilon) * mp.exp(log) + epsilon * pi)
            for log, pi in zip(log_q, base, strict=True)
        ]
    log_q = log_softmax(x)
    if family == "vector":
        scale, bias = exact(parameters["scale"]), exact(parameters["bias"])
        return log_softmax([a * log + b for a, log, b in zip(scale, log_q, bias, strict=True)])
    if family == "isotonic":
        if parameters["of"] == core.LOG_ODDS:
            (curve,) = parameters["curves"]
            g = step(curve, log_q[1] - log_q[0])
            return [mp.log(1 - g), mp.log(g)]
        steps = [step(c, z) for c, z in zip(parameters["curves"], log_q, strict=True)]
        return [mp.log(g / sum(steps)) for g in steps]
    return log_q


def ours(family, parameters, rows, dtype=np.float64):
    name, numbers, _ = core.read_recalibration({"family": family, "parameters": parameters})
    arrays = {key: np.asarray(value, dtype) for key, value in numbers.items()}
    return core.recalibrated(np, np.asarray(rows, dtype), name, arrays)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_its_formula(family):
    found = ours(family, FAMILIES[family], ROWS)
    right = [[float(v) for v in oracle(family, FAMILIES[family], row)] for row in ROWS]
    assert found.shape == (4, 3)
    assert found == pytest.approx(np.array(right), rel=1e-14, abs=1e-15)


@pytest.mark.parametrize("family", FAMILIES)
def test_any_shape_and_float32(family):
    rows = np.array(ROWS).reshape(2, 2, 3)
    found = ours(family, FAMILIES[family], rows, np.float32)
    assert found.shape == (2, 2, 3)
    assert found.dtype == np.float32
    right = ours(family, FAMILIES[family], ROWS).reshape(2, 2, 3)
    assert found == pytest.approx(right, rel=1e-5, abs=1e-6)


def test_two_classes_of_log_odds():
    """A score that lies on a step's beginning has that step; the odds are of class 1 to class 0."""
    parameters = {"of": core.LOG_ODDS, "curves": [CURVES[0]]}
    rows = [[0.0, -2.0], [0.0, -2.5], [0.5, 0.0], [0.0, 3.0], [0.0, -INF], [-INF, 0.0]]
    right = [[float(v) for v in oracle("isotonic", parameters, row)] for row in rows]
    assert ours("isotonic", parameters, rows) == pytest.approx(np.array(right), rel=1e-14)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_unknown_row_stays_unknown(family):
    found = ours(family, FAMILIES[family], [[math.nan, 1.0, 2.0], [0.0, 1.0, 2.0]])
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()


def test_a_masked_class_stays_masked_by_a_vector():
    """Also with a scale of 0 or below, where 0 · −∞ would be NaN and −1 · −∞ would be +∞."""
    for scale in (0.0, -1.0):
        parameters = {"scale": [1.0, 1.0, scale], "bias": [0.0, 0.0, 0.5]}
        found = ours("vector", parameters, [[1.0, 2.0, -INF]])
        assert found[0, 2] == -INF
        assert np.exp(found).sum() == pytest.approx(1, rel=1e-15)


@pytest.mark.parametrize(
    ("family", "classes"),
    [
        ("identity", None),
        ("temperature", None),
        ("temperature+base", 3),
        ("vector", 3),
        ("isotonic", 3),
    ],
)
def test_how_many_classes_the_parameters_are_of(family, classes):
    as_object = SimpleNamespace(family=family, parameters=FAMILIES[family])
    for given in ({"family": family, "parameters": FAMILIES[family]}, as_object):
        name, numbers, found = core.read_recalibration(given)
        assert (name, found) == (family, classes)
        if family != "isotonic":
            assert numbers == FAMILIES[family]
    log_odds = {"of": core.LOG_ODDS, "curves": [CURVES[0]]}
    read = core.read_recalibration({"family": "isotonic", "parameters": log_odds})
    assert read == ("isotonic", {"from_0": [-2.0, -0.5], "value_0": [0.01, 0.2, 0.7]}, 2)


def isotonic(*curves):
    return {"family": "isotonic", "parameters": {"of": "log_probability", "curves": [*curves]}}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"parameters": {}}, 'parameters must have "family" and "parameters", as the JSON'),
        (None, "got NoneType"),
        (
            {"family": "platt", "parameters": {}},
            r"family must be one of identity, .*, isotonic; got 'platt'",
        ),
        (
            {"family": "temperature", "parameters": {"t": 1.0}},
            r"parameters must be those of temperature, \('temperature',\); got \['t'\]",
        ),
        (
            {"family": "temperature", "parameters": {"temperature": 0.0}},
            "temperature must be above 0; got 0.0",
        ),
        ({"family": "temperature", "parameters": {"temperature": math.nan}}, "be above 0; got nan"),
        (
            {"family": "vector", "parameters": {"scale": [1.0, 2.0], "bias": [0.0]}},
            r"parameters must have one length of base and scale and bias; got \[1, 2\]",
        ),
        (
            isotonic(CURVES[0], {"from": [0.0, -1.0], "value": [0.1, 0.2]}),
            r"curves\[1\] must have a value for each step, and steps that rise; got 2 steps and 2",
        ),
        (isotonic({"from": [0.0], "value": [0.1, 0.2]}), "got 1 steps and 2 values"),
        (isotonic({"from": [], "value": []}), "got 0 steps and 0 values"),
    ],
)
def test_parameters_that_are_none(given, message):
    with pytest.raises((TypeError, ValueError), match=message):
        core.read_recalibration(given)
