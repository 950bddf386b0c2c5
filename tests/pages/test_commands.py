"""docs/commands/ has a page for each command, which shows what the command prints now."""

import contextlib
import os
import re

import pytest

from plogq.cli import _parser
from tests.pages.scripts import assert_same_page, script

SCRIPT = script("commands")
NAMES = list(_parser().commands.choices)
MACHINE = {"about"}  # says what the machine has, and starts every framework


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("commands")
    SCRIPT.prepare(path)
    return path


def test_each_command_has_a_page_and_a_line_in_the_list():
    pages = {path.stem for path in SCRIPT.FOLDER.glob("*.md")} - {"README"}
    assert pages == set(NAMES)
    listed = re.findall(r"^\| \[plogq (\w+)\]\((\w+)\.md\)", _text("README"), re.MULTILINE)
    assert listed == [(name, name) for name in NAMES]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in MACHINE])
def test_a_page_shows_what_is_printed(name, folder):
    text = _text(name)
    assert f"$ plogq help {name}\n" in text
    with contextlib.chdir(folder):
        assert_same_page(text, SCRIPT.page(text))


@pytest.mark.slow
def test_the_page_of_a_machine_has_the_same_lines(folder, monkeypatch):
    monkeypatch.setitem(os.environ, "KERAS_BACKEND", "tensorflow")
    text = _text("about")
    with contextlib.chdir(folder):
        now = SCRIPT.page(text)
    assert [line.split()[:1] for line in text.splitlines()] == [
        line.split()[:1] for line in now.splitlines()
    ]


def test_a_page_that_is_out_of_date_is_seen(folder):
    text = _text("score").replace("refinement", "sharpness")
    with contextlib.chdir(folder), pytest.raises(AssertionError):
        assert_same_page(text, SCRIPT.page(text))


def _text(name):
    return (SCRIPT.FOLDER / f"{name}.md").read_text()
