"""Information gain: what a decision tree learns from one question about real digits."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

import plogq
from plogq.demo.run import read_digits
from plogq.explorer.controls import UNIT, Choice, State, Whole
from plogq.explorer.page import Page, Result, readout
from plogq.explorer.shown import shown
from plogq.formulas.units import plural

Floats = NDArray[np.float64]

SIDE = 8  # pixels of an image's side
INK = 16  # of a pixel, at most
TASKS: dict[str, dict[str, tuple[int, ...]]] = {
    "nine": {"a 9": (9,), "no 9": (0, 1, 2, 3, 4, 5, 6, 7, 8)},
    "three": {"a 3": (3,), "an 8": (8,)},
    "four": {"a 1": (1,), "a 4": (4,), "a 7": (7,), "a 9": (9,)},
}


@lru_cache
def splits(task: str) -> NDArray[np.int64]:
    """Return the counts of every split, shape (pixels, thresholds, 2 branches, classes).

    The first branch takes the digits with ink up to the threshold, the second one the others.
    """
    digits, groups = read_digits(), TASKS[task].values()
    counts = np.zeros((SIDE * SIDE, INK + 1, len(groups)), dtype=np.int64)
    for k, group in enumerate(groups):
        ink = np.rint(INK * digits.pixels[np.isin(digits.labels, group)]).astype(np.int64)
        np.add.at(counts[..., k], (np.arange(SIDE * SIDE), ink), 1)
    upto = np.cumsum(counts, axis=1)
    return np.stack([upto, upto[:, -1:] - upto], axis=2)[:, :INK]


def shares(counts: NDArray[np.int64]) -> Floats:
    """Return the share of each class, 0 where there is none to count."""
    out: Floats = counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1)
    return out


def gini(counts: NDArray[np.int64]) -> Floats:
    """Return Σ p (1 − p): how often two digits drawn from the node differ."""
    p = shares(counts)
    out: Floats = np.sum(p * (1 - p), axis=-1)
    return out


def gini_removed(counts: NDArray[np.int64]) -> Floats:
    """Return Gini's node less its branches, as the squared distance of the branches from the node.

    A sum of squares, weighed by the branches' shares, where the difference would cancel.
    """
    node = counts.sum(axis=-2, keepdims=True)
    apart = np.sum((shares(counts) - shares(node)) ** 2, axis=-1)
    out: Floats = np.sum(shares(counts.sum(axis=-1)) * apart, axis=-1)
    return out


def error(counts: NDArray[np.int64]) -> Floats:
    """Return how often the most frequent class is wrong."""
    total = counts.sum(axis=-1)
    out: Floats = (total - counts.max(axis=-1)) / total
    return out


def error_removed(counts: NDArray[np.int64]) -> Floats:
    """Return the share of digits that are right only if each branch has a prediction of its own."""
    more = counts.max(axis=-1).sum(axis=-1) - counts.sum(axis=-2).max(axis=-1)
    out: Floats = more / counts.sum(axis=(-2, -1))
    return out


def compute(state: State) -> Result:
    """Give what the split removes of each impurity, along all thresholds of its pixel."""
    unit, t = state["unit"], state["threshold"]
    units = plural(unit)
    every = splits(state["task"])
    gains = plogq.information_gain_from_counts(every, unit=unit)
    pixel = SIDE * (state["row"] - 1) + state["column"] - 1
    counts, gain = every[pixel], gains[pixel]
    node = counts[0].sum(axis=0)
    entropy = float(plogq.entropy_of_counts(node, unit=unit))
    left = shares(counts[t].sum(axis=-1)) @ plogq.entropy_of_counts(counts[t], unit=unit)
    removed = {
        "information gain": gain / entropy,
        "Gini": gini_removed(counts) / gini(node),
        "misclassification": error_removed(counts) / error(node),
    }
    top, at = divmod(int(np.argmax(gains)), INK)
    return {
        "unit": units,
        "measures": [
            {
                "name": name,
                "curve": list(enumerate(share.tolist())),
                "here": share[t],
                "best": best(share),
                "most": share.max(),
            }
            for name, share in removed.items()
        ],
        "threshold": t,
        "nodes": [
            {"name": name, "counts": [int(n) for n in row]}
            for name, row in (
                ("all", node),
                (f"ink up to {t}", counts[t, 0]),
                (f"ink above {t}", counts[t, 1]),
            )
        ],
        "classes": list(TASKS[state["task"]]),
        "pixels": (gains.max(axis=1) / entropy).reshape(SIDE, SIDE),
        "pixel": [state["row"] - 1, state["column"] - 1],
        "top": {"row": top // SIDE + 1, "column": top % SIDE + 1, "threshold": at},
        "readouts": [
            readout("entropy of the node", entropy, units, "keep"),
            readout("left in the branches, on average", left, units, "waste"),
            readout("information gain", gain[t], units, "gain"),
            readout("Gini impurity removed", gini_removed(counts)[t]),
            readout("misclassification removed", error_removed(counts)[t]),
            readout("the most that a question about one pixel gains", gains.max(), units),
        ],
        "notice": _notice(state, counts[t], removed, (entropy, float(gain[t]))),
        "code": (
            "import plogq\n"
            f'plogq.information_gain_from_counts(\n    {counts[t].tolist()}, unit="{unit}")'
        ),
        "answer": float(gain[t]),
    }


def best(share: Floats) -> int | None:
    """Return the first threshold that removes most, None where none removes anything."""
    return int(np.argmax(share)) if share.max() > 0 else None


def _notice(
    state: State,
    branches: NDArray[np.int64],
    removed: dict[str, Floats],
    bits: tuple[float, float],
) -> str:
    classes, units = list(TASKS[state["task"]]), plural(state["unit"])
    if (branches.sum(axis=-1) == 0).any():
        return "All digits go one way. The answer is known before, so it tells nothing: no gain."
    said = f"The answer takes {shown(bits[1])} off the {shown(bits[0])} {units} of the node."
    pure = [
        f" Every digit with ink {where} {state['threshold']} is {classes[int(np.argmax(row))]}."
        for where, row in zip(("up to", "above"), branches, strict=True)
        if (row > 0).sum() == 1
    ]
    said += "".join(pure)
    tops = {name: best(share) for name, share in removed.items()}
    if removed["misclassification"][state["threshold"]] == 0 < bits[1]:
        common = classes[int(np.argmax(branches.sum(axis=0)))]
        return (
            f"{said} Misclassification sees no gain: in both branches no class is more frequent "
            f"than “{common}”. Yet one branch is purer than the node, and the next question can "
            "use that: entropy and Gini reward it."
        )
    if len(set(tops.values())) == 1:
        return f"{said} The best threshold of this pixel is {tops['Gini']}, by all three measures."
    each = ", ".join(f"{t} by {name}" for name, t in tops.items() if t is not None)
    return f"{said} The best threshold of this pixel is {each}."


PAGE = Page(
    title="Information gain",
    summary="A decision tree asks the question whose answer takes most off the entropy. Ask one "
    "pixel of real handwritten digits.",
    words="decision tree split impurity Gini misclassification ID3 CART mutual information "
    "threshold branch node digits",
    controls={
        "task": Choice(
            "which digit is it?",
            "nine",
            {"nine": "a 9 or another", "three": "a 3 or an 8", "four": "a 1, 4, 7 or 9"},
        ),
        "row": Whole("pixel: row", 6, 1, SIDE),
        "column": Whole("pixel: column", 4, 1, SIDE),
        "threshold": Whole("threshold t: is its ink above t?", 9, 0, INK - 1),
        "unit": UNIT,
    },
    compute=compute,
)
