"""Which figures of a result other libraries are given, unless they ask for others."""

from __future__ import annotations

import math
from collections.abc import Sequence

from plogq.errors import refuse
from plogq.score.result import Result

FIGURES = ("cross_entropy", "information_gain", "refinement", "miscalibration", "accuracy")


def chosen(result: Result, figures: Sequence[str] | None) -> dict[str, float]:
    """Return figures of a result by name, NaN where one is not known; None: all that are known.

    Raises
    ------
    ValueError
        A result has no figure of a name.

    Examples
    --------
    >>> from plogq.score import score
    >>> chosen(score([0, 1], [[0.5, 0.5], [0.25, 0.75]]), ["accuracy", "kl"])
    {'accuracy': 1.0, 'kl': nan}
    """
    known = result.metrics()
    if figures is None:
        return known
    for name in figures:
        if name not in known and getattr(result, name, known) is not None:
            refuse("figures", f"be of {', '.join(known)}", repr(name))
    return {name: known.get(name, math.nan) for name in figures}
