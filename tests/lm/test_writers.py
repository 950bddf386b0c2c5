"""Each writer's records: their documents, tokens, bytes and cost."""

import math

import pytest

from plogq.lm import score_tokens
from plogq.score import TableError
from tests.lm.records import (
    ASKED,
    WRITTEN,
    bare,
    chat,
    codes,
    cohere,
    completion,
    gemini,
    llama_cpp,
    numbered,
    ollama,
    places,
    request_output,
    responses_api,
    score_records,
    sglang,
    spell,
    tgi,
    together,
    write,
)


@pytest.mark.parametrize(
    "record",
    [
        completion(WRITTEN),
        chat(WRITTEN),
        responses_api(WRITTEN),
        request_output([], WRITTEN) | {"prompt_logprobs": None},
        sglang([], WRITTEN),
        llama_cpp(WRITTEN),
        llama_cpp(WRITTEN, "probs"),
        ollama(WRITTEN),
        gemini(WRITTEN),
        gemini(WRITTEN, python=True),
        cohere(WRITTEN),
        bare(WRITTEN),
        {"custom_id": "q", "response": {"body": chat(WRITTEN)}},
        {"custom_id": "q", "response": {"body": responses_api(WRITTEN)}},
    ],
)
def test_what_was_written(record, tmp_path):
    result = score_records(tmp_path, record)
    assert (result.documents, result.tokens, result.bytes, result.words) == (1, 4, 18, 4)
    assert result.surprisal == 4.25
    assert result.source.part == "completion"
    assert result.warnings == ()


@pytest.mark.parametrize(
    "record", [request_output(ASKED, WRITTEN), sglang(ASKED, WRITTEN), together(ASKED, WRITTEN)]
)
def test_prompt_and_answer(record, tmp_path):
    with pytest.raises(TableError, match=r"prompt \(3 tokens\) and of what the model wrote.*\(4\)"):
        score_records(tmp_path, record)
    found = {
        part: score_records(tmp_path, record, part=part) for part in ("prompt", "completion", "all")
    }
    assert {part: x.surprisal for part, x in found.items()} == {
        "prompt": 2.0, "completion": 4.25, "all": 6.25,
    }  # fmt: skip
    assert {part: x.bytes for part, x in found.items()} == {
        "prompt": 6, "completion": 18, "all": 24,
    }  # fmt: skip
    assert found["prompt"].unscored.tokens == 1


def test_a_prompt_alone(tmp_path):
    result = score_records(tmp_path, request_output(ASKED, []) | {"outputs": []})
    assert (result.surprisal, result.bytes, result.unscored.bytes) == (2.0, 6, 3)
    assert result.source.part == "prompt"


def test_tgi(tmp_path):
    """The end mark is a token without text; where the prompt is returned, it is not counted."""
    record = tgi(ASKED, WRITTEN)
    for text in (spell(WRITTEN), spell(ASKED) + spell(WRITTEN)):
        result = score_records(tmp_path, record | {"generated_text": text}, part="completion")
        assert (result.surprisal, result.tokens, result.bytes) == (4.375, 5, 18)
    assert score_records(tmp_path, record, part="prompt").bytes == 6
    several = tgi([], WRITTEN)
    several["details"]["best_of_sequences"] = [{"generated_text": "No", "tokens": [
        {"id": 1, "text": "No", "logprob": -3.0, "special": False}]}]  # fmt: skip
    result = score_records(tmp_path, [several])
    assert (result.documents, result.surprisal, result.bytes) == (2, 7.375, 20)


def test_llama_cpp_of_old_and_after_sampling(tmp_path):
    old = [
        {"content": "a", "probs": [{"tok_str": "b", "prob": 0.5}, {"tok_str": "a", "prob": 0.25}]}
    ]
    new = [{"id": 1, "token": "a", "bytes": [97], "prob": 0.25, "top_probs": []}]
    for entries in (old, new):
        record = {"content": "a", "stop": True, "completion_probabilities": entries}
        result = score_records(tmp_path, record)
        assert result.surprisal == pytest.approx(math.log(4), rel=1e-15)
        assert codes(result) == ["sampler"]
    old[0]["probs"].pop()
    with pytest.raises(TableError, match="must hold the token that was written once; got 0 of 'a'"):
        score_records(tmp_path, record | {"completion_probabilities": old})
    lowest = [{"id": 1, "token": "a", "bytes": [97], "logprob": -3.4028234663852886e38}]
    result = score_records(tmp_path, record | {"completion_probabilities": lowest})
    assert (result.zero_probability_tokens, result.surprisal) == (1, math.inf)


def test_thinking_is_a_part_of_what_was_written(tmp_path):
    """Ollama and vLLM keep it apart from the answer; its tokens are scored with it."""
    record = ollama(WRITTEN) | {"response": " in Bergen", "thinking": "It snows"}
    assert score_records(tmp_path, record).bytes == 18
    record = ollama(WRITTEN)
    del record["response"]
    record["message"] = {"role": "assistant", "content": " in Bergen", "thinking": "It snows"}
    assert score_records(tmp_path, record).bytes == 18
    for key in ("reasoning_content", "reasoning"):
        record = chat(WRITTEN, content=" in Bergen", **{key: "It snows"})
        assert score_records(tmp_path, record).bytes == 18


def test_logprobs_of_a_prompt_as_plain_numbers(tmp_path):
    """Without texts, only the prompt says how long they are: its first token is not known."""
    record = {"request_id": "0", "prompt": "How is", "outputs": [],
              "prompt_logprobs": [None, {"7": -1.0}]}  # fmt: skip
    result = score_records(tmp_path, record)
    assert (result.surprisal, result.bytes) == (1.0, None)
    assert "does not say what it spells" in result.warnings[-1].message


@pytest.mark.parametrize(
    ("likely", "cost"),
    [
        # One likeliest token is listed beside the prompt's own: where there is one, it is both.
        ([{"1": ("x", -0.5, 1)}, {"1": ("x", -0.5, 1), "2": ("y", -3.0, 2)}], 3.5),
        ([{"1": ("x", -1, 1), "2": ("y", -3.0, 7)}, {"1": ("x", -1, 1), "2": ("y", -2, 2)}], 5.0),
        # Two: the prompt's own is one of them, or beyond them.
        ([{"1": ("x", -0.5, 1), "3": ("z", -1, 2), "2": ("y", -3.0, 9)}], 3.0),
        ([{"1": ("x", -0.5, 1), "2": ("y", -3.0, 2)}], None),
    ],
)  # fmt: skip
def test_the_token_of_a_prompt_is_told_by_its_rank(likely, cost, tmp_path):
    listed = [
        {k: {"logprob": x, "rank": r, "decoded_token": t} for k, (t, x, r) in place.items()}
        for place in likely
    ]
    record = {"id": "c", "choices": [{"text": ""}], "prompt_logprobs": [None, *listed]}
    if cost is None:
        with pytest.raises(TableError, match="nothing says which is the text's"):
            score_records(tmp_path, record)
    else:
        assert score_records(tmp_path, record).surprisal == cost


def test_a_prompt_with_several_answers_is_one_text(tmp_path):
    asked = {"prompt_logprobs": places(ASKED)}
    several = chat([]) | asked
    several["choices"] = [{"index": i, "message": {"content": "x"}} for i in range(3)]
    one = chat([], name="q") | {"prompt_logprobs": places([("To", None), (" be", -1.0)])}
    one["choices"] = several["choices"][:1]
    result = score_records(tmp_path, several, one)
    assert (result.documents, result.tokens, result.surprisal) == (2, 3, 3.0)
    assert {d.doc for d in result.worst_documents} == {"chatcmpl-1", "q"}
    several["choices"] = [choice | {"logprobs": {"content": []}} for choice in several["choices"]]
    for choice in several["choices"]:
        choice["logprobs"] = chat(WRITTEN)["choices"][0]["logprobs"]
    assert score_records(tmp_path, several, part="prompt").surprisal == 2.0
    assert score_records(tmp_path, several, part="completion").surprisal == 3 * 4.25
    with pytest.raises(TableError, match="several answers to one prompt"):
        score_records(tmp_path, several, part="all")


def test_prompts_and_answers_are_not_mixed_between_records(tmp_path):
    prompt = request_output(ASKED, []) | {"outputs": []}
    answer = request_output([], WRITTEN, "1") | {"prompt_logprobs": None}
    with pytest.raises(TableError, match="line 2: logprobs of the completion, and before them of"):
        score_records(tmp_path, prompt, answer)


def test_writers_are_not_mixed(tmp_path):
    with pytest.raises(TableError, match="line 2: is of another kind, Ollama responses; the first"):
        score_records(tmp_path, chat(WRITTEN), ollama(WRITTEN))


def test_a_custom_id_names_any_record(tmp_path):
    result = score_records(tmp_path, ollama(WRITTEN) | {"custom_id": "q7"})
    assert result.worst_documents[0].doc == "q7"
    assert score_records(tmp_path, ollama(WRITTEN)).worst_documents[0].doc == "line 1"


def test_a_response_beside_what_was_asked(tmp_path):
    for response in (completion(WRITTEN), request_output([], WRITTEN) | {"prompt_logprobs": None}):
        result = score_records(tmp_path, {"question": "Snow?", "response": response})
        assert (result.surprisal, result.bytes) == (4.25, 18)


def test_without_logprobs(tmp_path):
    for record in (ollama([]), responses_api([]), sglang([], []), request_output([], [])):
        with pytest.raises(TableError, match="line 1: no logprobs: ask the server for logprobs"):
            score_records(tmp_path, record)


def test_a_part_of_a_stream_of_sglang(tmp_path):
    record = sglang([], WRITTEN)
    record["meta_info"]["finish_reason"] = None
    with pytest.raises(TableError, match=r"a part of a stream .*keep the last part"):
        score_records(tmp_path, record)


def test_unknown_records_are_told_who_is_known(tmp_path):
    with pytest.raises(TableError, match=r"is none of .*vLLM.*Ollama.*its fields are text, score"):
        score_tokens(write(tmp_path, {"text": "a", "score": 1}))


@pytest.mark.parametrize("record", [numbered(WRITTEN), cohere(WRITTEN, whole=True)])
def test_tokens_without_names_have_the_bytes_of_the_text(record, tmp_path):
    result = score_records(tmp_path, record)
    assert (result.surprisal, result.tokens, result.bytes) == (4.25, 4, 18)


def test_answers_without_logprobs_are_refused(tmp_path):
    record = gemini(WRITTEN)
    del record["candidates"][0]["logprobsResult"]
    with pytest.raises(TableError, match="no logprobs"):
        score_records(tmp_path, record)
    record = gemini(WRITTEN)
    del record["candidates"][0]["logprobsResult"]["chosenCandidates"][2]["logProbability"]
    with pytest.raises(TableError, match="token 2 must have a logprob"):
        score_records(tmp_path, record)


def test_several_prompts_beside_an_answer_are_refused(tmp_path):
    record = together(ASKED, WRITTEN)
    record["prompt"] *= 2
    with pytest.raises(TableError, match="several prompts"):
        score_records(tmp_path, record)


def test_a_log_that_is_not_known_names_the_way_on(tmp_path):
    with pytest.raises(TableError, match="write a table of it, with a row for each token"):
        score_records(tmp_path, {"samples": [chat(WRITTEN)]})


def test_first_tokens_of_prompts_with_a_logprob_of_0_are_doubted(tmp_path):
    def echo(first, name):
        usage = {"prompt_tokens": 3, "completion_tokens": 0}
        return completion([("How", first), *ASKED[1:]], usage=usage, name=name)

    zero = score_records(tmp_path, echo(0.0, "a"), echo(0.0, "b"))
    assert "zero_firsts" in codes(zero)
    assert "zero_firsts" not in codes(score_records(tmp_path, echo(0.0, "a"), echo(-0.5, "b")))
    assert "zero_firsts" not in codes(score_records(tmp_path, echo(None, "a"), echo(None, "b")))
