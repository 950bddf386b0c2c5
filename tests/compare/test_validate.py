"""What a recalibration saves on rows that it was not fitted to, against what it promised."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from plogq.compare import Validation, compare, validate
from plogq.reports.findings.recalibrate import validation
from plogq.score import Recalibration, TableError, score
from tests.score.tables import drawn

TOO_SURE = {"distort": lambda z: 2 * z}


@pytest.fixture(scope="module")
def fitted():
    return Recalibration.fit(drawn(4000, 3, 0, **TOO_SURE), unit="nat")


def test_before_and_after_are_what_scores_say(fitted):
    fresh = drawn(3000, 3, 1, **TOO_SURE)
    found = validate(fitted, fresh)
    after = {"probs": fitted.apply(logits=fresh["logits"]), "labels": fresh["labels"]}
    assert found.before == score(fresh, unit="nat", bootstrap=0).cross_entropy
    assert np.isclose(found.after, score(after, unit="nat", bootstrap=0).cross_entropy, rtol=1e-12)
    paired = compare(fresh, after, unit="nat")
    assert np.isclose(found.saved, paired.difference, rtol=1e-12)
    assert np.allclose(found.interval, paired.intervals["difference_finite"], rtol=1e-9)
    assert (found.family, found.unit, found.rows) == ("temperature", "nat", 3000)


def test_the_promise_beside_what_was_kept(fitted):
    found = validate(fitted, drawn(3000, 3, 1, **TOO_SURE))
    promise = fitted.promise
    assert found.promise == promise
    assert found.beyond == found.saved - promise.saved
    down = math.sqrt(
        (found.saved - found.interval[0]) ** 2 + (promise.interval[1] - promise.saved) ** 2
    )
    up = math.sqrt(
        (found.interval[1] - found.saved) ** 2 + (promise.saved - promise.interval[0]) ** 2
    )
    low, high = found.beyond_interval
    assert math.isclose(low, found.beyond - down, abs_tol=1e-15)
    assert math.isclose(high, found.beyond + up, abs_tol=1e-15)
    assert found.outcome == "kept"


@pytest.mark.parametrize(
    ("temperature", "outcome", "advice"),
    [
        (0.9, "less", "cost more with it. Fit it anew"),
        (2.0, "kept", "Recalibrate: these rows cost less"),
        (3.5, "more", "Recalibrate: these rows cost less"),
    ],
)
def test_rows_of_another_temperature(fitted, temperature, outcome, advice):
    found = validate(fitted, drawn(4000, 3, 2, lambda z: temperature * z))
    assert found.outcome == outcome
    said = validation(found)
    assert advice in said.advice
    assert ("less than was promised" in said.text) == (found.beyond < 0)
    assert ("0 is inside" in said.text) == (outcome == "kept")


def test_the_identity_promises_and_saves_nothing():
    calm = drawn(3000, 3, 3)
    kept = Recalibration.fit(calm)
    found = validate(kept, drawn(2000, 3, 4))
    assert kept.family == "identity"
    assert abs(found.saved) < 1e-12
    assert validation(found).title == "The calibration leaves the predictions as they are"


def test_classes_in_another_order_weights_and_groups(fitted):
    fresh = drawn(1500, 3, 5, **TOO_SURE)
    weight = np.random.default_rng(0).integers(0, 4, 1500)
    more = {"weight": weight, "group": np.arange(1500) // 3}
    one = validate(fitted, {**fresh, **more}, weight="weight", group="group")
    rows = np.repeat(np.arange(1500), weight)
    twice = {name: values[rows] for name, values in fresh.items()}
    assert np.isclose(one.saved, validate(fitted, twice).saved, rtol=1e-12)
    named = replace(fitted, classes=("a", "b", "c"))
    columns = {f"logit_{name}": fresh["logits"][:, j] for j, name in enumerate("abc")}
    names = {"label": np.array(list("abc"))[fresh["labels"]]}
    mixed = {name: columns[name] for name in ("logit_c", "logit_a", "logit_b")} | names
    found = validate(named, mixed, bootstrap=0)
    assert np.isclose(found.saved, validate(fitted, fresh, bootstrap=0).saved, rtol=1e-12)
    assert found.interval is None
    assert found.outcome is None


def test_two_arrays_and_json(fitted):
    fresh = drawn(1000, 3, 6, **TOO_SURE)
    found = validate(fitted, fresh["labels"], logits=fresh["logits"])
    same = validate(fitted, fresh)
    assert found.saved == same.saved
    assert Validation.read(json.loads(same.to_json())) == same


def test_labels_that_are_impossible_before_and_after(fitted):
    fresh = drawn(500, 3, 7, **TOO_SURE)
    fresh["logits"][0] = [-np.inf, 0.0, 0.0]
    fresh["labels"][0] = 0
    found = validate(fitted, fresh)
    assert (found.before, found.after, found.saved) == (np.inf, np.inf, None)
    assert (found.beyond, found.interval, found.outcome) == (None, None, None)
    assert "before and after" in validation(found).text
    mends = Recalibration.fit(drawn(4000, 3, 0, **TOO_SURE), family="temperature+base")
    found = validate(mends, fresh)
    assert found.saved == np.inf
    assert math.isfinite(found.after)
    assert validation(found).advice.startswith("Recalibrate")


def test_other_classes_and_bad_rows_are_refused(fitted):
    with pytest.raises(TableError, match="have the classes of the calibration, 3"):
        validate(fitted, drawn(100, 4, 0))
    bad = drawn(100, 3, 0)
    bad["logits"][7, 1] = np.nan
    with pytest.raises(TableError, match=r"first at row 7\)"):
        validate(fitted, bad)
