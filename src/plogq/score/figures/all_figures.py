"""From a state's exact sums to the figures of a result."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plogq.errors import TableError, refuse
from plogq.formulas.units import Unit, from_nats
from plogq.records import Caution, Source
from plogq.score.figures.breakdowns import entropy, per_class, slices
from plogq.score.figures.decomposition import ROUNDING, Recalibrations, recalibrate
from plogq.score.figures.intervals import intervals
from plogq.score.figures.measures.all_measures import measures
from plogq.score.figures.pictures import confusion, histograms, reliability
from plogq.score.figures.temperature import TemperatureFit, fit_temperature
from plogq.score.parts import Floor, RecalibrationFigures, Surprise, Temperature
from plogq.score.result import Result
from plogq.score.state.state import BINS, MOST_CONFUSED, State
from plogq.tables.doubts import doubts
from plogq.tables.sums.bootstrap import too_few
from plogq.tables.sums.perplexity import perplexity_of
from plogq.tables.sums.tally import totals

LEAST_WEIGHT = 1e-20  # of a row on average, since sums are exact to 2^−128


def summarise(
    state: State,
    classes: tuple[str, ...],
    *,
    kind: str,
    unit: Unit,
    source: Source,
    folds: int,
    bootstrap: int,
    seed: int,
    family: str | None = None,
) -> Result:
    """Return the result of a state: means of its sums, entropies and losses in `unit`."""
    weight = float(state.bins.amounts(BINS)[0])
    check_weight(source.paths[0], weight, state.rows())
    buckets = state.buckets
    impossible = float(buckets.impossible.amounts(buckets.count)[0])
    finite = buckets.total("surprisal") / weight  # of each row of the table
    possible = weight - impossible
    of_possible = buckets.total("surprisal") / possible if possible > 0 else None
    cross_entropy = finite if impossible == 0 else math.inf
    labels = entropy(state.cells.amounts(state.predicted_groups))
    prediction = buckets.total("entropy") / weight
    recalibrations = recalibrate(state, folds, seed, family, source.paths[0])
    chosen, saved = _chosen(recalibrations)
    costs = [finite - each for each in saved]
    temperature = fit_temperature(recalibrations)

    def mean(name: str) -> float:
        return buckets.total(name) / weight

    nats = {
        "cross_entropy": cross_entropy,
        "label_entropy": labels,
        "information_gain": less(labels, cross_entropy),
        "refinement": costs[chosen],
        "miscalibration": saved[chosen] if impossible == 0 else math.inf,
        "resolution": less(labels, costs[chosen]),
        "prediction_entropy": prediction,
        "overconfidence": less(cross_entropy, prediction),
    }
    if state.soft:
        nats["entropy_floor"] = mean("label_entropy")
        nats["kl"] = math.inf if impossible > 0 else mean("kl")
    plain = {
        "explained": nats["information_gain"] / labels if labels > 0 else math.nan,
        "perplexity": perplexity_of(cross_entropy),
        "accuracy": mean("correct"),
        "brier": mean("brier"),
    }
    figures: dict[str, Any] = {name: from_nats(value, unit) for name, value in nats.items()}
    figures |= plain | {"explained": plain["explained"] if labels > 0 else None}
    if saved[chosen] == -math.inf:
        figures |= dict.fromkeys(("refinement", "miscalibration", "resolution"))
    ends = intervals(
        buckets,
        recalibrations,
        nats | plain,
        chosen,
        temperature.unseen if temperature and temperature.unseen > ROUNDING * finite else 0.0,
        soft=state.soft,
        unit=unit,
        replicates=bootstrap,
        seed=seed,
    )
    return Result(
        source=source,
        kind=kind,
        unit=unit,
        rows=state.rows(),
        weight=weight,
        classes=classes,
        **{"entropy_floor": None, "kl": None} | figures,
        cross_entropy_finite=None if of_possible is None else from_nats(of_possible, unit),
        zero_probability_rows=int(buckets.impossible.rows.sum()),
        floor=None
        if state.floor is None
        else Floor(
            p=state.floor,
            rows=state.floor_rows,
            cross_entropy=from_nats(float(totals(state.floor_loss)[0]) / weight, unit),
        ),
        recalibration=_recalibration(recalibrations, chosen, costs, unit),
        temperature=_temperature(temperature, of_possible, unit),
        per_class=per_class(state, classes, unit),
        confusion=confusion(state, classes, unit),
        reliability=reliability(state),
        histograms=histograms(state, recalibrations, unit),
        surprises=_surprises(state, classes, unit),
        slices={column: slices(groups, unit) for column, groups in state.slices.items()},
        intervals=ends,
        measures=measures(recalibrations, kind, intervals=bootstrap > 0),
        warnings=_warnings(
            state,
            recalibrations,
            temperature,
            nats["information_gain"],
            source,
            some_interval=bool(ends)
            or (temperature is not None and temperature.interval is not None),
        ),
    )


def less(a: float, b: float) -> float:
    """Return a − b, or 0 where that is no more than the rounding of both."""
    return 0.0 if math.isclose(a, b, rel_tol=ROUNDING) else a - b


def doubts_of(state: State, classes: tuple[str, ...]) -> list[str]:
    """Return sentences on signs in the figures that the table was not read as it was meant."""
    if state.soft or len(classes) < 2:
        return []
    whole = state.predicted_groups == len(classes)
    return doubts(
        classes,
        state.cells.rows.reshape(len(classes), -1) if whole else None,
        float(state.bins.amounts(BINS)[0]),
        state.buckets.total("correct"),
        float(totals(state.bin_confidence, BINS)[0]),
    )


def check_weight(path: str, weight: float, rows: int) -> None:
    """Refuse weights that are all 0, or so small that sums would lose digits without a word."""
    if weight == 0:
        raise TableError(f"{path}: the weights are all 0, or below 1e-38: nothing to score")
    if weight < LEAST_WEIGHT * rows:
        expected = f"be {LEAST_WEIGHT:g} or more in the mean"
        came = f"{weight / rows:.3g} (multiply them all by one number: it changes no figure)"
        refuse(f"{path}: the weights", expected, came, error=TableError)


def _chosen(recalibrations: Recalibrations) -> tuple[int, list[float]]:
    """Return the family taken for the whole table, and what each saves, in nats per row."""
    per_row, chosen = recalibrations.savings.under(np.ones((1, recalibrations.buckets)))
    return int(chosen[0]), per_row[0].tolist()


def _recalibration(
    recalibrations: Recalibrations, chosen: int, costs: list[float], unit: Unit
) -> RecalibrationFigures | None:
    """Return the family taken, what it learnt, and what each costs held out, in `unit`."""
    asked = recalibrations.savings.asked is not None
    if costs[chosen] == math.inf and not asked:
        return None
    return RecalibrationFigures(
        family=recalibrations.fits[chosen].name,
        asked=asked,
        parameters=recalibrations.fits[chosen].parameters(),
        rows=len(recalibrations.sample.weight),
        folds=recalibrations.folds,
        cross_entropy={
            fit.name: from_nats(cost, unit)
            for fit, cost in zip(recalibrations.fits, costs, strict=True)
        },
        aside=recalibrations.aside,
    )


def _temperature(
    fit: TemperatureFit | None, of_possible: float | None, unit: Unit
) -> Temperature | None:
    """Return the T that fits, with costs in `unit`; None where every row is impossible."""
    if fit is None or of_possible is None:
        return None
    return Temperature(
        value=fit.value,
        interval=fit.interval,
        identified=fit.identified,
        cross_entropy=from_nats(of_possible - fit.saved, unit),
        rows=fit.rows,
        curve=tuple((t, from_nats(of_possible - saved, unit)) for t, saved in fit.curve),
    )


def _surprises(state: State, classes: tuple[str, ...], unit: Unit) -> tuple[Surprise, ...]:
    found = state.surprises.rows()
    if found is None:
        return ()
    return tuple(
        Surprise(
            row=row if id is None else None,
            id=id,
            label=classes[label],
            predicted=classes[predicted],
            q_label=q_label,
            surprisal=from_nats(surprisal, unit),
        )
        for surprisal, row, id, label, predicted, q_label in zip(
            *(field.tolist() for field in found), strict=True
        )
    )


def _warnings(
    state: State,
    recalibrations: Recalibrations,
    temperature: TemperatureFit | None,
    gain: float,
    source: Source,
    *,
    some_interval: bool,
) -> tuple[Caution, ...]:
    found = []
    impossible = int(state.buckets.impossible.rows.sum())
    if impossible:
        found.append(
            (
                "zero_probability",
                "the model gave probability 0 to what then happened: its "
                "cross-entropy is infinite, whatever the other rows say",
                impossible,
            )
        )
    elif gain < 0:
        found.append(
            (
                "worse_than_no_model",
                "the model costs more than guessing by the frequency of each class",
                state.rows(),
            )
        )
    if len(recalibrations.fits) == 1 and state.classes > 1:
        found.append(
            (
                "no_recalibration",
                "too few rows to learn a recalibration from: miscalibration is not told apart",
                state.rows(),
            )
        )
    what = "groups" if "group" in source.columns else "rows"
    if some_interval and (few := too_few(recalibrations.buckets, what)):
        # Rows that weigh nothing are not among the few.
        rows = state.rows() if what == "groups" else recalibrations.buckets
        found.append(("few_" + what, few, rows))
    repeated = state.ids.repeated()
    if repeated is not None:
        found.append(
            (
                "repeated_ids",
                f"rows share an id, such as {repeated.name!r}: a row that is there twice counts "
                "twice, and makes the intervals too narrow",
                repeated.rows,
            )
        )
    if temperature is not None and not temperature.identified:
        found.append(
            (
                "temperature_not_identified",
                "no temperature within the bounds is best: the "
                "classes are separable, or the predictions say nothing",
                temperature.rows,
            )
        )
    if state.predicted_groups < state.classes:
        found.append(
            (
                "many_classes",
                f"more than {MOST_CONFUSED:,} classes: which class is "
                "mistaken for which is not counted",
                state.rows(),
            )
        )
    return tuple(Caution(code=code, message=text, rows=rows) for code, text, rows in found)
