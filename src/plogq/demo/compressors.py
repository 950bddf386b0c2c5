"""How small compressors make the same bytes."""

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
    after: int  # how much longer the compressed training text is with it at the end


def _gzip(data: bytes) -> int:
    return len(gzip.compress(data, 9))


def _xz(data: bytes) -> int:
    return len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))


def _zstd(data: bytes) -> int:
    return len(pa.Codec("zstd", compression_level=22).compress(data, asbytes=True))


# At their highest levels xz and zstd look back over all of the text, gzip over 32 KiB.
COMPRESSORS: dict[str, Compressor] = {"gzip -9": _gzip, "xz -9e": _xz, "zstd -22": _zstd}


def start(
    pool: ThreadPoolExecutor, training: bytes, held_out: bytes
) -> dict[str, tuple[Future[int], ...]]:
    """Return jobs that compress the training text with the held-out bytes after it, and each."""
    texts = (training + held_out, training, held_out)
    return {
        name: tuple(pool.submit(compress, text) for text in texts)
        for name, compress in COMPRESSORS.items()
    }


def size(job: tuple[Future[int], ...]) -> Compressed:
    """Return the sizes that one compressor's jobs come to, when they are done."""
    both, training, alone = (part.result() for part in job)
    return Compressed(alone, both - training)
