"""What goes wrong outside of the table is one sentence, too, and status 1."""

import json
import os
import subprocess
import sys
import urllib.request

import pyarrow as pa
import pytest

from plogq import cli
from plogq.errors import TableError
from plogq.explorer.server.serve import listener
from plogq.score import score
from plogq.tables import readers
from tests.cli.running import PLOGQ, plogq
from tests.explorer.running import explorer


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "t.csv"
    rows = "".join(f"{i % 2},{0.3 + 0.4 * (i % 3 == 0)},{'ab'[i % 2]}\n" for i in range(40))
    path.write_text(f"y,p,site\n{rows}")
    return path


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "out of memory"),
        (MemoryError("Unable to allocate\n3 GiB"), "out of memory: Unable to allocate 3 GiB"),
        (pa.ArrowMemoryError("malloc of size 99 failed"),
         "out of memory: malloc of size 99 failed"),
        (RuntimeError("can't start new thread"),
         "no further thread can be started: out of memory, or too many processes"),
        (ImportError("libarrow.so.2600: failed to map segment from shared object"),
         "out of memory: a library cannot be loaded"),
        (OSError(12, "Cannot allocate memory", "t.csv"), "t.csv: Cannot allocate memory"),
        (ConnectionError("3 workers died"), "3 workers died"),
        (ModuleNotFoundError("No module named 'torch'", name="torch"),
         "plogq score needs torch, which is not installed: pip install 'plogq[torch]'"),
        (ModuleNotFoundError("No module named 'zlib'", name="zlib"), "No module named 'zlib'"),
    ],
)  # fmt: skip
def test_one_sentence(error, said, monkeypatch, capsys):
    def fail(words):
        raise error

    monkeypatch.setattr(sys, "argv", ["plogq", "score"])
    monkeypatch.setattr(cli, "_parser", fail)
    at_exit = []
    monkeypatch.setattr(cli.atexit, "register", lambda *call: at_exit.append(call))
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 1
    # Without memory or threads, Arrow's own end would crash.
    assert at_exit == (
        [(os._exit, 1)] if "memory" in said.partition(": ")[0] or "thread" in said else []
    )
    assert capsys.readouterr().err == f"plogq: {said}\n"


def test_no_thread_to_read_a_file_is_not_a_fault_of_the_file(table):
    with pytest.raises(RuntimeError, match="can't start new thread"), readers.reading("t", "CSV"):
        raise pa.ArrowException("Unknown error: Failed to launch worker thread: Resource")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="a limit to memory, as Linux has it")
@pytest.mark.parametrize("size", [256, 384, 512])
def test_little_memory_ends_in_one_sentence(size, table):
    limit = f'ulimit -v {size << 10}; exec "$@"'
    words = ["score", str(table), "--label", "y", "--probs", "p"]
    command = ["bash", "-c", limit, "bash", *PLOGQ, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stderr
    assert (done.returncode == 1) == (done.stderr != "")


def test_a_fault_of_ours_is_not_hidden(monkeypatch):
    def fail(words):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(cli, "_parser", fail)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        cli.main()


def test_no_memory_to_read_a_file_is_not_a_fault_of_the_file(table, monkeypatch):
    def full(*_):
        raise pa.ArrowMemoryError("malloc of size 99 failed")

    monkeypatch.setattr(readers, "_small", full)
    with pytest.raises(MemoryError, match="malloc of size 99 failed"):
        score(table, label="y", probs="p")


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux")
@pytest.mark.parametrize("command", ["score", "compare", "lm", "code"])
def test_a_name_that_is_not_utf8(command, tmp_path):
    name = os.fsdecode(b"n\xff.csv")
    (tmp_path / name).write_text("label,prob_0,prob_1\n1,.25,.75\n")
    words = [name, name] if command == "compare" else [name]
    done = plogq(command, *words, cwd=tmp_path)
    if command == "code":  # it reads any file
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("n\\udcff.csv")
    else:
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("plogq: n\\udcff.csv: ")
        assert done.stderr.count("\n") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux")
def test_a_name_that_is_not_utf8_can_be_written(table):
    out = table.parent / os.fsdecode(b"o\xff.json")
    assert plogq("score", table, "--label", "y", "--probs", "p", "--json", out).returncode == 0
    assert json.loads(out.read_text())["rows"] == 40


@pytest.mark.parametrize("words", ["--help", "score --help", "help lm", "", "completion bash"])
def test_help_on_a_full_disk(words):
    with open("/dev/full", "w") as full:  # noqa: PTH123 (a stream for the process)
        done = plogq(*words.split(), capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr == "plogq: standard output: No space left on device\n"


def test_a_port_is_tried_before_the_work(table):
    with listener(0) as taken:
        port = taken.getsockname()[1]
        done = plogq("explore", table, "--label", "none", "--port", port, "--no-browser")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"plogq: 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.parametrize("closed", [1, 2])
def test_a_stream_that_is_closed(closed, table):
    words = ["score", str(table), "--label", "y", "--probs", "p", "--bootstrap", "0"]
    command = ["bash", "-c", f'exec "$@" {closed}>&-', "bash", *PLOGQ, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert done.stderr == ""


def test_explore_reads_a_table_as_score_does(table):
    words = [str(table), "--label", "y", "--probs", "p", "--unit", "nat", "--slice", "site",
             "--floor", "0.5", "--bootstrap", "0"]  # fmt: skip
    with (
        explorer(*words) as (url, _),
        urllib.request.urlopen(url.replace("/predictions", "/api/predictions")) as answer,
    ):
        shown = json.load(answer)["result"]
    done = plogq("score", *words, "--json", "-")
    scored = json.loads(done.stdout)
    assert scored["unit"] == "nat"
    assert list(scored["slices"]["site"]) == ["a", "b"]
    shown["source"]["paths"] = scored["source"]["paths"]  # the page has the file's name alone
    assert shown == scored


@pytest.mark.parametrize(("size", "kind"), [(1 << 40, MemoryError), (1 << 55, TableError)])
def test_memory_that_no_machine_has_is_a_damaged_file(size, kind):
    with pytest.raises(kind), readers.reading("t.arrow", "Arrow"):
        raise pa.ArrowMemoryError(f"malloc of size {size} failed")
