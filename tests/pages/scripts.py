"""The scripts that write pages of `docs/`, and how a page is compared with what they write now."""

import importlib.util
import re
from pathlib import Path

import numpy as np

DOCS = Path(__file__).parents[2] / "docs"
NUMBER = re.compile(r"\d[\d,]*\.?\d*")


def script(name):
    """Return `docs/NAME.py` as a module."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def assert_same_page(shown, now):
    """The words are the very same; figures may differ by what another processor's sums do."""
    assert [NUMBER.sub("#", line).split() for line in shown.splitlines()] == [
        NUMBER.sub("#", line).split() for line in now.splitlines()
    ]
    figures = [[float(n.replace(",", "")) for n in NUMBER.findall(text)] for text in (shown, now)]
    np.testing.assert_allclose(*figures, rtol=0.02, atol=2e-3)
