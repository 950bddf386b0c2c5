"""What compressors make of the same bytes."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import pyarrow as pa

Compressor = Callable[[bytes], int]


class Compressed(NamedTuple):
    """Sizes in bytes."""

    alone: int
    after: int  # what it adds to the training text, compressed before it


def _gzip(data: bytes) -> int:
    return len(gzip.compress(data, 9))


def _xz(data: bytes) -> int:
    return len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))


def _zstd(data: bytes) -> int:
    return len(pa.Codec("zstd", compression_level=22).compress(data, asbytes=True))


# At their best; xz and zstd then look back over all of it, gzip over 32 KiB.
COMPRESSORS: dict[str, Compressor] = {"gzip -9": _gzip, "xz -9e": _xz, "zstd -22": _zstd}


def start(
    pool: ThreadPoolExecutor, training: bytes, held_out: bytes
) -> dict[str, tuple[Future[int], ...]]:
    """Compress the training text with the held-out bytes after it, and both alone."""
    texts = (training + held_out, training, held_out)
    return {
        name: tuple(pool.submit(compress, text) for text in texts)
        for name, compress in COMPRESSORS.items()
    }


def size(job: tuple[Future[int], ...]) -> Compressed:
    """Wait for what one compressor makes of them."""
    both, training, alone = (part.result() for part in job)
    return Compressed(alone, both - training)
