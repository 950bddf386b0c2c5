"""`plogq compare` in its own process: exit statuses, streams, files."""

import json
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from plogq.compare import compare
from tests.compare.tables import pair


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-c", "from plogq.cli import main; main()", "compare",
         *map(str, arguments)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture
def tables(tmp_path):
    paths = tmp_path / "a.parquet", tmp_path / "b.parquet"
    for source, path in zip(pair(1), paths, strict=True):
        pq.write_table(source, path)
    return paths


def test_report_and_json(tables, tmp_path):
    out = tmp_path / "out.json"
    options = ["--slice", "site", "--group", "patient", "--unit", "nat", "--top", 2, "--seed", 3]
    done = run(*tables, *options, "--json", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert "nats per row less" in done.stdout
    expected = compare(*tables, slices=["site"], group="patient", unit="nat", top=2, seed=3)
    assert out.read_text() == expected.to_json() + "\n"
    assert list(json.loads(out.read_text())) == [
        "schema", "kind", "pairing", "unit", "per", "rows", "weight", "a", "b", "difference",
        "difference_finite", "accuracy_difference", "intervals", "winner", "wins", "per_class",
        "slices", "largest", "warnings",
    ]  # fmt: skip


def test_by_id(tables):
    done = run(*tables, "--id", "id", "--weight", "w", "--json", "-")
    assert json.loads(done.stdout)["pairing"] == "id"


def test_bad_input_is_one_line_and_status_1(tables):
    done = run(*tables, "--id", "nothing")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"plogq: {tables[0]}: no column 'nothing'")
    assert done.stderr.count("\n") == 1


def test_usage(tables):
    assert run(tables[0]).returncode == 2
    shown = run("--help").stdout
    assert "300 bytes a row" in shown
    assert max(map(len, shown.splitlines())) <= 80
