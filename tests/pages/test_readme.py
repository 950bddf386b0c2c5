"""The outputs of the README and of the first page are those of the commands' pages."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


@pytest.mark.parametrize("page", [README, ROOT / "docs" / "index.md"], ids=lambda page: page.stem)
def test_a_score_is_shown_as_the_commands_page_has_it(page):
    shown = re.search(r"```console\n(.*?)\n…\n```", page.read_text(), re.DOTALL)[1]
    assert len(shown.splitlines()) > 10
    assert f"```console\n{shown}\n" in (ROOT / "docs" / "commands" / "score.md").read_text()


def test_a_finding_is_shown_as_the_commands_page_has_it():
    shown = re.search(r"```\n(train.py:.*?\n)```", README.read_text(), re.DOTALL)[1]
    assert f"\n{shown}" in (ROOT / "docs" / "commands" / "doctor.md").read_text()


def test_it_stays_short():
    assert len(README.read_text().splitlines()) <= 150
