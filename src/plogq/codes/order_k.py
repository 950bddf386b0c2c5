"""Bytes coded under an adaptive model of order k, which needs no table to be sent."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from operator import index

from plogq.codes.container import as_bytes, pack, unpack, varint
from plogq.codes.errors import CodeError
from plogq.errors import refuse
from plogq.kernels import order_k as kernel

KIND = b"b"
MOST_ORDER = 6
PIECE = 1 << 16  # bytes between two calls of `progress`
# A byte takes at least eight decisions of probability 1 − 2⁻¹⁶: a bit holds at most so many bytes.
BYTES_PER_BIT = 5700

Progress = Callable[[int, int | None], None]


def compress_bytes(data: bytes, *, order: int = 4, progress: Progress | None = None) -> bytes:
    """Code bytes one after another, with a model that learns from those before.

    Each byte is eight binary decisions. For each, order j counts how often it fell 0 and 1 after
    the last j bytes and the bits of this byte so far, and corrects the order below:
    p_j = (n₁ + p_{j−1}) / (n₀ + n₁ + 1), from p₋₁ = ½ up to p_k, which is coded with.

    Parameters
    ----------
    data
        Any bytes.
    order
        k, 0 to 6: the number of earlier bytes that the model uses.
    progress
        Called with bytes done and in all.

    Returns
    -------
    bytes
        For `decompress_bytes`.

    Raises
    ------
    ValueError, TypeError
        If `order` is out of range, or data is no bytes.

    Examples
    --------
    >>> text = b"the rain in spain stays mainly in the plain, " * 100
    >>> coded = compress_bytes(text)
    >>> len(text), len(coded) < 200, decompress_bytes(coded) == text
    (4500, True, True)

    References
    ----------
    Krichevsky, Trofimov (1981), The performance of universal encoding (order 0 is theirs, bit by
    bit); Cleary, Witten (1984), Data compression using adaptive coding and partial string matching
    (a longer context corrects a shorter one); Willems, Shtarkov, Tjalkens (1995), The context-tree
    weighting method (bytes as binary decisions).
    """
    encoder, data = _encoder(order), as_bytes(data)
    _encode(encoder, data, progress)
    fields = varint(len(data)) + bytes([order]) + zlib.crc32(data).to_bytes(4, "little")
    return pack(KIND, fields, encoder.finish())


def adaptive_bits(
    data: bytes, *, order: int = 4, progress: Progress | None = None
) -> tuple[float, float]:
    """Σ −log₂ p of each byte under the model of `compress_bytes`: of the first half, and of all.

    For a stationary source, the expected cost of a byte of the second half is at least the entropy
    rate: no model that knows only the past does better. So this cost estimates the rate from above,
    and it leaves out what the model paid to learn the first half.

    Returns
    -------
    float, float
        The bits of the first ⌊n/2⌋ bytes, and of all n.

    Examples
    --------
    >>> half, whole = adaptive_bits(b"ab" * 500, order=1)
    >>> round(half), round(whole - half)
    (28, 1)

    References
    ----------
    Shannon (1951), Prediction and entropy of printed English; Cover, Thomas (2006), Elements of
    Information Theory, theorems 4.2.1 and 5.4.2.
    """
    encoder, data = _encoder(order), as_bytes(data)
    middle = len(data) // 2
    _encode(encoder, data[:middle], progress)
    half = encoder.bits()
    _encode(encoder, data[middle:], progress and (lambda done, _: progress(middle + done, None)))
    return half, encoder.bits()


def as_order(order: int) -> int:
    """Give k, 0 to 6, after a check."""
    if not 0 <= index(order) <= MOST_ORDER:
        refuse("order", f"be 0 to {MOST_ORDER}", order)
    return index(order)


def frame_bytes(size: int) -> int:
    """Give the number of bytes of the frame around so many coded bytes."""
    return len(pack(KIND, varint(size) + bytes(1 + 4), b""))


def _encoder(order: int) -> kernel.OrderEncoder:
    return kernel.OrderEncoder(as_order(order))


def _encode(encoder: kernel.OrderEncoder, data: bytes, progress: Progress | None) -> None:
    for start in range(0, len(data), PIECE):
        encoder.encode(data[start : start + PIECE])
        if progress is not None:
            progress(min(start + PIECE, len(data)), len(data))


def decompress_bytes(data: bytes, *, progress: Progress | None = None) -> bytes:
    r"""Give the bytes that `compress_bytes` coded.

    Raises
    ------
    CodeError
        If data is damaged, cut short or something else.

    Examples
    --------
    >>> decompress_bytes(compress_bytes(b"abracadabra"))
    b'abracadabra'
    >>> decompress_bytes(b"GIF89a")
    Traceback (most recent call last):
        ...
    plogq.codes.errors.CodeError: data must begin with b'\x89plq': this is no file of plogq code
    """
    _, reader = unpack(data, KIND)
    size, (order,), crc = reader.varint(), reader.take(1), reader.take(4)
    payload = reader.rest()
    if order > MOST_ORDER or size > BYTES_PER_BIT * (8 * len(payload) + 64):
        raise CodeError("data is damaged: its fields do not fit together")
    decoder = kernel.OrderDecoder(order, payload)
    out = bytearray()
    while len(out) < size:
        piece = decoder.decode(min(PIECE, size - len(out)))
        if not piece:
            raise CodeError("data is damaged: it ends before what it codes does")
        out += piece
        if progress is not None:
            progress(len(out), size)
    if zlib.crc32(out) != int.from_bytes(crc, "little"):
        raise CodeError("data decoded to other bytes than were coded: their checksum differs")
    return bytes(out)
