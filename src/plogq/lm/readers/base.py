"""Whether logprobs are natural logarithms, by the sum of the probabilities at one place."""

from __future__ import annotations

import math
from collections.abc import Sequence

PLACES = 1_000  # so many are looked at
FEWEST = 20  # places where the model hesitates; from fewer, nothing follows
SURE = 0.9  # where the likeliest token is at least so probable, the model does not hesitate
USUAL = 0.9  # what the probabilities of a few likeliest tokens usually exceed in sum
SLACK = 0.01  # the most that rounding may add to a sum


def suspected_base(places: Sequence[Sequence[float]]) -> str | None:
    """Return a sentence that the logarithms seem to have another base; None if they may be natural.

    The probabilities of tokens at one place sum to at most 1. If x are logarithms to base 10, Σ e^x
    is above 1. If they are logarithms to base 2, Σ e^x stays below 1, and Σ 2^x is at most 1 and
    often close to it; for natural logarithms, Σ 2^x is above 1 at some of the places where the
    model hesitates.

    Examples
    --------
    >>> import math
    >>> places = [[math.log(0.6), math.log(0.35)], [math.log(0.8), math.log(0.15)]] * 10
    >>> suspected_base(places)
    >>> suspected_base([[x / math.log(10) for x in place] for place in places])
    'to base e the probabilities at a place sum to 1.435, to base 10 to at most 0.950'
    >>> suspected_base([[x / math.log(2) for x in place] for place in places])
    'to base 2 the probabilities sum to at most 1 at every place, and to 0.950 at half of them'
    """
    several = [place for place in places if len(place) > 1]
    natural, tens = _most(math.e, several), _most(10.0, several)
    if natural > 1 + SLACK:
        said = f", to base 10 to at most {tens:.3f}" if tens <= 1 + SLACK else ""
        return f"to base e the probabilities at a place sum to {natural:.3f}{said}"
    hesitant = [place for place in several if max(place) < math.log(SURE)]
    twos = sorted(_sum(2.0, place) for place in hesitant)
    if len(twos) >= FEWEST and twos[-1] <= 1 + 1e-4 and (half := twos[len(twos) // 2]) > USUAL:
        return (
            "to base 2 the probabilities sum to at most 1 at every place, and to "
            f"{half:.3f} at half of them"
        )
    return None


def _most(base: float, places: Sequence[Sequence[float]]) -> float:
    return max((_sum(base, place) for place in places), default=0.0)


def _sum(base: float, place: Sequence[float]) -> float:
    return math.fsum(base ** min(x, 0.0) for x in place)
