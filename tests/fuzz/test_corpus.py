"""What fuzzing found stays found, and a few inputs of each kind are tried in each run.

`corpus/refused` has files that once ended the process, gave numbers from beyond their memory, or
raised an error of another library; `corpus/native` has inputs of the native code that reach all of
it. `make fuzz` tries many more.
"""

import os
import random
import shutil
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plogq.errors import TableError
from plogq.score import score
from tests.fuzz import answers, logs, tables
from tests.fuzz.judge import Wrong, check_refusal
from tests.lm.records import WRITTEN, gemini, score_records

CORPUS = Path(__file__).parent / "corpus"
ROOT = Path(__file__).parents[2]
TARGETS = {**tables.TARGETS, **logs.TARGETS, **answers.TARGETS}
FEW = 6


@pytest.mark.parametrize("path", sorted((CORPUS / "refused").iterdir()), ids=lambda p: p.name)
def test_what_was_found_is_refused_in_one_line(path):
    with pytest.raises(TableError) as caught:
        score(path, bootstrap=0)
    assert check_refusal(caught.value) == "refused"
    assert path.name in str(caught.value)


@pytest.mark.parametrize("name", TARGETS)
def test_a_few_inputs(name, tmp_path):
    for number in range(FEW):
        for old in tmp_path.iterdir():
            old.unlink()
        came = TARGETS[name](random.Random(f"{name}:{number}"), tmp_path)
        assert came.split(":")[0] in ("refused", "right", "unchecked")


def test_a_damaged_page_is_refused_by_its_checksum(tmp_path):
    """A bit of a number is changed: only the checksum can tell."""
    file = tmp_path / "x.parquet"
    rows = pa.table({"label": [0, 1] * 50, "logits": [[0.5, float(i)] for i in range(100)]})
    pq.write_table(rows, file, compression="none", use_dictionary=False, write_page_checksum=True)
    data = bytearray(file.read_bytes())
    at = data.index(bytes(pa.array([37.0]).buffers()[1])[:8])
    data[at + 6] ^= 1
    file.write_bytes(data)
    with pytest.raises(TableError, match=r"not a readable Parquet file: .*CRC"):
        score(file)


def test_numbers_too_small_to_be_rounded_warn_of_nothing():
    found = score({"probs": [[1.0, 1e-320], [0.75, 0.25]], "labels": [0, 1]}, bootstrap=0)
    assert found.cross_entropy == 1.0


@pytest.mark.parametrize("parts", [True, 1.5, "x", {"text": "x"}])
def test_an_answer_of_gemini_whose_parts_are_no_list(parts, tmp_path):
    record = gemini(WRITTEN)
    record["candidates"][0]["content"]["parts"] = parts
    assert score_records(tmp_path, record).tokens == len(WRITTEN)


@pytest.mark.parametrize("others", [True, 1.5, "x"])
def test_an_answer_of_gemini_whose_candidates_are_no_list(others, tmp_path):
    record = gemini(WRITTEN)
    record["candidates"][0]["logprobsResult"]["topCandidates"][0]["candidates"] = others
    with pytest.raises(TableError, match=r"topCandidates\[0\].candidates must be a list"):
        score_records(tmp_path, record)


def test_a_reader_that_is_wrong_is_found(tmp_path, monkeypatch):
    """The plain readers can tell: here plogq takes the first class for the label."""
    plain = tables.cost

    def wrong(path):
        rows, costs = plain(path)
        return rows, [[cost[0] + 1e-6] for cost in costs]

    monkeypatch.setattr(tables, "cost", wrong)
    with pytest.raises(Wrong, match="a plain reader says"):
        [tables.TARGETS["csv"](random.Random(number), tmp_path) for number in range(40)]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which(os.environ.get("CXX", "c++")) is None, reason="no compiler")
def test_the_native_code_takes_what_was_kept(tmp_path):
    program = tmp_path / "replay"
    command = [os.environ.get("CXX", "c++"), "-std=c++20", "-O1", "-ffp-contract=off",
               "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-DPLOGQ_REPLAY",
               "-I", ROOT / "native", CORPUS.parent / "native.cpp", "-o", program]  # fmt: skip
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode and "san" in built.stderr:
        pytest.skip("the compiler has no sanitizers")
    assert built.returncode == 0, built.stderr
    files = sorted((CORPUS / "native").iterdir())
    ran = subprocess.run([program, *files], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, f"{len(files)} inputs\n"), ran.stderr
