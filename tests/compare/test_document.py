"""A comparison's JSON is read back; what is wrong with it is said by its path."""

import json
from dataclasses import fields

import pytest

from plogq.compare import Comparison, compare
from plogq.compare.result import PredictionFigures, TokenFigures
from tests.compare.tables import pair
from tests.compare.test_tokens import other_model, tokens
from tests.lm.corpora import corpus


@pytest.fixture(scope="module")
def of_rows():
    one, other = pair(1)
    return compare(one, other, slices=["site"], bootstrap=40)


@pytest.fixture(scope="module")
def of_documents():
    rows = corpus(5, first_unscored=False)
    return compare(tokens(rows), tokens(other_model(rows)), bootstrap=40)


def changed(result, path, value):
    document = json.loads(result.to_json())
    at = document
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["a", "accuracy"], 1.5, "a.accuracy: expected a share from 0 to 1, got 1.5"),
        (["b", "cross_entropy"], "1", "b.cross_entropy: expected a number"),
        (["a", "source", "paths"], [], "a.source.paths: expected at least 1 item, got []"),
        (["per_class", "dog", "rows"], -1, "per_class.dog.rows: expected a whole number"),
        (["slices", "site", "north", "winner"], "c", "slices.site.north.winner: expected 'a' or"),
        (["largest", "a", 0, "row"], 0.5, "largest.a[0].row: expected a whole number"),
        (["per"], "line", "per: expected 'row', 'byte' or 'token', got 'line'"),
        (["intervals", "difference_finite"], [1], "intervals.difference_finite[1]: expected, and"),
        (["warnings"], {}, "warnings: expected a list, got {}"),
    ],
)
def test_what_is_wrong_with_predictions_is_said_by_path(of_rows, path, value, said):
    with pytest.raises(ValueError) as error:  # noqa: PT011 (the start of the message is compared)
        Comparison.read(changed(of_rows, path, value))
    assert str(error.value).startswith(said)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["a", "bytes"], 1.5, "a.bytes: expected a whole number"),
        (["b", "source", "part"], 1, "b.source.part: expected a text, got 1"),
        (["largest", "a", 0, "bytes"], True, "largest.a[0].bytes: expected a whole number"),
        (["wins", "tie"], None, "wins.tie: expected a share from 0 to 1, got None"),
    ],
)
def test_what_is_wrong_with_tokens_is_said_by_path(of_documents, path, value, said):
    with pytest.raises(ValueError) as error:  # noqa: PT011 (the start of the message is compared)
        Comparison.read(changed(of_documents, path, value))
    assert str(error.value).startswith(said)


def test_each_kind_is_read_back_as_it_was(of_rows, of_documents):
    for result, kind in ((of_rows, PredictionFigures), (of_documents, TokenFigures)):
        found = Comparison.read(json.loads(result.to_json()))
        assert found == result
        assert type(found.a) is type(found.b) is kind


def test_the_schema_has_both_kinds():
    schema = Comparison.json_schema()
    assert {"PredictionFigures", "TokenFigures", "RowPair", "DocumentPair"} <= set(schema["$defs"])
    assert set(schema["properties"]) == {"schema", *(each.name for each in fields(Comparison))}
