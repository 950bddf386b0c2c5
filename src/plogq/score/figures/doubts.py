"""What the figures say against how the table was read: labels that are none, classes exchanged."""

from __future__ import annotations

import numpy as np

from plogq.score.state.state import BINS, State
from plogq.tables.sums.tally import totals

FEWEST = 5  # rows that are told to be of other classes


def doubts(state: State, classes: tuple[str, ...]) -> list[str]:
    """Return what the labels or the order of the classes may be, beside what they were taken for.

    Examples
    --------
    >>> doubts(State(2), ("a", "b"))
    []
    """
    if state.soft or len(classes) < 2 or state.rows() == 0:
        return []
    return [each for each in (_chosen_by_the_model(state), _exchanged(state, classes)) if each]


def _chosen_by_the_model(state: State) -> str:
    """Doubt labels that are all the top class, though the model itself expects to be wrong."""
    weight = float(state.bins.amounts(BINS)[0])
    wrong = weight - float(totals(state.bin_confidence, BINS)[0])
    if state.buckets.total("correct") < weight or round(wrong) < 2:
        return ""
    return (
        "every label is its row's top class, where the model itself expects to be wrong in "
        f"about {wrong:,.0f} rows: are the labels the truth, or what the model chose? --label "
        "names another column"
    )


def _exchanged(state: State, classes: tuple[str, ...]) -> str:
    """Doubt the order of the classes where rows of one are mostly predicted to be of another.

    Two classes that are taken for each other, or a whole order that is shifted, are no model's
    weakness; one class that takes the rows of all others is.
    """
    if state.predicted_groups < len(classes):
        return ""
    counts = state.cells.rows.reshape(len(classes), -1)
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
        f"rows labelled {classes[first]} are mostly predicted {classes[top[first]]}, and those "
        f"labelled {classes[second]} mostly {classes[top[second]]}: are labels, columns and "
        "--classes in one order?"
    )
