"""How compressible a stream is: by its own statistics, and by existing coders."""

from __future__ import annotations

import gzip
import lzma
import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from plogq.codes.huffman import huffman_lengths
from plogq.codes.order_k import PIECE, adaptive_bits, frame_bytes
from plogq.errors import refuse
from plogq.formulas import entropy_of_counts
from plogq.kernels.arrays import to_numpy


def empirical_entropy(stream: npt.ArrayLike | bytes, order: int = 0) -> float:
    """H_k = Σ (n_{cs} / n) log₂ (n_c / n_{cs}): bits per symbol, given the k symbols before.

    Of the n places that have k symbols before them, n_c stand after the context c, and n_{cs} of
    those hold s. No order-k code that knows the counts does better. The cost of sending the counts
    is not included, so the figure falls to 0 as k grows, however random the stream is.

    Parameters
    ----------
    stream
        Bytes, or symbols of any kind that can be sorted, shape (n,).
    order
        k ≥ 0.

    Examples
    --------
    >>> empirical_entropy(b"abababababababab")
    1.0
    >>> empirical_entropy(b"abababababababab", order=1)
    0.0

    References
    ----------
    Manzini (2001), An analysis of the Burrows-Wheeler transform, section 2.
    """
    return empirical_entropies(stream, order)[order]


def empirical_entropies(stream: npt.ArrayLike | bytes, most: int) -> list[float]:
    """Give `empirical_entropy` of the orders 0 to `most`.

    Examples
    --------
    >>> [round(h, 4) for h in empirical_entropies(b"abracadabra", 2)]
    [2.0404, 0.6, 0.0]
    """
    if most < 0:
        refuse("order", "be at least 0", most)
    x = np.frombuffer(stream, np.uint8) if isinstance(stream, bytes) else to_numpy("stream", stream)
    if x.ndim != 1:
        refuse("stream", "have shape (n,)", x.shape)
    symbols = np.unique(x, return_inverse=True)[1].astype(np.int64)
    distinct = int(symbols.max(initial=0)) + 1
    context = np.zeros(len(symbols), np.int64)  # a number for the k symbols before each place
    found = [0.0] * (most + 1)
    for k in range(min(most + 1, len(symbols))):
        gram = np.unique(context * distinct + symbols[k:], return_inverse=True)[1]
        both, alone = (entropy_of_counts(np.bincount(x), unit="bit") for x in (gram, context))
        found[k] = max(0.0, float(both - alone))
        context = gram[:-1].astype(np.int64)
    return found


class Contender(NamedTuple):
    """One way to code a stream, and the bytes that it takes."""

    name: str
    bytes: int


class Compressibility(NamedTuple):
    """The result of `compressibility`.

    Attributes
    ----------
    size
        The number of bytes.
    empirical
        H_k in bits per byte for k = 0, 1, …: see `empirical_entropies`.
    adaptive
        The bytes of the code of `compress_bytes` for k = 0, 1, …, with its frame.
    huffman
        The bytes of the best code with a word for each byte value, with 5 bits for the length of
        each of the 256 words.
    entropy_rate
        An estimate from above, in bits per byte: the cost of the second half under the best order
        (`adaptive_bits`).
    others
        The bytes that general compressors take, at their best settings.
    """

    size: int
    empirical: list[float]
    adaptive: list[int]
    huffman: int
    entropy_rate: float
    others: list[Contender]

    def bits_per_byte(self, coded: float) -> float:
        """Give 8 coded / size."""
        return 8 * coded / self.size if self.size else 0.0

    @property
    def best_order(self) -> int:
        """The order k with the shortest code."""
        return int(np.argmin(self.adaptive))


def compressibility(
    data: bytes,
    *,
    orders: int = 5,
    progress: Callable[[int, int | None], None] | None = None,
) -> Compressibility:
    """Measure how far bytes can be compressed: by order in theory, and by existing coders.

    Parameters
    ----------
    data
        Any bytes.
    orders
        The highest order, 0 to 6.
    progress
        Called with (work done, all work), in bytes.

    Examples
    --------
    >>> found = compressibility(b"she sells sea shells on the sea shore. " * 50, orders=2)
    >>> [round(h, 2) for h in found.empirical]
    [3.04, 1.13, 0.42]
    >>> [c.name for c in found.others]
    ['gzip -9', 'xz -9e', 'zstd -19']
    """

    def step(order: int) -> Callable[[int, int | None], None] | None:
        return progress and (lambda done, _: progress(order * len(data) + done, total))

    total = (orders + 1) * len(data)
    adaptive = [
        adaptive_bits(data, order=order, progress=step(order)) for order in range(orders + 1)
    ]
    later = max(1, len(data) - len(data) // 2)
    return Compressibility(
        size=len(data),
        empirical=empirical_entropies(data, orders),
        adaptive=[math.ceil(whole / 8) + frame_bytes(len(data)) for _, whole in adaptive],
        huffman=_huffman_bytes(data),
        entropy_rate=min((whole - half) / later for half, whole in adaptive),
        others=[Contender(name, size) for name, size in _others(data)],
    )


def _huffman_bytes(data: bytes) -> int:
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    seen = counts[counts > 0]
    if not len(seen):
        return 0
    return math.ceil((int(seen @ huffman_lengths(seen)) + 5 * 256) / 8)


def _others(data: bytes) -> Iterable[tuple[str, int]]:
    yield "gzip -9", len(gzip.compress(data, 9))
    xz = lzma.LZMACompressor(preset=9 | lzma.PRESET_EXTREME)  # in pieces, so that Ctrl-C works
    pieces = (data[start : start + PIECE] for start in range(0, len(data), PIECE))
    yield "xz -9e", sum(len(xz.compress(piece)) for piece in pieces) + len(xz.flush())
    try:
        from pyarrow import Codec
    except ImportError:  # there is then one contender less
        return
    packed: Any = Codec("zstd", compression_level=19).compress(data)
    yield "zstd -19", len(packed)
