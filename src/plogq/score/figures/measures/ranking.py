"""Measures of order alone: AUC, top-k accuracy, and accuracy where the model may abstain.

References
----------
Hanley, McNeil (1982), The meaning and use of the area under a ROC curve. DeLong, DeLong,
Clarke-Pearson (1988), for its variance. Geifman, El-Yaniv (2017), Selective classification for deep
neural networks.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from plogq.score.figures.measures.estimate import Estimate, average, mean
from plogq.score.figures.measures.judged_rows import JudgedRows
from plogq.tables.arrays import Array

TOPS = (2, 3, 5, 10)
COVERAGES = (0.5, 0.8, 0.9, 0.95, 1.0)


class Areas(NamedTuple):
    """The area under the ROC curve of each class against the rest, averaged."""

    plain: Estimate
    weighted: Estimate  # by the classes' frequencies


def areas(rows: JudgedRows) -> Areas | None:
    """Return the mean AUC over the classes that have rows and do not have all; None without such.

    A soft label is a hit of each class by its share, and a miss by the rest.
    """
    values, frequencies = [], []
    plain = weighted = np.zeros(len(rows.weight))
    for j in range(rows.classes):
        p = rows.share(j)
        found = _area(rows.score[:, j], p, rows.weight)
        if found is not None:
            frequency = average(p, rows.weight)
            values.append(found.value)
            frequencies.append(frequency)
            plain = plain + found.influence
            weighted = weighted + frequency * found.influence + p * found.value
    if not values:
        return None
    weighted = weighted / sum(frequencies)
    return Areas(
        Estimate(math.fsum(values) / len(values), plain / len(values)),
        Estimate(
            average(np.array(values), np.array(frequencies)),
            weighted - average(weighted, rows.weight),
        ),
    )


def _area(score: Array, hit: Array, weight: Array) -> Estimate | None:
    """Return how often a hit has a higher score than a miss, ties counting half."""
    _, place = np.unique(score, return_inverse=True)
    hits, misses = np.bincount(place, weight * hit), np.bincount(place, weight * (1 - hit))
    all_hits, all_misses = float(hits.sum()), float(misses.sum())
    if all_hits <= 0 or all_misses <= 0:
        return None
    below = ((np.cumsum(misses) - misses / 2) / all_misses)[place]
    above = ((all_hits - np.cumsum(hits) + hits / 2) / all_hits)[place]
    value = float((weight * hit * below).sum()) / all_hits
    total = all_hits + all_misses
    influence = hit * (below - value) / all_hits + (1 - hit) * (above - value) / all_misses
    return Estimate(value, total * influence)


def top_accuracies(rows: JudgedRows) -> dict[str, Estimate]:
    """Return by "top_k" how often the label is among the k most probable classes, for k < C.

    Of equally probable classes the first counts as the more probable.
    """
    tops = [k for k in TOPS if k < rows.classes]
    if rows.label.ndim == 1:
        rank = _rank(rows.score, rows.label)
        return {f"top_{k}": mean((rank < k).astype(np.float64), rows.weight) for k in tops}
    order = np.argsort(-rows.score, axis=1, kind="stable")[:, : max(tops, default=0)]
    shares = np.cumsum(np.take_along_axis(rows.label, order, axis=1), axis=1)
    return {f"top_{k}": mean(shares[:, k - 1], rows.weight) for k in tops}


def _rank(score: Array, label: Array) -> Array:
    """Return how many classes come before the label, (n,)."""
    of_label = score[np.arange(len(score)), label][:, None]
    earlier = np.arange(score.shape[1]) < label[:, None]
    before: Array = ((score > of_label) | ((score == of_label) & earlier)).sum(axis=1)
    return before


class Selective(NamedTuple):
    """What a model gets right when it answers only where it is most confident."""

    area: Estimate  # of the error rate over coverages: the mean error of all confidences' answers
    points: tuple[tuple[float, float], ...]  # coverage reached, accuracy there


def selective(confidence: Array, correct: Array, weight: Array) -> Selective:
    """Return the area under the risk–coverage curve, and points of it; equal confidences go as one.

    The area is the mean over rows of the error rate among all rows as confident or more.
    """
    levels, place = np.unique(-confidence, return_inverse=True)
    mass = np.bincount(place, weight)
    covered = np.cumsum(mass)
    wrong = 1 - correct
    risk = np.clip(np.cumsum(np.bincount(place, weight * wrong)) / covered, 0.0, 1.0)
    value = average(risk, mass)
    # A row changes the risk at its own confidence and at all lower ones.
    ahead = np.cumsum((mass / covered)[::-1])[::-1]
    risks = np.cumsum((mass * risk / covered)[::-1])[::-1]
    influence = (risk - risks)[place] + wrong * ahead[place] - value
    coverage = covered / covered[-1]
    at = np.minimum(np.searchsorted(coverage, np.array(COVERAGES) - 1e-12), len(levels) - 1)
    points = {float(coverage[i]): float(1 - risk[i]) for i in at.tolist()}
    return Selective(Estimate(value, influence), tuple(points.items()))
