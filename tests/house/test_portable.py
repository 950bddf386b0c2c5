"""The tests that every wheel is tried with run where there is no framework."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def portable(*options):
    """Return how the portable tests ended with no framework to be seen, and what they said."""
    words = [
        sys.executable,
        ROOT / "tests" / "portable.py",
        "--alone",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    run = subprocess.run([*words, *options], cwd=ROOT, capture_output=True, text=True, check=False)
    return run.returncode, run.stdout + run.stderr


def test_a_wheel_is_tried_with_a_file_that_exists():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    command = project["tool"]["cibuildwheel"]["test-command"].split()
    assert command[0] == "python"
    assert Path(command[1].format(project=ROOT)).is_file()


def test_a_test_that_needs_a_framework_is_skipped():
    status, said = portable("--quick", "-k", "test_traps or test_under_jit or test_half")
    assert status == 0, said
    assert "torch is not installed" in said
    assert "jax is not installed" in said
    assert re.search(r"\d{2} passed", said)


@pytest.mark.slow
def test_the_first_case_of_each_needs_no_framework():
    """But for those that start processes: they see the frameworks."""
    status, said = portable("--quick", "-m", "not slow", "-k", "not (test_cli or example or exit)")
    assert status == 0, said
