"""The names that plogq.codes has, and what loading it costs."""

import subprocess
import sys
from pathlib import Path

import pytest

import plogq.codes

EXAMPLE = Path(__file__).parents[2] / "examples" / "codes.py"


def test_all_is_the_public_names():
    modules = {path.stem for path in Path(plogq.codes.__file__).parent.iterdir()}
    public = {name for name in vars(plogq.codes) if name[0] != "_"} - modules
    assert public | {"compress", "prequential"} == set(plogq.codes.__all__)
    assert all(getattr(plogq.codes, name).__doc__ for name in plogq.codes.__all__)


def test_import_is_light():
    program = "import plogq.codes, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert loaded.returncode == 0
    names = {name.split(".")[0] for name in loaded.stdout.split()}
    assert names.isdisjoint({"constriction", "pyarrow", "rich", "sklearn", "scipy", "torch"})


def test_example_runs():
    pytest.importorskip("sklearn")
    pytest.importorskip("constriction")
    run = subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert "held-out labels in" in run.stdout
