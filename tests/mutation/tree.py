"""A copy of the repository in which mutants are written, so that none is ever left in the real one.

An editable installation sends `import plogq` to the real files before it looks at the path. In the
copy that redirection is taken out, and the compiled kernels are copied beside the Python files.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def copied(name: str) -> Path:
    """Copy what git has, or would add, to build/mutants/`name`, and return that folder."""
    tree = ROOT / "build" / "mutants" / name
    shutil.rmtree(tree, ignore_errors=True)
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    out = subprocess.run(listing, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    for file in filter(None, out.decode().split("\0")):
        if (ROOT / file).is_file():
            (tree / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, tree / file)
    native = importlib.util.find_spec("plogq.kernels._native")
    assert native is not None, "the kernels are not built: make test builds them"
    assert native.origin is not None
    shutil.copy2(native.origin, tree / "src" / "plogq" / "kernels")
    return tree


def enter(tree: Path) -> None:
    """Make this process, and what it forks, import plogq and the tests from the copy alone."""
    sys.meta_path[:] = [
        finder for finder in sys.meta_path if not type(finder).__name__.startswith("ScikitBuild")
    ]
    for name in [n for n in sys.modules if n.partition(".")[0] in ("plogq", "tests", "conftest")]:
        del sys.modules[name]
    outside = {str(ROOT), str(ROOT / "src"), ""}
    sys.path[:] = [
        str(tree / "src"),
        str(tree),
        *(p for p in sys.path if p not in outside),
    ]
    os.chdir(tree)
