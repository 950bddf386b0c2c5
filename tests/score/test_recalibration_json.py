"""docs/recalibration.md: a recalibration applied from its JSON alone, with NumPy."""

import doctest
import json
from pathlib import Path

import numpy as np
import pytest

from plogq.records import encoded
from plogq.score import score
from plogq.score.recalibration.cross_fit import FAMILIES
from plogq.score.recalibration.families.isotonic import Isotonic
from plogq.score.recalibration.labelled_rows import LabelledRows, log_softmax

PAGE = Path(__file__).parents[2] / "docs" / "recalibration.md"
NAMES = {}
exec("".join(e.source for e in doctest.DocTestParser().get_examples(PAGE.read_text())[:3]), NAMES)
recalibrated = NAMES["recalibrated"]


def drawn(rows, classes, seed, temperature=0.5, bias=0.0):
    """Give z of a model that is too sure by a temperature and off by a bias, and labels."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (rows, classes))
    q = np.exp(log_softmax(logits))
    labels = np.minimum((rng.random((rows, 1)) > q.cumsum(axis=1)).sum(axis=1), classes - 1)
    return log_softmax(logits / temperature + bias * np.arange(classes)), labels


def as_written(fit):
    """Give a fit as JSON has it."""
    return json.loads(json.dumps(encoded({"family": fit.name, "parameters": fit.parameters()})))


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("impossible", [False, True], ids=["possible", "impossible"])
@pytest.mark.parametrize("family", FAMILIES, ids=[family.name for family in FAMILIES])
def test_each_family_from_its_json(family, classes, impossible):
    z, labels = drawn(600, classes, seed=classes, bias=0.3)
    if impossible:
        z[:200, 0] = -np.inf
        z = log_softmax(z)
    base = np.bincount(labels, minlength=classes) + 0.5
    rows = LabelledRows(z, labels, np.ones(600), base / base.sum())
    fit = family.fit(rows)
    q = recalibrated(z, as_written(fit))
    assert np.allclose(q.sum(axis=1), 1, rtol=1e-12)
    with np.errstate(divide="ignore"):
        loss = -np.log(q[np.arange(600), labels])
    assert np.allclose(loss, fit.losses(rows), rtol=1e-10, atol=1e-12)
    assert np.isinf(loss).any() == (impossible and not family.mends)


@pytest.mark.parametrize("classes", [2, 3])
def test_isotonic_of_rows_that_it_has_not_seen(classes):
    z, labels = drawn(2000, classes, seed=0)
    rows = LabelledRows(z, labels, np.ones(2000), np.full(classes, 1 / classes))
    rows.groups()  # found once, of all: both halves then have the same edges
    learn, unseen = rows.take(np.arange(0, 2000, 2)), rows.take(np.arange(1, 2000, 2))
    fit = Isotonic.fit(learn)
    q = recalibrated(unseen.log_q, as_written(fit))
    loss = -np.log(q[np.arange(1000), unseen.label])
    assert np.allclose(loss, fit.losses(unseen), rtol=1e-10)


TABLES = {
    "identity": {"temperature": 1.0},
    "temperature": {"temperature": 0.5},
    "vector": {"temperature": 0.7, "bias": 1.5},
}


@pytest.mark.parametrize("expected", [*TABLES, "isotonic", "temperature+base"])
def test_from_the_json_of_a_score(expected, tmp_path):
    z, labels = drawn(3000, 3, seed=1, **TABLES.get(expected, {"temperature": 1.0}))
    if expected == "isotonic":  # what was just probable has become improbable, and the reverse
        z = log_softmax(np.sign(z + 1) * np.abs(z + 1) ** 4)
    if expected == "temperature+base":  # what is improbable is said to be impossible
        q = np.exp(z)
        z = np.log(np.maximum(q, 1e-300))
        z[q < 0.02] = -np.inf
        z = log_softmax(z)
    result = score({"logits": z, "labels": labels}, unit="nat", bootstrap=0)
    found = json.loads(result.to_json())
    assert found["recalibration"]["family"] == expected
    q = recalibrated(z, found["recalibration"])
    after = -np.log(q[np.arange(len(z)), labels]).mean()
    held_out = found["recalibration"]["cross_entropy"][expected]
    assert held_out == found["refinement"]
    # The rows it learnt from cost a little less than others.
    assert held_out - 0.02 < after <= held_out
    if expected == "temperature":
        assert np.isclose(after, found["temperature"]["cross_entropy"], rtol=1e-12)
