"""Run the tests at the lowest versions that pyproject.toml allows.

`python packaging/floors.py [EXTRA …]`, or `make floors`.

A virtual environment for each extra, under build/floors, has its floors exactly, and of what those
need what pip chooses. Without EXTRA: app and sklearn. The frameworks take gigabytes and an hour.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tomllib

from packaging.requirements import Requirement
from wheels import ROOT, run

ROOM = ROOT / "build" / "floors"
TOOLS = ["pytest", "pytest-xdist", "hypothesis", "mpmath"]  # as constraints.txt has them
# The tests of each extra; they are of plogq's own figures, not beside other packages.
TESTS = {
    "app": ["tests/portable.py", "tests/tables", "tests/score", "tests/lm", "tests/records"],
    "torch": ["tests/torch"],
    "jax": ["tests/jax"],
    "keras": ["tests/keras"],
    "dask": ["tests/score/test_dask.py"],
    "sklearn": ["tests/sklearn"],
    "torchmetrics": ["tests/adapters/test_torchmetrics.py"],
    "hf": ["tests/adapters/test_huggingface.py", "tests/adapters/test_patch.py"],
    "lightning": ["tests/adapters/test_lightning.py"],
}


def floors(extra: str) -> list[str]:
    """Return `name==floor` of all that plogq needs with this extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [Requirement(line) for line in project["dependencies"]]
    left = [extra]
    while left:
        for line in project["optional-dependencies"][left.pop()]:
            one = Requirement(line)
            if one.name == "plogq":
                left += one.extras
            elif one.marker is None or one.marker.evaluate():
                asked.append(one)
    return [pinned(one) for one in asked]


def pinned(one: Requirement) -> str:
    """Return the requirement with its lowest version alone."""
    (lowest,) = (s.version for s in one.specifier if s.operator == ">=")
    extras = f"[{','.join(sorted(one.extras))}]" if one.extras else ""
    return f"{one.name}{extras}=={lowest}"


def try_extra(extra: str) -> int:
    """Return pytest's status at the floors of the extra."""
    home = ROOM / extra
    python = home / "bin" / "python"
    lowest = floors(extra)
    print(f"{extra}:", *lowest, flush=True)
    run(sys.executable, "-m", "venv", "--clear", home)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(*pip, "-c", ROOT / "constraints.txt", *TOOLS)
    run(*pip, *lowest)
    run(*pip, "--no-deps", ROOT)
    status = 0
    for tests in TESTS[extra]:
        words = [python, "-m", "pytest", "-q", "-n", "2", "-m", "not slow", tests]
        if tests.endswith("portable.py"):
            words = [python, tests, "-q", "-m", "not slow"]
        status |= subprocess.run(list(map(str, words)), cwd=ROOT, check=False).returncode
    return status


def main() -> None:
    """Try each extra; end with 1 if a test of one fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("extras", nargs="*", default=["app", "sklearn"], metavar="EXTRA")
    asked = parser.parse_args()
    if unknown := set(asked.extras) - set(TESTS):
        parser.error(f"EXTRA must be of {', '.join(TESTS)}; got {', '.join(sorted(unknown))}")
    failed = [extra for extra in asked.extras if try_extra(extra)]
    sys.exit(f"tests fail at the floors of {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
