"""What labels and predictions say against how they were read: no truth, or another order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from plogq.tables.arrays import Array

FEWEST = 5  # rows that are told to be of other classes
LEAST_WRONG = 2  # rows that a model expects to be wrong about, at least


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
        Of all rows: their weight, that of those that are right, and what the model expected of it.

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
    """Doubt the order of the classes where rows of one are mostly predicted to be of another.

    Two classes that are taken for each other, or a whole order that is shifted, are no model's
    weakness; one class that takes the rows of all others is.
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
