"""What a file is, by its ending, by what it is packed in, or by its first bytes."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plogq.score import TableError, score
from plogq.tables.formats.registry import FORMATS, SAID, WRITERS, ending_of
from tests.tables.written import PACKERS, zipped

TEXT = b"label,prob_a,prob_b\na,.5,.5\nb,.75,.25\n"
LINES = (
    b'{"label": "a", "prob_a": 0.5, "prob_b": 0.5}\n'
    b'{"label": "b", "prob_a": 0.75, "prob_b": 0.25}\n'
)
COST = (0.6931471805599453 + 1.3862943611198906) / 2


def nats(path):
    return score(path, unit="nat", bootstrap=0).cross_entropy


def refused(path, *said):
    with pytest.raises(TableError) as caught:
        score(path, bootstrap=0)
    for words in said:
        assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("packed", list(PACKERS))
@pytest.mark.parametrize("end", [".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json"])
def test_every_text_in_every_packing(end, packed, tmp_path):
    data = LINES if "j" in end else TEXT.replace(b",", b"\t") if end == ".tsv" else TEXT
    path = tmp_path / f"T{end.upper()}{packed}"
    path.write_bytes(PACKERS[packed](data))
    assert nats(path) == pytest.approx(COST)
    assert ending_of(path.name) == end + packed


@pytest.mark.parametrize("packed", list(PACKERS))
def test_a_packing_is_known_by_its_bytes_whatever_the_name(packed, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(PACKERS[packed](TEXT))
    assert nats(path) == pytest.approx(COST)
    (tmp_path / "t.csv.gz").write_bytes(TEXT)  # unpacked on the way
    assert nats(tmp_path / "t.csv.gz") == pytest.approx(COST)


@pytest.mark.parametrize("packed", [".gz", ".bz2", ".zst"])
def test_packed_parts_one_after_the_other(packed, tmp_path):
    first, second = TEXT[:28], TEXT[28:]
    path = tmp_path / f"t.csv{packed}"
    path.write_bytes(PACKERS[packed](first) + PACKERS[packed](second))
    assert nats(path) == pytest.approx(COST)


@pytest.mark.parametrize("packed", [end for end in PACKERS if end])
def test_what_is_cut_short_is_refused(packed, tmp_path):
    path = tmp_path / f"t.csv{packed}"
    noise = np.random.default_rng(0).random(20_000)
    rows = "".join(f"a,{p!r},{1 - p!r}\n" for p in noise.tolist()).encode()
    path.write_bytes(PACKERS[packed](TEXT + rows)[:-40])
    refused(path, "not a readable CSV file")


def test_an_archive_must_hold_one_table(tmp_path):
    path = tmp_path / "t.zip"
    path.write_bytes(zipped(LINES, "p.jsonl"))
    assert nats(path) == pytest.approx(COST)
    path.write_bytes(zipped(b"", "notes.md"))
    refused(path, ".csv", "another ending")
    path.write_bytes(zipped(b"PAR1", "p.parquet"))
    refused(path, "zip://p.parquet::FILE", "p.parquet")
    path.write_bytes(zipped(b"", "xl/workbook.xml"))
    refused(path, "saved as CSV")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", TEXT)
        archive.writestr("__MACOSX/._a.csv", b"\0")
        archive.writestr(".DS_Store", b"\0")
    assert nats(path) == pytest.approx(COST)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("b.csv", TEXT)
    refused(path, "hold one file", "zip://NAME::FILE", "a.csv, b.csv")
    with zipfile.ZipFile(path, "w") as archive:
        pass
    refused(path, "t.zip")
    damaged = bytearray(zipped(TEXT * 2000))
    damaged[100] ^= 255
    path.write_bytes(damaged)
    refused(path, "t.zip")


def test_a_file_of_unknown_ending_is_known_by_its_first_bytes(tmp_path):
    table = pa.table({"label": ["a", "b"], "prob_a": [0.5, 0.75], "prob_b": [0.5, 0.25]})
    pq.write_table(table, tmp_path / "part-00000")
    with pa.ipc.new_file(tmp_path / "model.out", table.schema) as writer:
        writer.write_table(table)
    with pa.ipc.new_stream(tmp_path / "stream", table.schema) as writer:
        writer.write_table(table)
    np.savez(tmp_path / "arrays.npz", probs=np.array([[0.5, 0.5], [0.75, 0.25]]), label=[0, 1])
    (tmp_path / "arrays.npz").rename(tmp_path / "arrays.dat")
    for name in ("part-00000", "model.out", "stream", "arrays.dat"):
        assert nats(tmp_path / name) == pytest.approx(COST)
    for data in (TEXT, b"", b"\x89HDF\r\n\x1a\n", b"\x80\x04."):
        (tmp_path / "x.dat").write_bytes(data)
        refused(tmp_path / "x.dat", "x.dat must be (or hold) a table", SAID, "in Python")


def test_a_pipe_and_a_name_that_is_no_text(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    refused(tmp_path / "pipe.csv", "read more than once", "a pipe")
    refused("/dev/null", "a pipe or a device")
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.csv")
    Path(name).write_bytes(TEXT)
    refused(name, "its name is not UTF-8: rename it")
    refused(tmp_path, "holds a file whose name is not UTF-8")


def test_the_list_of_endings_is_one():
    assert set(WRITERS) < set(FORMATS)
    for end in SAID.replace("; text also with", ",").split(", "):
        assert any(end in known for known in FORMATS)
