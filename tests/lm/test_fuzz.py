"""Records that were damaged at random are read, or refused in one line."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plogq.lm import score_tokens
from plogq.score import TableError, score
from tests.lm.records import (
    ASKED,
    WRITTEN,
    chat,
    cohere,
    completion,
    gemini,
    llama_cpp,
    ollama,
    places,
    request_output,
    responses_api,
    sglang,
    tgi,
)
from tests.lm.test_harness import sample as rolling
from tests.lm.test_streams import STREAMS
from tests.tables.test_questions import sample as question

RECORDS = [
    [completion([*ASKED, *WRITTEN], usage={"prompt_tokens": 3, "completion_tokens": 4})],
    [chat(WRITTEN) | {"prompt_logprobs": places(ASKED)}],
    [{"custom_id": "q", "response": {"body": chat(WRITTEN)}}],
    [responses_api(WRITTEN)],
    [request_output(ASKED, WRITTEN)],
    [sglang(ASKED, WRITTEN)],
    [tgi(ASKED, WRITTEN)],
    [llama_cpp(WRITTEN)],
    [ollama(WRITTEN)],
    [cohere(WRITTEN)],
    [gemini(WRITTEN)],
    [rolling(0, -3.5, counted=9), rolling(1, -1.0, "b")],
    [question(0, [-1.0, -2.0, -3.0], "1", acc=0.0), question(1, [-1.0, -2.0], "0")],
    *STREAMS.values(),
]
VALUES = st.sampled_from(
    [None, True, 0, -1, 1.5, 10**400, 1e308, float("nan"), float("-inf"), "", "x", "\ud83d", "\x00",
     [], [[]], [None], {}, {"x": None}, [1, 2, 3], "▁x", "<|x|>", "\ufffd"]
)  # fmt: skip


def paths(value, at=()):
    """Every place in a value."""
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(
        value, list) else ()  # fmt: skip
    for key, inner in items:
        yield from paths(inner, (*at, key))


def damage(records, draw):
    records = copy.deepcopy(records)
    for _ in range(draw(st.integers(1, 3))):
        places = [path for path in paths(records) if len(path) > 1] or [(0, "x")]
        *way, last = draw(st.sampled_from(places))
        holder = records
        for key in way:
            holder = holder[key]
        if draw(st.booleans()):
            holder[last] = copy.deepcopy(draw(VALUES))
        else:
            holder.pop(last, None) if isinstance(holder, dict) else holder.pop(last)
    return records


@settings(max_examples=100)
@given(st.sampled_from(range(len(RECORDS))), st.sampled_from([None, "prompt", "completion", "all"]),
       st.data())  # fmt: skip
def test_damaged_records(tmp_path_factory, which, part, data):
    path = tmp_path_factory.mktemp("fuzz") / "x.jsonl"
    damaged = damage(RECORDS[which], data.draw)
    path.write_text("".join(json.dumps(record) + "\n" for record in damaged))
    for read in (
        lambda: score_tokens(path, part=part, bootstrap=40),
        lambda: score(path, bootstrap=0),
    ):
        said = ""
        try:
            read().to_json().encode()
        except TableError as error:
            said = str(error)
        assert "\n" not in said


@settings(max_examples=50)
@given(st.binary(max_size=60) | st.text('[]{}",:01 \n-edat', max_size=60).map(str.encode))
def test_any_bytes(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "x.json"
    path.write_bytes(data)
    with pytest.raises(TableError) as caught:
        score_tokens(path)
    assert "\n" not in str(caught.value)
