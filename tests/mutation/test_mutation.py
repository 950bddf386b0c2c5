"""The mutants' own machinery, as far as it needs no Cosmic Ray, and the list of the equivalent."""

import linecache
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from tests.mutation import patch, reach, sample

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EQUIVALENT = tomllib.loads((HERE / "equivalent.toml").read_text()).get("mutant", [])

CODE = '''"""A module."""
import functools
from dataclasses import dataclass

FACTOR = 2


def twice(x: int = 1) -> int:
    """Give the double."""
    return (
        x
        * FACTOR
    )


@functools.lru_cache
def kept(x):
    def inner(y):
        return y + x
    return inner(1)


@dataclass
class Pair:
    left: int

    def sum(self):
        if self.left:
            return self.left + 1
        return 0

    def more(self, *, by=1):
        return self.left + by


def adder(x):
    def add(y):
        return x + y
    return add


add_three = adder(3)
'''


@pytest.fixture
def module(tmp_path):
    path = tmp_path / "changed.py"
    path.write_text(CODE)
    made = ModuleType("changed")
    sys.modules["changed"] = made  # where dataclasses look
    made.__file__ = str(path)
    exec(compile(CODE, str(path), "exec"), made.__dict__)
    yield made, patch.Module(str(path), CODE)
    del sys.modules["changed"]
    linecache.clearcache()


@pytest.mark.parametrize(
    ("before", "after", "call", "was", "now"),
    [
        ("* FACTOR", "+ FACTOR", lambda m: m.twice(5), 10, 7),
        ("y + x", "y - x", lambda m: m.kept.__wrapped__(5), 6, -4),
        ("self.left + 1", "self.left + 2", lambda m: m.Pair(5).sum(), 6, 7),
        ("x + y", "x * y", lambda m: m.add_three(5), 8, 15),
        ("x: int = 1", "x: int = not 1", lambda m: m.twice(), 2, 0),
        ("FACTOR = 2", "FACTOR = 3", lambda m: m.twice(5), 10, 15),
        ("by=1):", "by=4):", lambda m: m.Pair(5).more(), 6, 9),
    ],
    ids=[
        "function",
        "nested and cached",
        "method",
        "closure of the import",
        "default",
        "constant",
        "named",
    ],
)
def test_functions_get_the_changed_code(module, before, after, call, was, now):
    made, patched = module
    assert call(made) == was
    assert patched.exchange(CODE.replace(before, after))
    assert call(made) == now


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("FACTOR = 2", "FACTOR, OTHER = 3, 4"),
        ("x: int = 1", "x: int = FACTOR"),
        ("@functools.lru_cache\n", ""),
        ("@dataclass\n", "@dataclass(frozen=True)\n"),
        ("left: int\n", "left: int = 1\n"),
    ],
)
def test_what_an_import_runs_is_not_exchanged(module, before, after):
    made, patched = module
    assert not patched.exchange(CODE.replace(before, after))
    assert (made.twice(5), made.add_three(5)) == (10, 8)


def test_annotations_are_found():
    found = list(sample.annotations("def f(x: A | B = 1 | 2) -> C | None: pass\ny: D | E = 3\n"))
    lines = dict(found)
    assert lines == {(1, 9): (1, 14), (1, 27): (1, 35), (2, 3): (2, 8)}


@pytest.mark.parametrize(
    ("line", "lines"),
    [(10, range(10, 14)), (12, range(10, 14)), (8, range(8, 14)), (28, range(28, 29))],
    ids=["of one line", "of many lines", "a head", "the innermost"],
)
def test_a_line_belongs_to_its_statement(line, lines):
    assert reach.statement(CODE, line) == lines


def test_the_changed_line_names_the_mutant():
    changed = CODE.replace("* FACTOR", "/ FACTOR")
    assert sample.differing(CODE, changed) == ("* FACTOR", "/ FACTOR")


@pytest.mark.parametrize("row", EQUIVALENT, ids=lambda row: f"{row['file']}: {row['after']}"[-90:])
def test_the_line_of_an_equivalent_mutant_is_still_there(row):
    """Otherwise the reason speaks of code that is gone."""
    text = " / ".join(line.strip() for line in (ROOT / row["file"]).read_text().splitlines())
    assert row["before"] in text
    assert row["before"] != row["after"]
    assert row["reason"].endswith(".")
