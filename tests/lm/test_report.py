"""The report fits, and nothing of the table steers the terminal."""

import io
import re

import pyarrow as pa
import pytest
from rich.console import Console

from plogq.lm import score_tokens
from plogq.reports.findings.lm import findings
from plogq.reports.numbers import UNKNOWN
from plogq.reports.terminal.lm import PARTS, print_report
from plogq.tables.sums.level import PERCENT
from tests.lm.corpora import corpus, table
from tests.lm.records import ASKED, WRITTEN, request_output, write


def shown(result, width=80):
    out = io.StringIO()
    print_report(result, Console(file=out, width=width, highlight=False))
    return out.getvalue()


def test_the_figures_are_told():
    result = score_tokens(table(corpus(2)))
    text = shown(result)
    assert f"\nHow good: {result.cross_entropy_per_byte:.4f} bits per byte\n" in text
    low, high = (f"{end:.4f}" for end in result.intervals["cross_entropy_per_byte"])
    assert f"{PERCENT} interval: {low} to {high} bits per byte, over 12 documents" in text
    for of in ("byte", "character", "token", "word"):
        cost = getattr(result, f"cross_entropy_per_{of}")
        assert re.search(rf"^{of} .*{cost:.4f}", text, re.MULTILINE), text
    for _, cost, perplexity in PARTS.values():
        low, high = (f"{end:.4f}" for end in result.intervals[cost])
        ends = UNKNOWN if perplexity is None else f"{getattr(result, perplexity):.4f}"
        assert re.search(rf"{low} to {high} +{ends}$", text, re.MULTILINE), text
    assert {key for part in PARTS.values() for key in part[1:] if key} == {
        key for key in vars(result) if "_per_" in key
    }
    assert result.worst_documents[0].doc in text
    assert "first tokens of documents have no logprob" in text


@pytest.mark.parametrize("width", [80, 60])
def test_it_fits(width):
    rows = [row | {"doc": "very/long/path/" * 5 + row["doc"]} for row in corpus(2)]
    lines = shown(score_tokens(table(rows)), width).splitlines()
    assert max(map(len, lines[2:])) <= width


def test_names_cannot_steer_the_terminal():
    data = {"doc": ["[red]\x1b[31m", "b"], "logprob": [-1.0, -2.0], "bytes": [1, 1],
            "token": ["\x1b]0;x\x07", "[bold]"]}  # fmt: skip
    text = shown(score_tokens(pa.table(data)))
    assert "\x1b" not in text
    assert "[red]\\x1b[31m" in text
    assert "'[bold]'" in text


@pytest.mark.parametrize("columns", [{}, {"words": [1, 1]}])
def test_without_bytes(columns):
    data = {"doc": ["a", "b"], "logprob": [-1.0, -2.0]} | columns
    text = shown(score_tokens(pa.table(data)))
    assert "bits per token" in text
    assert not re.search(r"^byte ", text, re.MULTILINE)
    assert "0.0000" not in text


def test_it_says_how_a_log_was_read(tmp_path):
    """Whose it is, which part counts, what was left out; a warning of all of it counts nothing."""
    write(tmp_path, request_output(ASKED, WRITTEN), name="a.jsonl")
    (tmp_path / "settings.json").write_text("{}")
    text = shown(score_tokens(tmp_path, part="prompt"))
    said = "1 document, 2 tokens, 6 bytes; JSON, vLLM RequestOutputs, the prompt; not read:"
    assert said in " ".join(text.split())
    assert "settings.json" in text.replace("\n", "")
    data = pa.table({"doc": ["a"], "log2prob": [-1.0], "bytes": [2]})
    text = " ".join(shown(score_tokens(data, logprob="log2prob")).split())
    assert "'log2prob' sounds like logarithms to another base: they must be natural" in text
    assert "they must be natural (" not in text


def test_how_a_table_was_read_stands_at_the_head(tmp_path):
    (tmp_path / "a.csv").write_text("doc;logprob;bytes\na;-1,5;1\nb;-1;3\n")
    (tmp_path / "a.txt").write_text("doc;logprob;bytes\nc;0;1\n")
    result = score_tokens(tmp_path / "a.csv", unit="nat", bootstrap=0)
    said = "Read with ';' between columns and ',' as decimal mark."
    assert said in result.source.notes
    text = " ".join(shown(result).split())
    assert text.index(said) < text.index("0.6250 nats per byte")


def test_what_a_folder_of_tables_may_hold_twice_is_said(tmp_path):
    (tmp_path / "a.csv").write_text("doc,logprob,bytes\na,-1.5,1\n")
    (tmp_path / "a.tsv").write_text("doc\tlogprob\tbytes\nb\t-1\t3\n")
    result = score_tokens(tmp_path, bootstrap=0)
    assert any("several endings" in warning.message for warning in result.warnings)
    text = shown(result)
    assert text.index("several endings") < text.index("bits per byte")


def test_how_the_file_was_read_is_said_in_whole_sentences():
    result = score_tokens({"doc": ["a", "b"], "logprob": [-1.0, -2.0]})
    assert ". 'logprob' is taken for natural logarithms." in findings(result).source.text
