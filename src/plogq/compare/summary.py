"""From a comparison's exact sums to its figures."""

from __future__ import annotations

import math
from itertools import chain
from typing import Any

import numpy as np

from plogq.compare.group_sums import GroupFigures
from plogq.compare.model import Model
from plogq.compare.result import Comparison, difference_of, winner_of
from plogq.compare.state import A_WINS, B_WINS, TIED, State, Sums
from plogq.formulas.units import Unit, from_nats
from plogq.kernels.exact_sum import ExactSums
from plogq.records import encoded
from plogq.tables.arrays import Array
from plogq.tables.sums.bootstrap import of_means, replicate_weights, too_few
from plogq.tables.sums.perplexity import perplexity_of
from plogq.tables.sums.tally import Tally, nearly, totals


def summarise(
    state: State, a: Model, b: Model, *, by_id: bool, unit: Unit, bootstrap: int, seed: int
) -> Comparison:
    """Divide the sums, once, and say how sure the quotients are."""
    buckets = len(state.weight.rows)
    weight = float(state.weight.amounts(buckets)[0])
    rows = state.rows()
    both = float(state.both.amounts(buckets)[0])
    sides = [_own(sums, weight, unit) for sums in (state.a, state.b)]
    weights = replicate_weights(buckets, bootstrap, seed)
    drawn = int(np.count_nonzero(_amounts(state.weight)))  # of one there is nothing to draw
    ends = _interval(weights, state.difference, state.both) if drawn > 1 else None
    of_accuracy = _interval(weights, state.accuracy, state.weight) if drawn > 1 else None
    finite = float(totals(state.difference, buckets)[0]) / both if both > 0 else None
    costs = [side["cross_entropy"] for side in sides]
    difference = difference_of(
        costs[0], costs[1], None if finite is None else from_nats(finite, unit)
    )
    wins = state.wins.amounts()
    intervals = {}
    if ends is not None:
        intervals["difference_finite"] = [float(from_nats(end, unit)) for end in ends]
    if of_accuracy is not None:
        intervals["accuracy_difference"] = list(of_accuracy)
    of_classes = state.classes.figures(weights)
    of_slices = {column: each.figures(weights) for column, each in state.slices.items()}
    return Comparison(
        kind="predictions",
        pairing="id" if by_id else "row order",
        unit=unit,
        per="row",
        rows=rows,
        weight=weight,
        a={"source": encoded(a.predictions.origin(state.left_out))} | sides[0],
        b={"source": encoded(b.predictions.origin(state.left_out))} | sides[1],
        difference=difference,
        difference_finite=None if finite is None else float(from_nats(finite, unit)),
        accuracy_difference=float(totals(state.accuracy, buckets)[0]) / weight,
        intervals=intervals,
        winner=winner_of(ends, difference),
        wins={
            name: float(wins[i] / wins.sum()) if wins.sum() > 0 else None
            for name, i in (("a", A_WINS), ("b", B_WINS), ("tie", TIED))
        },
        per_class=[
            {"class": name} | _group(figures, unit)
            for name, figures in zip(a.classes, of_classes, strict=True)
        ],
        slices={
            column: {value: _group(f, unit) for value, f in values.items()}
            for column, values in of_slices.items()
        },
        largest={
            who: [_row(item, unit) for item in top.items()] for who, top in state.largest.items()
        },
        warnings=_warnings(
            state,
            drawn if intervals else None,
            [*of_classes, *chain.from_iterable(each.values() for each in of_slices.values())],
            a.columns.group is not None,
        ),
    )


def _amounts(tally: Tally) -> Array:
    return tally.rows.astype(np.float64) if tally.weights is None else nearly(tally.weights)


def _interval(weights: Array, sums: ExactSums, amounts: Tally) -> tuple[float, float] | None:
    return of_means(weights, nearly(sums), _amounts(amounts))


def _own(state: Sums, weight: float, unit: Unit) -> dict[str, Any]:
    impossible = float(state.impossible.amounts()[0])
    sums = {name: float(sums.values()[0]) for name, sums in state.sums.items()}
    finite = sums["surprisal"] / (weight - impossible) if weight > impossible else None
    cost = math.inf if impossible > 0 or finite is None else finite
    entropy = sums["entropy"] / weight
    return {
        "cross_entropy": float(from_nats(cost, unit)),
        "cross_entropy_finite": None if finite is None else float(from_nats(finite, unit)),
        "zero_probability_rows": int(state.impossible.rows[0]),
        "perplexity": perplexity_of(cost),
        "accuracy": sums["correct"] / weight,
        "brier": sums["brier"] / weight,
        "prediction_entropy": float(from_nats(entropy, unit)),
        "overconfidence": float(from_nats(cost - entropy, unit)),
    }


def _group(figures: GroupFigures, unit: Unit) -> dict[str, Any]:
    ends = figures.interval
    costs = {"a": figures.a, "b": figures.b, "difference": figures.difference}
    difference = figures.difference
    if figures.a is not None and figures.b is not None:
        difference = difference_of(figures.a, figures.b, difference)
    return {
        "rows": figures.rows,
        **{k: None if x is None else float(from_nats(x, unit)) for k, x in costs.items()},
        "interval": None if ends is None else [float(from_nats(end, unit)) for end in ends],
        "winner": winner_of(ends, difference),
    }


def _row(item: dict[str, Any], unit: Unit) -> dict[str, Any]:
    return item | {side: float(from_nats(item[side], unit)) for side in ("a", "b")}


def _warnings(
    state: State, drawn: int | None, apart: list[GroupFigures], grouped: bool
) -> list[dict[str, Any]]:
    """Say what to mind; `drawn` rows or groups make the intervals, where there are any."""
    found = []
    for name, sums in (("A", state.a), ("B", state.b)):
        rows = int(sums.impossible.rows[0])
        if rows:
            message = (
                f"{name} gave probability 0 to what then happened: its cross-entropy is infinite; "
                "differences by class, slice and interval are over the rows possible under both"
            )
            found.append({"code": "zero_probability", "message": message, "rows": rows})
    what = "groups" if grouped else "rows"
    if drawn is not None and (few := too_few(drawn, what)):
        return [*found, {"code": f"few_{what}", "message": few, "rows": state.rows()}]
    narrow = [each for each in apart if each.interval is not None and too_few(each.drawn, what)]
    if narrow:
        few = too_few(min(each.drawn for each in narrow), what)
        message = f"of {len(narrow)} of the classes and slices, {few}"
        rows = sum(each.rows for each in narrow)
        found.append({"code": "few_in_class_or_slice", "message": message, "rows": rows})
    return found
