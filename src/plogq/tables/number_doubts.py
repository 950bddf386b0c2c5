"""Doubts about the numbers of the first rows: signs that they are not such predictions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from plogq.tables.arrays import Array
from plogq.tables.column_names import few
from plogq.tables.columns import Columns

FEWEST = 3  # rows below which the range and the order of numbers say nothing
FEWEST_BOUNDED = 20  # rows that are hardly in [-1, 1] by chance
SENTINEL = 9  # a number of this size or more may be a code for a missing one: 9, 99, -999
LARGE = 100  # a whole number of this size or more is hardly a logit
EQUAL_SUMS = 0.02  # how far apart the sums of rows of shares may be, as a part of their mean
MOST_COMPARED = 1_000  # columns that are compared with each other in each row


class Head(NamedTuple):
    """The first rows: predictions (n, C), or (n,) of a lone column, and class indices (n,)."""

    x: Array
    target: Array
    whole_numbers: bool  # whether labels are written as numbers


def of_numbers(head: Head, columns: Columns) -> list[str]:
    """Return sentences on what the numbers may be instead of what their columns are called."""
    return [
        *_of_scale(head, columns),
        *_of_copies(head, columns),
        *_of_whole_numbers(head, columns),
        *_of_one_number(head, columns),
        *_of_ordered_rows(head, columns),
    ]


def _of_scale(head: Head, columns: Columns) -> list[str]:
    """Return a warning on numbers that are on another scale than predictions of their kind."""
    x = head.x.astype(np.float64)
    if not np.isfinite(x).all():
        return []
    if columns.layout == "binary":
        return _of_a_lone_column(x, head.target, columns)
    if columns.kind != "logits" or x.shape[1] < 2:
        return []
    of = f"of {columns.predictions!r}"
    option = f"--probs {columns.predictions!r}"
    sums = x.sum(axis=1)
    if (x >= 0).all() and (x <= 1).all():
        if (np.abs(sums - 1) < 1e-3).all():
            return [
                f"Every row {of} lies in [0, 1] and sums to 1: are these probabilities? Then "
                f"{option}."
            ]
        if x.size >= FEWEST * x.shape[1]:
            return [
                f"Every number {of} lies in [0, 1]: are these probabilities, not logits? Then "
                f"{option}, with --normalise."
            ]
    if (x >= 0).all() and len(x) >= FEWEST and sums.min() > 1:
        shared = (np.count_nonzero(x, axis=1) > 1).any() and (x != x[0]).any()
        if shared and sums.max() - sums.min() <= EQUAL_SUMS * sums.mean():
            return [
                f"No number {of} is below 0, and every row sums to about {sums.mean():.4g}: are "
                f"these percents, votes or counts? Then {option}, with --normalise."
            ]
        if (np.abs(np.exp(-x).sum(axis=1) - 1) < 1e-3).all():
            return [
                f"Every row {of} is of −log q, where the numbers q sum to 1: change their sign."
            ]
    if _reaches_1(x):
        return [f"Every number {of} lies in [-1, 1]: are these cosines, or 2p − 1, and not logits?"]
    if x.shape[1] == 2 and (x[:, 0] == -x[:, 1]).all() and x.any():
        return [
            f"Each row {of} is [-m, m]: is m a decision function, or itself the logit of the "
            "second class? The softmax of [-m, m] is sigmoid(2m); give the column of m alone for "
            "sigmoid(m)."
        ]
    for base in (2, 10):
        if (x <= 0).all() and (np.abs((float(base) ** x).sum(axis=1) - 1) < 1e-3).all():
            return [
                f"Every row {of} is of logarithms to base {base} of numbers that sum to 1: "
                f"multiply them by ln {base}."
            ]
    return []


def _of_a_lone_column(x: Array, target: Array, columns: Columns) -> list[str]:
    name, classes = columns.names[0], columns.classes or ("0", "1")
    if columns.kind == "logits" and (x >= 0).all() and (x <= 1).all() and len(x) >= FEWEST:
        return [
            f"Every logit of {name!r} lies in [0, 1]: are these probabilities of class "
            f"{classes[1]}? Then --probs {name}."
        ]
    if columns.kind == "logits" and _reaches_1(x):
        return [
            f"Every logit of {name!r} lies in [-1, 1]: is it 2p − 1 of a probability p of class "
            f"{classes[1]}? Then give p = (1 + {name}) / 2 as --probs."
        ]
    least = {"logits": 0.0, "probs": 0.5, "logprobs": np.log(0.5)}[columns.kind]
    both = len(x) >= FEWEST and target.any() and not target.all()
    if columns.chosen is None and both and (x >= least).all():
        return [
            f"Every value of {name!r} is for class {classes[1]} rather than {classes[0]}: is it of "
            "the class that the model chose? Then name the column of that class: --chosen COLUMN."
        ]
    return []


def _reaches_1(x: Array) -> bool:
    """Return whether many numbers lie in [-1, 1], and some come near an end of it."""
    largest = np.abs(x).max()
    return len(x) >= FEWEST_BOUNDED and bool(0.9 < largest <= 1.0)


def _of_copies(head: Head, columns: Columns) -> list[str]:
    """Return a warning on a column of logits that repeats others: no sum of a row would show it."""
    if columns.kind != "logits" or columns.layout != "wide":
        return []
    seen: dict[bytes, str] = {}
    for name, values in zip(columns.names, head.x.T, strict=True):
        first = seen.setdefault(values.tobytes(), name)
        if first != name and len(np.unique(values)) > 1:
            return [
                f"Columns {first!r} and {name!r} are the same: is one of them no class? Then "
                f"--exclude {name}."
            ]
    if (j := _repeating(head.x)) is None:
        return []
    name = columns.names[j]
    return [
        f"In every row {name!r} is the number of another column: is it the largest, or that of the "
        f"label, and no class? Then --exclude {name}."
    ]


def _repeating(x: Array) -> int | None:
    """Return the one column whose number stands in another column too, in every row."""
    if len(x) < FEWEST or not 3 <= x.shape[1] <= MOST_COMPARED or (x == np.rint(x)).all():
        return None
    order = x.argsort(axis=1, kind="stable")
    ranked = np.take_along_axis(x, order, axis=1)
    same = ranked[:, 1:] == ranked[:, :-1]
    twice = np.zeros(x.shape, bool)
    twice[:, 1:] = same
    twice[:, :-1] |= same
    there = np.empty_like(twice)
    np.put_along_axis(there, order, twice, axis=1)
    found = np.flatnonzero(there.all(axis=0) & (x != x[0]).any(axis=0))
    return int(found[0]) if len(found) == 1 else None


def _of_whole_numbers(head: Head, columns: Columns) -> list[str]:
    """Return a warning on columns that number rows or predicted classes: no sum would show them."""
    x = head.x
    if columns.layout != "wide" or len(x) < FEWEST or x.shape[1] < 3:
        return []
    if columns.kind != "logits" and not columns.normalise:
        return []
    whole = (x == np.rint(x)).all(axis=0)
    varied = np.flatnonzero(whole & (x != x[0]).any(axis=0))
    if whole.all() or not len(varied):
        return []
    some = x[:, varied]
    counts = (np.diff(some, axis=0) == 1).all(axis=0)
    large = (np.abs(some) >= LARGE).any(axis=0)
    # The place of the largest number among the other columns.
    first = x.argmax(axis=1)
    rest = x.astype(np.float64)
    rest[np.arange(len(x)), first] = -np.inf
    top = np.where(first[:, None] == varied, rest.argmax(axis=1)[:, None], first[:, None])
    top = top - (top > varied)
    chosen = ((some == top).all(axis=0) | (some == top + 1).all(axis=0)) & top.any(axis=0)
    suspect = [repr(columns.names[j]) for j in varied[counts | large | chosen]]
    if not suspect:
        return []
    are, them = ("is it a class", "it") if len(suspect) == 1 else ("are they classes", "them")
    return [
        f"Whole numbers stand beside fractions in {few(suspect)}: {are}, or the number of a row "
        f"or of a predicted class? --exclude leaves {them} out."
    ]


def _of_one_number(head: Head, columns: Columns) -> list[str]:
    """Return a warning on rows of logits that are all one number, such as a code for no value."""
    if columns.kind != "logits" or columns.layout == "binary" or head.x.shape[1] < 2:
        return []
    flat = (head.x == head.x[:, :1]).all(axis=1)
    codes = np.unique(head.x[flat & (np.abs(head.x[:, 0]) >= SENTINEL), 0])
    if flat.all() or not len(codes):
        return []
    return [
        f"Rows of {columns.predictions!r} are {few([f'{code:g}' for code in codes])} for every "
        "class: is that what stands for a missing one? Then leave these rows out."
    ]


def _of_ordered_rows(head: Head, columns: Columns) -> list[str]:
    """Return a warning on predictions whose rows are all sorted, or all of the same numbers."""
    x = head.x
    if columns.layout == "binary" or x.shape[1] < 3 or len(x) < FEWEST:
        return []
    if (x == x[0]).all() or (head.target == head.target[0]).all():
        return []
    row = f"Every row of {columns.predictions!r}"
    if (x[:, :-1] >= x[:, 1:]).all():
        return [
            f"{row} falls from its first number to its last: are they sorted, the most likely "
            "first, and not in the order of the classes?"
        ]
    if (x[:, :-1] <= x[:, 1:]).all():
        return [
            f"{row} rises from its first number to its last: are they sorted, or cumulative, and "
            "not one for each class?"
        ]
    ranked = np.sort(x, axis=1)
    apart = (ranked[0, 1:] > ranked[0, :-1]).all()
    if columns.kind == "logits" and apart and (ranked == ranked[0]).all():
        return [f"{row} has the same numbers, in another order: are they ranks, and not logits?"]
    return []
