"""docs/score.md shows the benchmarks as they were printed, and every family that there is."""

import re
from pathlib import Path

import pytest

from plogq.score.recalibration.cross_fit import FAMILIES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "score.md").read_text()
DEED = (ROOT / "docs" / "deed.md").read_text()


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("intervals", PAGE),
        ("decomposition", PAGE),
        ("recalibration", PAGE),
        ("measures", PAGE),
        ("labels", DEED),
    ],
    ids=lambda each: each if len(each) < 20 else "",
)
def test_tables_are_as_the_benchmark_printed_them(name, page):
    shown = re.search(rf"<!-- {name} -->\n```\n(.*?)\n```\n", page, re.DOTALL).group(1)
    assert len(shown.splitlines()) > 8
    assert shown in (ROOT / "benchmarks" / "results" / f"{name}.txt").read_text()


def test_every_family_is_explained():
    rows = re.findall(r"^\| `([a-z+]+)` \| .* \| .* \|$", PAGE, re.MULTILINE)
    names = [family.name for family in FAMILIES]
    assert [row for row in rows if row in names] == names
