"""A file's bytes, to code and back."""

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

MEASURED = 16 << 20  # bytes that the statistics are taken of; they need some hundred times that


class BytesReport(NamedTuple):
    """What a file came to.

    Attributes
    ----------
    path, size
        The file, and how many bytes it has.
    found
        How far its bytes, or the first 16 MiB of them, can be compressed.
    order
        What it was coded with.
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
    """Code a file with the order that is best for it, or the one given, and decode it again.

    Raises
    ------
    OSError
        A file that cannot be read.
    ValueError
        `order` at fault.
    """
    if order is not None:
        as_order(order)  # before the work, not after it
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
        A file that is damaged, cut short or something else, by its name.
    """
    try:
        return decompress_bytes(path.read_bytes(), progress=progress)
    except CodeError as error:
        raise CodeError(f"{path}: {error}") from error
