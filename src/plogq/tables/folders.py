"""The files of a folder: each once, without those that are hidden or not finished."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from pyarrow import fs

from plogq.errors import TableError

UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".inprogress", ".crdownload", ".swp", ".lock",
              ".crc", ".bak", "~")  # fmt: skip


def files_in(system: fs.FileSystem, folder: str) -> tuple[list[str], list[str]]:
    """Return a folder's files, in the order of their paths: those to read, and those left out.

    Left out are what is hidden or unfinished, by its own name or by that of any folder on the way
    to it, and further names of a file: links, of which each file counts once.
    """
    try:
        local = isinstance(system, fs.LocalFileSystem)
        found = _local(folder) if local else _remote(system, folder)
    except UnicodeError as error:
        raise TableError(f"{folder}: holds a file whose name is not UTF-8: rename it") from error
    below = {path: _below(path, folder) for path in found}
    read, left_out = [], []
    real: set[tuple[int, int]] = set()
    # A file's own name comes before those of links to it.
    for path in sorted(found, key=lambda path: (_is_linked(path) if local else False, path)):
        if any(is_hidden(name) for name in below[path]):
            left_out.append(path)
            continue
        if local:
            status = Path(path).stat()
            if (status.st_dev, status.st_ino) in real:
                left_out.append(path)
                continue
            real.add((status.st_dev, status.st_ino))
        read.append(path)
    return sorted(read), sorted(left_out)


def is_hidden(name: str) -> bool:
    """Return whether a name is of a hidden file, a marker such as _SUCCESS, or a half-written file.

    Examples
    --------
    >>> [is_hidden(name) for name in ("_temporary", "a.csv.tmp", "a.csv", "_label=1")]
    [True, True, False, False]
    """
    marker = name.startswith("_") and "=" not in name  # with =, it is a partition of Spark's
    unfinished = name.lower().endswith(UNFINISHED) or ".inprogress." in name.lower()
    return name.startswith(".") or marker or unfinished


def _below(path: str, folder: str) -> tuple[str, ...]:
    """Return the names from a folder down to a file; the file's alone, if it is not below."""
    parts, above = PurePosixPath(path).parts, PurePosixPath(folder).parts
    return parts[len(above) :] if parts[: len(above)] == above else parts[-1:]


def _remote(system: fs.FileSystem, folder: str) -> list[str]:
    found = system.get_file_info(fs.FileSelector(folder, recursive=True))
    return [info.path for info in found if info.type == fs.FileType.File]


def _local(folder: str) -> list[str]:
    """List all files; a folder that several links lead to is entered once."""
    found, entered = [], set()
    for where, folders, files in os.walk(folder, followlinks=True):
        entered.add(os.path.realpath(where))
        folders[:] = [
            name for name in sorted(folders)
            if os.path.realpath(Path(where, name)) not in entered
        ]  # fmt: skip
        found += [str(Path(where, name)) for name in files]
    for path in found:
        path.encode()  # refuses a name that is not UTF-8, since no library can open that
    return [path for path in found if Path(path).is_file()]


def _is_linked(path: str) -> bool:
    return os.path.realpath(path) != str(Path(path).absolute())
