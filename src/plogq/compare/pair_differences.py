"""The differences of all pairs of models, with intervals that hold together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations, product
from string import ascii_uppercase
from typing import NamedTuple

import numpy as np

from plogq.compare.many_result import Difference
from plogq.compare.result import difference_of, winner_of
from plogq.formulas.units import Unit, from_nats
from plogq.tables.arrays import Array
from plogq.tables.sums.bootstrap import FEWEST
from plogq.tables.sums.simultaneous import together


class Estimate(NamedTuple):
    """The difference of one pair of models on some rows, in nats."""

    costs: tuple[float | None, float | None]  # of both models, maybe infinite
    finite: float | None  # the first less the second, over the rows possible under both
    replicates: Array  # (replicates,) of `finite`; NaN where one holds no row
    drawn: int  # rows, groups or documents that a replicate draws from


def letters(models: int) -> list[str]:
    """Return what the models are called: A to Z, then AA, AB and so on.

    Examples
    --------
    >>> letters(28)[::9]
    ['A', 'J', 'S', 'AB']
    """
    names = ["".join(x) for size in (1, 2) for x in product(ascii_uppercase, repeat=size)]
    return names[:models]


def pairs(names: Sequence[str]) -> list[tuple[str, str]]:
    """Return every pair of models, in order."""
    return list(combinations(names, 2))


def differences(found: Mapping[str, Sequence[Estimate]], names: Sequence[str], unit: Unit,
                ) -> dict[str, dict[str, Difference]]:  # fmt: skip
    """Return the differences by group and pair of models, whose intervals hold together.

    `found` has, for each group, an estimate for each of `pairs(names)`. A pair of fewer than
    `FEWEST` rows has no interval, and does not count among those that hold together.
    """
    every = [each for estimates in found.values() for each in estimates]
    judged = [each for each in every if each.drawn >= FEWEST and each.finite is not None]
    ends = {}
    if judged:
        estimates = np.array([each.finite for each in judged])
        replicates = np.stack([each.replicates for each in judged], axis=1)
        of_all = zip(*together(estimates, replicates), strict=True)
        ends = {id(each): tuple(map(float, x)) for each, x in zip(judged, of_all, strict=True)}
    return {
        group: {
            "-".join(pair): _difference(each, ends.get(id(each)), pair, unit)
            for pair, each in zip(pairs(names), estimates, strict=True)
        }
        for group, estimates in found.items()
    }


def _difference(
    each: Estimate, ends: tuple[float, ...] | None, pair: tuple[str, str], unit: Unit
) -> Difference:
    low, high, smallest = (math.nan,) * 3 if ends is None else ends
    interval = None if math.isnan(low) else (low, high)
    a, b = each.costs
    gap = None if a is None or b is None else difference_of(a, b, each.finite)
    winner = winner_of(interval, gap, each.drawn)

    def shown(nats: float | None) -> float | None:
        return None if nats is None else float(from_nats(nats, unit))

    return Difference(
        difference=shown(gap),
        difference_finite=shown(each.finite),
        interval=None
        if interval is None
        else (float(from_nats(low, unit)), float(from_nats(high, unit))),
        smallest_shown=None if interval is None else shown(smallest),
        winner=None if winner is None else pair["ab".index(winner)],
    )


def best_of(costs: Mapping[str, float | None], found: Mapping[str, Difference]) -> tuple[str, ...]:
    """Return the model that costs least and those that are not clearly worse, by their cost."""
    finite = {name: cost for name, cost in costs.items() if cost is not None and cost < math.inf}
    order = sorted(finite, key=finite.__getitem__)
    if not order:
        return ()
    clear = {tuple(pair.split("-")): each.winner is not None for pair, each in found.items()}
    first, *others = order
    return (first, *(o for o in others if not (clear.get((first, o)) or clear.get((o, first)))))
