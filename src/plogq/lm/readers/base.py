"""Whether logprobs are natural logarithms: what the probabilities at one place sum to."""

from __future__ import annotations

import math
from collections.abc import Sequence

PLACES = 1_000  # are looked at
FEWEST = 20  # places where the model hesitates, before the absence of something says anything
SURE = 0.9  # of a token: the model does not hesitate
USUAL = 0.9  # what the likeliest tokens of a place sum to, if they are few
SLACK = 0.01  # that rounding may add to a sum


def suspected_base(places: Sequence[Sequence[float]]) -> str | None:
    """Say which other base the logarithms seem to have; None where they may be natural.

    The probabilities of tokens at one place sum to at most 1. Natural logarithms taken to base 10
    exceed it. Those taken to base 2 stay below it, and with base 2 come close to it: of natural
    ones, Σ 2^x is above 1 at some of the places where the model hesitates.

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
