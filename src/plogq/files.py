"""Output files, written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def check_output(path: Path, but: Iterable[Path] = ()) -> None:
    """Refuse, before there is data, a file that cannot be written or is one of `but`.

    Raises
    ------
    OSError
        Its folder is not there, or it may not be written; names `path`.
    """
    folder = Path(os.path.realpath(path)).parent
    if path.is_dir():
        raise _cannot(errno.EISDIR, path, "it is a folder; give the name of a file in it")
    if not folder.is_dir():
        raise _cannot(errno.ENOENT, path, f"there is no folder {folder}")
    if path.exists() and not os.access(path, os.W_OK):
        raise _cannot(errno.EACCES, path, "it is read-only")
    if not path.exists() or path.is_file():  # a device or pipe is written to, and not replaced
        if not os.access(folder, os.W_OK | os.X_OK):
            raise _cannot(errno.EACCES, path, f"the folder {folder} is read-only")
        if any(path == other or _same(path, other) for other in but):
            raise _cannot(errno.EEXIST, path, "this command reads or writes it already")


def check_folder(folder: Path) -> None:
    """Refuse a folder that can neither be written to nor made.

    Raises
    ------
    OSError
        Names `folder`.
    """
    whole = folder.absolute()
    there = next(path for path in (whole, *whole.parents) if path.exists())
    if not there.is_dir():
        raise _cannot(errno.ENOTDIR, folder, f"{there} is no folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise _cannot(errno.EACCES, folder, f"the folder {there} is read-only")


def _cannot(number: int, path: Path, why: str) -> OSError:
    return OSError(number, f"cannot be written: {why}", str(path))


def _same(path: Path, other: Path) -> bool:
    return path.exists() and other.exists() and path.samefile(other)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is never seen half-written; see `whole_file`."""
    with whole_file(path) as file:
        file.write(data)


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that is never seen half-written: it is written beside its place, then moved.

    A device or pipe (/dev/stdout) is written to directly, since it must not be replaced. A file
    that was there keeps its permissions. Raises an OSError that names `path`. After any error, and
    after Ctrl-C, nothing is left; a process that is killed (SIGKILL) leaves `.NAME.PID.part`.
    """
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                yield file
        else:
            with _beside(Path(os.path.realpath(path))) as file:  # a link stays a link
                yield file
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextmanager
def _beside(path: Path) -> Iterator[IO[bytes]]:
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            if path.is_file():
                beside.chmod(stat.S_IMODE(path.stat().st_mode))
            yield file
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
