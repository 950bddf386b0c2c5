"""The bytes of a file, coded and decoded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from plogq.codes import (
    CodeError,
    Compressibility,
    compress_bytes,
    compressibility,
    decompress_bytes,
)
from plogq.codes.order_k import as_order

Progress = Callable[[int, int | None], None]

MEASURED = 16 << 20  # bytes that are measured, which takes some hundred times as much memory


class BytesReport(NamedTuple):
    """The result of coding a file.

    Attributes
    ----------
    path, size
        The file, and its number of bytes.
    found
        How far its bytes, or the first 16 MiB of them, can be compressed.
    order
        The order k of the code.
    data
        The code.
    """

    path: str
    size: int
    found: Compressibility
    order: int
    data: bytes


def code_file(
    path: Path, *, order: int | None = None, progress: Progress | None = None
) -> BytesReport:
    """Code a file with its best order or a given one, and decode the code as a check.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If `order` is out of range.
    """
    if order is not None:
        as_order(order)  # a wrong order is refused before the work
    content = path.read_bytes()
    found = compressibility(content[:MEASURED], progress=progress)
    chosen = found.best_order if order is None else order
    data = compress_bytes(content, order=chosen, progress=progress)
    if decompress_bytes(data, progress=progress) != content:
        raise CodeError(f"{path}: what was decoded is not what was coded; please report this")
    return BytesReport(str(path), len(content), found, chosen, data)


def decode_file(path: Path, *, progress: Progress | None = None) -> bytes:
    """Give the bytes that `code_file` coded.

    Raises
    ------
    CodeError
        If the file is damaged, cut short or something else; the message names it.
    """
    try:
        return decompress_bytes(path.read_bytes(), progress=progress)
    except CodeError as error:
        raise CodeError(f"{path}: {error}") from error
