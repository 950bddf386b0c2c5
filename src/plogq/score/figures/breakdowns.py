"""What each class and each slice costs, and what a class is mistaken for."""

from __future__ import annotations

import math

import numpy as np

from plogq.formulas.terms import neg_log, times
from plogq.formulas.units import Unit, from_nats
from plogq.score.parts import ClassFigures, Slice
from plogq.score.state.slices import Slices
from plogq.score.state.state import State
from plogq.tables.arrays import Array
from plogq.tables.sums.tally import totals

MISTAKEN_FOR = 5


def per_class(state: State, classes: tuple[str, ...], unit: Unit) -> tuple[ClassFigures, ...]:
    """Return what each class costs in `unit`, its share of the cost, and what it is taken for.

    Where there are too many classes to count which is mistaken for which, classes without a row
    are left out.
    """
    k = state.predicted_groups
    rows = state.cells.rows.reshape(-1, k)
    weight = state.cells.amounts(k)
    loss = totals(state.cell_loss, k)
    impossible = state.cell_impossible.amounts(k) > 0
    everything = loss.sum()
    index = np.arange(len(classes))
    correct = state.cells.amounts(at=index * k + (index if k == len(classes) else 1))
    mistaken = _mistaken_for(state, classes, unit)
    listed = index if k == len(classes) else np.flatnonzero(rows.any(axis=1))
    return tuple(
        ClassFigures(
            name=classes[j],
            rows=int(rows[j].sum()),
            cross_entropy=_mean(loss[j], weight[j], impossible[j], unit),
            share=ratio(loss[j], everything),
            accuracy=ratio(correct[j], weight[j]),
            mistaken_for=tuple(mistaken[j]) if mistaken else (),
        )
        for j in listed.tolist()
    )


def _mean(loss: float, weight: float, impossible: bool, unit: Unit) -> float | None:
    """Return a mean surprisal in `unit`; None where nothing has weight."""
    mean = math.inf if impossible else ratio(loss, weight)
    return None if mean is None else float(from_nats(mean, unit))


def _mistaken_for(
    state: State, classes: tuple[str, ...], unit: Unit
) -> list[list[tuple[str, int, float | None]]]:
    """Return, for each class: what it is taken for most often, how often, and the cost per row.

    The list is empty where this is not counted.
    """
    if state.predicted_groups < len(classes):
        return []
    rows = state.cells.rows.reshape(len(classes), -1).copy()
    np.fill_diagonal(rows, 0)
    most = np.argsort(-rows, axis=1, kind="stable")[:, :MISTAKEN_FOR]
    cells = (np.arange(len(classes))[:, None] * len(classes) + most).ravel()
    weight = state.cells.amounts(at=cells)
    loss = totals(state.cell_loss, at=cells)
    impossible = state.cell_impossible.amounts(at=cells) > 0
    means = [_mean(*cell, unit) for cell in zip(loss, weight, impossible, strict=True)]
    found = zip(most.ravel().tolist(), rows.ravel()[cells].tolist(), means, strict=True)
    listed = [(classes[k], n, cost) for k, n, cost in found]
    width = most.shape[1]
    return [
        [item for item in listed[j * width : (j + 1) * width] if item[1]]
        for j in range(len(classes))
    ]


def slices(groups: Slices, unit: Unit) -> dict[str, Slice]:
    """Return the figures of each value of a column, in `unit`."""
    out = {}
    for value, figures in groups.figures().items():
        nats = ratio(figures.loss, figures.weight)
        labels = entropy(figures.labels)
        out[value] = Slice(
            rows=figures.rows,
            cross_entropy=None if nats is None else from_nats(nats, unit),
            information_gain=None if nats is None else from_nats(labels - nats, unit),
        )
    return out


def entropy(amounts: Array) -> float:
    """Return −Σ p log p in nats, with p in proportion to amounts (C,).

    `entropy_of_counts` computes the same, but would load more modules.
    """
    p = amounts / amounts.sum() if amounts.any() else amounts
    return float(times(np, p, neg_log(np, p)).sum())


def ratio(part: float, whole: float) -> float | None:
    """Return part / whole; None where the whole is 0."""
    return float(part) / float(whole) if whole > 0 else None
