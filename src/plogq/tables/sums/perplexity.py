"""Perplexity, of a cross-entropy that may be as large as it likes."""

from __future__ import annotations

import math


def perplexity_of(nats: float) -> float:
    """Return exp of a cross-entropy in nats; inf where it leaves the range of double precision.

    Examples
    --------
    >>> perplexity_of(0.0), perplexity_of(1e4)
    (1.0, inf)
    """
    return math.exp(nats) if nats < 709 else math.inf  # exp(709.8) overflows
