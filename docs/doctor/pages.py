"""Write a page of each check of the doctor, from its docstring: `make checks`."""

from __future__ import annotations

from pathlib import Path

from plogq.doctor.check import CODE, TRAINING, VALUES, all_checks

FOLDER = Path(__file__).parent / "checks"
INDEX = "README.md"

HEADER = """# The checks of the doctor

`plogq doctor --explain CODE` prints these pages. `make checks` wrote them, from the checks' own
files in `src/plogq/doctor/checks/`. Checks of one name look for the same mistake in other places.
"""
TITLES = {VALUES: "Of values and tables", TRAINING: "Of trainings", CODE: "Of code"}


def pages() -> dict[str, str]:
    """Return the texts of the pages, by the names of their files."""
    lines = [HEADER]
    for series, title in TITLES.items():
        lines += [f"## {title}\n", "| check | finds |", "| --- | --- |"]
        lines += [
            f"| [{each.code} {each.name}]({each.code}.md) | {each.title} |"
            for each in all_checks(series)
        ]
        lines.append("")
    found = {f"{each.code}.md": each.page for each in all_checks()}
    return {INDEX: "\n".join(lines).rstrip("\n") + "\n", **found}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.md"):
        old.unlink()
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
