"""The cases of code: the files of `sick/` and `healthy/`.

The first line of a sick one says what is to be found, that of a healthy one why it is well.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.doctor.corpus.case import Case

FOLDER = Path(__file__).parent / "code"
EXPECTED = re.compile(r"# expect: ([A-Z0-9, ]+)")


def _case(path: Path) -> Case:
    expected = EXPECTED.search(path.read_text())
    codes = frozenset(expected[1].split(", ") if expected else ())
    return Case(path.stem, "sick" if path.parent.name == "sick" else "healthy", codes,
                lambda: {"paths": path})  # fmt: skip


CASES = tuple(
    _case(path) for kind in ("healthy", "sick") for path in sorted((FOLDER / kind).glob("*.*"))
)
