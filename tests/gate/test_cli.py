"""--fail-if: the exit status, and where the line goes."""

import pyarrow.parquet as pq
import pytest

from tests.cli.running import plogq
from tests.compare.tables import pair


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gate")
    paths = [str(folder / name) for name in ("base.parquet", "new.parquet")]
    for path, each in zip(paths, pair(0, rows=2000, noise=(0.2, 1.0)), strict=True):
        pq.write_table(each, path)
    return paths


def test_a_closed_gate(files, tmp_path):
    out = tmp_path / "out.json"
    done = plogq("compare", *files, "--fail-if", "worse by 0.002 bits", "--json", out)
    assert done.returncode == 3
    assert done.stderr.startswith("plogq compare: gate closed: worse by 0.002 bits: B costs 0.")
    assert done.stderr.count("\n") == 1
    assert "A costs" in done.stdout
    assert out.exists()


def test_an_open_gate_says_nothing(files):
    done = plogq("score", files[0], "--fail-if", "cross_entropy > 9", "--fail-if", "rows < 2000")
    assert (done.returncode, done.stderr) == (0, "")


def test_each_condition_that_holds_has_a_line(files):
    options = [
        word for each in ("rows > 1", "rows < 1", "brier > 0") for word in ("--fail-if", each)
    ]
    done = plogq("score", files[0], *options, "--json", "-")
    assert done.returncode == 3
    assert done.stdout.startswith("{")
    assert [line.split(": ")[2] for line in done.stderr.splitlines()] == ["rows > 1", "brier > 0"]


def test_formats(files):
    gate = ["--fail-if", "rows > 1", "--gate-format"]
    github = plogq("compare", *files, *gate, "github")
    assert (github.returncode, github.stderr) == (3, "")
    last = github.stdout.splitlines()[-1]
    assert last == "::error title=plogq compare::gate closed: rows > 1: rows is 2000"
    junit = plogq("compare", *files, *gate, "junit")
    assert junit.returncode == 3
    assert junit.stdout.startswith("<testsuites ")
    assert junit.stdout.endswith("</testsuites>\n")


def test_refusals(files, tmp_path):
    out = tmp_path / "out.json"
    unknown = plogq("score", files[0], "--fail-if", "loss > 1", "--json", out)
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr.count("\n") == 1
    assert "there is no figure 'loss'; there are rows" in unknown.stderr
    assert not out.exists()
    assert plogq("score", files[0], "--fail-if", "loss is 1").returncode == 2
    assert plogq("score", files[0], "--gate-format", "junit").returncode == 2
    both = ["--fail-if", "rows > 1", "--gate-format", "junit", "--json", "-"]
    assert plogq("score", files[0], *both).returncode == 2


def test_tokens(tmp_path):
    path = tmp_path / "tokens.csv"
    path.write_text("doc,logprob,bytes\na,-1,2\nb,-2,3\n")
    done = plogq("lm", path, "--unit", "nat", "--fail-if", "cross_entropy_per_byte >= 0.6 nats")
    assert done.returncode == 3
    assert done.stderr.endswith(": cross_entropy_per_byte is 0.6\n")
