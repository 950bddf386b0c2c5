"""Where an echoed prompt ends: by its first token, by `usage`, or asked for."""

import pytest

from plogq.score import TableError
from tests.lm.records import codes, completion, places, score_records

TOKENS = ["So", " it", " is", " done", "!"]
FIRST_SCORED = list(zip(TOKENS, [-3.0, -2.0, -0.5, -1.25, -0.25], strict=True))
FIRST_NULL = list(zip(TOKENS, [None, -2.0, -0.5, -1.25, -0.25], strict=True))


def usage(asked, written, total=None):
    return {"prompt_tokens": asked, "completion_tokens": written, "total_tokens": total}


def test_a_prompt_whose_first_token_has_a_logprob(tmp_path):
    """A server that puts a mark before the prompt scores its first token, too."""
    for counted in (usage(4, 1), {"prompt_tokens": 4, "total_tokens": 5}):
        record = completion(FIRST_SCORED, usage=counted)
        with pytest.raises(TableError, match=r"prompt \(4 tokens\) and of what.*\(1\): choose"):
            score_records(tmp_path, record)
        written = score_records(tmp_path, record, part="completion")
        assert (written.surprisal, written.bytes) == (0.25, 1)
        asked = score_records(tmp_path, record, part="prompt")
        assert (asked.surprisal, asked.bytes) == (6.75, 13)


def test_what_was_written_alone(tmp_path):
    """As many tokens as usage counts, or one more where it leaves out the end."""
    for counted in (None, usage(7, 5), usage(7, 4), {"prompt_tokens": 7}):
        result = score_records(tmp_path, completion(FIRST_SCORED, usage=counted))
        assert (result.surprisal, result.source.part) == (7.0, "completion")


@pytest.mark.parametrize(
    ("tokens", "counted"),
    [
        (FIRST_NULL, usage(2, 2)),
        (FIRST_NULL, usage(5, 2)),
        (FIRST_NULL, None),
        (FIRST_SCORED, usage(5, 1)),
        (FIRST_SCORED, usage(9, 2)),
        (FIRST_SCORED, {"completion_tokens": 1}),
    ],
)
def test_counts_that_do_not_fit_what_is_listed(tokens, counted, tmp_path):
    record = completion(tokens, usage=counted)
    for part in (None, "prompt", "completion"):
        with pytest.raises(TableError, match=r"nothing says where.*--part all"):
            score_records(tmp_path, record, part=part)
    assert score_records(tmp_path, record, part="all").documents == 1


def test_an_echo_of_nothing_but_the_prompt(tmp_path):
    """Where max_tokens is 0, vLLM counts a token; a mark that is not listed counts the same."""
    record = completion(FIRST_NULL, usage=usage(5, 1, 6))
    result = score_records(tmp_path, record)
    assert (result.surprisal, result.tokens, result.source.part) == (4.0, 4, "prompt")
    assert codes(result) == ["prompt_end", "unscored_tokens"]
    assert "the last is the model's own if the server put a mark" in result.warnings[0].message
    for part in ("prompt", "completion"):
        with pytest.raises(TableError, match="5 tokens of the prompt and 1 after it, and 5 are"):
            score_records(tmp_path, record, part=part)
    assert codes(score_records(tmp_path, record, part="all")) == ["unscored_tokens"]
    # Counted as none, or told by prompt_logprobs, it is no question.
    for sure in (
        completion(FIRST_NULL, usage=usage(5, 0)),
        completion(FIRST_NULL, usage=usage(5, 1), prompt_logprobs=places(FIRST_NULL)),
    ):
        assert codes(score_records(tmp_path, sure)) == ["unscored_tokens"]
        assert score_records(tmp_path, sure, part="prompt").surprisal == 4.0


def test_prompt_logprobs_that_begin_with_a_mark_settle_no_echo_without_it(tmp_path):
    """They count five tokens of a prompt, of which four are listed before what was written."""
    marked = places([("<s>", None), *(("x", x) for x in (-3.0, -2.0, -0.5, -1.25))])
    record = completion(FIRST_NULL, usage=usage(5, 1, 6), prompt_logprobs=marked)
    with pytest.raises(TableError, match="5 tokens of the prompt and 1 after it, and 5 are"):
        score_records(tmp_path, record, part="prompt")


def test_one_prompt_that_several_answers_echo(tmp_path):
    """Nothing says where it ends: all of it counts for each, and that is said."""
    record = completion(FIRST_NULL, usage=usage(3, 4))
    other = [*FIRST_NULL[:3], ("broken", -2.0)]
    record["choices"] += completion(other)["choices"]
    result = score_records(tmp_path, record, part="all")
    assert (result.documents, result.surprisal) == (2, 4.0 + 4.5)
    assert codes(result) == ["shared_prompt", "unscored_tokens"]
    record["choices"][1] = completion([("To", None), (" be", -1.0)])["choices"][0]
    assert codes(score_records(tmp_path, record, part="all")) == ["unscored_tokens"]


def test_several_echoed_prompts_whose_first_token_has_a_logprob(tmp_path):
    record = completion(FIRST_SCORED, usage=usage(8, 2))
    record["choices"] *= 2
    with pytest.raises(TableError, match="nothing says where it ends"):
        score_records(tmp_path, record)
    record["usage"] = usage(8, 10)
    assert score_records(tmp_path, record).documents == 2
