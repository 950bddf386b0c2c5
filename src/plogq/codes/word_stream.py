"""Streams of words as bytes, in a frame that says where they end and which code they are in."""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from plogq.codes.container import pack, unpack, varint
from plogq.codes.errors import CodeError
from plogq.codes.word_lengths import DIGITS
from plogq.errors import refuse
from plogq.kernels import prefix_code as kernel
from plogq.kernels.arrays import to_numpy

KIND = b"p"
DIGEST_BYTES = 6
LONGEST_NATIVE = 56  # bits


class WordStream:
    """Encodes and decodes words, given by number, of one uniquely decodable code."""

    def __init__(
        self, words: Sequence[str], symbols: Sequence[Hashable], base: int, prefix_free: bool
    ) -> None:
        self._words = words
        self._base = base
        self._prefix_free = prefix_free
        self._digest = code_digest(words, symbols, base)
        self._dtype = np.dtype(np.uint8 if len(words) <= 256 else np.uint32)
        self._number = {word: i for i, word in enumerate(words)}
        self._table = None
        lengths = {len(word) for word in words}
        if base == 2 and prefix_free and min(lengths) > 0 and max(lengths) <= LONGEST_NATIVE:
            self._table = (
                np.array([int(word, 2) for word in words], np.uint64),
                np.array([len(word) for word in words], np.uint8),
            )

    def encode(self, indices: npt.ArrayLike) -> bytes:
        """Give the words of these numbers as framed bytes."""
        x = to_numpy("indices", indices)
        if x.ndim != 1 or (x.dtype.kind not in "iu" and x.size):
            refuse("indices", "be integers of shape (n,)", f"{x.dtype} of shape {x.shape}")
        bad = (x < 0) | (x >= len(self._words)) if x.dtype != self._dtype else x >= len(self._words)
        if bad.any():
            i = int(np.argmax(bad))
            refuse("indices", f"be in [0, {len(self._words)})", x[i], row=i)
        x = np.ascontiguousarray(x, self._dtype)
        if self._table is not None:
            size, payload = kernel.encode_words(*self._table, x)
        else:
            digits = "".join(self._words[i] for i in x.tolist())
            size, payload = len(digits), to_bytes(digits, self._base)
        fields = varint(len(x)) + varint(size) + self._digest + self._crc(x)
        return pack(KIND, fields, payload)

    def decode(self, data: bytes) -> npt.NDArray[Any]:
        """Give the numbers of the words in framed bytes."""
        _, reader = unpack(data, KIND)
        n, size, digest = reader.varint(), reader.varint(), reader.take(DIGEST_BYTES)
        crc = reader.take(4)
        if digest != self._digest:
            raise CodeError("data is in another code: the digest of its words and symbols differs")
        payload = reader.rest()
        width = digit_bits(self._base)
        if len(payload) != (size * width + 7) // 8 or n > size:
            raise CodeError("data is damaged: its fields do not fit together")
        if self._table is not None:
            numbers = np.empty(n, self._dtype)
            taken = kernel.decode_words(*self._table, payload, size, numbers)
            whole = (
                taken == size and int.from_bytes(payload[-1:], "big") & (1 << -size % 8) - 1 == 0
            )
        else:
            numbers = np.array(self.parse(from_bytes(payload, size, self._base)), self._dtype)
            whole = len(numbers) == n
        if not whole:
            raise CodeError("data is damaged: it is no stream of the code's words")
        if self._crc(numbers) != crc:
            raise CodeError("data decoded to other symbols than were coded: their checksum differs")
        return numbers

    def _crc(self, numbers: npt.NDArray[Any]) -> bytes:
        little = numbers.astype(self._dtype.newbyteorder("<"), copy=False)
        return zlib.crc32(little.data).to_bytes(4, "little")

    def parse(self, digits: str) -> list[int]:
        """Read words from digits to their end."""
        numbers = self._forwards(digits) if self._prefix_free else self._backwards(digits)
        if numbers is None:
            raise CodeError("digits are no stream of the code's words")
        return numbers

    def _forwards(self, digits: str) -> list[int] | None:
        longest = max(map(len, self._words))
        numbers, at = [], 0
        while at < len(digits):
            for end in range(at + 1, min(at + longest, len(digits)) + 1):
                if (number := self._number.get(digits[at:end])) is not None:
                    break
            else:
                return None
            numbers.append(number)
            at = end
        return numbers

    def _backwards(self, digits: str) -> list[int] | None:
        """Give the numbers of the words by reading from the end; None if digits are no words."""
        lengths = sorted({len(word) for word in self._words})
        word_at: list[int | None] = [None] * (len(digits) + 1)
        readable = [False] * len(digits) + [True]
        for at in range(len(digits) - 1, -1, -1):
            for length in lengths:
                end = at + length
                number = self._number.get(digits[at:end]) if end <= len(digits) else None
                if number is not None and readable[end]:
                    word_at[at], readable[at] = number, True
                    break
        numbers, at = [], 0
        while at < len(digits):
            if (step := word_at[at]) is None:
                return None
            numbers.append(step)
            at += len(self._words[step])
        return numbers


def code_digest(words: Sequence[str], symbols: Sequence[Hashable], base: int) -> bytes:
    """Give a digest of a code's words, and of those symbols that are text or integers."""
    digest = blake2b(f"{base};{','.join(words)};".encode(), digest_size=DIGEST_BYTES)
    for symbol in symbols:
        if isinstance(symbol, str):
            text = symbol.encode("utf-8", "surrogatepass")
            digest.update(b"t" + varint(len(text)) + text)
        elif isinstance(symbol, (int, np.integer)):
            digest.update(b"i%d;" % int(symbol))
        else:
            digest.update(b"o")
    return digest.digest()


def digit_bits(base: int) -> int:
    """Give the number of bits of a digit."""
    return (base - 1).bit_length()


def to_bytes(digits: str, base: int) -> bytes:
    """Pack digits, the most significant bit first."""
    width = digit_bits(base)
    bits = "".join(f"{int(digit, base):0{width}b}" for digit in digits)
    return np.packbits(np.frombuffer(bits.encode(), np.uint8) - ord("0")).tobytes()


def from_bytes(payload: bytes, size: int, base: int) -> str:
    """Unpack so many digits; what follows them must be zeros."""
    width = digit_bits(base)
    bits = np.unpackbits(np.frombuffer(payload, np.uint8))
    places = 1 << np.arange(width)[::-1]
    values = bits[: size * width].reshape(size, width) @ places
    if bits[size * width :].any() or (values >= base).any():
        raise CodeError("data is damaged: it is no stream of the code's words")
    return "".join(DIGITS[value] for value in values.tolist())
