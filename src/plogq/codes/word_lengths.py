"""Word lengths from a formula: fixed, Shannon's, Shannon-Fano-Elias'."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from plogq.codes.kraft import kraft_sum
from plogq.codes.sources import as_base, as_positive
from plogq.errors import refuse

Lengths = npt.NDArray[np.int64]


def fixed_lengths(n: int, *, base: int = 2) -> Lengths:
    """ℓ = ⌈log_D n⌉ for each of n symbols, and 1 at least.

    Examples
    --------
    >>> fixed_lengths(5)
    array([3, 3, 3, 3, 3])
    """
    base = as_base(base)
    if n < 1:
        refuse("n", "be at least 1", n)
    length = 1
    while base**length < n:
        length += 1
    return np.full(n, length)


def shannon_lengths(p: npt.ArrayLike, *, base: int = 2) -> Lengths:
    """ℓ_i = ⌈−log_D p_i⌉: less than one digit above the ideal length, so H ≤ L < H + 1.

    A single symbol has length 1: words without digits would not show how many there are.

    Parameters
    ----------
    p
        Probabilities above 0, shape (n,).
    base
        D, how many digits there are.

    Raises
    ------
    ValueError
        If p is no distribution, or has a 0.

    Examples
    --------
    >>> shannon_lengths([0.25, 0.5, 0.13, 0.12])
    array([2, 1, 3, 4])

    References
    ----------
    Shannon (1948), A Mathematical Theory of Communication, section 9.
    """
    base, x = as_base(base), np.minimum(as_positive(p, "p"), 1.0)
    if base == 2:  # p = m · 2^e with m in [1/2, 1): unlike a logarithm, e is exact
        lengths = 1 - np.frexp(x)[1].astype(np.int64)
    else:
        lengths = np.array([_digits(Fraction(v), base) for v in x.tolist()], np.int64)
    if kraft_sum(lengths, base=base) > 1:  # p sums to slightly more than 1
        exact = [Fraction(v) for v in x.tolist()]
        total = sum(exact, Fraction(0))
        lengths = np.array([_digits(v / total, base) for v in exact], np.int64)
    return np.maximum(lengths, 1)


def shannon_fano_elias_words(p: npt.ArrayLike, *, base: int = 2) -> list[str]:
    """Give the first ⌈−log_D p_i⌉ + 1 digits of F̄_i = Σ_{j<i} p_j + p_i / 2.

    It is a prefix code without sorting, L < H + 2, and the forerunner of arithmetic coding.
    Parameters as for `shannon_lengths`; base at most 36.

    Examples
    --------
    >>> shannon_fano_elias_words([0.25, 0.5, 0.125, 0.125])
    ['001', '10', '1101', '1111']

    References
    ----------
    Cover, Thomas (2006), Elements of Information Theory, 2nd ed., section 5.9.
    """
    base = as_base(base)
    exact = [Fraction(v) for v in as_positive(p, "p").tolist()]
    total = sum(exact, Fraction(0))
    before, words = Fraction(0), []
    for own in exact:
        length = _digits(own / total, base) + 1
        middle = (before + own / 2) / total
        words.append(to_digits(int(middle * base**length), length, base))
        before += own
    return words


DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def to_digits(value: int, length: int, base: int) -> str:
    """Write an integer in so many digits, 0 to 9 and then a to z."""
    if base == 2:
        return f"{value:0{length}b}" if length else ""
    if base > len(DIGITS):
        refuse("base", f"be at most {len(DIGITS)} where words are written", base)
    digits = []
    for _ in range(length):
        value, digit = divmod(value, base)
        digits.append(DIGITS[digit])
    return "".join(reversed(digits))


def _digits(p: Fraction, base: int) -> int:
    """⌈−log_D p⌉ for p in (0, 1], exactly."""
    length, reach = 0, Fraction(1)
    while reach < 1 / p:
        length, reach = length + 1, reach * base
    return length
