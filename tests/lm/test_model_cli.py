"""`plogq lm --model` in this process: what it prints, writes and refuses."""

import json
import sys

import pytest

from plogq.cli import main
from plogq.compare import compare
from plogq.lm import load_model, score_model, score_tokens
from tests.lm.models import library, tiny, tokenizer

SOURCE = library(1).popitem()[1]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("Llama", "Qwen2"):
        tiny(name).save_pretrained(name)
        tokenizer(bos=True).save_pretrained(name)
    texts = [{"text": SOURCE[i : i + 50], "name": f"n{i}"} for i in range(0, 1500, 50)]
    (tmp_path / "texts.jsonl").write_text("\n".join(map(json.dumps, texts)))
    (tmp_path / "a.txt").write_text(SOURCE[:100])
    (tmp_path / "b.md").write_text(SOURCE[100:200])
    return tmp_path


def run(capsys, monkeypatch, *words):
    """Give the status, what was printed and what was said."""
    monkeypatch.setattr(sys, "argv", ["plogq", "lm", *words])
    try:
        main()
        status = 0
    except SystemExit as end:
        status = end.code
    return status, *capsys.readouterr()


def test_report_json_and_save(folder, capsys, monkeypatch):
    words = "--model Llama texts.jsonl --doc name --context 20 --stride 7 --unit nat --bos first"
    words += " --json out.json --save t.parquet --dtype float64 --device cpu --batch-tokens 64"
    status, out, err = run(capsys, monkeypatch, *words.split())
    assert (status, err) == (0, "")
    assert "nats per byte" in out
    flat = " ".join(out.split())
    assert "JSON, scored by Llama (float64). Windows of 20 tokens" in flat
    assert "The first window of a document begins with <s>" in flat
    texts = {
        each["name"]: each["text"]
        for each in map(json.loads, (folder / "texts.jsonl").read_text().splitlines())
    }
    model, words = load_model("Llama", dtype="float64")
    same = score_model(model, words, texts, context=20, stride=7, unit="nat", bos="first",
                       batch_tokens=64)  # fmt: skip
    found = json.loads((folder / "out.json").read_text())
    assert found["surprisal"] == same.surprisal
    assert found["intervals"]["cross_entropy_per_byte"] == list(
        same.intervals["cross_entropy_per_byte"]
    )
    assert score_tokens("t.parquet", unit="nat").surprisal == same.surprisal


def test_files_of_text_and_two_models(folder, capsys, monkeypatch):
    for name in ("Llama", "Qwen2"):
        words = f"--model {name} a.txt b.md --save {name}.parquet".split()
        status, out, err = run(capsys, monkeypatch, *words)
        assert (status, err) == (0, "")
        assert "a.txt and 1 more" in out
    result = compare("Llama.parquet", "Qwen2.parquet")
    assert result.per == "byte"
    assert run(capsys, monkeypatch, "Llama.parquet")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("a.txt b.md", "b.md: one argument too many (several texts go with --model)"),
        ("a.txt --context 8", "--context goes with --model"),
        ("a.txt --save t.parquet", "--save goes with --model"),
        ("a.txt --trust-remote-code", "--trust-remote-code goes with --model"),
        ("--model Llama a.txt --part all", "--part does not go with --model, which reads texts"),
        ("--model Llama a.txt --logprob lp", "--logprob does not go with --model"),
        ("--model Llama a.txt --context 0", "argument --context: must be 1, 2, 3, …, not '0'"),
        ("--model Llama a.txt --bos maybe", "argument --bos: invalid choice"),
        ("--model Llama", "the following arguments are required: TOKENS"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_usage(words, said, capsys, monkeypatch):
    status, out, err = run(capsys, monkeypatch, *words.split())
    assert (status, out) == (2, "")
    assert said in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--model none a.txt", "plogq: model none: no such folder"),
        ("--model Llama none.txt", "plogq: none.txt: no such file or folder"),
        ("--model Llama a.txt --save t.csv", "plogq: save must end in .parquet; got t.csv"),
        ("--model Llama a.txt --save a.txt", "this command reads or writes it already"),
        ("--model Llama a.txt --context 49", "context must be at most 48, the positions that the"),
        ("--model Llama texts.jsonl --column body", "no column 'body' (--column names the one"),
        ("--model Llama texts.jsonl --doc body", "no column 'body' (--doc names the one"),
        ("--model Llama a.txt a.txt", "two documents are called 'a.txt'"),
        ("--model Llama a.txt --device toaster", "device must be one that torch can use here"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_bad_input_is_one_line(words, said, capsys, monkeypatch):
    status, out, err = run(capsys, monkeypatch, *words.split())
    assert (status, out) == (1, "")
    assert said in err
    assert err.count("\n") == 1
