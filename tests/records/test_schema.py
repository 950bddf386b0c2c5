"""docs/schema.md is what the types of the results say, and says what each field means."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from plogq.score import Result, score

DOCS = Path(__file__).parents[2] / "docs"
SPEC = importlib.util.spec_from_file_location("write_schema", DOCS / "schema.py")
SCRIPT = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(SCRIPT)


def test_the_page_is_current():
    assert SCRIPT.PAGE.read_text() == SCRIPT.page(), "make schema"


@pytest.mark.parametrize("document", SCRIPT.DOCUMENTS)
def test_every_field_says_what_it_is(document):
    schema = document.json_schema()
    for record in (schema, *schema["$defs"].values()):
        for name, field in record["properties"].items():
            assert "$ref" in field or field.get("description"), (record["title"], name)


def test_what_is_written_has_the_fields_of_the_schema():
    logits = np.random.default_rng(0).normal(size=(300, 3))
    table = {"logits": logits, "labels": np.arange(300) % 3, "site": ["a", "b", "c"] * 100}
    document = json.loads(score(table, slices=["site"], floor=0.1, code=True).to_json())
    schema = Result.json_schema()
    assert document.keys() == schema["properties"].keys()
    parts = schema["$defs"]
    for field in ("source", "floor", "temperature"):
        assert document[field].keys() == parts[field.capitalize()]["properties"].keys()
    found = parts["RecalibrationFigures"]["properties"]
    assert document["recalibration"].keys() == found.keys()
    assert document["code"].keys() == parts["LabelsCode"]["properties"].keys()
