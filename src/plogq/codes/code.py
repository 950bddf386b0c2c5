"""A code of symbols: a word of digits for each, made by a rule or given."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from plogq.codes import word_stream
from plogq.codes.canonical import canonical_words
from plogq.codes.cost import Cost, code_cost
from plogq.codes.decodability import Ambiguity, ambiguity, is_prefix_free
from plogq.codes.huffman import huffman_lengths
from plogq.codes.kraft import kraft_sum
from plogq.codes.sources import as_base
from plogq.codes.word_lengths import (
    DIGITS,
    fixed_lengths,
    shannon_fano_elias_words,
    shannon_lengths,
)
from plogq.errors import refuse
from plogq.kernels.arrays import to_numpy

# Numbers by symbol, or in the order of the symbols.
Numbers = Mapping[Any, float] | Sequence[float] | npt.NDArray[np.float64]


class Code:
    """A word for each symbol.

    Parameters
    ----------
    words
        Symbol → word, of the digits 0 to 9 and a to z below `base`; or words alone, for the
        symbols 0, 1, 2, … Any words are allowed; `is_uniquely_decodable` says whether the code can
        be decoded.
    base
        D, how many digits there are: 2 to 36.

    Attributes
    ----------
    symbols, words
        In the order given, as tuples.
    lengths
        ℓ of each word, ndarray of int64.

    Raises
    ------
    ValueError
        If there are no words, or a word has other digits.

    Examples
    --------
    >>> code = Code.huffman({"blue": 0.25, "red": 0.5, "green": 0.13, "yellow": 0.12})
    >>> dict(code)
    {'blue': '10', 'red': '0', 'green': '110', 'yellow': '111'}
    >>> code.digits(["red", "blue", "red"])
    '0100'
    >>> code.decode(code.encode(["red", "blue", "red"]))
    ['red', 'blue', 'red']
    >>> code.expected_length([0.25, 0.5, 0.13, 0.12])
    1.75
    >>> Code({"a": "0", "b": "01", "c": "10"}).ambiguous_stream()
    ('010', ['a', 'c'], ['b', 'a'])
    """

    def __init__(self, words: Mapping[Any, str] | Sequence[str], *, base: int = 2) -> None:
        self.base = as_base(base)
        if base > len(DIGITS):
            refuse("base", f"be at most {len(DIGITS)} where words are written", base)
        named = words if isinstance(words, Mapping) else dict(enumerate(words))
        self.symbols: tuple[Hashable, ...] = tuple(named)
        self.words: tuple[str, ...] = tuple(named.values())
        if not self.words:
            refuse("words", "hold one word at least", "none")
        digits = DIGITS[:base]
        for symbol, word in named.items():
            if not isinstance(word, str) or word.strip(digits):
                refuse("words", f"be of the digits {digits}", f"{word!r} for {symbol!r}")
        self.lengths = np.array([len(word) for word in self.words], np.int64)

    # --- made by a rule

    @classmethod
    def fixed(cls, symbols: Iterable[Any], *, base: int = 2) -> Self:
        """Words of one length: `fixed_lengths`."""
        names = tuple(symbols)
        seen: set[Any] = set()
        for i, name in enumerate(names):
            if name in seen:
                refuse("symbols", "be different", f"{name!r} again", row=i)
            seen.add(name)
        return cls._canonical(names, fixed_lengths(len(names), base=base), base)

    @classmethod
    def shannon(cls, p: Numbers, *, base: int = 2) -> Self:
        """Words of Shannon's lengths, counting up: `shannon_lengths`."""
        names, numbers = _split(p)
        return cls._canonical(names, shannon_lengths(numbers, base=base), base)

    @classmethod
    def shannon_fano_elias(cls, p: Numbers, *, base: int = 2) -> Self:
        """Words that are places on the line of cumulative probability."""
        names, numbers = _split(p)
        words = shannon_fano_elias_words(numbers, base=base)
        return cls(dict(zip(names, words, strict=True)), base=base)

    @classmethod
    def huffman(cls, weights: Numbers, *, base: int = 2, longest: int | None = None) -> Self:
        """Words of Huffman's lengths, counting up: `huffman_lengths`.

        No code is shorter; with `longest`, none of those whose words are within it.
        """
        names, numbers = _split(weights)
        lengths = huffman_lengths(numbers, base=base, longest=longest)
        return cls._canonical(names, lengths, base)

    @classmethod
    def _canonical(cls, names: tuple[Any, ...], lengths: npt.ArrayLike, base: int) -> Self:
        words = canonical_words(lengths, base=base)
        return cls(dict(zip(names, words, strict=True)), base=base)

    # --- its properties

    def keys(self) -> tuple[Hashable, ...]:
        """Give the symbols: with `code[symbol]`, it is a mapping to the words."""
        return self.symbols

    def __getitem__(self, symbol: Hashable) -> str:
        return self.words[self._number[symbol]]

    def __len__(self) -> int:
        return len(self.words)

    def __repr__(self) -> str:
        shown = ", ".join(f"{s!r}: {self[s]!r}" for s in self.symbols[:4])
        return f"Code({{{shown}{', …' if len(self) > 4 else ''}}}, base={self.base})"

    @cached_property
    def kraft_sum(self) -> Fraction:
        """K = Σ D^(−ℓ), exactly."""
        return kraft_sum(self.lengths, base=self.base)

    @cached_property
    def is_prefix_free(self) -> bool:
        """Whether no word is the beginning of another: a word is then known at its last digit."""
        return is_prefix_free(self.words)

    @cached_property
    def _ambiguity(self) -> Ambiguity | None:
        return ambiguity(self.words)

    @property
    def is_uniquely_decodable(self) -> bool:
        """Whether every stream has at most one reading."""
        return self._ambiguity is None

    def ambiguous_stream(self) -> tuple[str, list[Any], list[Any]] | None:
        """Give the shortest stream with two readings, and both readings; None if there is none."""
        if (found := self._ambiguity) is None:
            return None
        first, second = ([self.symbols[i] for i in way] for way in (found.first, found.second))
        return found.digits, first, second

    # --- what it costs

    def expected_length(self, source: Numbers) -> float:
        """L = Σ q_i ℓ_i digits per symbol."""
        return self.cost(source).expected_length

    def redundancy(self, source: Numbers) -> float:
        """L − H(q) digits per symbol."""
        return self.cost(source).redundancy

    def cost(self, source: Numbers, design: Numbers | None = None) -> Cost:
        """Split L on a source q into H(q), D_KL(q ‖ design) and rounding, as `code_cost` does."""
        q = self._in_order(source, "source")
        p = None if design is None else self._in_order(design, "design")
        return code_cost(self.lengths, q, p, base=self.base)

    def _in_order(self, numbers: Numbers, name: str) -> npt.NDArray[np.float64]:
        if isinstance(numbers, Mapping):
            if set(numbers) != set(self.symbols):
                refuse(name, "have the symbols of the code", sorted(map(repr, numbers))[:8])
            return np.array([numbers[s] for s in self.symbols], np.float64)
        return np.asarray(to_numpy(name, numbers), np.float64)

    # --- streams

    @cached_property
    def _number(self) -> dict[Hashable, int]:
        return {symbol: i for i, symbol in enumerate(self.symbols)}

    @cached_property
    def _stream(self) -> word_stream.WordStream:
        return word_stream.WordStream(self.words, self.symbols, self.base, self.is_prefix_free)

    def digits(self, symbols: Iterable[Any]) -> str:
        """Write symbols as their words, one after another."""
        return "".join(self.words[i] for i in self._numbers(symbols))

    def parse(self, digits: str) -> list[Any]:
        """Read a stream of words.

        Raises
        ------
        CodeError
            If it is no stream of words, or has two readings.
        """
        self._check_decodable()
        return [self.symbols[i] for i in self._stream.parse(digits)]

    def encode(self, symbols: Iterable[Any]) -> bytes:
        """Give symbols as bytes, with their count, a digest of the code, and a checksum.

        Raises
        ------
        ValueError
            If a symbol has no word, or the code cannot be decoded.
        """
        return self.encode_indices(np.array(self._numbers(symbols), np.uint32))

    def decode(self, data: bytes) -> list[Any]:
        """Give back what `encode` was given.

        Raises
        ------
        CodeError
            If data is damaged, cut short, something else, or in another code, which has other
            words, or other symbols (these are compared if they are text or integers).
        """
        return [self.symbols[i] for i in self.decode_indices(data).tolist()]

    def encode_indices(self, indices: npt.ArrayLike) -> bytes:
        """Give bytes as `encode` does, for symbols given by their positions, shape (n,).

        uint8 is fastest: bytes in a code of 256 words.
        """
        self._check_decodable()
        return self._stream.encode(indices)

    def decode_indices(self, data: bytes) -> npt.NDArray[Any]:
        """Give positions in `symbols`, (n,): uint8 for at most 256 symbols, else uint32."""
        self._check_decodable()
        return self._stream.decode(data)

    def _numbers(self, symbols: Iterable[Any]) -> list[int]:
        numbers = []
        for i, symbol in enumerate(symbols):
            try:
                numbers.append(self._number[symbol])
            except (KeyError, TypeError):  # an unhashable value is no symbol
                refuse("symbols", "have a word in the code", repr(symbol), row=i)
        return numbers

    def _check_decodable(self) -> None:
        if not self.is_prefix_free and (found := self.ambiguous_stream()) is not None:
            digits, first, second = found
            ways = f"{digits!r} is both {first!r} and {second!r}"
            refuse("code", "be uniquely decodable", ways)


def _split(numbers: Numbers) -> tuple[tuple[Any, ...], npt.NDArray[np.float64]]:
    if isinstance(numbers, Mapping):
        return tuple(numbers), np.array(list(numbers.values()), np.float64)
    values = np.asarray(to_numpy("weights", numbers), np.float64)
    return tuple(range(len(values))), values
