"""The figures that are drawn: reliability, histograms, confusions by what they cost."""

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
    """Give the surprisals of all rows, and of the sampled rows what each prediction tells.

    Pointwise information is log q(y) − log P(y), with P the frequencies of the labels: its mean
    over all rows is the information gain (Fano, 1961). Of a soft label, each class by its share.
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
    """Give what is taken for what, at what cost per row of the table, the most costly first.

    All cells together are the cross-entropy. At most 2,000 of them; none with more classes than
    are told apart.
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
    """Give how sure the model is and how often right, by tenths of its confidence."""
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
