"""A record is written as JSON and read back the same; what is no such record is refused by path."""

import json
import math
from dataclasses import dataclass
from typing import ClassVar

import pytest

from plogq.kinds import Count, Flag, Interval, Number, Positive, Scalar, Share, Text
from plogq.records import Document, Source


@dataclass(frozen=True)
class Part:
    value: Positive
    share: Share | None = None


@dataclass(frozen=True)
class Answer(Document):
    """The answer of a command that is only here."""

    COMMAND: ClassVar[str] = "plogq answer"

    source: Source
    rows: Count
    """How many rows."""
    parts: tuple[Part, ...]
    costs: dict[Text, Number | None]
    interval: Interval | None = None
    known: Flag = True
    id: Scalar | None = None


ANSWER = Answer(
    Source(("a.csv",), "CSV", {"label": "y", "probs": ("a", "b")}, ("A note.",)),
    3,
    (Part(0.5), Part(2.0, 0.25)),
    {"finite": 1.5, "infinite": math.inf, "unknown": None},
    (-math.inf, 1.0),
    False,
    "é",
)


def test_what_is_written_is_read_back_the_same():
    assert Answer.read(json.loads(ANSWER.to_json())) == ANSWER
    assert Answer.read(ANSWER.to_document()) == ANSWER


def test_fields_of_later_versions_are_not_looked_at_and_those_with_a_default_may_be_absent():
    document = ANSWER.to_document() | {"later": {"x": 1}}
    for name in ("interval", "known", "id"):
        del document[name]
    found = Answer.read(document)
    assert (found.interval, found.known, found.id) == (None, True, None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": 2}, "schema: expected 1, got 2; a later version wrote it"),
        ({"rows": True}, "rows: expected a whole number from 0 to 2^53, got True"),
        ({"rows": 2.0}, "rows: expected a whole number from 0 to 2^53, got 2.0"),
        ({"rows": 10**400}, "rows: expected a whole number from 0 to 2^53, got 1000000000"),
        ({"parts": [{"value": "1.5"}]}, "parts[0].value: expected a number above 0, got '1.5'"),
        ({"parts": [{"value": 0}]}, "parts[0].value: expected a number above 0, got 0"),
        ({"parts": [{}]}, "parts[0].value: expected, and not there"),
        ({"parts": [{"value": 1, "share": 1.5}]}, "parts[0].share: expected a share from 0 to 1"),
        ({"parts": {"value": 1}}, "parts: expected a list, got {'value': 1}"),
        ({"parts": [3]}, "parts[0]: expected an object, got 3"),
        ({"costs": {"x": math.nan}}, 'costs.x: expected a number, "inf" or "-inf", got nan'),
        ({"costs": {"x": 10**400}}, 'costs.x: expected a number, "inf" or "-inf", got 1000'),
        ({"costs": []}, "costs: expected an object, got []"),
        ({"interval": [1]}, "interval[1]: expected, and not there"),
        ({"interval": [1, 2, 3]}, "interval: expected 2 items, got [1, 2, 3]"),
        ({"known": 1}, "known: expected true or false, got 1"),
        ({"id": []}, "id: expected a text or a number, got []"),
        ({"source": {"paths": []}}, "source.paths: expected at least 1 item, got []"),
        ({"source": {"paths": ["a"], "columns": {"label": 3}}},
         "source.columns.label: expected a text or a list of texts, got 3"),
    ],
)  # fmt: skip
def test_what_is_no_record_is_refused_by_its_path(change, said):
    with pytest.raises(ValueError) as error:  # noqa: PT011 (the whole message is compared)
        Answer.read(ANSWER.to_document() | change)
    assert str(error.value).startswith(said)


@pytest.mark.parametrize("document", [None, [], 3, "x"])
def test_what_is_no_object_is_refused(document):
    with pytest.raises(ValueError, match="schema: expected 1, got"):
        Answer.read(document)


def test_the_schema_says_what_each_field_means():
    schema = Answer.json_schema()
    assert schema["title"] == "plogq answer"
    assert schema["properties"]["schema"]["const"] == 1
    assert schema["properties"]["rows"]["description"] == "How many rows."
    assert schema["required"] == ["schema", "source", "rows", "parts", "costs"]
    paths = schema["$defs"]["Source"]["properties"]["paths"]
    assert paths["description"].startswith("The files")
