"""The frame around coded data, which says what it is, how much there is, and if it is whole.

Four bytes of magic, a byte for the version, a byte for the kind, the fields of that kind, the
payload, and the CRC-32 of all that. docs/codes.md is the specification.
"""

from __future__ import annotations

import zlib

from plogq.codes.errors import CodeError
from plogq.errors import refuse

MAGIC = b"\x89plq"  # no text begins so, and a transfer as text damages it
VERSION = 1
CRC_BYTES = 4
LARGEST = 2**63 - 1

KINDS = {
    b"m": "labels under a table of predictions",
    b"s": "labels under one distribution",
    b"p": "symbols in a prefix code",
    b"b": "bytes under an adaptive model",
}


def as_bytes(data: bytes) -> bytes:
    """Give bytes from anything that holds them: bytes, a bytearray, a memoryview."""
    try:
        return bytes(memoryview(data))
    except TypeError:
        return refuse("data", "be bytes", type(data), error=TypeError)


def pack(kind: bytes, fields: bytes, payload: bytes) -> bytes:
    """Give a payload in its frame."""
    body = MAGIC + bytes([VERSION]) + kind + fields + payload
    return body + zlib.crc32(body).to_bytes(CRC_BYTES, "little")


def unpack(data: bytes, kinds: bytes) -> tuple[bytes, Reader]:
    """Give the kind, one of `kinds`, and a reader of the rest.

    Raises
    ------
    CodeError
        If the data is no such frame, or not whole.
    """
    data = as_bytes(data)
    start = len(MAGIC) + 2
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise CodeError(f"data must begin with {MAGIC!r}: this is no file of plogq code")
    if len(data) < start + CRC_BYTES:
        raise CodeError(f"data is cut short: it has {len(data)} bytes, fewer than any code has")
    if data[len(MAGIC)] != VERSION:
        raise CodeError(
            f"data is of version {data[len(MAGIC)]} of the format; this plogq reads {VERSION}"
        )
    if zlib.crc32(data[:-CRC_BYTES]) != int.from_bytes(data[-CRC_BYTES:], "little"):
        raise CodeError("data is damaged or cut short: its checksum does not fit")
    kind = data[start - 1 : start]
    if kind not in KINDS:
        raise CodeError(f"data is of a kind that this plogq does not know: {kind!r}")
    if kind not in kinds:
        wanted = " or ".join(KINDS[bytes([k])] for k in kinds)
        raise CodeError(f"data is a code of {KINDS[kind]}, not of {wanted}")
    return kind, Reader(data[start:-CRC_BYTES])


def varint(n: int) -> bytes:
    """Give an integer, 0 to 2⁶³ − 1, as bytes of seven bits each, the lowest first."""
    out = bytearray()
    while n >= 128:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


class Reader:
    """Reads the fields of a frame in order, never past its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, n: int) -> bytes:
        """Give the next n bytes."""
        if n > len(self._data) - self._at:
            raise CodeError("data is damaged: a field reaches past its end")
        self._at += n
        return self._data[self._at - n : self._at]

    def varint(self) -> int:
        """Read an integer as `varint` writes it, in as few bytes as it takes."""
        n = shift = 0
        while True:
            (byte,) = self.take(1)
            n |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
            if shift > 63:
                raise CodeError("data is damaged: a number in it has no end")
        if n > LARGEST or (byte == 0 and shift > 7):
            raise CodeError("data is damaged: a number in it is not written as it should be")
        return n

    def rest(self) -> bytes:
        """Give all bytes that are left."""
        return self.take(len(self._data) - self._at)
