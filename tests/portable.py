"""Run the tests that need no framework: `python tests/portable.py [--alone] [pytest's options]`.

They are those of the formulas, the kernels and the codes, and run on every system that plogq is
built for. What compares with a framework is skipped where that is absent; `--alone` hides the
frameworks and their like where they are installed.
"""

import sys
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

FOLDERS = [Path(__file__).parent / name for name in ("formulas", "kernels", "codes")]
HIDDEN = ("torch", "jax", "keras", "optax", "tensorflow", "triton")
HIDDEN += ("array_api_strict", "dit", "pandas", "polars", "scipy", "sklearn", "zstandard")


class WithoutHidden(PathFinder):
    """Finds what Python's own finder does, but for the hidden libraries."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        """Return the module's specification, or None as if it were not installed."""
        hidden = name.partition(".")[0] in HIDDEN
        return None if hidden else super().find_spec(name, path, target)


def main(options: list[str]) -> int:
    """Return pytest's exit status."""
    if "--alone" in options:
        options = [option for option in options if option != "--alone"]
        sys.meta_path = [WithoutHidden if f is PathFinder else f for f in sys.meta_path]
    return pytest.main([*map(str, FOLDERS), *options])


if __name__ == "__main__":
    sys.path.pop(0)  # this folder, whose folders jax and torch are not the libraries
    sys.exit(main(sys.argv[1:]))
