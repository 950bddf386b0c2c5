"""Doubts whether labels are the truth, and whether classes are in the order they were read in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from plogq.tables.arrays import Array

FEWEST = 5  # rows of classes mostly predicted as another, before their order is doubted
LEAST_WRONG = 2  # rows that the model must expect to be wrong, before a perfect score is doubted


def doubts(
    classes: Sequence[str], counts: Array | None, weight: float, correct: float, confidence: float
) -> list[str]:
    """Return sentences on what the labels, or the order of the classes, may be.

    Parameters
    ----------
    classes
        Their names.
    counts
        Rows by label and predicted class, (C, C); None where they are not counted.
    weight, correct, confidence
        The weight of all rows, that of the rows predicted right, and the sum of confidences:
        the weight that the model expects to be right.

    Examples
    --------
    >>> doubts(["a", "b"], np.array([[3, 1], [1, 3]]), 8.0, 6.0, 6.0)
    []
    """
    found = []
    if correct >= weight and round(weight - confidence) >= LEAST_WRONG:
        found.append(
            "Every label is its row's top class, though the model itself expects to be wrong: are "
            "the labels the truth, or what the model chose? --label names another column."
        )
    if counts is not None and (other := _other_order(classes, counts)):
        found.append(other)
    return found


def _other_order(classes: Sequence[str], counts: Array) -> str:
    """Return a doubt about the order of the classes, or '' where there is no reason for one.

    Classes whose rows are mostly predicted as each other, or most classes each predicted as
    another, point to a wrong order. One class that takes the rows of all others does not: that is
    a weak model.
    """
    rows = counts.sum(axis=1)
    top = counts.argmax(axis=1)
    label = np.arange(len(classes))
    moved = (top != label) & (2 * counts[label, top] > rows)
    to = set(top[moved].tolist())
    one_to_one = len(to) == np.count_nonzero(moved) > 1
    most = 2 * np.count_nonzero(moved) > np.count_nonzero(rows)
    closed = to == set(label[moved].tolist())
    if not (one_to_one and (most or closed)) or rows[moved].sum() < FEWEST:
        return ""
    first, second = label[moved][:2]
    return (
        f"Rows labelled {classes[first]} are mostly predicted {classes[top[first]]}, and those "
        f"labelled {classes[second]} mostly {classes[top[second]]}: are labels, columns and "
        "--classes in one order?"
    )
