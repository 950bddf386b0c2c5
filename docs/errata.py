"""Write `docs/errata.md` from the list that the explorer's page of errata shows: `make errata`."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from plogq.explorer.pages.errata_list import HABITS, SOURCES, Erratum, errata

PAGE = Path(__file__).with_name("errata.md")

HEADER = """# Errata of published figures

Wrong figures and wrong sentences about cross-entropy that are copied from text to text. Each
stands beside the right one, with the reason, and the Python that shows it. Where the error can be
read or was met in a public place, or where a book has it right, that is named. The other figures
are found in teaching texts without a source of their own.

`plogq explore` draws the same list on its page [Errata](explorer.md). `make errata` wrote this page
from `src/plogq/explorer/pages/errata_list.py`, which computes every right figure.
"""


def page() -> str:
    """Return the text of the page."""
    parts = [HEADER]
    for habit, group in groupby(errata(), key=lambda erratum: erratum.habit):
        parts.append(f"## {HABITS[habit]}\n")
        parts += [_entry(erratum) for erratum in group]
    return "\n".join(parts)


def _entry(erratum: Erratum) -> str:
    lines = [
        f"### {erratum.what}\n",
        "| published | right |\n| --- | --- |",
        f"| {_cell(erratum.said)} | {_cell(erratum.right)} |\n",
        f"{erratum.why}\n",
        f"```python\n{_runnable(erratum.code)}\n```\n",
    ]
    source = SOURCES.get(erratum.name)
    return "\n".join([*lines, f"{source}\n"] if source else lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _runnable(code: str) -> str:
    return code.replace("import plogq, numpy as np", "import numpy as np\nimport plogq\n")


if __name__ == "__main__":
    PAGE.write_text(page())
