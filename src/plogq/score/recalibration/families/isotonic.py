"""Isotonic regression: for each class, any rising function of its probability."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from plogq.score.recalibration.labelled_rows import LabelledRows
from plogq.tables.arrays import Array

END_ROWS = 0.5
LOG_ODDS = "log_odds"


@dataclass(frozen=True)
class Isotonic:
    """−log (g_y(q_y) / Σ_j g_j(q_j)), each g_j the rising function nearest to the labels.

    For two classes one function is enough, and there is nothing to normalise. Predictions are
    taken in at most 256 groups of like ones. Half an imaginary row at either end, a hit below all
    others and a miss above all others, keeps every g inside (0, 1) and rising.

    References
    ----------
    Zadrozny, Elkan (2002), Transforming classifier scores into accurate multiclass probability
    estimates. Ayer, Brunk, Ewing, Reid, Silverman (1955), for the pooling of adjacent violators.
    """

    edges: list[Array] = field(repr=False)  # (m_j,) for each function, rising
    values: list[Array] = field(repr=False)  # (m_j + 1,) below, between and above its edges

    name = "isotonic"
    mends = True

    @staticmethod
    def size(classes: int) -> int:
        """How many parameters it has: a rising function counts as ten."""
        return 0 if classes == 1 else 10 if classes == 2 else 10 * classes

    @classmethod
    def fit(cls, rows: LabelledRows, start: Self | None = None) -> Self:
        """Return the fit: the share of hits in each group, groups that do not rise being pooled."""
        edges, group = rows.groups()
        values = []
        for j, edge in enumerate(edges):
            label = 1 if len(edges) == 1 else j
            hit = rows.label == label if rows.label.ndim == 1 else rows.label[:, label]
            seen = np.bincount(group[:, j], rows.weight, len(edge) + 1)
            hits = np.bincount(group[:, j], rows.weight * hit, len(edge) + 1)
            values.append(_rising(hits, seen))
        return cls(edges, values)

    def losses(self, rows: LabelledRows) -> Array:
        """Return the loss of each row in nats, (n,)."""
        columns = zip(self.values, rows.groups().of.T, strict=True)
        g = _of_all_classes([value[group] for value, group in columns])
        row, label, share = rows.events
        of_label = np.bincount(row, -share * np.log(g[row, label]), len(rows))
        loss: Array = of_label + np.log(g.sum(axis=1))
        return loss

    @staticmethod
    def probabilities(log_q: Array, of: str, curves: list[dict[str, Any]]) -> Array:
        """Return g_j(z_j) / Σ_k g_k(z_k), (n, C); of two classes, g of the second's log-odds."""
        scores = log_q[:, 1:] - log_q[:, :1] if of == LOG_ODDS else log_q
        columns = []
        for curve, score in zip(curves, scores.T, strict=True):
            begins = np.array(curve["from"], float)  # its first is −inf, which JSON has as text
            columns.append(np.array(curve["value"])[np.searchsorted(begins, score, "right") - 1])
        g = _of_all_classes(columns)
        g /= g.sum(axis=1, keepdims=True)
        return g

    def parameters(self) -> dict[str, Any]:
        """Return each function by its steps: where each begins, and its value."""
        curves = []
        for edge, value in zip(self.edges, self.values, strict=True):
            new = np.flatnonzero(np.diff(value, prepend=-1.0))
            begins = np.concatenate([[-np.inf], edge])[new]
            curves.append({"from": begins.tolist(), "value": value[new].tolist()})
        return {"of": LOG_ODDS if len(curves) == 1 else "log_q", "curves": curves}


def _of_all_classes(columns: list[Array]) -> Array:
    """Return g of every class, (n, C); one column is the second class's, of two."""
    if len(columns) == 1:
        columns = [1 - columns[0], columns[0]]
    return np.stack(columns, axis=1)


def _rising(hits: Array, seen: Array) -> Array:
    """Return the rising values nearest to hits / seen, (groups,), by pooling adjacent violators.

    Where nothing was seen, the value lies between those of its neighbours.
    """
    used = np.flatnonzero(seen > 0)
    blocks = [(END_ROWS, END_ROWS, 0)]  # hits, seen, groups
    points = [*zip(hits[used].tolist(), seen[used].tolist(), strict=True), (0.0, END_ROWS)]
    for i, (hit, total) in enumerate(points):
        block = hit, total, int(i < len(used))
        while blocks and blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]:
            last = blocks.pop()
            block = last[0] + block[0], last[1] + block[1], last[2] + block[2]
        blocks.append(block)
    values = np.repeat([h / n for h, n, _ in blocks], [groups for _, _, groups in blocks])
    out: Array = np.interp(np.arange(len(seen)), used, values)
    return out
