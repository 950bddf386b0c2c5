"""A machine without a compiler is told what to install."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not on the PATH")
def test_no_compiler_is_one_clear_message(tmp_path):
    run = subprocess.run(
        ["cmake", "-S", str(ROOT), "-B", str(tmp_path)],
        env={**os.environ, "CXX": str(tmp_path / "no-such-compiler")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert "plogq needs a C++20 compiler" in " ".join(run.stderr.split())
    assert "apt-get install g++" in " ".join(run.stderr.split())


def test_make_says_so_before_it_builds(tmp_path):
    run = subprocess.run(
        ["make", "-C", str(ROOT), "test", f"VENV={tmp_path / 'venv'}"],
        env={**os.environ, "CXX": "no-such-compiler", "MAKEFLAGS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert "plogq needs a C++20 compiler, and no-such-compiler was not found" in run.stdout
