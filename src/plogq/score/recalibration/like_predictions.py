"""Predictions in groups of like ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from plogq.tables.arrays import Array

MOST_GROUPS = 256  # by quantiles; where there are fewer values, a group for each
QUANTILES_OF = 1 << 13


class LikePredictions(NamedTuple):
    """Which group each prediction of a class is in."""

    edges: list[Array]  # for each class, rising: group i begins at edge i − 1
    of: Array  # (n, classes) the group of each

    def take(self, rows: Array) -> LikePredictions:
        """Return some of the rows."""
        return LikePredictions(self.edges, self.of[rows])

    def of_others(self, log_q: Array) -> LikePredictions:
        """Return the groups that other predictions fall into."""
        return LikePredictions(self.edges, _places(_scores(log_q), self.edges))


def group(log_q: Array) -> LikePredictions:
    """Return groups of the log q of each class; of two classes, of the second's log-odds alone."""
    scores = _scores(log_q)
    edges = [_edges(of_class) for of_class in scores.T]
    return LikePredictions(edges, _places(scores, edges))


def _scores(log_q: Array) -> Array:
    """Return log q of each class, (n, C); of two classes, the second's log-odds alone, (n, 1)."""
    return log_q[:, 1:] - log_q[:, :1] if log_q.shape[1] == 2 else log_q


def _places(scores: Array, edges: list[Array]) -> Array:
    """Return the group of each score, (n, classes)."""
    of = np.empty(scores.shape, np.int16)
    for j, edge in enumerate(edges):
        of[:, j] = np.searchsorted(edge, scores[:, j], "right")
    return of


def _edges(scores: Array) -> Array:
    """Return quantiles of the scores, with edges that set probabilities of 0 and 1 apart."""
    some = np.sort(scores[:: max(1, len(scores) // QUANTILES_OF)])
    at = np.linspace(0, len(some) - 1, min(MOST_GROUPS, len(some))).astype(np.int64)
    lowest = -np.finfo(np.float64).max
    inner = some[at][np.isfinite(some[at])]
    return np.unique(np.concatenate([[lowest], inner, [np.inf]]))
