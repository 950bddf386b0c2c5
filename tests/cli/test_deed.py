"""docs/deed.md: its commands print what the page shows."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import plogq

PAGE = Path(__file__).parents[2] / "docs" / "deed.md"
TABLES = re.compile(r"^```python\n(from .*?)^```", re.MULTILINE | re.DOTALL)
CONSOLE = re.compile(r"^```console\n\$ plogq (.*?)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("first", "after", "count"),
    [("Recalibrate", "Compare many models", 3), ("Compare many models", "Find wrong labels", 2)],
)
def test_commands(first, after, count, tmp_path):
    part = PAGE.read_text().partition(f"## {first}\n")[2].partition(f"## {after}\n")[0]
    subprocess.run([sys.executable, "-c", TABLES.search(part)[1]], cwd=tmp_path, check=True)
    commands = CONSOLE.findall(part)
    assert len(commands) == count
    for words, expected in commands:
        run = plogq(*shlex.split(words), cwd=tmp_path)
        assert run.returncode == (3 if "--fail-if" in words else 0), run.stderr
        printed = (run.stdout + run.stderr).split()
        begins, left_out, ends = (each.split() for each in expected.partition("\n…\n"))
        assert printed[: len(begins)] == begins
        assert printed[len(printed) - len(ends) :] == ends
        assert left_out or printed == begins
