"""`plogq lm` in its own process: exit statuses, streams, files."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from plogq.lm import score_tokens
from tests.lm.corpora import corpus, table

DATA = Path(__file__).parent / "data"


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-c", "from plogq.cli import main; main()", "lm", *map(str, arguments)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture
def tokens(tmp_path):
    path = tmp_path / "tokens.parquet"
    pq.write_table(table(corpus(1)), path)
    return path


def test_report_and_json(tokens, tmp_path):
    out = tmp_path / "out.json"
    done = run(tokens, "--unit", "nat", "--top", 3, "--seed", 2, "--json", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert "nats per byte" in done.stdout
    expected = score_tokens(tokens, unit="nat", top=3, seed=2)
    assert out.read_text() == expected.to_json() + "\n"
    assert list(json.loads(out.read_text())) == [
        "schema", "source", "unit", "documents", "tokens", "words", "characters", "bytes",
        "unscored", "zero_probability_tokens", "surprisal", "surprisal_finite",
        "cross_entropy_per_token", "cross_entropy_per_word", "cross_entropy_per_character",
        "cross_entropy_per_byte", "perplexity_per_token", "perplexity_per_word",
        "perplexity_per_byte", "intervals", "worst_documents", "surprises", "warnings",
    ]  # fmt: skip
    assert json.loads(out.read_text())["source"]["columns"] == {
        "doc": "doc", "logprob": "logprob", "bytes": "bytes", "words": "words",
        "characters": "characters", "token": "token",
    }  # fmt: skip


def test_json_on_standard_output():
    done = run(DATA / "vllm_echo.jsonl", "--json", "-")
    assert json.loads(done.stdout)["tokens"] == 6


def test_named_columns(tokens, tmp_path):
    other = tmp_path / "other.parquet"
    names = {"doc": "file", "logprob": "lp", "bytes": "size"}
    pq.write_table(pq.read_table(tokens).rename_columns(names), other)
    done = run(other, "--doc", "file", "--logprob", "lp", "--bytes", "size", "--json", "-")
    assert json.loads(done.stdout)["bytes"] == score_tokens(tokens).bytes


def test_part(tmp_path):
    path = tmp_path / "x.jsonl"
    choice = {"text": "ab", "logprobs": {"tokens": ["a", "b"], "token_logprobs": [None, -1.0]}}
    path.write_text(json.dumps({"id": "x", "choices": [choice]}))
    assert run(path).returncode == 1
    assert run(path, "--part", "all").returncode == 0


def test_bad_input_is_one_line_and_status_1(tmp_path):
    done = run(tmp_path / "none.parquet")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"plogq: {tmp_path}/none.parquet: no such file or folder\n"


def test_usage():
    assert run("t", "--part", "middle").returncode == 2
    shown = run("--help").stdout
    for field in ("token_logprobs", "prompt_logprobs", "filtered_resps", "byte_perplexity"):
        assert field in shown
    assert max(map(len, shown.splitlines())) <= 80
