"""docs/deed.md: the commands of "Recalibrate" print what the page shows."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.cli.running import plogq

PAGE = Path(__file__).parents[2] / "docs" / "deed.md"
SECTION = PAGE.read_text().partition("## Recalibrate\n")[2].partition("\n## ")[0]
CONSOLE = re.compile(r"^```console\n\$ plogq (.*?)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_recalibrate(tmp_path):
    tables = re.search(r"^```python\n(from .*?)^```", SECTION, re.MULTILINE | re.DOTALL)[1]
    subprocess.run([sys.executable, "-c", tables], cwd=tmp_path, check=True)
    shown = CONSOLE.findall(SECTION)
    assert len(shown) == 3
    for words, expected in shown:
        run = plogq(*shlex.split(words), cwd=tmp_path)
        assert run.returncode == 0, run.stderr
        assert run.stdout.split() == expected.split()
