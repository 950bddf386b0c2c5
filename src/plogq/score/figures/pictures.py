"""The figures that are drawn: reliability, histograms, and confusions by their cost."""

from __future__ import annotations

import math

import numpy as np

from plogq.formulas.units import Unit, from_nats
from plogq.score.figures.breakdowns import ratio
from plogq.score.figures.decomposition import Recalibrations
from plogq.score.parts import ConfusionCell, Histogram, Histograms, ReliabilityBin
from plogq.score.state.histograms import information_histogram, surprisal_histogram
from plogq.score.state.state import BINS, State
from plogq.tables.sums.tally import totals

MOST_CELLS = 2_000


def histograms(state: State, recalibrations: Recalibrations, unit: Unit) -> Histograms:
    """Return the surprisals of all rows, and the pointwise information of the sampled rows.

    Pointwise information is log q(y) − log P(y), with P the frequencies of the labels: its mean
    over all rows is the information gain (Fano, 1961). A soft label counts each class by its share.
    """
    sample, labelled = recalibrations.sample, recalibrations.labelled
    row, label, share = labelled.events
    labels = state.cells.amounts(state.predicted_groups)
    with np.errstate(divide="ignore"):
        base = np.log(labels / labels.sum())
    information = labelled.log_q[row, label] - base[label]
    surprisal = surprisal_histogram(state.surprisal_bins.amounts(), unit)
    pointwise = information_histogram(information, sample.weight[row] * share, unit)
    return Histograms(
        surprisal=Histogram(**surprisal), pointwise_information=Histogram(**pointwise)
    )


def confusion(state: State, classes: tuple[str, ...], unit: Unit) -> tuple[ConfusionCell, ...]:
    """Return the cells (label, predicted) by their cost per row of the table, the highest first.

    The costs of all cells add up to the cross-entropy. At most 2,000 cells are returned, and none
    where there are too many classes to count them.
    """
    k = state.predicted_groups
    if k < len(classes):
        return ()
    cells = np.flatnonzero(state.cells.rows)
    cost = totals(state.cell_loss, at=cells) / state.cells.amounts().sum()
    cost[state.cell_impossible.amounts(at=cells) > 0] = math.inf
    most = np.argsort(-cost, kind="stable")[:MOST_CELLS]
    return tuple(
        ConfusionCell(
            label=classes[cell // k],
            predicted=classes[cell % k],
            rows=rows,
            cost=from_nats(nats, unit),
        )
        for cell, rows, nats in zip(
            cells[most].tolist(),
            state.cells.rows[cells[most]].tolist(),
            cost[most].tolist(),
            strict=True,
        )
    )


def reliability(state: State) -> tuple[ReliabilityBin, ...]:
    """Return how sure the model is and how often it is right, by tenths of its confidence."""
    weight = state.bins.amounts()
    confidence, correct = totals(state.bin_confidence), totals(state.bin_correct)
    return tuple(
        ReliabilityBin(
            bin=(i / BINS, (i + 1) / BINS),
            rows=int(state.bins.rows[i]),
            confidence=ratio(confidence[i], weight[i]),
            accuracy=ratio(correct[i], weight[i]),
        )
        for i in range(BINS)
    )
