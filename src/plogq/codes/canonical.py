"""The canonical code, which its word lengths alone define."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from plogq.codes.kraft import kraft_sum
from plogq.codes.sources import as_base, as_lengths
from plogq.codes.word_lengths import to_digits
from plogq.errors import refuse


def canonical_words(lengths: npt.ArrayLike, *, base: int = 2) -> list[str]:
    """Give the prefix code of these lengths whose words count up, by length and then by symbol.

    Parameters
    ----------
    lengths
        ℓ, shape (n,), with Σ D^(−ℓ) ≤ 1.
    base
        D, how many digits there are: 2 to 36.

    Raises
    ------
    ValueError
        If no prefix code has these lengths.

    Examples
    --------
    >>> canonical_words([2, 1, 3, 3])
    ['10', '0', '110', '111']

    References
    ----------
    Schwartz, Kallick (1964), Generating a canonical prefix encoding; RFC 1951, section 3.2.2.
    """
    base, own = as_base(base), as_lengths(lengths)
    kraft = kraft_sum(own, base=base)
    if kraft > 1:
        refuse("lengths", "have a Kraft sum of at most 1 (no prefix code has others)", kraft)
    words = [""] * len(own)
    value = length = 0
    for symbol in np.argsort(own, kind="stable").tolist():
        value *= base ** (int(own[symbol]) - length)
        length = int(own[symbol])
        words[symbol] = to_digits(value, length, base)
        value += 1
    return words
