"""The JSON of `plogq lm` is read back; what is wrong with it is said by its path."""

import functools
import json
import math
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


@pytest.mark.parametrize(
    ("field", "items", "at"),
    [
        ("surprises", [{}] * 1000, "surprises[0].doc"),
        ("intervals", {str(n): 1 for n in range(1000)}, "intervals.0"),
        ("source", {"paths": [1] * 1000}, "source.paths[0]"),
    ],
)
def test_reading_stops_at_the_first_wrong_item(result, field, items, at):
    """The errors of millions of items, of a file of 50 MB, would fill the memory first."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 (the start of the message is compared)
        TokensResult.read(json.loads(result.to_json()) | {field: items})
    assert str(error.value).startswith(f"{at}: ")
    assert error.value.__context__.error_count() <= 5  # of one item


def test_what_python_cannot_print_is_refused_by_path(result):
    deep = functools.reduce(lambda inner, _: [inner], range(10**5), [])
    for value in (deep, 10**5000):
        with pytest.raises(ValueError, match=r"unit: expected .*, got a value of type"):
            TokensResult.read(json.loads(result.to_json()) | {"unit": value})


def test_two_impossible_tokens_in_a_row_are_no_cause_for_a_warning_of_numpy():
    """Their difference is no number, and is not taken: warnings are errors here."""
    logprobs = [-1.0, -math.inf, -math.inf, -2.0]
    found = score_tokens({"doc": ["a"] * 4, "logprob": logprobs, "token": list("wxyz")})
    assert found.zero_probability_tokens == 2
