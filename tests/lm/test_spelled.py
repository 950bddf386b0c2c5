"""What a token is called is not its text: bytes are right, or not known."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plogq.lm.readers.response import Passage, Token
from plogq.lm.readers.spelled import BYTE_OF, spelled
from tests.lm.records import chat, codes, completion, places, request_output, score_records

LETTER_OF = {byte: letter for letter, byte in BYTE_OF.items()}
# A text in tokens, as vocabularies and servers call them.
NAMES = {
    "plain": ["Oslo", " is", " cold", "."],
    "sentencepiece": ["▁Oslo", "▁is", "▁cold", "."],
    "byte level": ["Oslo", "Ġis", "Ġcold", "."],
    "word pieces": ["Oslo", "is", "cold", "##."],
    "decoded alone": ["Oslo", "is", "cold", "."],
    "bytes": ["Oslo", "bytes:\\x20\\x69\\x73", " cold", "<0x2E>"],
}
LOGPROBS = [None, -2.0, -1.0, -0.5]
USAGE = {"prompt_tokens": 3, "completion_tokens": 1}


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize(
    ("part", "cost", "size"), [("prompt", 3.0, 8), ("completion", 0.5, 1), ("all", 3.5, 9)]
)
def test_the_text_of_the_whole_settles_that_of_a_part(names, part, cost, size, tmp_path):
    tokens = list(zip(names, LOGPROBS, strict=True))
    record = completion(tokens, text="Oslo is cold.", usage=USAGE)
    result = score_records(tmp_path, record, part=part)
    assert (result.surprisal, result.bytes, result.characters) == (cost, size, size)
    assert result.unscored.bytes == (4 if part != "completion" else 0)


@pytest.mark.parametrize(
    "name",
    ["token_id:41", "▁is", "Ġis", "##ing", "<0xE2>", "bytes:\\xe2\\x80", "<|im_end|>", "</s>",
     "[SEP]", "a \ufffd"],
)  # fmt: skip
def test_without_a_text_such_names_leave_bytes_unknown(name, tmp_path):
    record = chat([])
    record["choices"][0]["logprobs"] = None
    record["prompt_logprobs"] = places([("x", None), (" y", -1.0), (name, -1.0)])
    result = score_records(tmp_path, record)
    assert (result.bytes, result.words, result.tokens) == (None, None, 2)
    said = result.warnings[-1]
    assert (said.code, said.rows) == ("bytes_unknown", 1)
    assert repr(name) in said.message


@pytest.mark.parametrize(
    ("names", "size"),
    [
        (["is", "cold"], None),
        (["is"], None),  # of the token before it nothing is known
        (["2", "°"], None),
        (["is", "    ", "cold"], None),
        ([" is", "cold"], 7),
        (["\n", "Cold"], 5),
        (["今天", "很冷"], 12),
        (["▁is"], None),
    ],
)
def test_without_a_text_tokens_may_have_lost_their_spaces(names, size, tmp_path):
    record = chat([])
    record["prompt_logprobs"] = places([("Oslo", None), *((name, -1.0) for name in names)])
    result = score_records(tmp_path, record)
    assert result.bytes == size
    assert ("bytes_unknown" in codes(result)) == (size is None)


def test_marks_of_a_template_that_stand_in_the_text_are_said(tmp_path):
    """vLLM's prompt of a chat: their names are a part of it, as it was given."""
    tokens = [("<|user|>", None), ("Hi", -1.0), ("<|end|>", -0.5)]
    record = request_output(tokens, []) | {"outputs": []}
    result = score_records(tmp_path, record)
    assert (result.surprisal, result.bytes) == (1.5, 9)
    assert codes(result) == ["marks_in_text", "unscored_tokens"]
    assert "'<|end|>' look like marks" in result.warnings[0].message


def test_space_that_a_server_cut_off_around_thinking(tmp_path):
    tokens = [("<think>", -0.5), ("\nIt", -1.0), (" snows.\n", -1.0), ("</think>", -0.5),
              ("\n\n", -0.25), ("Yes", -1.0), ("<|end|>", -0.25)]  # fmt: skip
    result = score_records(tmp_path, chat(tokens, content="Yes", reasoning="It snows."))
    assert (result.surprisal, result.bytes) == (4.5, 12)
    assert codes(result) == []
    cut = chat(tokens[:3], reasoning="It snows.")
    cut["choices"][0]["message"]["content"] = None
    assert score_records(tmp_path, cut).bytes == 9


def test_a_chat_in_the_layout_of_completions(tmp_path):
    """Together's servers list tokens and token_logprobs in chats, too."""
    record = completion([("▁It", -1.0), ("▁is", -2.0), ("</s>", -0.5)])
    record["choices"][0] |= {"message": {"content": "It is"}}
    del record["choices"][0]["text"]
    result = score_records(tmp_path, record)
    assert (result.surprisal, result.bytes, codes(result)) == (3.5, 5, [])


def test_numbers_of_tokens(tmp_path):
    """The text settles all of it, offsets a part; offsets that count the names settle nothing."""
    tokens = [(f"token_id:{i}", x) for i, x in enumerate((-1.0, -2.0, -1.0, -0.5))]
    record = completion(tokens, text="Oslo is cold.")
    assert score_records(tmp_path, record).bytes == 13
    record = completion([("token_id:9", None), *tokens[1:]], text="Oslo is cold.", usage=USAGE)
    assert score_records(tmp_path, record, part="prompt").bytes is None
    logprobs = record["choices"][0]["logprobs"]
    for offsets, known in (([0, 4, 7, 12], 8), ([0, 10, 20, 30], None), ([0] * 4, None)):
        logprobs["text_offset"] = offsets
        assert score_records(tmp_path, record, part="prompt").bytes == known


def test_a_mark_before_the_text_and_one_behind_it(tmp_path):
    tokens = [("<s>", None), ("▁Hi", -1.0), ("▁you", -2.0), ("</s>", -0.25)]
    result = score_records(tmp_path, completion(tokens, text="Hi you"), part="all")
    assert (result.surprisal, result.bytes, result.unscored.bytes) == (3.25, 6, 0)
    assert codes(result) == ["unscored_tokens"]


def test_hidden_thinking_has_no_bytes(tmp_path):
    """The cost is of four tokens, the text of one: no figure is per byte."""
    tokens = [("<think>", -0.5), ("three and one", -4.0), ("</think>", -0.5), ("4", -0.25)]
    result = score_records(tmp_path, chat(tokens, content="4"))
    assert (result.surprisal, result.bytes, result.cross_entropy_per_byte) == (5.25, None, None)
    assert "'three and one' is not in the text of the response" in result.warnings[-1].message
    # Thinking that begins as the answer does.
    tokens = [("4", -1.0), *((" and", -1.0) for _ in range(6)), ("4", -0.25)]
    result = score_records(tmp_path, chat(tokens, content="4"))
    assert result.bytes is None


def test_a_stop_sequence_that_was_cut_off_is_said(tmp_path):
    record = completion([("Yes", -1.0), (".", -0.5), ("\n\nQ", -2.0)], text="Yes.")
    result = score_records(tmp_path, record)
    assert (result.surprisal, result.bytes) == (3.5, 4)
    assert codes(result) == ["tokens_without_text"]
    # A part of a token is in the text: what it lacks is said, but for space.
    for name, warned in ((".\n", []), (".)", ["tokens_without_text"])):
        record = completion([("Yes", -1.0), (name, -0.5)], text="Yes.")
        result = score_records(tmp_path, record)
        assert (result.bytes, codes(result)) == (4, warned)


def test_a_text_that_says_more_than_its_tokens(tmp_path):
    result = score_records(tmp_path, completion([("Yes", -1.0)], text="Yes, please"))
    assert result.bytes is None


def test_calls_of_tools_are_in_no_text(tmp_path):
    tokens = [("<tool_call>", -1.0), ("{}", -1.0), ("</tool_call>", -1.0)]
    record = chat(tokens, content=None, tool_calls=[{"id": "x"}])
    assert score_records(tmp_path, record).bytes is None


texts = st.text(st.sampled_from("ab cé—😊\n.<>"), min_size=1, max_size=14)


@st.composite
def pieces(draw):
    """A text cut into pieces, some of them within a character."""
    data = draw(texts).encode()
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(data) - 1)), max_size=6)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True) if a < b]


def whole(piece):
    try:
        return piece.decode()
    except UnicodeDecodeError:
        return None


WAYS = {
    "plain": lambda piece: Token(piece.decode("utf-8", "replace"), -1.0),
    "own bytes": lambda piece: Token("?", -1.0, piece),
    "byte level": lambda piece: Token("".join(LETTER_OF[byte] for byte in piece), -1.0),
    "sentencepiece": lambda piece: Token(
        "".join(f"<0x{byte:02X}>" for byte in piece)
        if whole(piece) is None and len(piece) == 1
        else piece.decode("utf-8", "replace").replace(" ", "▁"),
        -1.0,
    ),
    "escaped": lambda piece: Token(
        whole(piece) or "bytes:" + "".join(f"\\x{byte:02x}" for byte in piece), -1.0
    ),
    "alone": lambda piece: Token(piece.decode("utf-8", "replace").removeprefix(" "), -1.0),
    "number": lambda piece: Token(f"token_id:{len(piece)}", -1.0),
}


@given(pieces(), st.sampled_from(sorted(WAYS)), st.data())
def test_bytes_are_right_or_not_known(cut, way, data):
    """Of any part of any text, in any naming, where the text is given."""
    tokens = [WAYS[way](piece) for piece in cut]
    text = b"".join(cut).decode()
    start = data.draw(st.integers(0, len(cut)))
    stop = data.draw(st.integers(start, len(cut)))
    found = spelled(Passage(tokens, text), start, stop)
    if found.text is not None:
        assert found.text == b"".join(cut[start:stop])
    elif way in ("own bytes", "byte level", "escaped"):
        raise AssertionError(found.why)
    if (start, stop) == (0, len(cut)) and way != "alone":
        assert found.text == text.encode()


@pytest.mark.parametrize("names", [["", "<"], ["a", "", "<"], ["a", "", "", "<"]])
def test_a_token_without_a_name_may_be_the_space_beside_it(names):
    """Whose the space is cannot be told: the bytes of the whole are known, those of a part not."""
    passage = Passage([Token(name, -1.0) for name in names], "".join(names[:-1]) + " <")
    last = len(names) - 1
    assert spelled(passage, 0, last + 1).text == passage.text.encode()
    assert spelled(passage, last, last + 1).text is None
    assert spelled(passage, 0, last).text is None
    named = Passage([Token("▁Hi", -1.0), Token("", -1.0), Token("▁you", -1.0)], "Hi you")
    assert [spelled(named, i, i + 1).text for i in range(3)] == [b"Hi", b"", b" you"]


def test_tokens_of_unknown_spelling_are_not_counted_as_cut_off():
    tokens = [WAYS["number"](b"<")] * 7
    assert spelled(Passage(tokens, "<<<<<<<"), 0, 7).text == b"<<<<<<<"


@given(pieces(), st.data())
def test_without_a_text_bytes_are_those_of_the_names(cut, data):
    tokens = [WAYS[data.draw(st.sampled_from(["plain", "number"]))](piece) for piece in cut]
    found = spelled(Passage(tokens, None), 0, len(tokens))
    assert found.text in (None, b"".join(cut))
    json.dumps(found.why)
