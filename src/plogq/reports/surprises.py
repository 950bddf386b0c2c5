"""Which of the rows that cost most a report lists, and whether their labels are in doubt."""

from __future__ import annotations

from collections.abc import Sequence

from plogq.score.parts import Surprise

LEAST = 1e-4  # of any unit: the last of the four decimals that a report shows


def dearest(surprises: Sequence[Surprise]) -> tuple[Surprise, ...]:
    """Return the rows that cost something to speak of."""
    return tuple(item for item in surprises if item.surprisal >= LEAST)


def doubtful(surprises: Sequence[Surprise]) -> bool:
    """Tell whether the model would have labelled one of the rows otherwise.

    If so, that label has a probability of 1/2 at most, and the row costs 1 bit or more. A row that
    costs more than a guess among all classes is always among these; but of many classes that is
    asked too much: of 1,000, a label of probability 0.002 is in doubt and costs less.
    """
    return any(item.label != item.predicted for item in surprises)
