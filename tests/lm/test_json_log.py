"""JSON lines of known writers: golden files, and every way in which a line can be no such thing."""

import gzip
import json
import math
from pathlib import Path

import pytest

from plogq.lm import score_tokens
from plogq.lm.result import TokenCost, Unscored
from plogq.score import TableError

DATA = Path(__file__).parent / "data"


def test_harness_rolling():
    """What lm-evaluation-harness itself reported of this file."""
    result = score_tokens(DATA / "harness_pages.jsonl")
    assert result.perplexity_per_word == pytest.approx(1727.6919549593727, rel=1e-14)
    assert result.perplexity_per_byte == pytest.approx(3.9185338157865126, rel=1e-14)
    assert result.cross_entropy_per_byte == pytest.approx(1.970313947102317, rel=1e-14)
    assert (result.tokens, result.cross_entropy_per_token) == (None, None)
    assert (result.documents, result.words, result.bytes) == (3, 24, 131)
    assert result.characters == 34 + 58 + 33


def test_harness_loglikelihood():
    result = score_tokens(DATA / "harness_last.jsonl", unit="nat")
    assert result.surprisal == pytest.approx(10.192 + 6.312 + 17.622, rel=1e-14)
    assert (result.bytes, result.characters) == (7 + 4 + 9, 7 + 1 + 9)
    # Its perplexity is per document, of these a word each.
    assert result.perplexity_per_word == pytest.approx(87145.40578096632, rel=1e-12)


def test_vllm_echo():
    result = score_tokens(DATA / "vllm_echo.jsonl", unit="nat")
    assert result.surprisal == 7.5 + 8.5
    assert (result.documents, result.tokens) == (2, 6)
    # " cat sat." without "The"; "Hi 😊", whose opening mark is no text and whose emoji is 4 bytes.
    assert (result.bytes, result.characters, result.words) == (9 + 7, 9 + 4, 2 + 2)
    assert result.unscored == Unscored(2, 2, 3)
    assert result.surprises[0] == TokenCost("cmpl-2", 2, 5.0, " \ufffd")


def test_vllm_prompt_logprobs():
    result = score_tokens(DATA / "vllm_prompt.jsonl", unit="nat")
    assert result.surprisal == 4.5 + 2.25 + 8.0
    assert (result.tokens, result.bytes, result.words) == (3, 8 + 6, 3)
    assert result.unscored == Unscored(2, 2, 0)


def test_vllm_batch_of_chats():
    result = score_tokens(DATA / "vllm_batch_chat.jsonl", unit="nat")
    assert (result.documents, result.tokens) == (2, 10)
    # The ends of turns are tokens without text; Ü is two bytes, of two tokens.
    assert (result.bytes, result.characters, result.words) == (11 + 5, 11 + 4, 3 + 1)
    assert result.zero_probability_tokens == 1
    assert result.surprises[0].doc == "q2"
    assert result.surprises[0].surprisal == math.inf
    assert "-9999" in result.warnings[0].message


@pytest.mark.parametrize("ending", [".jsonl.gz", ".ndjson"])
def test_endings(ending, tmp_path):
    data = (DATA / "vllm_echo.jsonl").read_bytes()
    path = tmp_path / f"x{ending}"
    path.write_bytes(gzip.compress(data) if ending.endswith("gz") else data)
    expected = score_tokens(DATA / "vllm_echo.jsonl")
    assert score_tokens(path).cross_entropy_per_byte == expected.cross_entropy_per_byte


def test_blocks_of_any_size_give_the_same(monkeypatch):
    from plogq.lm.readers import json_log
    from plogq.tables import json_records

    for path in ("vllm_echo.jsonl", "harness_pages.jsonl", "vllm_batch_chat.jsonl"):
        whole = score_tokens(DATA / path).to_json()
        for size, read in ((1, 7), (2, 64), (3, 1)):
            monkeypatch.setattr(json_log, "BLOCK_TOKENS", size)
            monkeypatch.setattr(json_records, "READ_BYTES", read)
            assert score_tokens(DATA / path).to_json() == whole


def completion(tokens, logprobs, *, text=None, usage=None, **more):
    text = "".join(tokens) if text is None else text
    choice = {"text": text, "logprobs": {"tokens": tokens, "token_logprobs": logprobs}} | more
    return {"id": "c", "choices": [choice], "usage": usage}


def score_lines(path, *lines, **options):
    file = path / "x.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return score_tokens(file, **options)


ECHO_AND_MORE = completion(["a", "b", "c"], [None, -1.0, -2.0],
                           usage={"prompt_tokens": 2, "completion_tokens": 1})  # fmt: skip
PROMPT_AND_MORE = completion(["c"], [-2.0], prompt_logprobs=[
    None, {"7": {"logprob": -1.0, "decoded_token": "b"}}])  # fmt: skip


@pytest.mark.parametrize("line", [ECHO_AND_MORE, PROMPT_AND_MORE], ids=["echo", "prompt"])
def test_prompt_and_completion_are_never_mixed_unasked(line, tmp_path):
    with pytest.raises(TableError, match=r"line 1: logprobs of a prompt \(2 tokens\) and of what.*"
                                         r"--part prompt, completion or all"):  # fmt: skip
        score_lines(tmp_path, line)
    cost = {
        part: score_lines(tmp_path, line, part=part, unit="nat").surprisal
        for part in ("prompt", "completion", "all")
    }
    assert cost == {"prompt": 1.0, "completion": 2.0, "all": 3.0}


def test_an_echo_without_its_end(tmp_path):
    line = completion(["a", "b"], [None, -1.0])
    with pytest.raises(TableError, match=r"nothing says where it ends.*--part all"):
        score_lines(tmp_path, line)
    result = score_lines(tmp_path, line, part="all")
    assert (result.tokens, result.bytes) == (1, 1)


def test_usage_is_of_all_choices_and_ends_the_prompt_of_none(tmp_path):
    """Of two echoed prompts, prompt_tokens is their sum: where one ends it does not say."""
    line = completion(["a", "b", "c"], [None, -1.0, -2.0], usage={"prompt_tokens": 4})
    line["choices"] *= 2
    with pytest.raises(TableError, match=r"nothing says where it ends.*--part all"):
        score_lines(tmp_path, line)
    assert score_lines(tmp_path, line, part="all", unit="nat").surprisal == 6.0


def test_several_choices_are_documents_each(tmp_path):
    line = completion(["a"], [-1.0])
    line["choices"] += completion(["bc"], [-2.0])["choices"]
    result = score_lines(tmp_path, line, unit="nat")
    assert [item.doc for item in result.worst_documents] == ["c:0", "c:1"]
    assert (result.documents, result.bytes) == (2, 3)


def test_bytes_are_unknown_where_a_part_of_a_character_is_all_there_is(tmp_path):
    prompt = [None, {"1": {"logprob": -1.0, "decoded_token": "a \ufffd"}}]
    line = {"id": "c", "choices": [{"text": "", "prompt_logprobs": prompt}]}
    result = score_lines(tmp_path, line)
    assert (result.bytes, result.tokens, result.words) == (None, 1, None)
    assert "bytes_unknown" in [w.code for w in result.warnings]


def test_raw_bytes_are_believed(tmp_path):
    content = [
        {"token": "\\xf0\\x9f", "logprob": -1.0, "bytes": [240, 159]},
        {"token": "\\x98\\x8a", "logprob": -1.0, "bytes": [152, 138]},
    ]
    line = {
        "id": "c",
        "choices": [{"message": {"content": "😊"}, "logprobs": {"content": content}}],
    }
    result = score_lines(tmp_path, line)
    assert (result.bytes, result.characters) == (4, 1)


def test_thinking_is_no_content(tmp_path):
    """Tokens of reasoning are scored though the message's content does not hold them."""
    content = [{"token": t, "logprob": -1.0, "bytes": None} for t in ("Hm", "Yes")]
    message = {"content": "Yes", "reasoning_content": "Hm"}
    line = {"id": "c", "choices": [{"message": message, "logprobs": {"content": content}}]}
    assert score_lines(tmp_path, line).bytes == 5


def test_tokens_of_a_vocabulary_are_measured_by_the_text(tmp_path):
    line = completion(["▁Hello", "▁you"], [-1.0, -1.0], text="Hello you")
    assert score_lines(tmp_path, line).bytes == 9


SAMPLE = {"doc_id": 0, "arguments": {"gen_args_0": {"arg_0": "ab"}}, "filtered_resps": ["-1.5"]}
TWO = {"7": {"logprob": -1.0}, "8": {"logprob": -2.0}}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("{", "line 1: is not JSON: Expecting property name"),
        ("[1]", r"line 1: must hold a JSON object; got \[1\]"),
        ({"text": "a"}, "is none of .*OpenAI responses.*fields are text"),
        ({"choices": []}, "holds no choice"),
        ({"choices": [{"text": "a", "logprobs": None}]}, "no logprobs: ask the server"),
        ({"custom_id": "q", "response": None, "error": {"message": "full"}}, "got .*full"),
        (completion(["a"], [-1.0, -2.0]), "1 tokens and 2 logprobs"),
        (completion(["a", "b"], [-1.0, None]), "token 1 must have a logprob"),
        (completion(["a"], ["-1"]), r"token_logprobs\[0\] must be a number or null; got '-1'"),
        (completion(["a"], [True]), "must be a number or null; got True"),
        (completion(["a"], [0.5]), "logprob 0 must be natural logarithms .* got 0.5"),
        (completion(["a"], [math.nan]), "logprob 0 must be natural logarithms .* got nan"),
        ({"choices": [{"logprobs": {}}]}, "must hold token_logprobs .* or content"),
        ({"choices": [{"prompt_logprobs": [None, TWO]}]}, r"\[1\] lists 2 tokens.*for return_tok"),
        ({"choices": [{"prompt_logprobs": 3}]}, "prompt_logprobs must be a list; got 3"),
        ([completion(["a"], [-1.0])] * 2, "line 2: document 'c' comes back"),
        ([completion(["a"], [-1.0]), SAMPLE], "line 2: is of another kind, lm-eval"),
        ([SAMPLE, SAMPLE], "document '0' comes back"),
        (SAMPLE | {"filtered_resps": ["yes"]}, "must be a loglikelihood; got 'yes'"),
        (SAMPLE | {"filtered_resps": ["-1", "-2"]}, "one response a document is read; got 2"),
        (SAMPLE | {"byte_perplexity": [-2.0, 2]}, "must be of the loglikelihood -1.5; got -2.0"),
        (SAMPLE | {"byte_perplexity": [-1.5, 2.5]}, "must count by whole numbers; got 2.5"),
        (SAMPLE | {"byte_perplexity": [-1.5, 10**40]}, "must count at most 2,147,483,648"),
        (SAMPLE | {"byte_perplexity": -1.5}, "must be a pair"),
        (SAMPLE | {"filtered_resps": ["2.5"]}, "at most 0.*got 2.5"),
    ],
)  # fmt: skip
def test_refused(lines, message, tmp_path):
    path = tmp_path / "x.jsonl"
    lines = lines if isinstance(lines, list) else [lines]
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts))
    with pytest.raises(TableError, match=message) as caught:
        score_tokens(path)
    assert str(caught.value).startswith(f"{path}: line ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [("choice", "2 requests: the answers of a multiple choice"), ("write", "a generated text")],
)
def test_harness_tasks_without_a_text_to_measure(name, message):
    with pytest.raises(TableError, match=f"line 1: {message}"):
        score_tokens(DATA / f"harness_{name}.jsonl")


def test_part_is_for_responses():
    with pytest.raises(TableError, match="--part is for responses"):
        score_tokens(DATA / "harness_pages.jsonl", part="all")


def test_an_impossible_document_of_the_harness(tmp_path):
    """Python's json writes what JSON lacks, and the harness its text."""
    line = SAMPLE | {"filtered_resps": ["-inf"], "byte_perplexity": [-math.inf, 2]}
    assert score_lines(tmp_path, line).cross_entropy_per_byte == math.inf
