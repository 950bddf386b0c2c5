"""The demo: what it tells, and what it writes."""

import contextlib
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from plogq.demo import run_demo
from plogq.demo.run import read_digits


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    text = io.StringIO()
    with contextlib.chdir(folder):
        path = run_demo(Path(), console=Console(file=text, width=80, highlight=False))
    return folder / path, text.getvalue()


def test_the_digits_are_whole():
    digits = read_digits()
    assert digits.pixels.shape == (1797, 64)
    assert (digits.pixels.min(), digits.pixels.max()) == (0, 1)
    assert np.bincount(digits.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_predictions_are_of_the_held_out_rows(demo):
    table = pq.read_table(demo[0])
    assert table.column_names == ["id", "label", *(f"logit_{digit}" for digit in range(10))]
    ids = table["id"].to_numpy()
    assert len(set(ids.tolist())) == len(ids) == 597
    np.testing.assert_array_equal(table["label"], read_digits().labels[ids])


def test_same_seed_same_predictions(demo, tmp_path):
    quiet = Console(file=io.StringIO())
    assert pq.read_table(run_demo(tmp_path, console=quiet)).equals(pq.read_table(demo[0]))
    other = run_demo(tmp_path / "other", seed=1, console=quiet)
    assert not pq.read_table(other).equals(pq.read_table(demo[0]))


def test_a_folder_of_any_name(tmp_path):
    out = io.StringIO()
    console = Console(file=out, width=200)
    path = run_demo(tmp_path / "br[/x] [red]", console=console)
    assert pq.read_metadata(path).num_rows == 597
    assert f"logits: {path}\n" in out.getvalue()
    assert f"plogq score '{path}' --id id --json out.json\n" in out.getvalue()


def test_predictions_are_written_whole_or_not_at_all(tmp_path):
    code = (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "from plogq.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "demo", "--folder", str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    path = tmp_path / "predictions.parquet"
    assert (done.returncode, done.stderr) == (1, f"plogq: {path}: File too large\n")
    assert list(tmp_path.iterdir()) == []


def test_cross_entropy_learns_where_squared_error_is_stuck(demo):
    table = demo[1].split("gradient size")[1].split("\n\n")[0]
    bits = [float(line.split()[-5]) for line in table.strip().splitlines()]
    assert len(bits) == 6
    assert all(ours < theirs for ours, theirs in zip(bits[:3], bits[3:], strict=True))
