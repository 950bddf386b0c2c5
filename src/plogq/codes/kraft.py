"""The word lengths that a code can have."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from plogq.codes.sources import as_base, as_lengths


def kraft_sum(lengths: npt.ArrayLike, *, base: int = 2) -> Fraction:
    """K = Σ D^(−ℓ), exactly.

    A prefix code with these lengths exists if and only if K ≤ 1 (Kraft), and so does any uniquely
    decodable one (McMillan). If K = 1, no word can be shortened alone.

    Parameters
    ----------
    lengths
        ℓ, integers ≥ 0, shape (n,).
    base
        D, how many digits there are.

    Raises
    ------
    ValueError, TypeError
        If a length is no integer ≥ 0.

    Examples
    --------
    >>> kraft_sum([2, 1, 3, 3])
    Fraction(1, 1)
    >>> kraft_sum([1, 1, 2, 2])
    Fraction(3, 2)

    References
    ----------
    Kraft (1949), A device for quantizing, grouping and coding amplitude-modulated pulses;
    McMillan (1956), Two inequalities implied by unique decipherability.
    """
    base = as_base(base)
    found, counts = np.unique(as_lengths(lengths), return_counts=True)
    longest = int(found[-1]) if len(found) else 0
    numerator = sum(
        n * base ** (longest - length)
        for length, n in zip(found.tolist(), counts.tolist(), strict=True)
    )
    return Fraction(numerator, base**longest)
