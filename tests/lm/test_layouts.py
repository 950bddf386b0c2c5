"""JSON in every layout is the same records."""

import bz2
import gzip
import json

import pytest

from plogq.lm import score_tokens
from plogq.score import TableError
from tests.lm.records import WRITTEN, chat, completion, score_records, write

RECORDS = [completion(WRITTEN, name="a"), completion(WRITTEN[:2], name="b")]
LINES = [json.dumps(record) for record in RECORDS]
EXPECTED = (2, 6, 18 + 8, 4.25 + 2.5)


def figures(result):
    return result.documents, result.tokens, result.bytes, result.surprisal


LAYOUTS = {
    "lines": "\n".join(LINES),
    "blank lines": "\n\n" + "\n\n".join(LINES) + "\n\n",
    "carriage returns": "\r\n".join(LINES) + "\r\n",
    "a byte order mark": "\ufeff" + "\n".join(LINES),
    "indented": "\n".join(json.dumps(record, indent=2) for record in RECORDS),
    "a list": json.dumps(RECORDS),
    "an indented list": json.dumps(RECORDS, indent=1),
    "lists of lists": json.dumps([[record] for record in RECORDS], indent=1),
    "a list in a line": "\n".join(f"[{line}]" for line in LINES),
    "events": "".join(f"data: {line}\n\n" for line in LINES),
    "events without blanks": "".join(f"data:{line}\n" for line in LINES) + "data:[DONE]",
}


@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("name", ["x.jsonl", "x.json", "x.ndjson.gz", "x.sse.bz2"])
def test_layouts(text, name, tmp_path):
    data = text.encode()
    pack = {"gz": gzip.compress, "z2": bz2.compress}.get(name[-2:], lambda x: x)
    (tmp_path / name).write_bytes(pack(data))
    assert figures(score_tokens(tmp_path / name, unit="nat")) == EXPECTED


def test_a_folder(tmp_path):
    """Its files in their order; hidden ones, unfinished ones and settings are none of it."""
    for i, record in enumerate(RECORDS):
        write(tmp_path, record, name=f"part-{i}.jsonl")
    for name in (".ipynb_checkpoints", "_temporary"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, RECORDS[0])
    (tmp_path / "settings.json").write_text('{\n "model": "m"\n}')
    result = score_tokens(tmp_path, unit="nat")
    assert figures(result) == EXPECTED
    assert [d.doc for d in result.worst_documents] == ["part-1: b", "part-0: a"]
    hidden = [str(tmp_path / name / "x.jsonl") for name in (".ipynb_checkpoints", "_temporary")]
    assert result.source.left_out == (*hidden, str(tmp_path / "settings.json"))
    (tmp_path / "again").symlink_to(tmp_path)
    assert figures(score_tokens(tmp_path, unit="nat")) == EXPECTED
    (tmp_path / "one").mkdir()
    write(tmp_path / "one", RECORDS[0], name="x.json")
    assert score_tokens(tmp_path / "one").worst_documents[0].doc == "a"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"a": \n', "line 2: is not JSON: Expecting value"),
        (b'{\n "a": 1,\n "b": }\n', "line 3: is not JSON: Expecting value"),
        (b'{"a": }\n{"b": 1}\n', "line 1: is not JSON: Expecting value"),
        (b'data: {"a": 1\n\n', "line 1: is not JSON"),
        (b'[{"choices": []}, 3]', r"line 1: must hold a JSON object; got \[\{'choices'"),
        (b"3\n", "line 1: must hold a JSON object; got 3"),
        (b'[\n{"a": "\xe9"}\n]', "is not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "must be UTF-8; got UTF-16"),
        (b"[" * 100_000, "is not JSON"),
        (b"9" * 5000, "is not JSON"),
    ],
)
def test_what_is_no_json(data, message, tmp_path):
    path = tmp_path / "x.json"
    path.write_bytes(data)
    with pytest.raises(TableError, match=message) as caught:
        score_tokens(path)
    assert "\n" not in str(caught.value)


def test_nothing(tmp_path):
    for text in ("", "\n", "[]", "data: [DONE]\n"):
        (tmp_path / "x.json").write_text(text)
        with pytest.raises(TableError, match=r"x\.json: no tokens to score"):
            score_tokens(tmp_path / "x.json")
    (tmp_path / "empty").mkdir()
    with pytest.raises(TableError, match="must be"):
        score_tokens(tmp_path / "empty")


def test_a_log_of_another_ending(tmp_path):
    """What a command has written to a file, which nothing takes for a table."""
    path = tmp_path / "answers.log"
    path.write_text("".join(f"data: {line}\n\n" for line in LINES) + "data: [DONE]\n")
    assert figures(score_tokens(path, unit="nat")) == EXPECTED
    path.write_text("nothing of this kind\n")
    with pytest.raises(TableError, match="must be"):
        score_tokens(path)


def test_a_name_that_is_no_text(tmp_path):
    """Half of a pair of surrogates is JSON, and no character."""
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(chat(WRITTEN, name="x\ud83d")))
    assert score_tokens(path).worst_documents[0].doc == "x?"


def test_a_broken_end_names_its_line(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(LINES[0] + "\n" + LINES[1][:-9])
    with pytest.raises(TableError, match="line 2: is not JSON"):
        score_tokens(path)


def test_read_in_pieces_of_any_size(tmp_path, monkeypatch):
    from plogq.tables import json_records

    whole = score_records(tmp_path, *RECORDS).to_json()
    for size in (1, 7, 64):
        monkeypatch.setattr(json_records, "READ_BYTES", size)
        assert score_records(tmp_path, *RECORDS).to_json() == whole
