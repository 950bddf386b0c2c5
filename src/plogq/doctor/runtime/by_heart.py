"""Whether a copy of a model learns a few rows by heart, however its steps are made."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from plogq.doctor.runtime.training import OverfitTrial
from plogq.doctor.values import Scored

ROWS = 16  # that a copy learns by heart
FEWEST = 8  # rows, of which the base rates say something
RATES = (1e-2, 1e-3)
ROUND = 40  # steps of Adam, after which a cost that no longer falls is not followed further
LONGEST = 5 * ROUND
FALLING = 0.01  # of the cost: what a round must gain
SHARE = 0.99  # of the entropy of the base rates: without inputs none can be below it


class Cost(NamedTuple):
    """What the rows cost before a step of Adam."""

    mean: float
    base_rate: float
    rows: int

    @classmethod
    def of(cls, scored: Scored | None) -> Cost | None:
        """Return the cost of rows; None of too few, or of one class alone."""
        if scored is None or len(scored.truth) < FEWEST or (scored.truth == scored.truth[0]).all():
            return None
        return cls(float(scored.losses.mean()), scored.base_rate_entropy, len(scored.truth))


def follow(trials: Iterable[Iterator[Cost | None]]) -> OverfitTrial | None:
    """Return how far trials, one for each rate, come; None where that says nothing.

    The first that is below what the base rates cost ends the search. One that is still falling
    after all its steps may have had too few of them, so that the lowest must not be such a one.
    """
    lowest, rests = None, False
    for trial in trials:
        costs: list[float] = []
        for cost in islice(trial, LONGEST):
            if cost is None:
                return None
            costs.append(cost.mean)
            seen = OverfitTrial(costs[0], _least(costs), *cost[1:], len(costs), RATES)
            if seen.best < SHARE * seen.base_rate:
                return seen
            at_rest = len(costs) % ROUND == 0 and not _falls(costs)
            if at_rest:
                break
        if lowest is None or seen.best < lowest.best:
            lowest, rests = seen, at_rest
    return lowest if rests else None


def _falls(costs: list[float]) -> bool:
    """Tell whether the second half of the last round still gained."""
    last = ROUND // 2
    return _least(costs[-last:]) < (1 - FALLING) * _least(costs[:-last])


def _least(costs: list[float]) -> float:
    return min((each for each in costs if not math.isnan(each)), default=math.inf)
