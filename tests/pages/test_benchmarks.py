"""docs/benchmarks.md has what the benchmarks printed, each of them."""

import pytest

from tests.pages.scripts import script

SCRIPT = script("benchmarks")


def test_the_page_is_current():
    assert SCRIPT.PAGE.read_text() == SCRIPT.page(), "make benchmarks"


@pytest.mark.parametrize("path", sorted(SCRIPT.RESULTS.glob("*.txt")), ids=lambda path: path.stem)
def test_every_result_is_shown_or_named(path):
    page = SCRIPT.PAGE.read_text()
    shown = path.read_text().rstrip("\n")
    assert f"```text\n{shown}\n```" in page or f"benchmarks/results/{path.name}" in page


def test_a_result_of_no_group_comes_last(monkeypatch):
    groups = {title: names for title, names in SCRIPT.GROUPS.items() if title != "Understand"}
    monkeypatch.setattr(SCRIPT, "GROUPS", groups)
    last = SCRIPT.page().partition("## Also measured\n")[2]
    assert "### codes\n" in last
    assert "### explorer\n" in last
