"""Bad input of each kind is one line: which file, column and row, and what was expected."""

import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plogq.lm import score_tokens
from plogq.score import TableError
from tests.lm.records import WRITTEN, completion, score_records

GOOD = {"doc": ["a", "a", "b"], "logprob": [None, -0.5, -1.0], "bytes": [1, 2, 3]}


@pytest.fixture
def write(tmp_path):
    def write(**columns):
        path = tmp_path / "t.parquet"
        data = {name: column for name, column in (GOOD | columns).items() if column is not None}
        pq.write_table(pa.table(data), path, row_group_size=1)
        return path

    return write


def refused(source, *parts, error=TableError, **options):
    with pytest.raises(error) as caught:
        score_tokens(source, **options)
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message, message


def test_good(write):
    assert score_tokens(write()).tokens == 2


@pytest.mark.parametrize("column", ["doc", "logprob"])
def test_missing_columns(write, column):
    refused(write(**{column: None}), "t.parquet", f"no column '{column}'", "its columns are")


def test_a_cost_is_no_logprob(write):
    refused(write(logprob=None, nll=[1.0, 1.0, 1.0]), "negative of a cost", "'nll'")


def test_named_columns_that_are_not_there(write):
    for option in ("doc", "logprob", "bytes"):
        refused(write(), "no column 'x'", **{option: "x"})


@pytest.mark.parametrize(
    ("logprob", "came", "row"),
    [
        ([None, math.nan, -1.0], "nan", 1),
        ([None, -1.0, 0.25], "0.25", 2),
        ([-1.0, 7.0, 8.0], "7.0", 1),
    ],
)
def test_what_is_no_logprob(write, logprob, came, row):
    refused(write(logprob=logprob), "column 'logprob'", "at most 0", came, f"row {row}")


def test_costs_get_a_hint(tmp_path):
    data = pa.table(GOOD | {"logprob": [0.5, 0.5, 1.0]})
    refused(data, "change their sign")


def test_null_logprob_inside_a_document(write):
    refused(write(logprob=[-1.0, None, -1.0]), "but a document's first", "null", "row 1")


def test_null_first_logprob_after_a_file_boundary(tmp_path):
    for i, rows in enumerate([slice(0, 1), slice(1, 3)]):
        data = {"doc": ["a", "a", "b"][rows], "logprob": [-1.0, None, -1.0][rows]}
        pq.write_table(pa.table(data), tmp_path / f"{i}.parquet")
    refused(tmp_path, "1.parquet", "but a document's first", "row 0")


@pytest.mark.parametrize("bytes", [[1, -1, 1], [1, 2.5, 1], [1, math.nan, 1], [1.0, 1e300, 1.0]])
def test_what_is_no_count(write, bytes):
    refused(write(bytes=bytes), "column 'bytes'", "whole number", "row 1")


def test_missing_count(write):
    refused(write(bytes=[1, None, 1]), "column 'bytes'", "null", "row 1")


def test_text_where_numbers_must_be(write):
    refused(write(bytes=["1", "2", "3"]), "column 'bytes'", "hold numbers", "string")


def test_documents_without_names(write):
    refused(write(doc=["a", None, "b"]), "column 'doc'", "null", "row 1")
    refused(write(doc=[0.5, 0.5, 1.0]), "column 'doc'", "names or numbers", "double")


@pytest.mark.parametrize("doc", [["a", "b", "a"], ["b", "a", "b"]])
def test_a_document_that_comes_back(write, doc):
    refused(write(doc=doc, logprob=[-1.0] * 3), "row 2", f"'{doc[0]}' comes back", "follow one")


def test_nothing_to_score(write, tmp_path):
    empty = {"doc": pa.array([], pa.string()), "logprob": pa.array([], pa.float64())}
    refused(write(**empty, bytes=None), "no tokens to score")
    (tmp_path / "e.jsonl").write_text("\n \n")
    refused(tmp_path / "e.jsonl", "no tokens to score")


def test_missing_file(tmp_path):
    refused(tmp_path / "none.parquet", "none.parquet", "no such file")
    refused(tmp_path / "none.jsonl", "none.jsonl", "no such file")


@pytest.mark.parametrize(
    ("options", "error", "part"),
    [
        ({"unit": "byte"}, ValueError, "unit must be"),
        ({"bootstrap": -1}, ValueError, "bootstrap must be at least 0"),
        ({"top": 1.5}, TypeError, "top must be an integer"),
        ({"seed": 2**64}, ValueError, "seed must be below"),
        ({"part": "middle"}, ValueError, "part must be"),
        ({"part": "all"}, ValueError, "part must be left out"),
    ],
)
def test_options(write, options, error, part):
    refused(write(), part, error=error, **options)


def test_text_options_of_a_log_are_said_not_to_be_used(tmp_path):
    result = score_records(tmp_path, completion(WRITTEN), delimiter=";")
    assert any("--delimiter was not used" in each.message for each in result.warnings)
