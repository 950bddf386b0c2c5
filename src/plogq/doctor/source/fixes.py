"""Changes that are safe, applied to the text of a file and to nothing else in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

from plogq.doctor.finding import Diagnosis, Edit, Finding
from plogq.doctor.source.text import as_python, lines_of

INDENTS: tuple[int | None, ...] = (1, 2, 4, None)  # of the JSON of notebooks


@dataclass(frozen=True)
class Fixed:
    """A file as it is to be.

    Attributes
    ----------
    path
        The file.
    after
        What is to stand in it.
    diff
        The changes, as `diff -u` prints them.
    """

    path: Path
    after: bytes
    diff: str


def fixed_files(diagnosis: Diagnosis) -> Iterator[Fixed]:
    """Yield each file that has changes that are safe."""
    by_path: dict[str, list[Finding]] = {}
    for finding in diagnosis.findings:
        if finding.edits:
            by_path.setdefault(finding.where.what, []).append(finding)
    for name, findings in by_path.items():
        path = Path(name)
        before = path.read_bytes()
        text = before.decode("utf-8-sig")
        after = _notebook(text, findings) if path.suffix == ".ipynb" else _edited(text, findings)
        if after is not None and after != text:
            diff = "".join(unified_diff(lines_of(text), lines_of(after), name, name))
            mark = b"\xef\xbb\xbf" if before.startswith(b"\xef\xbb\xbf") else b""
            yield Fixed(path, mark + after.encode(), diff)


def _notebook(text: str, findings: Iterable[Finding]) -> str | None:
    """Return a notebook with its cells changed; None where its JSON would be laid out anew."""
    document: Any = json.loads(text)
    end = text[len(text.rstrip("\n")) :]
    for indent in INDENTS:
        if _written(document, indent) + end == text:
            break
    else:
        return None
    by_cell: dict[int, list[Finding]] = {}
    for finding in findings:
        by_cell.setdefault(finding.where.cell or 0, []).append(finding)
    for number, inside in by_cell.items():
        cell = document["cells"][number - 1]
        source = _edited("".join(cell["source"]), inside)
        cell["source"] = source if isinstance(cell["source"], str) else lines_of(source)
    return _written(document, indent) + end


def _written(document: Any, indent: int | None) -> str:
    return json.dumps(document, indent=indent, ensure_ascii=False)


def _edited(text: str, findings: Iterable[Finding]) -> str:
    """Return a text with the edits made; of edits that overlap, the first one alone.

    The text stays as it is where the edits would leave no Python.
    """
    before = text
    lines = lines_of(text)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))

    def offset(at: tuple[int, int]) -> int:
        return starts[at[0] - 1] + at[1]

    taken: list[Edit] = []
    for finding in sorted(findings, key=lambda each: (each.edits[0].start, each.edits[0].end)):
        if not taken or finding.edits[0].start >= taken[-1].end:
            taken += sorted(finding.edits, key=lambda each: each.start)
    for edit in reversed(taken):
        text = text[: offset(edit.start)] + edit.text + text[offset(edit.end) :]
    return before if as_python(text)[1] else text
