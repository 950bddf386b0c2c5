"""The JSON of `plogq lm` is read back; what is wrong with it is said by its path."""

import json
from dataclasses import fields

import pytest

from plogq.lm import TokensResult, score_tokens
from tests.lm.corpora import corpus, table


@pytest.fixture(scope="module")
def result():
    return score_tokens(table(corpus(1)), bootstrap=40)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("unit", "byte", "unit: expected 'nat', 'bit' or 'hartley', got 'byte'"),
        ("documents", -1, "documents: expected a whole number from 0 to 2^53, got -1"),
        ("surprisal", None, "surprisal: expected a number"),
        ("unscored", {"documents": 0, "tokens": 0}, "unscored.bytes: expected, and not there"),
        ("surprises", [{"doc": "a", "position": 0}], "surprises[0].surprisal: expected, and not"),
        ("source", {"paths": ["a"], "part": 1}, "source.part: expected a text, got 1"),
    ],
)
def test_what_is_wrong_is_said_by_path(result, field, value, said):
    with pytest.raises(ValueError) as error:  # noqa: PT011 (the start of the message is compared)
        TokensResult.read(json.loads(result.to_json()) | {field: value})
    assert str(error.value).startswith(said)


def test_it_is_read_back_as_it_was(result):
    assert TokensResult.read(json.loads(result.to_json())) == result


def test_the_schema_has_every_field():
    schema = TokensResult.json_schema()
    assert set(schema["properties"]) == {"schema", *(each.name for each in fields(TokensResult))}
