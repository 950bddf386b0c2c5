"""The text of a file of Python, or of all cells of a notebook, and where each line stands."""

from __future__ import annotations

import ast
import json
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plogq.doctor.finding import Place

LINE_MAGIC = re.compile(r"^(\s*)(?:%[A-Za-z]|![^=]|\?).*|^(\s*)[\w.]+\?{1,2}\s*$")
ASSIGNED_MAGIC = re.compile(r"^(\s*[\w, ]+=\s*)(?:%[A-Za-z]|!).*")
TIMED = ("%%time", "%%timeit", "%%capture", "%%prun")  # magics of cells that hold Python


class UnreadableError(ValueError):
    """A file that is not what its name says; the message says why."""


@dataclass(frozen=True)
class SourceText:
    """What is parsed.

    Attributes
    ----------
    path
        The file.
    text
        Its text; of a notebook, its cells one below the other.
    cells
        Of a notebook, the number of each cell, from 1, and the line of `text` where it begins.
    skipped
        Cells that do not parse, and why.
    """

    path: Path
    text: str
    cells: tuple[tuple[int, int], ...] = ()
    skipped: tuple[str, ...] = ()

    def at(self, line: int) -> tuple[int | None, int]:
        """Return the cell of a line of `text`, if there are cells, and the line in it, from 1."""
        for number, first in reversed(self.cells):
            if line >= first:
                return number, line - first + 1
        return None, line

    def line(self, where: Place) -> int:
        """Return the line of `text` where something was found."""
        first = dict(self.cells)[where.cell] if where.cell is not None else 1
        return first + (where.line or 1) - 1


def read_text(path: Path) -> SourceText:
    """Return the text of a file.

    Raises
    ------
    UnreadableError
        It is not in UTF-8, or no notebook.
    OSError
        It cannot be read.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableError("not in UTF-8") from None
    if path.suffix != ".ipynb":
        return SourceText(path, text)
    return _joined(path, notebook_cells(text))


def notebook_cells(text: str) -> list[tuple[int, str]]:
    """Return the number, from 1, and the source of each cell of code of a notebook.

    Raises
    ------
    UnreadableError
        It is no notebook.
    """
    try:
        cells: Any = json.loads(text)["cells"]
        return [
            (number, "".join(cell["source"]))
            for number, cell in enumerate(cells, 1)
            if cell["cell_type"] == "code"
        ]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise UnreadableError("not a notebook of format 4, the JSON that Jupyter writes") from None


def _joined(path: Path, cells: list[tuple[int, str]]) -> SourceText:
    lines: list[str] = []
    starts, skipped = [], []
    for number, source in cells:
        starts.append((number, len(lines) + 1))
        python, why = as_python(source)
        if why:
            skipped.append(f"cell {number} is not read: {why}")
        lines += python.split("\n")
    return SourceText(path, "\n".join(lines), tuple(starts), tuple(skipped))


def as_python(source: str) -> tuple[str, str]:
    """Return a cell as Python, with as many lines; or nothing, and why it is not read."""
    why = ""
    for python in (source, _without_magics(source)):  # "%" may begin a line of a formula
        try:
            parsed(python)
        except SyntaxError as error:
            why = reason(error)
        else:
            return python, ""
    return "", why


def reason(error: SyntaxError) -> str:
    """Return why a text is no Python, and where."""
    return f"{error.msg} (line {error.lineno})" if error.lineno else error.msg


def _without_magics(source: str) -> str:
    """Return a cell with `pass` where IPython's own commands stand, on the same lines."""
    lines = source.split("\n")
    if lines[0].startswith("%%"):
        if not lines[0].startswith(TIMED):
            return ""
        lines[0] = ""
    lines = [ASSIGNED_MAGIC.sub(r"\1None", line) for line in lines]
    return "\n".join(LINE_MAGIC.sub(lambda m: f"{m[1] or m[2] or ''}pass", line) for line in lines)


def lines_of(text: str) -> list[str]:
    """Return the lines of a text as Python counts them, with their ends."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", text)


def parsed(text: str) -> ast.Module:
    """Return the syntax tree of a text, which may await at its top, as notebooks do.

    Raises
    ------
    SyntaxError
        It is no Python.
    """
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of invalid escapes in what others wrote
        try:
            tree = compile(text, "<source>", "exec", flags, dont_inherit=True)
        except (ValueError, RecursionError, MemoryError) as error:
            raise SyntaxError(str(error) or "nested too deep") from None
    assert isinstance(tree, ast.Module)
    return tree
