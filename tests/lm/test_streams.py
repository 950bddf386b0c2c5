"""Parts of a streamed response are the response, however it was cut."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plogq.lm import score_tokens
from plogq.lm.readers.streams import LLAMA_CPP, OLLAMA, OPENAI, TGI, join_streams
from plogq.lm.readers.writers import writer_of
from plogq.score import TableError
from plogq.tables.json_records import Record
from tests.lm.records import (
    WRITTEN,
    chat,
    chat_tokens,
    completion,
    responses_api,
    score_records,
    spell,
    tgi,
)


def chat_parts(tokens, name="chatcmpl-1", index=0):
    """A role, a part for each token, an end, and counts of no choice."""

    def part(delta, listed, end=None):
        logprobs = None if listed is None else {"content": chat_tokens(listed)}
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": end}
        return {"id": name, "object": "chat.completion.chunk", "choices": [choice]}

    counts = {"prompt_tokens": 3, "completion_tokens": len(tokens)}
    return [
        part({"role": "assistant", "content": ""}, []),
        *(part({"content": t}, [(t, x)]) for t, x in tokens),
        part({}, None, "stop"),
        {"id": name, "object": "chat.completion.chunk", "choices": [], "usage": counts},
    ]


def completion_parts(tokens, name="cmpl-1"):
    parts = []
    for i, (t, x) in enumerate(tokens):
        part = completion([(t, x)], name=name)
        part["choices"][0]["finish_reason"] = "length" if i == len(tokens) - 1 else None
        parts.append(part)
    return parts


def ollama_parts(tokens):
    parts = [
        {"model": "m", "message": {"role": "assistant", "content": t}, "done": False,
         "logprobs": chat_tokens([(t, x)])}
        for t, x in tokens
    ]  # fmt: skip
    return [*parts, {"model": "m", "message": {"content": ""}, "done": True}]


def llama_cpp_parts(tokens):
    parts = [
        {"index": 0, "content": t, "stop": False, "completion_probabilities": chat_tokens([(t, x)])}
        for t, x in tokens
    ]
    return [*parts, {"index": 0, "content": "", "stop": True}]


def tgi_parts(tokens):
    parts = [
        {"index": i, "token": {"id": i, "text": t, "logprob": x, "special": False},
         "generated_text": None, "details": None}
        for i, (t, x) in enumerate(tokens)
    ]  # fmt: skip
    parts[-1]["generated_text"] = spell(tokens)
    return parts


STREAMS = {
    "chat": chat_parts(WRITTEN),
    "completion": completion_parts(WRITTEN),
    "Ollama": ollama_parts(WRITTEN),
    "llama.cpp": llama_cpp_parts(WRITTEN),
    "TGI": tgi_parts(WRITTEN),
}


@pytest.mark.parametrize("parts", STREAMS.values(), ids=STREAMS)
def test_bare_and_as_events(parts, tmp_path):
    events = "".join(f"event: x\ndata: {json.dumps(part)}\n\n" for part in parts)
    (tmp_path / "x.sse").write_text(f": a comment\n\n{events}data: [DONE]\n\n")
    (tmp_path / "x.json").write_text(json.dumps(parts))
    for result in (
        score_records(tmp_path, *parts),
        score_tokens(tmp_path / "x.sse", unit="nat"),
        score_tokens(tmp_path / "x.json", unit="nat"),
    ):
        assert (result.documents, result.tokens, result.bytes) == (1, 4, 18)
        assert result.surprisal == 4.25
        assert result.warnings == ()


def test_several_streams_in_one_file(tmp_path):
    """One after another, or parts between parts of others."""
    one, other = chat_parts(WRITTEN[:2], "a"), chat_parts(WRITTEN, "b")
    mixed = [part for pair in zip(one, other, strict=False) for part in pair] + other[len(one) :]
    for parts in ([*one, *other], mixed):
        result = score_records(tmp_path, *parts)
        assert sorted((d.doc, d.surprisal) for d in result.worst_documents) == [
            ("a", 2.5),
            ("b", 4.25),
        ]
    parts = [*ollama_parts(WRITTEN), *ollama_parts(WRITTEN[:1])]
    assert score_records(tmp_path, *parts).documents == 2


def test_several_answers_in_one_stream(tmp_path):
    parts = [*chat_parts(WRITTEN), *chat_parts(WRITTEN[:1], index=1)]
    result = score_records(tmp_path, *parts)
    assert {d.doc: d.surprisal for d in result.worst_documents} == {
        "chatcmpl-1:0": 4.25, "chatcmpl-1:1": 0.5,
    }  # fmt: skip


def test_parts_without_a_name(tmp_path):
    """They are of the response that is open; who speaks, begins another."""
    parts = [{k: v for k, v in part.items() if k != "id"} for part in chat_parts(WRITTEN)]
    assert score_records(tmp_path, *parts).documents == 1
    assert score_records(tmp_path, *parts, *parts).documents == 2
    assert score_records(tmp_path, *parts[:-2], *parts[:-2]).documents == 2
    for part in parts[1:5]:  # who speaks, once more with every word
        part["choices"][0]["delta"]["role"] = "assistant"
    assert score_records(tmp_path, *parts).documents == 1
    bare = [{"object": "chat.completion.chunk", "choices": [
        {"delta": {"content": t}, "logprobs": {"content": chat_tokens([(t, x)])}}]}
        for t, x in WRITTEN]  # fmt: skip
    assert score_records(tmp_path, *bare).tokens == 4


def test_whole_responses_are_not_joined(tmp_path):
    whole = chat(WRITTEN, name="a")
    whole["choices"][0]["finish_reason"] = "stop"
    result = score_records(tmp_path, whole, *chat_parts(WRITTEN, "b"), chat(WRITTEN, name="c"))
    assert (result.documents, result.surprisal) == (3, 3 * 4.25)
    with pytest.raises(TableError, match="'a' comes back"):
        score_records(tmp_path, whole, whole)


def test_events_of_openai_responses(tmp_path):
    events = [
        {"type": "response.created", "response": {"id": "resp-1", "output": []}},
        {"type": "response.output_text.delta", "delta": "It", "logprobs": chat_tokens(WRITTEN[:1])},
        {"type": "response.completed", "response": responses_api(WRITTEN)},
    ]
    result = score_records(tmp_path, *events)
    assert (result.documents, result.surprisal, result.bytes) == (1, 4.25, 18)


def test_a_stream_without_logprobs_is_named_as_one(tmp_path):
    parts = chat_parts(WRITTEN[:2])[:4]
    for part in parts:
        part["choices"][0]["logprobs"] = None
    with pytest.raises(TableError, match="line 1 to line 4, a stream: no logprobs: ask"):
        score_records(tmp_path, *parts)


CUT = {OPENAI: chat_parts, OLLAMA: ollama_parts, LLAMA_CPP: llama_cpp_parts, TGI: tgi_parts}
tokens = st.lists(st.tuples(st.sampled_from(["a", " b", "é", "\n"]), st.just(-1.0)), min_size=1)


@given(tokens, st.sampled_from(range(len(CUT))))
def test_joined_parts_read_as_the_whole(listed, which):
    stream, cut = list(CUT.items())[which]
    records = [Record("x", f"line {i}", part) for i, part in enumerate(cut(listed))]
    (joined,) = join_streams(records, stream)
    writer = writer_of(joined.value)
    (scored,) = writer.read(joined.value, None, None)
    assert scored.logprobs == [x for _, x in listed]
    assert scored.counts["byte"] == len(spell(listed).encode())


def test_tgi_details_of_the_prompt_come_last(tmp_path):
    parts = tgi_parts(WRITTEN)
    parts[-1]["details"] = {"prefill": tgi([("A", None), (" b", -1.0)], [])["details"]["prefill"]}
    assert score_records(tmp_path, *parts, part="prompt").surprisal == 1.0
