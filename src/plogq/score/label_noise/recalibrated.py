"""Recalibrated probabilities of every class, from a family that was fitted."""

from __future__ import annotations

import numpy as np

from plogq.score.recalibration.cross_fit import Family
from plogq.score.recalibration.labelled_rows import LabelledRows
from plogq.tables.arrays import Array


def class_probabilities(family: Family, log_q: Array, like: LabelledRows) -> Array:
    """Return the probabilities (n, C) that a family gives predictions log q (n, C).

    A family says what a label costs; so each class is asked for, as the label of every row. `like`
    are the rows that it was fitted to, whose base rates and groups of predictions it shares.
    """
    rows = as_fitted(log_q, np.zeros(len(log_q), np.int64), like)
    out = np.empty(log_q.shape)
    for j in range(like.classes):
        rows = as_fitted(log_q, np.full(len(log_q), j), like, rows)
        out[:, j] = np.exp(-family.losses(rows))
    total: Array = out.sum(axis=1, keepdims=True)
    return out / total


def as_fitted(
    log_q: Array, label: Array, like: LabelledRows, same: LabelledRows | None = None
) -> LabelledRows:
    """Return rows in the groups of like predictions that other rows were fitted in."""
    groups = like.groups().of_others(log_q) if same is None else same.groups()
    return LabelledRows(log_q, label, np.ones(len(label)), like.base, groups)
