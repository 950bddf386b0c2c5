"""From a comparison's exact sums to its figures."""

from __future__ import annotations

import math
from itertools import chain
from typing import Any

import numpy as np

from plogq.compare.group_sums import GroupFigures
from plogq.compare.model import Model
from plogq.compare.result import (
    Comparison,
    Group,
    Largest,
    PredictionFigures,
    RowPair,
    Wins,
    difference_of,
    winner_of,
)
from plogq.compare.state import A_WINS, B_WINS, TIED, State, Sums
from plogq.formulas.units import Unit, from_nats
from plogq.kernels.exact_sum import ExactSums
from plogq.records import Caution, Source
from plogq.tables.arrays import Array
from plogq.tables.sums.bootstrap import of_means, replicate_weights, too_few
from plogq.tables.sums.perplexity import perplexity_of
from plogq.tables.sums.tally import Tally, amounts_nearly, nearly, totals
from plogq.tables.sums.top_k import TopK


def summarise(
    state: State, a: Model, b: Model, *, by_id: bool, unit: Unit, bootstrap: int, seed: int
) -> Comparison:
    """Return the figures: each sum divided once, with intervals and warnings."""
    buckets = len(state.weight.rows)
    weight = float(state.weight.amounts(buckets)[0])
    rows = state.rows()
    both = float(state.both.amounts(buckets)[0])
    one, other = (
        own_figures(model.source(state.left_out), sums, weight, unit)
        for model, sums in ((a, state.a), (b, state.b))
    )
    weights = replicate_weights(buckets, bootstrap, seed)
    drawn = int(np.count_nonzero(amounts_nearly(state.weight)))  # one bucket gives no interval
    ends = _interval(weights, state.difference, state.both) if drawn > 1 else None
    of_accuracy = _interval(weights, state.accuracy, state.weight) if drawn > 1 else None
    finite = float(totals(state.difference, buckets)[0]) / both if both > 0 else None
    difference_finite = None if finite is None else float(from_nats(finite, unit))
    difference = difference_of(one.cross_entropy, other.cross_entropy, difference_finite)
    intervals = {}
    if ends is not None:
        intervals["difference_finite"] = in_unit(ends, unit)
    if of_accuracy is not None:
        intervals["accuracy_difference"] = of_accuracy
    of_classes = state.classes.figures(weights)
    of_slices = {}
    for column, each in state.slices.items():
        found = each.sums.figures(weights)
        of_slices[column] = {value: found[i] for value, i in each.named()}
    return Comparison(
        kind="predictions",
        pairing="id" if by_id else "row order",
        unit=unit,
        per="row",
        rows=rows,
        weight=weight,
        a=one,
        b=other,
        difference=difference,
        difference_finite=difference_finite,
        accuracy_difference=float(totals(state.accuracy, buckets)[0]) / weight,
        intervals=intervals,
        winner=winner_of(ends, difference, drawn),
        wins=_wins(state),
        per_class={
            name: Group(**_group(figures, unit))
            for name, figures in zip(a.classes, of_classes, strict=True)
        },
        slices={
            column: {value: Group(**_group(f, unit)) for value, f in values.items()}
            for column, values in of_slices.items()
        },
        largest=Largest(_rows(state.largest["a"], unit), _rows(state.largest["b"], unit)),
        warnings=_warnings(
            state,
            drawn if intervals else None,
            [*of_classes, *chain.from_iterable(each.values() for each in of_slices.values())],
            a.columns.group is not None,
        ),
    )


def _interval(weights: Array, sums: ExactSums, amounts: Tally) -> tuple[float, float] | None:
    return of_means(weights, nearly(sums), amounts_nearly(amounts))


def in_unit(ends: tuple[float, float], unit: Unit) -> tuple[float, float]:
    """Return the ends of an interval, given in nats."""
    return float(from_nats(ends[0], unit)), float(from_nats(ends[1], unit))


def _wins(state: State) -> Wins | None:
    wins = state.wins.amounts()
    total = wins.sum()
    return Wins(*(float(wins[i] / total) for i in (A_WINS, B_WINS, TIED))) if total > 0 else None


def own_figures(source: Source, state: Sums, weight: float, unit: Unit) -> PredictionFigures:
    """Return a model's own figures."""
    impossible = float(state.impossible.amounts()[0])
    sums = {name: float(sums.values()[0]) for name, sums in state.sums.items()}
    finite = sums["surprisal"] / (weight - impossible) if weight > impossible else None
    cost = math.inf if impossible > 0 or finite is None else finite
    entropy = sums["entropy"] / weight
    return PredictionFigures(
        source=source,
        cross_entropy=float(from_nats(cost, unit)),
        cross_entropy_finite=None if finite is None else float(from_nats(finite, unit)),
        zero_probability_rows=int(state.impossible.rows[0]),
        perplexity=perplexity_of(cost),
        accuracy=sums["correct"] / weight,
        brier=sums["brier"] / weight,
        prediction_entropy=float(from_nats(entropy, unit)),
        overconfidence=float(from_nats(cost - entropy, unit)),
    )


def _group(figures: GroupFigures, unit: Unit) -> dict[str, Any]:
    ends = figures.interval
    costs = {"a": figures.a, "b": figures.b, "difference": figures.difference}
    difference = figures.difference
    if figures.a is not None and figures.b is not None:
        difference = difference_of(figures.a, figures.b, difference)
    return {
        "rows": figures.rows,
        **{k: None if x is None else float(from_nats(x, unit)) for k, x in costs.items()},
        "interval": None if ends is None else in_unit(ends, unit),
        "winner": winner_of(ends, difference, figures.drawn),
    }


def _rows(largest: TopK, unit: Unit) -> tuple[RowPair, ...]:
    costs = ("a", "b")
    return tuple(
        RowPair(**item | {side: float(from_nats(item[side], unit)) for side in costs})
        for item in largest.items()
    )


def zero_probability(name: str, rows: int) -> Caution:
    """Return the warning that labels of some rows had probability 0 under a model."""
    message = (
        f"{name} gave probability 0 to labels: its cross-entropy is infinite; intervals "
        "and differences by class and slice are over the rows that are possible under both"
    )
    return Caution(code="zero_probability", message=message, rows=rows)


def _warnings(
    state: State, drawn: int | None, apart: list[GroupFigures], grouped: bool
) -> tuple[Caution, ...]:
    """Return the warnings; `drawn` rows or groups make the intervals, None without any."""
    found = []
    for name, sums in (("A", state.a), ("B", state.b)):
        if rows := int(sums.impossible.rows[0]):
            found.append(zero_probability(name, rows))
    what = "groups" if grouped else "rows"
    if drawn is not None and (few := too_few(drawn, what)):
        return (*found, Caution(code=f"few_{what}", message=few, rows=state.rows()))
    narrow = [each for each in apart if each.interval is not None and too_few(each.drawn, what)]
    if narrow:
        few = too_few(min(each.drawn for each in narrow), what)
        message = f"in {len(narrow)} of the classes and slices, {few}"
        rows = sum(each.rows for each in narrow)
        found.append(Caution(code="few_in_class_or_slice", message=message, rows=rows))
    return tuple(found)
