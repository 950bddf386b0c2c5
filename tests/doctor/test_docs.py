"""The doctor's pages are those of its checks, and what they show was printed."""

import doctest
import importlib.util
import re
from pathlib import Path

import pytest
import yaml

from plogq.cli import _parser
from tests.cli.running import plogq

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs" / "doctor" / "pages.py"


def test_a_page_is_the_docstring_of_its_check():
    spec = importlib.util.spec_from_file_location("pages", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    written = {path.name: path.read_text() for path in script.FOLDER.iterdir()}
    assert written == script.pages(), "make checks"


def test_the_finding_that_is_shown_was_printed(tmp_path, monkeypatch):
    page = (ROOT / "docs" / "doctor.md").read_text()
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    shown = re.search(r"<!-- plogq (.*?) -->\n```\n(.*?)```\n<!-- end -->", page, re.DOTALL)
    (tmp_path / "train.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    assert plogq(*shown[1].split()).stdout == shown[2]


def test_the_arrays_that_are_shown_give_what_is_shown():
    page = (ROOT / "docs" / "doctor.md").read_text()
    blocks = re.findall(r"^```pycon\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        test = doctest.DocTestParser().get_doctest(block, {}, "doctor.md", None, 0)
        assert doctest.DocTestRunner().run(test) == (0, len(test.examples))


def test_the_hook_runs_a_command_of_plogq():
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    arguments = _parser().parse_args([*hook["entry"].split()[1:], "train.py"])
    assert arguments.paths == ["train.py"]


@pytest.mark.parametrize("page", ["docs/doctor.md", "docs/doctor/field-test.md"])
def test_every_check_that_is_named_is_there(page):
    from plogq.doctor.check import all_checks

    named = set(re.findall(r"\bPQ\d{3}\b", (ROOT / page).read_text()))
    assert named <= {check.code for check in all_checks()}
