"""Text that may be compressed: its first bytes say how, whatever the file is called."""

from __future__ import annotations

import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath

import pyarrow as pa
from pyarrow import fs

from plogq.errors import TableError, refuse
from plogq.tables.folders import is_hidden

ENDINGS = ("", ".gz", ".bz2", ".zst", ".xz", ".zip")  # of a text table, after its own
OF_ARROW = {"gzip": re.compile(rb"\x1f\x8b"), "bz2": re.compile(rb"BZh[1-9]1AY&SY"),
            "zstd": re.compile(rb"\x28\xb5\x2f\xfd")}  # fmt: skip
XZ, ZIP = b"\xfd7zXZ\0", (b"PK\x03\x04", b"PK\x05\x06")
HEAD, LONGEST_HEAD = 1 << 16, 1 << 24
LINE_BREAK = re.compile(rb"[\r\n]")


def open_unpacked(system: fs.FileSystem, path: str) -> pa.NativeFile:
    """Return a file opened at its start, unpacked where it is compressed."""
    first = first_bytes(system, path)
    for name, magic in OF_ARROW.items():
        if magic.match(first):
            return system.open_input_stream(path, compression=name)
    if first.startswith(XZ):
        return pa.PythonFile(lzma.open(system.open_input_file(path)), mode="r")
    if first.startswith(ZIP):
        with unzipping():
            archive = zipfile.ZipFile(system.open_input_file(path))
            return pa.PythonFile(archive.open(only_member(archive, path)), mode="r")
    return system.open_input_stream(path, compression=None)


@contextmanager
def unzipping() -> Iterator[None]:
    """Raise OSError where `zipfile` finds a damaged archive, which it says in many ways.

    RuntimeError: it is encrypted, or compressed in a way that Python does not know. ValueError: a
    name or a place in it cannot be.
    """
    try:
        yield
    except TableError:
        raise
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, RuntimeError, EOFError,
            ValueError, OverflowError) as error:  # fmt: skip
        raise OSError(str(error) or "it is cut short") from error


def first_bytes(system: fs.FileSystem, path: str) -> bytes:
    """Return the first 16 bytes of a file, which show what it is."""
    with system.open_input_stream(path, compression=None) as file:
        return bytes(file.read(16))


def read_head(system: fs.FileSystem, path: str) -> tuple[bytes, bool]:
    """Return the first 64 KiB of a text, more if it has no three lines, and whether that is all."""
    with open_unpacked(system, path) as file:
        head = bytes(file.read(HEAD))
        while len(head) < LONGEST_HEAD and len(LINE_BREAK.findall(head)) < 3:
            more = bytes(file.read(len(head) or HEAD))
            if not more:
                break
            head += more
        return head, not file.read(1)


def only_member(archive: zipfile.ZipFile, path: str) -> zipfile.ZipInfo:
    """Return the one file that a zip archive holds."""
    files = [
        info
        for info in archive.infolist()
        if not info.is_dir() and not any(map(is_hidden, PurePosixPath(info.filename).parts))
    ]
    if len(files) != 1:
        came = ", ".join(info.filename for info in files[:5]) or "none"
        expected = "hold one file (of several, name one: zip://NAME::FILE)"
        refuse(path, expected, came, error=TableError)
    if files[0].flag_bits & 1:
        refuse(path, "be an archive without a password", "an encrypted one", error=TableError)
    return files[0]
