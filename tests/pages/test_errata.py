"""docs/errata.md says what the explorer's page of errata does, with sources."""

import importlib
import inspect
import re

from plogq.explorer.pages.errata_list import SOURCES, errata
from tests.pages.scripts import assert_same_page, script

SCRIPT = script("errata")


def test_the_page_is_current():
    assert_same_page(SCRIPT.PAGE.read_text(), SCRIPT.page())


def test_every_erratum_stands_on_the_page():
    page = SCRIPT.PAGE.read_text()
    for erratum in errata():
        assert f"### {erratum.what}\n" in page
        assert erratum.why in page


def test_sources_are_of_errata():
    assert SOURCES.keys() <= {erratum.name for erratum in errata()}


def test_the_code_of_the_page_runs():
    blocks = re.findall(r"```python\n(.*?)```", SCRIPT.PAGE.read_text(), re.DOTALL)
    assert len(blocks) == len(errata())
    for block in blocks:
        exec(block, {})  # what each gives is held by tests/explorer/test_pages_practice.py


def test_the_formula_without_its_sign_is_in_print():
    loss = importlib.import_module("optax").losses.softmax_cross_entropy_with_integer_labels
    formula = inspect.getdoc(loss).partition(".. math::")[2].partition("Args:")[0]
    assert r"\log\left(\frac{\exp(x_{i y_i})}" in formula
    assert "-" not in formula.replace("\n-", "")
