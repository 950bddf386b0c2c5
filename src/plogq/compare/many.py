"""Three models or more on the same rows: exact sums for each model, and for each pair of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from plogq.compare.group_sums import MOST_CELLS, GroupFigures, GroupSums, Slices
from plogq.compare.many_result import Disagreement, ManyComparison, ManyGroup
from plogq.compare.model import Costs, Model
from plogq.compare.pair_differences import Estimate, best_of, differences, letters, pairs
from plogq.compare.pairs import Pairs
from plogq.compare.result import TIE
from plogq.compare.state import Sums, bucket_of, name_of
from plogq.compare.summary import own_figures, zero_probability
from plogq.formulas.units import Unit, from_nats
from plogq.kernels.exact_sum import ExactSums
from plogq.records import Caution
from plogq.tables.arrays import Array
from plogq.tables.sums.bootstrap import (
    FEWEST,
    MOST_BUCKETS,
    means,
    replicate_weights,
    too_few,
)
from plogq.tables.sums.tally import Tally, add_weighted, amounts_nearly, nearly, totals
from plogq.tables.sums.top_k import TopK

ALL_ROWS = ""  # the one group of the table of all rows


class PairSums:
    """Exact sums of the difference of two models: over all rows, by class and by slice."""

    def __init__(self, classes: int, weighted: bool, slices: Sequence[str], cells: int) -> None:
        self.both = Tally(MOST_BUCKETS, weighted)  # rows possible under both models
        self.difference = ExactSums(MOST_BUCKETS)
        self.classes = GroupSums(classes, weighted, cells)
        self.slices = {name: Slices(name, GroupSums(1, weighted, cells)) for name in slices}

    def add(self, costs: tuple[Costs, ...], rows: Pairs, bucket: Array) -> None:
        """Add a batch; `costs` are those of the two models."""
        a, b = (each.surprisal for each in costs)
        both = np.isfinite(a) & np.isfinite(b)
        weight = None if rows.weight is None else rows.weight[both]
        self.both.add(bucket[both], weight)
        add_weighted(self.difference, a[both] - b[both], weight, bucket[both])
        self.classes.add(rows.target, costs, rows.weight, bucket)
        for each, values in zip(self.slices.values(), rows.slices, strict=True):
            each.add(values, costs, rows.weight, bucket)


class ManyState:
    """Sums over rows under every model; parameters as of `plogq.compare.state.State`."""

    def __init__(
        self,
        models: int,
        classes: tuple[str, ...],
        weighted: bool,
        slices: tuple[str, ...],
        top: int,
        seed: int,
    ) -> None:
        self.names = letters(models)
        self._classes = classes
        self._seed = seed
        self.left_out = 0  # how many rows were left out for their labels
        self.weight = Tally(MOST_BUCKETS, weighted)
        self.models = [Sums(weighted) for _ in self.names]
        # All pairs together take about the memory of a comparison of two for each model.
        cells = 2 * MOST_CELLS // (models - 1)
        self.pairs = {
            pair: PairSums(len(classes), weighted, slices, cells) for pair in pairs(self.names)
        }
        self.largest = TopK(top)

    def add(self, rows: Pairs) -> None:
        """Add a batch."""
        self.left_out += rows.left_out
        if len(rows.target) == 0:
            return
        bucket = bucket_of(rows, self._seed)
        self.weight.add(bucket, rows.weight)
        for sums, costs in zip(self.models, rows.costs, strict=True):
            sums.add(costs, rows.weight)
        for state, both in zip(self.pairs.values(), combinations(rows.costs, 2), strict=True):
            state.add(both, rows, bucket)
        self._add_largest(rows)

    def rows(self) -> int:
        """Return the number of rows seen."""
        return int(self.weight.rows.sum())

    def _add_largest(self, rows: Pairs) -> None:
        costs = np.stack([each.surprisal for each in rows.costs])
        spread = spreads(costs)
        if rows.weight is not None:
            spread[rows.weight == 0] = np.nan

        def describe(i: int) -> dict[str, Any]:
            return {
                **name_of(rows, i),
                "label": self._classes[rows.target[i]],
                "costs": costs[:, i].tolist(),
            }

        self.largest.add(spread, describe)


def spreads(costs: Array) -> Array:
    """Return how far the costs of each row reach, (models, n) → (n,); NaN where they are alike."""
    with np.errstate(invalid="ignore"):  # inf − inf: all models are alike
        spread: Array = costs.max(axis=0) - costs.min(axis=0)
    spread[~(spread > TIE)] = np.nan
    return spread


def disagreements(largest: TopK, names: Sequence[str], unit: Unit) -> tuple[Disagreement, ...]:
    """Return the rows or documents that were held, with their costs by model."""
    found = []
    for item in largest.items():
        costs = {n: float(from_nats(x, unit)) for n, x in zip(names, item["costs"], strict=True)}
        found.append(Disagreement(**item | {"costs": costs}))
    return tuple(found)


def summarise_many(
    state: ManyState, models: Sequence[Model], *, by_id: bool, unit: Unit, bootstrap: int, seed: int
) -> ManyComparison:
    """Return the figures: each sum divided once, with intervals that hold together."""
    weight = float(state.weight.amounts(MOST_BUCKETS)[0])
    own = {
        name: own_figures(model.source(state.left_out), sums, weight, unit)
        for name, model, sums in zip(state.names, models, state.models, strict=True)
    }
    weights = replicate_weights(MOST_BUCKETS, bootstrap, seed)
    drawn = int(np.count_nonzero(amounts_nearly(state.weight)))
    nats = [sums.cost(weight) for sums in state.models]
    found = [
        _estimate(each, costs, weights, drawn)
        for each, costs in zip(state.pairs.values(), combinations(nats, 2), strict=True)
    ]
    of_all = differences({ALL_ROWS: found}, state.names, unit)[ALL_ROWS]
    by_pair = list(state.pairs.values())
    return ManyComparison(
        kind="predictions",
        pairing="id" if by_id else "row order",
        unit=unit,
        per="row",
        rows=state.rows(),
        weight=weight,
        models=dict(own),
        best=best_of({name: each.cross_entropy for name, each in own.items()}, of_all),
        differences=of_all,
        per_class=_groups(
            list(enumerate(models[0].classes)), [p.classes for p in by_pair], weights, state, unit
        ),
        slices={
            column: _groups(
                [(i, name) for name, i in first.named()],
                [pair.slices[column].sums for pair in by_pair],
                weights,
                state,
                unit,
            )
            for column, first in by_pair[0].slices.items()
        },
        disagreements=disagreements(state.largest, state.names, unit),
        warnings=_warnings(state, drawn, bootstrap, models[0].columns.group is not None),
    )


def _estimate(state: PairSums, costs: tuple[float, ...], weights: Array, drawn: int) -> Estimate:
    both = float(state.both.amounts(MOST_BUCKETS)[0])
    finite = float(totals(state.difference, MOST_BUCKETS)[0]) / both if both > 0 else None
    replicates = means(weights, nearly(state.difference), amounts_nearly(state.both))
    return Estimate((costs[0], costs[1]), finite, replicates, drawn)


def _groups(
    named: Sequence[tuple[int, str]],
    sums: Sequence[GroupSums],
    weights: Array,
    state: ManyState,
    unit: Unit,
) -> dict[str, ManyGroup]:
    """Return the groups of one table, whose intervals hold together; `sums` are by pair."""
    figures = [each.figures(weights[:0]) for each in sums]
    replicates = [each.replicates(weights) for each in sums]
    found = {
        name: [
            Estimate((of[i].a, of[i].b), of[i].difference, drawn[:, i], of[i].drawn)
            for of, drawn in zip(figures, replicates, strict=True)
        ]
        for i, name in named
    }
    gaps = differences(found, state.names, unit)
    return {name: _group(i, figures, gaps[name], state.names, unit) for i, name in named}


def _group(
    i: int,
    figures: Sequence[Sequence[GroupFigures]],
    gaps: Mapping[str, Any],
    names: Sequence[str],
    unit: Unit,
) -> ManyGroup:
    nats: dict[str, float | None] = {}
    for (a, b), of in zip(pairs(names), figures, strict=True):
        nats |= {a: of[i].a, b: of[i].b}
    costs = {
        name: None if (x := nats[name]) is None else float(from_nats(x, unit)) for name in names
    }
    return ManyGroup(figures[0][i].rows, costs, best_of(costs, gaps), dict(gaps))


def _warnings(state: ManyState, drawn: int, bootstrap: int, grouped: bool) -> tuple[Caution, ...]:
    found = [
        zero_probability(name, int(sums.impossible.rows[0]))
        for name, sums in zip(state.names, state.models, strict=True)
        if int(sums.impossible.rows[0])
    ]
    what = "groups" if grouped else "rows"
    if bootstrap and too_few(drawn, what):
        message = f"no model is clearly better, for an interval takes {FEWEST} {what} or more"
        found.append(Caution(code=f"few_{what}", message=message, rows=state.rows()))
    return tuple(found)
