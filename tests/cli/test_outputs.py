"""Where a command writes is looked at before it works."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from plogq.cli import main
from plogq.files import check_folder, check_output
from tests.cli.running import PLOGQ, plogq

WRITES = {
    "score t.csv": ["--json", "--html"],
    "labels t.csv": ["--json", "--csv"],
    "lm tokens.csv": ["--json", "--html"],
    "compare t.csv t.csv": ["--json", "--html"],
    "code t.csv": ["--out"],
    "code t.csv --label label": ["--out"],
    "code t.plq --decode": ["--out"],
}
ALL = [(words, option) for words, options in WRITES.items() for option in options]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "t.csv").write_text("label,prob_0,prob_1\n1,.25,.75\n0,.5,.5\n")
    (tmp_path / "tokens.csv").write_text("doc,logprob,bytes\na,-1,2\nb,-2,1\n")
    (tmp_path / "t.plq").write_bytes(b"no code")
    (tmp_path / "link").symlink_to("t.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(words, monkeypatch, capsys):
    """Give the status, what was printed and what was said."""
    monkeypatch.setattr(sys, "argv", ["plogq", *words])
    try:
        main()
        status = 0
    except SystemExit as end:
        status = end.code
    return status, *capsys.readouterr()


@pytest.mark.parametrize(("words", "option"), ALL, ids=" ".join)
@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("none/out", "there is no folder {folder}/none"),
        ("t.csv/out", "there is no folder {folder}/t.csv"),
        (".", "it is a folder; give the name of a file in it"),
        ("{input}", "this command reads or writes it already"),
    ],
)
def test_it_is_refused_before_the_work(words, option, path, why, folder, monkeypatch, capsys):
    before = sorted(folder.iterdir()), (folder / "t.csv").read_bytes()
    path = path.format(input=words.split()[1])
    status, printed, said = run([*words.split(), option, path], monkeypatch, capsys)
    why = why.format(folder=os.path.realpath(folder))
    assert (status, printed) == (1, "")
    assert said == f"plogq: {path}: cannot be written: {why}\n"
    assert (sorted(folder.iterdir()), (folder / "t.csv").read_bytes()) == before


@pytest.mark.parametrize("path", ["./t.csv", "link", "{folder}/t.csv"])
def test_the_table_under_another_name(path, folder, monkeypatch, capsys):
    path = path.format(folder=folder)
    status, _, said = run(["score", "t.csv", "--json", path], monkeypatch, capsys)
    assert (status, said.partition("written: ")[2]) == (
        1, "this command reads or writes it already\n",
    )  # fmt: skip


def test_a_file_of_the_folder_that_is_read(folder):
    """It would be lost; what was written beside it before is replaced."""
    parts = folder / "parts"
    parts.mkdir()
    for name in ("a.csv", "b.csv"):
        (parts / name).write_text((folder / "t.csv").read_text())
    for words in ("score parts", "compare parts t.csv", "score parts --html other.html"):
        done = plogq(*words.split(), "--json", "parts/b.csv", cwd=folder)
        assert done.returncode == 1
        assert done.stderr.startswith("plogq: parts/b.csv: cannot be written: this command reads")
        assert (parts / "b.csv").read_text() == (folder / "t.csv").read_text()
    for _ in range(2):
        assert plogq("score", "parts", "--json", "parts/out.json", cwd=folder).returncode == 0


def test_two_outputs_in_one_file(folder, monkeypatch, capsys):
    words = ["score", "t.csv", "--json", "out", "--html", "out"]
    assert run(words, monkeypatch, capsys)[::2] == (
        1, "plogq: out: cannot be written: this command reads or writes it already\n",
    )  # fmt: skip
    assert not Path("out").exists()


@pytest.mark.parametrize("option", ["--json", "--html"])
def test_a_file_that_is_there_is_replaced(option, folder, monkeypatch, capsys):
    Path("out").write_text("before")
    words = ["score", "t.csv", "--bootstrap", "0", option, "out"]
    assert run(words, monkeypatch, capsys)[::2] == (0, "")
    assert len(Path("out").read_text()) > 1000


@pytest.mark.parametrize("refused", ["out", "."])
def test_what_is_read_only(refused, folder, monkeypatch):
    # Root may write anything: what a user may not is asked of the system.
    allowed = os.access
    place = os.path.realpath(folder / refused)
    monkeypatch.setattr(
        os, "access", lambda path, mode: os.path.realpath(path) != place and allowed(path, mode)
    )
    (folder / "out").write_text("before")
    with pytest.raises(PermissionError) as error:
        check_output(Path("out"))
    assert error.value.errno == errno.EACCES
    assert error.value.filename == "out"
    assert error.value.strerror.endswith("is read-only")
    if refused == ".":
        with pytest.raises(PermissionError, match="is read-only"):
            check_folder(Path("new/folder"))


@pytest.mark.parametrize("where", ["t.csv", "t.csv/deep"])
@pytest.mark.parametrize("more", [[], ["--lm"]], ids=["digits", "lm"])
def test_the_folder_of_the_demo(where, more, folder, monkeypatch, capsys):
    found = run(["demo", "--folder", where, *more], monkeypatch, capsys)
    why = f"{Path.cwd()}/t.csv is no folder"
    assert found == (1, "", f"plogq: {where}: cannot be written: {why}\n")


@pytest.mark.parametrize(
    ("name", "more"), [("predictions.parquet", []), ("tokens.parquet", ["--lm"])]
)
@pytest.mark.parametrize("content", [b"", b"mine", None], ids=["empty", "text", "table"])
def test_the_demo_writes_over_no_table_of_others(name, more, content, folder, monkeypatch, capsys):
    if content is None:
        pq.write_table(pa.table({"label": [0], "prob_0": [0.5], "prob_1": [0.5]}), name)
    else:
        Path(name).write_bytes(content)
    before = Path(name).read_bytes()
    said = f"plogq: {name} must be free, or an earlier demo's; got a file that is none of its own"
    status, printed, told = run(["demo", *more], monkeypatch, capsys)
    assert (status, printed, told.partition(":")[0]) == (1, "", "plogq")
    assert told.startswith(said)
    assert Path(name).read_bytes() == before


def test_a_page_is_a_file(folder, monkeypatch, capsys):
    for command, option in (("score", "--html"), ("labels", "--csv")):
        status, _, said = run([command, "t.csv", option, "-"], monkeypatch, capsys)
        assert (status, f"{option} takes the name of a file" in said) == (2, True)


def test_a_link_to_itself_is_replaced(folder, monkeypatch, capsys):
    Path("loop").symlink_to("loop")
    words = ["score", "t.csv", "--json", "loop", "--bootstrap", "0"]
    assert run(words, monkeypatch, capsys)[::2] == (0, "")
    assert Path("loop").read_text().startswith("{")


def test_standard_output_by_its_name(folder):
    with open("log", "w") as log:  # noqa: PTH123 (a stream for the process)
        words = "score", "t.csv", "--json", "/dev/stdout", "--bootstrap", 0
        done = plogq(*words, capture_output=False, stdout=log)
    assert done.returncode == 0
    assert Path("log").read_text().startswith('{\n "schema": 1,')


def test_files_are_written_whoever_stops_reading_the_report(folder):
    words = ["score", "t.csv", "--bootstrap", "0", "--json", "f.json", "--html", "f.html"]
    command = ["bash", "-c", '"$@" | true', "bash", *PLOGQ, *words]
    subprocess.run(command, cwd=folder, timeout=60, check=False)
    assert json.loads((folder / "f.json").read_text())["rows"] == 2
    assert "</html>" in (folder / "f.html").read_text()
