"""The command line in its own process: exit statuses, streams, files."""

import json
import os
import pty
import re
import signal
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import plogq
from plogq.tables.sums.level import PERCENT

PLOGQ = [sys.executable, "-c", "from plogq.cli import main; main()"]


def run(*arguments, **options):
    return subprocess.run(
        [*PLOGQ, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False,
        **options,
    )  # fmt: skip


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "t.parquet"
    rng = np.random.default_rng(0)
    q = rng.dirichlet([1, 1], 100)
    columns = {"prob_cat": q[:, 0], "prob_dog": q[:, 1], "kind": rng.choice(["cat", "dog"], 100)}
    pq.write_table(pa.table(columns | {"name": [f"n{i}" for i in range(100)]}), path)
    return path


def test_version_and_help():
    assert run("--version").stdout.split() == ["plogq", plogq.__version__]
    for arguments in (["--help"], ["score", "--help"], ["demo", "--help"]):
        shown = run(*arguments)
        assert shown.returncode == 0
        assert shown.stderr == ""


def test_report_and_json(table, tmp_path):
    out = tmp_path / "out.json"
    done = run("score", table, "--label", "kind", "--id", "name", "--top", 2, "--unit", "nat",
               "--slice", "kind", "--json", out)  # fmt: skip
    assert done.returncode == 0
    assert done.stderr == ""
    assert "nats per row" in done.stdout
    found = json.loads(out.read_text())
    assert found["schema"] == 1
    assert found["unit"] == "nat"
    assert found["source"] == {
        "paths": [str(table)],
        "format": "Parquet",
        "columns": {"probs": "prob_*", "label": "kind", "slice": ["kind"], "id": "name"},
        "notes": [],
        "part": None,
        "left_out": [],
    }
    assert len(found["surprises"]) == 2
    assert sorted(found["slices"]["kind"]) == ["cat", "dog"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.json", "t.parquet"]


def test_json_on_standard_output(table):
    done = run("score", table, "--label", "kind", "--json", "-")
    assert json.loads(done.stdout)["rows"] == 100


def test_json_has_the_names_of_the_contract(table):
    found = json.loads(run("score", table, "--label", "kind", "--json", "-").stdout)
    assert list(found) == [
        "schema", "source", "kind", "unit", "rows", "weight", "classes", "cross_entropy",
        "cross_entropy_finite", "zero_probability_rows", "floor", "label_entropy",
        "information_gain", "explained", "refinement", "miscalibration", "resolution",
        "recalibration", "temperature", "entropy_floor", "kl", "perplexity", "accuracy", "brier",
        "prediction_entropy", "overconfidence", "per_class", "confusion", "reliability",
        "histograms", "surprises", "slices", "intervals", "measures", "code", "warnings",
    ]  # fmt: skip


def test_bad_input_is_one_line_and_status_1(table):
    done = run("score", table)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"plogq: {table}: no column 'label'")


@pytest.mark.parametrize(
    "arguments", [["score"], ["score", "t", "--unit", "byte"], ["score", "t", "--top", "-1"], ["x"]]
)
def test_usage_is_status_2(arguments):
    assert run(*arguments).returncode == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--folds 1", "argument --folds: must be 2, 3, 4, …, not '1'"),
        ("--folds x", "argument --folds: must be 2, 3, 4, …, not 'x'"),
        ("--floor 0", "argument --floor: must be a probability, above 0, not '0'"),
        ("--floor 1.5", "argument --floor: must be a probability, above 0, not '1.5'"),
        ("--floor nan", "argument --floor: must be a probability, above 0, not 'nan'"),
        ("--floor x", "argument --floor: must be a probability, above 0, not 'x'"),
        (f"--seed {2**64}", f"argument --seed: must be below 2**64, not {2**64}"),
        ("--scheduler tcp://127.0.0.1:1", "--scheduler goes with --engine dask"),
        ("--code --engine dask", "--code goes with --engine local"),
    ],
)
def test_options_that_no_table_can_suit_are_usage(arguments, said, table):
    done = run("score", table, "--label", "kind", *arguments.split())
    assert done.returncode == 2
    assert said in done.stderr


def test_options_at_their_bounds(table):
    done = run("score", table, "--label", "kind", "--folds", 2, "--floor", 1, "--json", "-",
               "--seed", 2**64 - 1)  # fmt: skip
    assert json.loads(done.stdout)["floor"] == {"p": 1.0, "rows": 100, "cross_entropy": 0.0}


def test_python_runs_it_as_a_module(table):
    command = [sys.executable, "-m", "plogq", "score", table, "--label", "kind", "--json", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == run("score", table, "--label", "kind", "--json", "-").stdout
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("option", ["--top", "--seed"])
@pytest.mark.parametrize("value", ["many", "1.5", "-1"])
def test_usage_is_told_in_words(option, value):
    said = run("score", "t", option, value).stderr
    assert f"argument {option}: must be 0, 1, 2, …, not {value!r}" in said


@pytest.mark.parametrize(("encoding", "bar"), [("ascii", "= accuracy  | confidence"),
                                               ("latin-1", "= accuracy  | confidence"),
                                               ("utf-8", "━ accuracy  │ confidence")])  # fmt: skip
def test_a_stream_that_lacks_the_characters_of_the_report(encoding, bar, table):
    done = run("score", table, "--label", "kind", encoding=encoding,
               env=os.environ | {"PYTHONIOENCODING": encoding})  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert bar in done.stdout


@pytest.mark.parametrize(("columns", "cut"), [(80, False), (60, True), (40, True)])
def test_numbers_are_whole_on_any_terminal(columns, cut, table):
    done = run("score", table, "--label", "kind", "--slice", "kind",
               env=os.environ | {"COLUMNS": str(columns)})  # fmt: skip
    text = done.stdout
    assert not re.search(r"\d…", text)
    for value in ("cross-entropy", "perplexity", "Brier score"):
        assert re.search(rf"^{value} +-?\d+\.\d{{4}}\b", text, re.MULTILINE)
    assert ("as if among so many classes" not in text) == cut
    assert not re.search(r" $", text, re.MULTILINE)
    left_out = re.search(rf"^{columns} columns are too few for: (.*)\.\n\Z", text, re.M | re.S)
    said = [] if left_out is None else " ".join(left_out[1].split()).split(", ")
    ends = f"{PERCENT} interval"
    names = {ends: f"{ends}\n", "mistaken for": "mistaken for\n", "gain": "gain\n"}
    for name, header in names.items():
        assert (header in text) == (name not in said), name
    assert ("notes" in said) == cut
    assert max(map(len, text.splitlines()[3:])) <= columns


def test_names_cannot_steer_the_terminal_by_an_error(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"\x1b[31m": [1], "a\nb": [2]}), path)
    done = run("score", path)
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr
    assert "columns are \\x1b[31m, a\\nb" in done.stderr


def test_ctrl_c_while_starting():
    code = (
        "import plogq.cli\n"
        "def parser(words):\n"
        "    raise KeyboardInterrupt\n"
        "plogq.cli._parser = parser\n"
        "plogq.cli.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (130, b"")


@pytest.mark.parametrize("json_file", ["/dev/full", "-"])
def test_a_full_disk_is_one_line(json_file, table):
    with open("/dev/full", "w") as full:  # noqa: PTH123 (a stream for the process)
        done = subprocess.run(
            [*PLOGQ, "score", str(table), "--label", "kind", "--json", json_file],
            stdout=full if json_file == "-" else subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    where = "standard output" if json_file == "-" else "/dev/full"
    assert done.stderr == f"plogq: {where}: No space left on device\n"


def test_a_file_that_cannot_be_finished_is_not_there(table, tmp_path):
    out = tmp_path / "out.json"
    out.write_text("before")

    limited = (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "from plogq.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited, "score", table, "--label", "kind", "--json", out],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == f"plogq: {out}: File too large\n"
    assert out.read_text() == "before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.json", "t.parquet"]


def test_a_folder_that_is_not_there(table, tmp_path):
    out = tmp_path / "none" / "out.json"
    done = run("score", table, "--label", "kind", "--json", out)
    said = f"plogq: {out}: cannot be written: there is no folder {tmp_path}/none\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)


def test_a_link_is_written_through_and_a_device_is_kept(table, tmp_path):
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    link.symlink_to(real)
    assert run("score", table, "--label", "kind", "--json", link).returncode == 0
    assert link.is_symlink()
    assert json.loads(real.read_text())["rows"] == 100
    assert run("score", table, "--label", "kind", "--json", "/dev/null").returncode == 0
    assert not os.path.isfile("/dev/null")  # noqa: PTH113


def test_a_reader_that_stops_reading(table):
    process = subprocess.Popen(
        [*PLOGQ, "score", str(table), "--label", "kind"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    process.stdout.close()
    assert process.wait(60) == 1
    assert process.stderr.read() == b""
    process.stderr.close()


def test_ctrl_c(table, tmp_path):
    slow = (
        "import os, time\n"
        "from plogq.cli import main\n"
        "from plogq.tables import readers\n"
        "from plogq.score.job import Job\n"
        "readers.BATCH_ROWS = 1\n"
        "figures = Job.figures\n"
        "def slowly(job, part):\n"
        "    os.write(2, b'started\\n')\n"
        "    time.sleep(0.3)\n"
        "    return figures(job, part)\n"
        "Job.figures = slowly\n"
        "main()\n"
    )
    out = tmp_path / "out.json"
    process = subprocess.Popen(
        [sys.executable, "-c", slow, "score", str(table), "--label", "kind", "--json", str(out)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr.readline() == "started\n"
    process.send_signal(signal.SIGINT)
    printed, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert printed == ""
    assert said.count("started") < 20
    assert said.replace("started", "").split() == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["t.parquet"]


def test_progress_only_on_a_terminal_and_only_for_long_work(table):
    code = (
        "import sys, time\n"
        "from plogq.reports import progress\n"
        "progress.SECONDS_WITHOUT = float(sys.argv[1])\n"
        "with progress.ProgressBar() as bar:\n"
        "    bar(1, 10); bar(10, 10)\n"
    )

    def shown(seconds, terminal):
        ours, theirs = pty.openpty() if terminal else os.pipe()
        subprocess.run([sys.executable, "-c", code, str(seconds)], stderr=theirs, check=True,
                       env=os.environ | {"TERM": "xterm"}, timeout=60)  # fmt: skip
        os.set_blocking(ours, False)
        try:
            text = os.read(ours, 10_000)
        except BlockingIOError:
            text = b""
        os.close(theirs)
        os.close(ours)
        return text

    assert b"10 rows" in shown(0, terminal=True)
    assert shown(0, terminal=False) == b""
    assert shown(60, terminal=True) == b""


def test_html_and_code(table, tmp_path):
    page, out = tmp_path / "out.html", tmp_path / "out.json"
    done = run("score", table, "--label", "kind", "--code", "--html", page, "--json", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert page.read_text().startswith("<!doctype html>")
    code = json.loads(out.read_text())["code"]
    assert f"The labels fit into {code['bytes']:,} bytes" in done.stdout
    assert max(map(len, done.stdout.splitlines()[3:])) <= 80
    page.unlink()
    done = run("score", table, "--label", "kind", "--html", page, "--json", "-")
    assert json.loads(done.stdout)["code"] is None
    assert page.exists()
    done = run("score", table, "--label", "kind", "--html", tmp_path / "none" / "out.html")
    assert done.returncode == 1
    assert "out.html: cannot be written: there is no folder" in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.html", "out.json", "t.parquet"]
