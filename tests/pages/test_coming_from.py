"""docs/coming-from/: the names in the tables exist, in the versions that the pages compare.

The examples of the pages are run by tests/house/test_docs.py.
"""

import importlib
import inspect
import re
from importlib.metadata import version

import pytest

from tests.pages.scripts import DOCS

FOLDER = DOCS / "coming-from"
COMPARED = {
    "scikit-learn": ("scikit-learn", "scikit-learn"),
    "torchmetrics": ("torchmetrics", "torchmetrics"),
    "keras": ("Keras", "keras"),
}
# What stands before a name in a table, and the module or class that has it.
PREFIXES = {
    "pt": "plogq.torch",
    "pk": "plogq.keras",
    "keras.losses": "keras.losses",
    "keras.metrics": "keras.metrics",
    "plogq": "plogq",
    "plogq.torchmetrics": "plogq.torchmetrics",
    "plogq.sklearn": "plogq.sklearn",
    "plogq.huggingface": "plogq.huggingface",
}
NAME = re.compile(r"\b([\w.]+)\.(\w+)(?=[(\[])")
CELLS = re.compile(r"^\| (.*) \|$", re.MULTILINE)


def _code(page):
    cells = "\n".join(CELLS.findall((FOLDER / f"{page}.md").read_text()))
    return "\n".join(re.findall(r"`([^`]+)`", cells))


def test_the_pages_are_those_that_were_asked_for():
    pages = {path.stem for path in FOLDER.glob("*.md")}
    assert pages == {"scikit-learn", "torchmetrics", "liger", "keras", "lm-eval"}


@pytest.mark.parametrize("page", COMPARED)
def test_the_version_that_was_compared_is_the_one_that_is_tested(page):
    name, package = COMPARED[page]
    assert f"Compared with {name} {version(package)}" in (FOLDER / f"{page}.md").read_text()


@pytest.mark.parametrize("page", [path.stem for path in sorted(FOLDER.glob("*.md"))])
def test_names_in_the_tables_exist(page):
    for prefix, name in NAME.findall(_code(page)):
        if prefix in PREFIXES:
            assert hasattr(importlib.import_module(PREFIXES[prefix]), name), f"{prefix}.{name}"


@pytest.mark.parametrize(
    ("page", "modules"),
    [
        ("scikit-learn", ["sklearn.metrics", "sklearn.calibration"]),
        ("torchmetrics", ["torchmetrics", "torchmetrics.classification", "torchmetrics.text"]),
    ],
)
def test_names_of_the_other_library_exist(page, modules):
    found = [importlib.import_module(module) for module in modules]
    names = re.findall(r"^(?:text\.)?(\w+)\(", _code(page), re.MULTILINE)
    theirs = set(names) - {"score"}
    assert len(theirs) >= 5
    assert not [name for name in theirs if not any(hasattr(module, name) for module in found)]


def test_options_that_liger_is_told_by_are_ours():
    import plogq.torch as pt

    losses = (pt.cross_entropy, pt.linear_cross_entropy, pt.linear_distillation_loss)
    known = set().union(*(inspect.signature(loss).parameters for loss in losses))
    known |= set(pt.SoftmaxOptions.__annotations__)
    rows = CELLS.findall((FOLDER / "liger.md").read_text())
    ours = {name for row in rows for name in re.findall(r"(\w+)=", row.split(" | ")[1])}
    assert ours - {"model"} <= known


def test_the_right_column_of_ligers_page_is_ours():
    """Liger itself is not installed: docs/coming-from/liger.py prints both columns where it is."""
    import torch

    import plogq.torch as pt

    torch.manual_seed(0)
    x, y = torch.randn(6, 50), torch.tensor([1, 2, -100, 4, 49, 0])
    page = (FOLDER / "liger.md").read_text()
    shown = {
        line[:34].strip(): line[34:].split()
        for line in re.search(r"```text\n(.*?)```", page, re.DOTALL)[1].splitlines()
    }
    assert float(shown["plain"][1]) == pytest.approx(pt.cross_entropy(x, y).item(), rel=1e-7)
    smooth = pt.cross_entropy(x, y, label_smoothing=0.1, z_loss=1e-4).item()
    assert float(shown["smoothing and z-loss"][1]) == pytest.approx(smooth, rel=1e-7)
    half = pt.cross_entropy(x.bfloat16(), y).item()
    assert float(shown["bfloat16"][1]) == pytest.approx(half, rel=1e-6)
    sure = pt.cross_entropy(torch.tensor([[0.0, -40]]), y[-1:]).item()
    assert float(shown["logits (0, -40), class 0"][1]) == pytest.approx(sure, rel=1e-6)
