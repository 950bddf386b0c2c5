"""Which of the costliest rows a report lists, and whether their labels are in doubt."""

from __future__ import annotations

from collections.abc import Sequence

from plogq.score.parts import Surprise

LEAST = 1e-4  # of any unit: the last of the four decimals that a report shows


def dearest(surprises: Sequence[Surprise]) -> tuple[Surprise, ...]:
    """Return the rows whose cost is not 0 in the four decimals of a report."""
    return tuple(item for item in surprises if item.surprisal >= LEAST)


def doubtful(surprises: Sequence[Surprise]) -> bool:
    """Return whether the model would have labelled one of the rows otherwise.

    Such a label has a probability of 1/2 at most, and its row costs 1 bit or more. Every row that
    costs more than a guess among all classes is such a row. That would ask too much where there are
    many classes: of 1,000, a label of probability 0.002 is in doubt, and costs less than a guess.
    """
    return any(item.label != item.predicted for item in surprises)
