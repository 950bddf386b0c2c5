"""Predictions as JSON: a record a line, and every layout of one value."""

import json

import pandas as pd
import pyarrow as pa
import pytest

from plogq.compare import compare
from plogq.score import TableError, score
from plogq.tables.readers import open_table

ROWS = [
    {"label": 1, "probs": [0.5, 0.5]},
    {"label": 0, "probs": [0.25, 0.75]},
    {"label": 1, "probs": [0, 1]},
]
COST = (0.6931471805599453 + 1.3862943611198906) / 3
FRAME = pd.DataFrame(ROWS)


def nats(path, text):
    path.write_text(text, encoding="utf-8")
    return score(path, unit="nat", bootstrap=0).cross_entropy


def refused(path, text, *said):
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TableError) as caught:
        score(path, bootstrap=0)
    for words in (str(path), *said):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        ("a list of records", json.dumps(ROWS)),
        ("a list of records", json.dumps(ROWS, indent=1)),
        ("a list of records", json.dumps({"predictions": ROWS})),
        ("a list of records", FRAME.to_json(orient="table")),
        ("columns and data", FRAME.to_json(orient="split")),
        ("columns and data", json.dumps({"dataframe_split": FRAME.to_dict(orient="split")})),
        ("columns", json.dumps(FRAME.to_dict(orient="list"))),
        ("columns by row", FRAME.to_json()),
        ("records by row", FRAME.to_json(orient="index")),
        ("a record a line", FRAME.to_json(orient="records", lines=True)),
    ],
)
def test_every_layout(layout, text, tmp_path):
    assert nats(tmp_path / "t.json", text) == pytest.approx(COST)
    assert open_table(tmp_path / "t.json").notes == [f"Read as {layout}."]


def test_one_record(tmp_path):
    assert nats(tmp_path / "t.json", '{"label": 1, "probs": [0.5, 0.5]}') == (
        pytest.approx(0.6931471805599453)
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("[]", "a list of records"),
        ("3", "a list of records"),
        ("[[1, 2]]", "a list of records"),
        ('{"label": [1], "probs": []}', "columns of one length"),
        ('{"columns": ["a", "b"], "data": [[1, 2], [1]]}', "2 values, one for each"),
        ('{"0": {"1": 2}, "1": {"0": 2}}', 'orient="records"'),
        ('{"label": ', "not a readable JSON file"),
        ("[" * 100_000, "not a readable JSON file"),
        ('[{"label": 1, "probs": [0.5, 0.5]}, {"label": "x", "probs": [1, 0]}]',
         "'label' must hold values of one kind"),
    ],
)  # fmt: skip
def test_what_is_no_table(text, said, tmp_path):
    refused(tmp_path / "t.json", text, said)


def test_lines_stream_and_numbers_may_turn_from_whole_to_others(tmp_path):
    path = tmp_path / "t.jsonl"
    many = '{"label": 1, "probs": [0, 1], "note": null}\n' * 5000
    assert nats(path, many + '{"probs": [0.5, 0.5], "label": 0}\n\n') == (
        pytest.approx(0.6931471805599453 / 5001)
    )
    [file] = open_table(path).readers
    assert file.pieces("label") == [5001]
    assert file.rows is None
    refused(path, many + '{"label": "x", "probs": [0, 1]}\n', 'got "x" (first at row 5000)')
    refused(path, many + '{"probs": [0, 1]}\n', "a label in every row (--ignore null", "row 5000")
    refused(path, many + "[1]\n", "line 5001", "be a record")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("{bad\n", "line 1 is not JSON"),
        ('{\n "label": 1}\n', "end in .json"),
        ('{"label": 1, "probs": [0.5, NaN]}\n', "sum nan"),
        ('{"label": 99999999999999999999, "probs": [0.5, 0.5]}\n', "values of one kind"),
        ('{"label": "\\ud800", "probs": [0.5, 0.5]}\n', "values of one kind"),
        ('{"label": 1, "prob_0": "0.5", "prob_1": "0.5"}\n', "hold numbers"),
        ('{"label": 1}\n', "columns label"),
    ],
)
def test_what_is_no_line(text, said, tmp_path):
    refused(tmp_path / "t.jsonl", text, said)


def test_names_and_encodings(tmp_path):
    line = '{"label": "é", "prob_é": 0.5, "prob_b": 0.5}\n'
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        (tmp_path / "t.jsonl").write_bytes(line.encode(encoding))
        assert score(tmp_path / "t.jsonl", bootstrap=0).cross_entropy == 1
    (tmp_path / "t.jsonl").write_bytes(line.encode("cp1252"))
    with pytest.raises(TableError, match="--encoding cp1252"):
        score(tmp_path / "t.jsonl")
    assert score(tmp_path / "t.jsonl", bootstrap=0, encoding="cp1252").cross_entropy == 1


def test_compare_tells_predictions_from_logprobs(tmp_path):
    text = "".join(json.dumps(row) + "\n" for row in ROWS)
    (tmp_path / "a.jsonl").write_text(text)
    (tmp_path / "b.json").write_text(json.dumps(ROWS))
    assert compare(tmp_path / "a.jsonl", tmp_path / "b.json", bootstrap=0).difference == 0
    assert compare(tmp_path / "a.jsonl", pa.table(FRAME), bootstrap=0).difference == 0
