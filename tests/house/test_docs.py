"""What the documents say is true: paths exist, examples run, the demo prints what is shown."""

import doctest
import re
import shlex
from pathlib import Path

import pytest

from plogq.cli import _parser

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
FOLDERS = [ROOT / "docs", ROOT / "docs" / "commands", ROOT / "docs" / "coming-from"]
PAGES = [page for folder in FOLDERS for page in sorted(folder.glob("*.md"))]
DOCUMENTS = [README, ROOT / "CONTRIBUTING.md", *PAGES]
IDS = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
PATH = re.compile(r"`((?:src|native|tests|docs|benchmarks|examples)/[\w./-]*)`")


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_paths_exist(document):
    missing = [path for path in PATH.findall(document.read_text()) if not (ROOT / path).exists()]
    assert missing == []


def test_architecture_names_the_whole_package():
    named = (ROOT / "docs" / "architecture.md").read_text()
    parts = {path.name for path in (ROOT / "src" / "plogq").iterdir() if path.name[0] not in "_."}
    absent = {part for part in parts - {"py.typed"} if f"src/plogq/{part}" not in named}
    assert absent == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_examples_run(document):
    failures, _ = doctest.testfile(
        str(document),
        module_relative=False,
        optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS,
    )
    assert failures == 0


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_commands_are_ones_that_plogq_takes(document):
    blocks = re.findall(r"^```\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line[:6] == "plogq "]
    for line in lines:
        if not line.startswith("plogq demo:"):  # what it prints
            _parser().parse_args(shlex.split(line, comments=True)[1:])


def test_make_targets_named_in_the_documents_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        target
        for document in DOCUMENTS
        for target in re.findall(
            r"(?:`|^|&& )make ([a-z-]+)(?=`|\n| +#)", document.read_text(), re.MULTILINE
        )
    }
    assert named <= targets
    assert {"demo", "test"} <= named


def test_readme_table_is_as_the_benchmark_printed_it():
    printed = (ROOT / "benchmarks" / "results" / "torch_losses.txt").read_text()
    tables = re.findall(r"```\n(cross_entropy, .*?)\n```", README.read_text(), re.DOTALL)
    assert len(tables) == 1
    assert tables[0] in printed


def test_the_tables_of_heads_are_as_the_benchmark_printed_them():
    printed = (ROOT / "benchmarks" / "results" / "linear_heads.txt").read_text()
    page = (ROOT / "docs" / "torch.md").read_text()
    tables = re.findall(r"```\n(4096 x 768 .*?)\n```", page, re.DOTALL)
    assert len(tables) == 1
    assert tables[0] in printed


def test_the_page_on_scale_is_as_the_benchmark_printed_it():
    printed = (ROOT / "benchmarks" / "results" / "scaling.txt").read_text()
    page = (ROOT / "docs" / "scale.md").read_text()
    assert f"<!-- benchmarks/scaling.py -->\n```\n{printed}```\n<!-- end -->\n" in page


def test_the_page_on_ranks_is_as_the_benchmark_printed_it():
    printed = (ROOT / "benchmarks" / "results" / "parallel_losses.txt").read_text()
    page = (ROOT / "docs" / "parallel.md").read_text()
    assert f"<!-- benchmarks/parallel_losses.py -->\n```\n{printed}```\n<!-- end -->\n" in page


@pytest.mark.parametrize("name", ["faults", "load"])
def test_what_was_tried_is_on_the_page(name):
    """Else `make faults` or `make load` was run, and its page not kept, or the other way round."""
    printed = (ROOT / "benchmarks" / "results" / f"{name}.txt").read_text()
    page = (ROOT / "docs" / "reliability.md").read_text()
    assert f"<!-- benchmarks/{name}.py -->\n```\n{printed}```\n<!-- end -->\n" in page
