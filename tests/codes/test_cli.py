"""plogq code, as a command."""

import importlib.util
import os
import re
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from plogq.codes import compress, compress_bytes
from plogq.codes.files import code_labels, decode_labels
from plogq.reports.numbers import percent
from plogq.tables.formats.registry import FORMATS, WRITERS, ending_of

MAIN = "from plogq.cli import main; main()"
TEXT = b"How much wood would a woodchuck chuck if a woodchuck could chuck wood? " * 40


def plogq(*arguments, cwd, columns=80):
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "code", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        check=False,
        env=os.environ | {"COLUMNS": str(columns)},
    )
    if b"needs constriction" in done.stderr and not importlib.util.find_spec("constriction"):
        pytest.skip("constriction is not installed")
    return done


def predictions(rows=200, seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.standard_normal((rows, 3)).astype(np.float32)
    labels = np.array(["cat", "dog", "owl"])[logits.argmax(axis=1)]
    return logits, labels


@pytest.fixture
def folder(tmp_path):
    logits, labels = predictions()
    columns = {f"logit_{name}": logits[:, j] for j, name in enumerate(("cat", "dog", "owl"))}
    parquet.write_table(pa.table(columns | {"label": labels}), tmp_path / "p.parquet")
    parquet.write_table(pa.table(columns), tmp_path / "unlabelled.parquet")
    parquet.write_table(
        pa.table(columns | {"label": labels}).slice(0, 199), tmp_path / "shorter.parquet"
    )
    (tmp_path / "wood.txt").write_bytes(TEXT)
    return tmp_path


def test_a_file_and_back(folder):
    run = plogq("wood.txt", "--out", "wood.plq", cwd=folder)
    assert (run.returncode, run.stderr) == (0, b"")
    report = run.stdout.decode()
    size = (folder / "wood.plq").stat().st_size
    assert f"{size:,} bytes at order" in report
    assert size < 400
    for said in ("entropy", "as coded", "gzip -9", "xz -9e", "zstd -19", "Huffman", "entropy rate"):
        assert said in report
    assert max(map(len, report.splitlines())) <= 80
    run = plogq("wood.plq", "--decode", "--out", "back.txt", cwd=folder)
    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")
    assert (folder / "back.txt").read_bytes() == TEXT
    assert plogq("wood.plq", "--decode", "--out", "-", cwd=folder).stdout == TEXT
    assert sorted(path.name for path in folder.iterdir() if path.name[0] == ".") == []


@pytest.mark.parametrize("out", ["-", "/dev/stdout"])
def test_standard_output_holds_the_code_and_nothing_else(folder, out):
    run = plogq("wood.txt", "--order", 2, "--out", out, cwd=folder)
    assert run.stdout == compress_bytes(TEXT, order=2)
    assert b"bytes at order 2" in run.stderr
    (folder / "wood.plq").write_bytes(run.stdout)
    with (folder / "log").open("ab") as log:  # what is there already stays
        log.write(b"before")
        log.flush()
        program = [sys.executable, "-c", MAIN, "code", "wood.plq", "--decode", "--out", out]
        subprocess.run(program, cwd=folder, stdout=log, check=True)
    assert (folder / "log").read_bytes() == b"before" + TEXT


def test_an_order_of_ones_own(folder):
    run = plogq("wood.txt", "--order", 1, "--out", "one.plq", cwd=folder)
    assert b"at order 1" in run.stdout
    assert (folder / "one.plq").read_bytes() == compress_bytes(TEXT, order=1)


def test_an_empty_file(folder):
    (folder / "empty").write_bytes(b"")
    assert plogq("empty", "--out", "empty.plq", cwd=folder).returncode == 0
    assert plogq("empty.plq", "--decode", "--out", "-", cwd=folder).stdout == b""


@pytest.mark.parametrize("out", [f"l{end}" for end in WRITERS])
def test_labels_and_back(folder, out):
    run = plogq("p.parquet", "--label", "label", "--out", "l.plq", cwd=folder)
    assert (run.returncode, run.stderr) == (0, b"")
    report = run.stdout.decode()
    assert "200 rows, 3 classes; logits logit_*, label label" in report
    logits, labels = predictions()
    index = np.searchsorted(["cat", "dog", "owl"], labels)
    data, length = compress(index, logits, kind="logits")
    assert (folder / "l.plq").read_bytes() == data
    assert f"{len(data):,} bytes, {percent(length.overhead)} above the cross-entropy" in report
    assert max(map(len, report.splitlines())) <= 80
    run = plogq("l.plq", "--decode", "--under", "unlabelled.parquet", "--out", out, cwd=folder)
    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")
    readers = {"CSV": csv.read_csv, "Parquet": parquet.read_table, "Arrow": read_arrow}
    back = readers[FORMATS[ending_of(out)].format](folder / out)
    assert back.column("label").to_pylist() == labels.tolist()


def read_arrow(path):
    with pa.ipc.open_file(path) as file:
        return file.read_all()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["missing"], 1, "missing: No such file or directory"),
        (["wood.txt", "--label", "label"], 1, "wood.txt: no rows"),
        (["l.plq", "--label", "label"], 1, "must be (or hold) a table"),
        (["p.parquet", "--label", "nose"], 1, "no column 'nose'"),
        (["wood.txt", "--decode", "--out", "x"], 1, "wood.txt: data must begin with"),
        (["bad.plq", "--decode", "--out", "x"], 1, "bad.plq: data is damaged or cut short"),
        (["l.plq", "--decode", "--out", "x"], 1, "l.plq: data is a code of labels under a table"),
        (
            ["l.plq", "--decode", "--under", "shorter.parquet", "--out", "x.csv"],
            1,
            "l.plq: data holds 200 labels, and 199 were decoded",
        ),
        (
            ["l.plq", "--decode", "--under", "other.parquet", "--out", "x.csv"],
            1,
            "l.plq: data was made with other predictions",
        ),
        (
            ["l.plq", "--decode", "--under", "p.parquet", "--out", "x.txt"],
            1,
            "--out must end in one of .parquet, .pq, .csv, .csv.gz, .arrow,",
        ),
        (
            ["l.plq", "--decode", "--under", "p.parquet", "--out", "-"],
            1,
            "--out must end in",
        ),
        (["zero.parquet", "--label", "label"], 1, "zero.parquet: labels must have probability"),
        (["wood.txt", "--decode"], 2, "--decode needs --out"),
        (["wood.txt", "--classes", "a,b"], 2, "--classes needs --label"),
        (["wood.txt", "--escape"], 2, "--escape needs --label"),
        (["p.parquet", "--label", "label", "--order", "1"], 2, "--order goes with a file"),
        (["wood.txt", "--under", "p.parquet"], 2, "--under goes with --decode"),
        (["missing", "--order", "9"], 1, "order must be 0 to 6"),  # before any work
        (
            ["missing", "--out", "nowhere/x.plq"],
            1,
            "nowhere/x.plq: cannot be written: there is no folder",
        ),
        (
            ["missing", "--decode", "--under", "p.parquet", "--out", "x.txt"],
            1,
            "--out must end in",
        ),
        (
            ["l.plq", "--decode", "--under", "p.parquet", "--probs", "q", "--out", "x.csv"],
            1,
            "its columns are logit_cat, logit_dog, logit_owl, label, (no label)",
        ),
        (["wood.txt", "--order", "9"], 1, "order must be 0 to 6; got 9"),
    ],
)
def test_what_goes_wrong_is_one_line_and_leaves_no_file(folder, arguments, status, message):
    logits, labels = predictions()
    index = np.searchsorted(["cat", "dog", "owl"], labels)
    data, _ = compress(index, logits, kind="logits")
    (folder / "l.plq").write_bytes(data)
    (folder / "bad.plq").write_bytes(data[:-9])
    names = ("cat", "dog", "owl")
    swapped = {f"logit_{name}": logits[:, (j + 1) % 3] for j, name in enumerate(names)}
    parquet.write_table(pa.table(swapped), folder / "other.parquet")
    zero = {"prob_a": [0.0, 0.5], "prob_b": [1.0, 0.5], "label": ["a", "b"]}
    parquet.write_table(pa.table(zero), folder / "zero.parquet")
    before = sorted(folder.iterdir())
    run = plogq(*arguments, cwd=folder)
    assert run.returncode == status
    said = run.stderr.decode()
    assert message in said.replace("\n", " ")
    assert status == 2 or said.count("\n") == 1
    assert sorted(folder.iterdir()) == before


def test_escaped_labels_are_counted(folder):
    zero = {"prob_a": [0.0, 0.5, 0.5], "prob_b": [1.0, 0.5, 0.5], "label": ["a", "b", "a"]}
    parquet.write_table(pa.table(zero), folder / "zero.parquet")
    run = plogq("zero.parquet", "--label", "label", "--escape", "--out", "z.plq", cwd=folder)
    assert run.returncode == 0
    assert "without 1 row of probability 0" in run.stdout.decode()
    done = plogq("z.plq", "--decode", "--under", "zero.parquet", "--out", "z.csv", cwd=folder)
    assert done.returncode == 0
    assert (folder / "z.csv").read_text().split() == ['"label"', '"a"', '"b"', '"a"']


@pytest.mark.parametrize("kind", ["logits", "probs", "logprobs"])
def test_binary_columns_and_bare_lists(kind):
    rng = np.random.default_rng(0)
    x = rng.random(50) if kind == "probs" else -rng.random(50)
    labels = rng.integers(0, 2, 50)
    table = pa.table({kind: x, "label": labels, "label_": labels})
    report = code_labels(table, label="label")
    assert report.counts.tolist() == np.bincount(labels).tolist()
    assert decode_labels(report.data, table.drop(["label"])).to_pylist() == labels.tolist()
    lists = pa.table({"probs": rng.dirichlet(np.ones(4), 50).tolist(), "label": labels})
    report = code_labels(lists)
    assert decode_labels(report.data, lists).to_pylist() == labels.tolist()


def test_several_files_are_one_table(folder):
    whole = parquet.read_table(folder / "p.parquet")
    (folder / "parts").mkdir()
    for i, start in enumerate((0, 50, 51)):
        stop = (50, 51, 200)[i]
        parquet.write_table(whole.slice(start, stop - start), folder / "parts" / f"{i}.parquet")
    parts = code_labels(str(folder / "parts"))
    assert parts.data == code_labels(whole).data
    assert plogq("parts", "--label", "label", cwd=folder).stdout.count(b"and 2 more") == 1


@pytest.mark.parametrize("columns", [40, 60, 200])
def test_reports_fit_the_terminal(folder, columns):
    for arguments in (["wood.txt"], ["p.parquet", "--label", "label"]):
        report = plogq(*arguments, cwd=folder, columns=columns).stdout.decode()
        tables = [line for line in report.splitlines() if re.search(r"\d {2,}\d", line)]
        assert tables
        assert max(map(len, tables)) <= columns


def test_probabilities_of_the_class_chosen():
    x = np.array([0.9, 0.8, 0.6, 0.7])
    table = pa.table({"p": x, "who": [0, 1, 1, 0], "label": [0, 1, 0, 0]})
    model = {"probs": "p", "chosen": "who"}
    report = code_labels(table, label="label", **model)
    assert report.length.exact_bits == pytest.approx(-np.log2([0.9, 0.8, 0.4, 0.7]).sum())
    assert any("'who'" in note for note in report.notes)
    assert decode_labels(report.data, table.drop(["label"]), **model).to_pylist() == [0, 1, 0, 0]


def test_the_class_chosen_is_an_option_of_the_command(folder):
    table = pa.table({"p": [0.9, 0.8], "who": [0, 1], "label": [0, 1]})
    parquet.write_table(table, folder / "c.parquet")
    options = ["--probs", "p", "--chosen", "who"]
    coded = plogq("c.parquet", "--label", "label", *options, "--out", "c.plq", cwd=folder)
    assert "'p' is of the class in 'who'" in coded.stdout.decode()
    plogq("c.plq", "--decode", "--under", "c.parquet", *options, "--out", "c.csv", cwd=folder)
    assert (folder / "c.csv").read_text().split() == ['"label"', "0", "1"]
