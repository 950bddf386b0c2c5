"""The demo's language model: on a small library, the whole way; on this Python's, what it reads."""

import gzip
import io
import re
import sysconfig
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from plogq.demo.language_model import read_library, run_language_model
from plogq.demo.ngram import NGram
from plogq.lm import score_tokens
from plogq.score import TableError


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Forty small modules, and what is to be left out."""
    root = tmp_path_factory.mktemp("library")
    for i in range(40):
        body = "\n".join(f"    return {j} + {i}  # naïve" for j in range(i % 7 + 1))
        (root / f"module{i}.py").write_text(f"def function{i}():\n{body}\n", encoding="utf-8")
    (root / "empty.py").touch()
    for folder in ("test", "site-packages", "encodings"):
        (root / folder).mkdir()
        (root / folder / "x.py").write_text("left_out = 1\n")
    return root


@pytest.fixture(scope="module")
def demo(library, tmp_path_factory):
    text = io.StringIO()
    console = Console(file=text, width=80, highlight=False)
    path = run_language_model(tmp_path_factory.mktemp("out"), root=library, console=console)
    return path, text.getvalue()


def test_files_are_split_by_their_paths(library):
    training, held_out = read_library(library)
    names = [f.name for f in training + held_out]
    assert sorted(names) == sorted(f"module{i}.py" for i in range(40))
    assert read_library(library) == (training, held_out)
    assert 0 < len(held_out) < len(training)


def test_tokens_are_the_bytes_of_the_held_out_files(library, demo):
    training, held_out = read_library(library)
    table = pq.read_table(demo[0])
    data = b"".join(f.data for f in held_out)
    assert table.column_names == ["doc", "logprob", "bytes", "words", "characters", "token"]
    assert table.num_rows == len(data)
    model = NGram([f.data for f in training])
    expected = -model.surprisals([f.data for f in held_out]).astype(np.float32)
    np.testing.assert_array_equal(table["logprob"].to_numpy(), expected)
    result = score_tokens(demo[0])
    assert result.words == sum(len(f.data.split()) for f in held_out)
    assert result.characters == len(data.decode())
    assert result.documents == len(held_out)


def test_the_compressors_are_beside_it(library, demo):
    data = b"".join(f.data for f in read_library(library)[1])
    found = {
        name: [float(x) for x in re.search(rf"^{name} +(.*)$", demo[1], re.MULTILINE)[1].split()]
        for name in ("gzip -9", "xz -9e", "zstd -22")
    }
    assert found["gzip -9"][0] == pytest.approx(
        8 * len(gzip.compress(data, 9)) / len(data), abs=1e-4
    )
    assert all(after < alone for alone, after in found.values())
    assert f"{score_tokens(demo[0]).cross_entropy_per_byte:.4f}" in demo[1].split("8-gram model")[1]


def test_it_fits(demo):
    lines = demo[1].split("[bold]Next")[0].splitlines()
    assert max(len(line) for line in lines if "tokens.parquet" not in line) <= 80


def test_a_python_without_its_source(tmp_path):
    with pytest.raises(TableError, match=r"too few \.py files"):
        run_language_model(tmp_path, root=tmp_path)


def test_this_library_has_enough():
    training, held_out = read_library(Path(sysconfig.get_paths()["stdlib"]))
    assert (
        sum(len(f.data) for f in training) > 10 * sum(len(f.data) for f in held_out) / 2 > 500_000
    )
    assert {"test", "site-packages"}.isdisjoint(x for f in training for x in f.name.split("/"))
