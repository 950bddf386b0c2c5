"""A recalibration that is kept: its formulas, what it refuses, and its way through JSON."""

import json
from dataclasses import replace

import mpmath
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from mpmath import mpf

from plogq.reports.findings.calibration import recalibration
from plogq.score import Promise, Recalibration, TableError, score
from plogq.score.recalibrated import RecalibratedTable
from plogq.score.recalibration import BY_NAME
from plogq.tables.readers import open_table
from tests.score.tables import drawn

PROMISE = Promise(cross_entropy=1.0, saved=0.5, interval=(0.4, 0.6), unit="bit", rows=10)
CURVE = {"from": ["-inf", -2.5, -0.5], "value": [0.05, 0.3, 0.8]}
PARAMETERS = {
    "identity": {},
    "temperature": {"temperature": 1.7},
    "temperature+base": {"temperature": 0.6, "epsilon": 0.02, "base": [0.2, 0.5, 0.3]},
    "vector": {"scale": [0.5, 1.5, 0.9], "bias": [0.3, -0.2, 0.0]},
    "isotonic": {"of": "log_q", "curves": [CURVE] * 3},
}


def kept(family, parameters=None, classes=("a", "b", "c")):
    found = PARAMETERS[family] if parameters is None else parameters
    return Recalibration(family=family, parameters=found, classes=classes, promise=PROMISE)


def exactly(family, parameters, z):
    """Give one row of docs/recalibration.md's formulas, in fifty digits."""
    with mpmath.workdps(50):

        def softmax(x):
            e = [mpmath.exp(each) for each in x]
            return [each / sum(e) for each in e]

        if family == "identity":
            return [mpmath.exp(each) for each in z]
        if family == "vector":
            s, b = parameters["scale"], parameters["bias"]
            return softmax([a * mpf(c) + mpf(d) for a, c, d in zip(z, s, b, strict=True)])
        if family == "isotonic":
            scores = [z[1] - z[0]] if parameters["of"] == "log_odds" else z
            g = []
            for curve, at in zip(parameters["curves"], scores, strict=True):
                steps = zip(curve["from"], curve["value"], strict=True)
                g.append([mpf(value) for begin, value in steps if mpf(begin) <= at][-1])
            g = [1 - g[0], *g] if len(g) == 1 else g
            return [each / sum(g) for each in g]
        q = softmax([each / mpf(parameters["temperature"]) for each in z])
        if family == "temperature":
            return q
        epsilon = mpf(parameters["epsilon"])
        base = parameters["base"]
        return [(1 - epsilon) * a + epsilon * mpf(b) for a, b in zip(q, base, strict=True)]


def log_softmax(row):
    with mpmath.workdps(50):
        total = mpmath.log(sum(mpmath.exp(mpf(float(x))) for x in row))
        return [mpf(float(x)) - total for x in row]


def close(found, expected):
    return np.allclose(found, np.array(expected, float), rtol=1e-12, atol=0)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("family", PARAMETERS)
def test_logits_by_the_formulas_in_every_type(family, dtype):
    x = (8 * np.random.default_rng(0).standard_normal((40, 3))).astype(dtype)
    found = kept(family).apply(logits=x)
    assert found.dtype == np.float64
    expected = [exactly(family, PARAMETERS[family], log_softmax(row)) for row in x]
    assert close(found, expected)


@pytest.mark.parametrize("family", PARAMETERS)
def test_impossible_classes_by_the_formulas(family):
    x = np.array([[0.0, -np.inf, 1.0], [-np.inf, 2.0, -np.inf]])
    found = kept(family).apply(logits=x)
    expected = [exactly(family, PARAMETERS[family], log_softmax(row)) for row in x]
    assert close(found, expected)
    assert (found[0, 1] > 0) == BY_NAME[family].mends


TWO = {
    "temperature": {"temperature": 0.4},
    "temperature+base": {"temperature": 2.0, "epsilon": 0.1, "base": [0.25, 0.75]},
    "vector": {"scale": [0.5, 1.5], "bias": [0.3, -0.2]},
    "isotonic": {"of": "log_odds", "curves": [CURVE]},
}


@pytest.mark.parametrize("family", TWO)
def test_one_column_is_of_the_second_class(family):
    calibration = kept(family, TWO[family], ("no", "yes"))
    x = np.random.default_rng(1).standard_normal(30)
    both = np.column_stack([np.zeros(30), x])
    expected = [exactly(family, TWO[family], log_softmax(row)) for row in both]
    assert close(calibration.apply(logits=x), expected)
    assert close(calibration.apply(logits=x[:, None]), expected)
    p = 1 / (1 + np.exp(-x))
    assert np.allclose(calibration.apply(probs=p), np.array(expected, float), rtol=1e-9)
    assert np.allclose(calibration.apply(logprobs=np.log(p)), np.array(expected, float), rtol=1e-9)


def test_the_identity_gives_back_the_very_bits():
    q = np.random.default_rng(2).dirichlet(np.ones(4), 100)
    calibration = kept("identity", classes=("a", "b", "c", "d"))
    assert np.array_equal(calibration.apply(probs=q), q)
    assert np.array_equal(calibration.apply(probs=q.astype("f4")), q.astype("f4").astype("f8"))


def weighted(table, seed):
    return {**table, "weight": np.random.default_rng(seed).integers(1, 4, len(table["labels"]))}


@pytest.mark.parametrize("soft", [False, True], ids=["classes", "soft labels"])
@pytest.mark.parametrize("weights", [False, True], ids=["", "weights"])
@pytest.mark.parametrize("family", BY_NAME)
def test_the_fitting_rows_then_have_the_loss_of_the_fit(family, weights, soft):
    """Law: no recalibration of its family fits the rows better than the one that was kept."""
    table = drawn(1500, 3, 3, lambda z: 2 * z + [0.5, 0, 0])
    if soft:
        table["labels"] = 0.9 * np.eye(3)[table["labels"]] + 0.1 / 3
    options = {"weight": "weight"} if weights else {}
    table = weighted(table, 4) if weights else table
    calibration = Recalibration.fit(table, family=family, bootstrap=0, **options)
    assert calibration.family == family

    def cost(logits):
        applied = {**table, "probs": calibration.apply(logits=logits)}
        del applied["logits"]
        return score(applied, bootstrap=0, **options).cross_entropy

    here = cost(table["logits"])
    before = score(table, bootstrap=0, **options).cross_entropy
    assert here <= before * (1 + 1e-12)
    if family != "isotonic":  # which has steps: a small change of the logits changes nothing
        assert all(cost(table["logits"] * scale) >= here - 1e-9 for scale in (0.97, 1.03)) or (
            family == "identity"
        )


def test_a_temperature_has_the_loss_that_the_score_tells():
    table = drawn(2000, 4, 5, lambda z: 3 * z)
    result = score(table, bootstrap=0)
    calibration = Recalibration.from_result(result)
    applied = {"probs": calibration.apply(logits=table["logits"]), "labels": table["labels"]}
    after = score(applied, bootstrap=0).cross_entropy
    assert np.isclose(after, result.temperature.cross_entropy, rtol=1e-12)


def test_it_promises_what_the_score_says():
    table = drawn(2000, 4, 5, lambda z: 3 * z)
    result = score(table, unit="nat")
    promise = Recalibration.fit(table, unit="nat").promise
    assert promise == Recalibration.from_result(result).promise
    assert promise.saved == result.miscalibration
    assert promise.cross_entropy == result.refinement
    assert promise.interval == result.intervals["miscalibration"]
    assert (promise.unit, promise.rows) == ("nat", 2000)


def test_a_family_that_is_asked_for_is_cross_fitted_as_all_are():
    table = drawn(2000, 4, 5, lambda z: 3 * z)
    free = score(table)
    for family in BY_NAME:
        asked = score(table, family=family)
        assert asked.recalibration.cross_entropy == free.recalibration.cross_entropy
        assert asked.recalibration.family == family
        assert asked.recalibration.asked
        assert asked.refinement == free.recalibration.cross_entropy[family]
        low, high = asked.intervals["miscalibration"]
        assert low <= asked.miscalibration <= high
    assert not free.recalibration.asked


def test_a_calibrated_model_is_left_alone():
    table = drawn(2000, 3, 6)
    calibration = Recalibration.fit(table)
    assert calibration.family == "identity"
    assert calibration.promise.saved == 0
    p = np.exp(table["logits"])
    p /= p.sum(axis=1, keepdims=True)
    assert np.allclose(calibration.apply(logits=table["logits"]), p, rtol=1e-14)


@pytest.mark.parametrize("family", PARAMETERS)
def test_the_way_through_json(family, tmp_path):
    calibration = kept(family)
    assert Recalibration.from_json(calibration.to_json()) == calibration
    path = tmp_path / "calibration.json"
    path.write_text(calibration.to_json())
    again = Recalibration.from_json(path)
    assert again == calibration
    x = np.random.default_rng(0).standard_normal((50, 3))
    assert np.array_equal(again.apply(logits=x), calibration.apply(logits=x))


def test_a_fit_goes_through_json_to_the_same_bits():
    table = drawn(3000, 3, 7, lambda z: np.sign(z + 1) * np.abs(z + 1) ** 3)
    for family in BY_NAME:
        calibration = Recalibration.fit(table, family=family, bootstrap=0)
        again = Recalibration.from_json(calibration.to_json())
        assert again == calibration
        x = table["logits"]
        assert np.array_equal(again.apply(logits=x), calibration.apply(logits=x))


@pytest.mark.parametrize("family", PARAMETERS)
def test_pieces_of_any_size_give_the_same_bits(family):
    x = 5 * np.random.default_rng(3).standard_normal((501, 3))
    calibration = kept(family)
    whole = calibration.apply(logits=x)
    for size in (1, 2, 7, 64, 500):
        pieces = [calibration.apply(logits=x[i : i + size]) for i in range(0, len(x), size)]
        assert np.array_equal(np.concatenate(pieces), whole)


def test_classes_of_a_frame_are_matched_by_name():
    x = np.random.default_rng(4).standard_normal((20, 3))
    calibration = kept("vector")
    frame = pd.DataFrame(x, columns=list("abc"))
    expected = calibration.apply(logits=x)
    assert np.array_equal(calibration.apply(logits=frame), expected)
    assert np.array_equal(calibration.apply(logits=frame[["c", "a", "b"]]), expected)


def test_numbered_classes_in_another_order_are_matched_by_name():
    """A list's classes are 0, 1, 2; an array's are in the order of the calibration's."""
    calibration = kept("vector", classes=("2", "0", "1"))
    x = np.random.default_rng(5).standard_normal((20, 3))
    expected = calibration.apply(logits=x)
    lists = pa.table({"logits": x[:, [1, 2, 0]].tolist()})
    out = RecalibratedTable(open_table(lists), calibration)
    found = np.array(pa.Table.from_batches(list(out.batches()))["probs"].to_pylist())
    assert np.array_equal(found[:, [2, 0, 1]], expected)


REFUSED = {
    "none": ({}, "one of logits=, logprobs= and probs=; got none"),
    "two": ({"probs": [[1.0]], "logits": [[1.0]]}, "got logits and probs"),
    "other width": ({"logits": np.zeros((2, 4))}, r"the classes .*, 3 \(a, b, c\); got 4"),
    "other names": (
        {"logits": pd.DataFrame(np.zeros((2, 3)), columns=list("abd"))},
        r"3 \(a, b, c\); got 3 \(a, b, d\)",
    ),
    "a row of NaN": ({"logits": [[0.0, 1, 2], [np.nan, 0, 0]]}, r"first at row 1\)"),
    "NaN in probs": ({"probs": [[0.5, 0.5, 0], [np.nan, 0.5, 0.5]]}, r"first at row 1\)"),
    "no distribution": ({"probs": [[0.5, 0.5, 0.5]]}, r"first at row 0\)"),
    "masked rows": ({"logits": [[-np.inf] * 3]}, r"first at row 0\)"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_is_not_applied_to(name):
    given, said = REFUSED[name]
    with pytest.raises(ValueError, match=said):
        kept("temperature").apply(**given)


def test_no_rows_give_no_rows():
    assert kept("temperature").apply(logits=np.zeros((0, 3))).shape == (0, 3)


BROKEN = {
    "version": ({"schema": 2}, "schema: expected 1, got 2; a later version wrote it"),
    "family": ({"family": "platt"}, "family must be one of identity, .*; got 'platt'"),
    "no temperature": ({"parameters": {}}, "parameters must be those of temperature over 3"),
    "one more": ({"parameters": {"temperature": 1.0, "b": 2}}, "parameters must be those"),
    "below 0": ({"parameters": {"temperature": -1.0}}, "parameters must be those"),
    "text": ({"parameters": {"temperature": "hot"}}, "parameters must be those"),
    "null": ({"parameters": {"temperature": None}}, "parameters must be those"),
    "short": (
        {"family": "vector", "parameters": {"scale": [1.0], "bias": [0.0]}},
        "parameters must be those of vector over 3 classes",
    ),
    "curves": (
        {"family": "isotonic", "parameters": {"of": "log_q", "curves": [CURVE] * 2}},
        "parameters must be those of isotonic",
    ),
    "no first step": (
        {
            "family": "isotonic",
            "parameters": {"of": "log_q", "curves": [{"from": [0.0], "value": [0.5]}] * 3},
        },
        "parameters must be those of isotonic",
    ),
    "epsilon": (
        {
            "family": "temperature+base",
            "parameters": {**PARAMETERS["temperature+base"], "epsilon": 1.5},
        },
        "parameters must be those",
    ),
    "classes twice": ({"classes": ["a", "a", "b"]}, "classes must be different names"),
    "a score": ({"recalibration": {}}, "of plogq recalibrate --save; got a score's"),
    "promise": ({"promise": {}}, "promise.cross_entropy: expected, and not there"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_read(name):
    change, said = BROKEN[name]
    document = json.loads(kept("temperature").to_json()) | change
    with pytest.raises(ValueError, match=said):
        Recalibration.from_json(json.dumps(document))


def test_what_is_no_json_names_the_file(tmp_path):
    path = tmp_path / "calibration.json"
    for data in (b"{", b"\xff\xfe\x00", b"[" * 10_000, b"null"):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"calibration\.json: "):
            Recalibration.from_json(path)


def test_a_path_as_text_is_told_to_be_a_path():
    with pytest.raises(ValueError, match=r"expected JSON: .* give its path as pathlib\.Path"):
        Recalibration.from_json("calibration.json")


def test_a_family_that_the_rows_are_too_few_for_is_refused():
    with pytest.raises(TableError, match="family 'isotonic' must be one that this table can"):
        Recalibration.fit(drawn(100, 3, 0), family="isotonic")
    with pytest.raises(ValueError, match="family must be one of identity"):
        Recalibration.fit(drawn(100, 3, 0), family="platt")


def test_impossible_labels_are_promised_to_be_mended():
    table = drawn(1000, 3, 8)
    table["logits"][:20, 0] = -np.inf
    table["labels"][:20] = 0
    calibration = Recalibration.fit(table)
    assert calibration.family == "temperature+base"
    assert calibration.promise.saved == np.inf
    assert Recalibration.from_json(calibration.to_json()) == calibration
    q = calibration.apply(logits=table["logits"])
    assert np.isfinite(score({"probs": q, "labels": table["labels"]}).cross_entropy)
    asked = Recalibration.fit(table, family="temperature")
    assert (asked.family, asked.promise.saved, asked.promise.interval) == (
        "temperature",
        None,
        None,
    )


def test_it_cannot_be_changed():
    with pytest.raises(AttributeError):
        kept("temperature").family = "vector"
    with pytest.raises(ValueError, match="parameters must be those of vector"):
        replace(kept("temperature"), family="vector")


def test_what_was_asked_for_is_said_to_be_and_what_it_costs():
    result = score(drawn(1000, 3, 6), family="isotonic")
    found = recalibration(result)
    assert result.miscalibration < 0
    assert found.title == "Recalibrate by an isotonic map of the probabilities"
    assert "This way was asked for, whatever the others save." in found.text
    assert "On held-out rows that costs" in found.advice
    assert [way.outcome for way in found.ways if way.taken] == ["taken: as was asked"]
    left = score(drawn(1000, 3, 6, lambda z: 2 * z), family="identity")
    assert recalibration(left).title == "Leave the predictions as they are"
    assert recalibration(left).advice == "Leave the predictions as they are, as was asked."
    assert left.miscalibration == 0
