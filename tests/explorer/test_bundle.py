"""What is committed is what the sources give."""

import shutil
import subprocess
from pathlib import Path

from tests.explorer.conftest import need

ROOT = Path(__file__).parents[2]
STATIC = [ROOT / "src" / "plogq" / room / "static" for room in ("reports", "explorer")]


def test_the_bundle_is_built_from_the_sources(tmp_path):
    web = ROOT / "web"
    ready = shutil.which("node") and (web / "node_modules" / "esbuild").exists()
    need(ready, "no node or no packages: apt-get install nodejs npm; make web")
    subprocess.run(["node", "build.mjs", str(tmp_path)], cwd=web, check=True)
    built = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert built == {path.name: path.read_bytes() for room in STATIC for path in room.iterdir()}
