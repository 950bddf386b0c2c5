"""Which files are read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from plogq.errors import refuse

ENDINGS = (".py", ".ipynb")
# Folders of what others wrote, or of what a tool has made.
SKIPPED = {"__pycache__", "node_modules", "site-packages", "venv", "build", "dist"}


def source_files(paths: Iterable[str | Path], exclude: Sequence[str] = ()) -> list[Path]:
    """Return the files that are named, and the Python files and notebooks of folders.

    Parameters
    ----------
    paths
        Files and folders. In folders, hidden ones and those of `SKIPPED` are passed over.
    exclude
        Patterns of paths, such as "tests/*" and "*_pb2.py".

    Raises
    ------
    OSError
        There is no such file.
    ValueError
        A file is neither Python nor a notebook, or none is left.
    """
    named = [Path(path) for path in paths]
    found: dict[Path, None] = {}
    for path in named:
        if path.is_dir():
            found |= dict.fromkeys(each for each in _inside(path) if not _excluded(each, exclude))
        elif path.suffix in ENDINGS or not path.exists():
            path.stat()  # raises the error of a file that is not there
            found[path] = None
        else:
            kinds = f"be a folder or end in {' or '.join(ENDINGS)}"
            refuse(str(path), kinds, path.suffix or "no ending")
    if not found:
        refuse("paths", "hold Python files or notebooks", ", ".join(map(str, named)) or "nothing")
    return list(found)


def _inside(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(
            each for each in folders if each not in SKIPPED and not each.startswith(".")
        )
        yield from (Path(here, each) for each in sorted(files) if each.endswith(ENDINGS))


def _excluded(path: Path, patterns: Sequence[str]) -> bool:
    text = path.as_posix()
    return any(fnmatch(text, each) or fnmatch(text, f"*/{each}") for each in patterns)
