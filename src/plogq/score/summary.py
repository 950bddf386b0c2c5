"""From a state's exact sums to the figures of a result."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plogq.formulas._terms import neg_log, times
from plogq.formulas.units import Unit, from_nats
from plogq.score.errors import TableError
from plogq.score.numbers import Array
from plogq.score.result import Result
from plogq.score.slices import Slices
from plogq.score.state import BINS, MOST_CONFUSED, State
from plogq.score.tally import totals
from plogq.score.temperature import fit_temperature

MISTAKEN_FOR = 5


def summarise(
    state: State, classes: tuple[str, ...], *, kind: str, unit: Unit, source: dict[str, Any]
) -> Result:
    """Turn sums into means, and nats into `unit`."""
    weight = float(state.bins.amounts(BINS)[0])
    if weight == 0:
        raise TableError(f"{source['paths'][0]}: the weights are all 0: nothing to score")
    buckets = state.buckets
    impossible = float(buckets.impossible.amounts(buckets.count)[0])
    possible = weight - impossible
    finite = buckets.total("surprisal") / possible if possible > 0 else None
    cross_entropy = finite if impossible == 0 and finite is not None else math.inf
    labels = _entropy(state.cells.amounts(state.predicted_groups))
    prediction = buckets.total("entropy") / weight
    gain = labels - cross_entropy
    temperature = _temperature(state, unit, finite)

    def mean(name: str) -> float:
        return buckets.total(name) / weight

    return Result(
        source=source,
        kind=kind,
        unit=unit,
        rows=state.rows(),
        weight=weight,
        classes=classes,
        cross_entropy=from_nats(cross_entropy, unit),
        cross_entropy_finite=None if finite is None else from_nats(finite, unit),
        zero_probability_rows=int(buckets.impossible.rows.sum()),
        floor=None
        if state.floor is None
        else {
            "p": state.floor,
            "rows": state.floor_rows,
            "cross_entropy": from_nats(float(totals(state.floor_loss)[0]) / weight, unit),
        },
        label_entropy=from_nats(labels, unit),
        information_gain=from_nats(gain, unit),
        explained=gain / labels if labels > 0 else None,
        temperature=temperature,
        entropy_floor=from_nats(mean("label_entropy"), unit) if state.soft else None,
        kl=from_nats(math.inf if impossible > 0 else mean("kl"), unit) if state.soft else None,
        perplexity=_exp(cross_entropy),
        accuracy=mean("correct"),
        brier=mean("brier"),
        prediction_entropy=from_nats(prediction, unit),
        overconfidence=from_nats(cross_entropy - prediction, unit),
        per_class=_per_class(state, classes, unit),
        reliability=_reliability(state),
        surprises=_surprises(state, classes, unit),
        slices={column: _slices(groups, unit) for column, groups in state.slices.items()},
        warnings=_warnings(state, temperature, gain),
    )


def _entropy(amounts: Array) -> float:
    """−Σ p log p of amounts in proportion to p: `entropy_of_counts`, without what that loads."""
    p = amounts / amounts.sum() if amounts.any() else amounts
    return float(times(np, p, neg_log(np, p)).sum())


def _exp(nats: float) -> float:
    return math.exp(nats) if nats < 709 else math.inf  # exp(709.8) overflows


def _ratio(part: float, whole: float) -> float | None:
    return float(part) / float(whole) if whole > 0 else None


def _temperature(state: State, unit: Unit, finite: float | None) -> dict[str, Any] | None:
    """Fit T on the sampled rows; None where every row is impossible."""
    sampled = state.sample.rows()
    if sampled is None or finite is None:
        return None
    fit = fit_temperature(sampled)
    # What the sample says is how much T saves; how much there is to save from is known exactly.
    all_rows = fit.rows == state.rows()
    nats = fit.cross_entropy if all_rows else finite - (fit.cross_entropy_at_1 - fit.cross_entropy)
    return {
        "value": fit.value,
        "interval": None if fit.interval is None else list(fit.interval),
        "identified": fit.identified,
        "cross_entropy": from_nats(nats, unit),
        "rows": fit.rows,
    }


def _per_class(state: State, classes: tuple[str, ...], unit: Unit) -> list[dict[str, Any]]:
    k = state.predicted_groups
    rows = state.cells.rows.reshape(-1, k)
    weight = state.cells.amounts(k)
    loss = totals(state.cell_loss, k)
    impossible = state.cell_impossible.amounts(k) > 0
    everything = loss.sum()
    index = np.arange(len(classes))
    correct = state.cells.amounts(at=index * k + (index if k == len(classes) else 1))
    mistaken = _mistaken_for(state, classes, unit)
    return [
        {
            "class": name,
            "rows": int(rows[j].sum()),
            "bits": _bits(loss[j], weight[j], impossible[j], unit),
            "share": _ratio(loss[j], everything),
            "accuracy": _ratio(correct[j], weight[j]),
            "mistaken_for": mistaken[j],
        }
        for j, name in enumerate(classes)
    ]


def _bits(loss: float, weight: float, impossible: bool, unit: Unit) -> float | None:
    """Give a mean surprisal; None where nothing has weight."""
    mean = math.inf if impossible else _ratio(loss, weight)
    return None if mean is None else float(from_nats(mean, unit))


def _mistaken_for(
    state: State, classes: tuple[str, ...], unit: Unit
) -> list[list[tuple[str, int, float | None]]]:
    """Give, for each class, what it is taken for most often, how often, and at what cost."""
    if state.predicted_groups < len(classes):
        return [[] for _ in classes]
    rows = state.cells.rows.reshape(len(classes), -1).copy()
    np.fill_diagonal(rows, 0)
    most = np.argsort(-rows, axis=1, kind="stable")[:, :MISTAKEN_FOR]
    cells = (np.arange(len(classes))[:, None] * len(classes) + most).ravel()
    weight = state.cells.amounts(at=cells)
    loss = totals(state.cell_loss, at=cells)
    impossible = state.cell_impossible.amounts(at=cells) > 0
    bits = [_bits(*cell, unit) for cell in zip(loss, weight, impossible, strict=True)]
    found = zip(most.ravel().tolist(), rows.ravel()[cells].tolist(), bits, strict=True)
    listed = [(classes[k], n, cost) for k, n, cost in found]
    width = most.shape[1]
    return [
        [item for item in listed[j * width : (j + 1) * width] if item[1]]
        for j in range(len(classes))
    ]


def _reliability(state: State) -> list[dict[str, Any]]:
    weight = state.bins.amounts()
    confidence, correct = totals(state.bin_confidence), totals(state.bin_correct)
    return [
        {
            "bin": [i / BINS, (i + 1) / BINS],
            "rows": int(state.bins.rows[i]),
            "confidence": _ratio(confidence[i], weight[i]),
            "accuracy": _ratio(correct[i], weight[i]),
        }
        for i in range(BINS)
    ]


def _surprises(state: State, classes: tuple[str, ...], unit: Unit) -> list[dict[str, Any]]:
    found = state.surprises.rows()
    if found is None:
        return []
    return [
        {
            **({"row": row} if id is None else {"id": id}),
            "label": classes[label],
            "predicted": classes[predicted],
            "q_label": q_label,
            "surprisal": from_nats(surprisal, unit),
        }
        for surprisal, row, id, label, predicted, q_label in zip(
            *(field.tolist() for field in found), strict=True
        )
    ]


def _slices(groups: Slices, unit: Unit) -> dict[str, dict[str, Any]]:
    out = {}
    for value, figures in groups.figures().items():
        nats = _ratio(figures.loss, figures.weight)
        labels = _entropy(figures.labels)
        out[value] = {
            "rows": figures.rows,
            "cross_entropy": None if nats is None else from_nats(nats, unit),
            "information_gain": None if nats is None else from_nats(labels - nats, unit),
        }
    return out


def _warnings(
    state: State, temperature: dict[str, Any] | None, gain: float
) -> list[dict[str, Any]]:
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
    if temperature is not None and not temperature["identified"]:
        found.append(
            (
                "temperature_not_identified",
                "no temperature within the bounds is best: the "
                "classes are separable, or the predictions say nothing",
                temperature["rows"],
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
    return [{"code": code, "message": text, "rows": rows} for code, text, rows in found]
