"""The sentences of the report say what the numbers say."""

import json
from math import inf

import numpy as np
import pytest

from plogq.reports.document import to_document
from plogq.reports.findings import findings
from plogq.reports.findings.words import file_name
from plogq.score import score


def sharpened(by, rows=4000, seed=0):
    """Predict with logits that are `by` times what the labels were drawn from."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(rows, 4)) * 2
    q = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (q.cumsum(axis=1) > rng.random((rows, 1))).argmax(axis=1)
    return {"logits": logits * by, "labels": labels}


def words(table, **options):
    document = to_document(score(table, bootstrap=0, **options))
    return findings(document), document


@pytest.mark.parametrize(
    ("by", "what", "than"), [(2.0, "too sure", "too high"), (0.5, "too timid", "too low")]
)
def test_which_way_the_confidence_is_off(by, what, than):
    found, document = words(sharpened(by))
    assert what in found["temperature"]["title"]
    assert f"T = {document['temperature']['value']:.3g}" in found["temperature"]["title"]
    assert than in found["reliability"]["advice"]
    assert "recalibrating saves it" in found["loss"]["advice"]
    assert found["recalibration"]["title"].startswith("Recalibrate by")


def test_calibrated_predictions_are_left_alone():
    found, _ = words(sharpened(1.0))
    assert found["recalibration"]["title"] == "No recalibration helps"
    assert "leaving the predictions" in found["temperature"]["title"]
    assert found["reliability"]["title"] == "The model is right about as often as it says"


def test_what_all_bins_show_together_is_said():
    """Each bin is off by two standard errors, which may be chance; eight the same way are not."""
    document = json.loads(score(sharpened(1.0), bootstrap=0).to_json())
    document["reliability"] = [
        {"bin": [0.1 * i, 0.1 * (i + 1)], "rows": 100, "confidence": p, "accuracy": p + 0.09}
        for i, p in [(i, 0.1 * i + 0.05) for i in range(1, 9)]
    ]
    found = findings(to_document(document))["reliability"]
    assert found["title"] == "Right more often than it says: 59\xa0% of the time, 50\xa0% sure"
    assert "No single bin" in found["text"]


def test_a_model_that_is_worse_than_none():
    table = sharpened(1.0)
    found, document = words({**table, "logits": -3 * table["logits"]})
    assert document["information_gain"] < 0
    assert "more than no model" in found["loss"]["title"]
    assert "order of the classes" in found["loss"]["advice"]


def test_the_parts_of_the_loss_are_its_whole():
    found, document = words(sharpened(2.0))
    drawn = [part["value"] for part in found["loss"]["parts"] if part["drawn"]]
    assert sum(drawn) == pytest.approx(document["cross_entropy"], rel=1e-12)


def test_refinement_is_said_to_be_what_the_families_tried_leave():
    found, document = words(sharpened(2.0))
    tried = "what the best recalibration that was tried leaves, on held-out rows"
    for listed in (found["loss"]["parts"], found["figures"]["figures"]):
        said = {item["name"]: item["text"] for item in listed}
        assert said["refinement"] == tried
        assert said["miscalibration"] == "what it saves"
    assert document["refinement"] == min(document["recalibration"]["cross_entropy"].values())


def test_what_is_impossible_counts_among_the_rows_that_are_worse():
    table = sharpened(1.0, rows=100)
    table["logits"][np.arange(10), table["labels"][:10]] = -inf
    found, document = words(table)
    assert found["headline"]["title"] == "Infinite: 10 rows had a label of probability 0"
    histogram = document["histograms"]["pointwise_information"]
    below = [w for w, e in zip(histogram["weight"], histogram["edges"][1:], strict=True) if e <= 0]
    assert histogram["infinite"] == pytest.approx(0.1)
    share = 100 * (sum(below) + histogram["infinite"])
    assert f"{share:.3g}\xa0%" in found["pointwise"]["title"]


def test_the_code_says_its_overhead():
    found, document = words(sharpened(1.0, rows=500), code=True)
    code = document["code"]
    assert f"{code['bytes']:,} bytes" in found["code"]["title"]
    assert f"{100 * code['overhead']:.2g}" in found["code"]["text"]
    parts = {part["name"]: part["value"] for part in found["code"]["parts"]}
    assert parts["framing"] == code["framing_bits_per_row"]
    assert parts["coder"] == code["coder_bits_per_row"]


@pytest.mark.parametrize(
    ("path", "last"),
    [("a/b/c.parquet", "c.parquet"), ("s3://bucket/folder/", "folder"), (r"C:\d\e.csv", "e.csv"),
     ("arrays", "arrays"), ("/", "/")],
)  # fmt: skip
def test_a_path_is_named_by_its_last_part(path, last):
    assert file_name(path) == last
