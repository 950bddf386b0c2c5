"""Wrong labels that `plogq labels` finds, beside cleanlab: on digits, and where all is known.

Labels are flipped at random, or by class, and predictions are out-of-fold. Each finder names as
many rows as it expects to be wrong; of these, precision is how many are, and recall how many of the
wrong ones are among them. cleanlab must be installed: pip install cleanlab. Prints means over
seeds, and how often the interval of the expected number holds the true one; writes that to
benchmarks/results/labels.txt.
"""

import argparse
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from _side_by_side import machine, print_and_keep
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.naive_bayes import GaussianNB

from plogq.score import label_errors

RESULTS = Path(__file__).with_name("results") / "labels.txt"
CLASSES = 10
BY_CLASS = ((4, 9, 0.3), (1, 7, 0.2), (3, 5, 0.25), (8, 2, 0.1))  # true, given, how often
MODELS: dict[str, Callable[[], ClassifierMixin]] = {
    "logistic regression": lambda: LogisticRegression(C=0.01, max_iter=300),
    "forest": lambda: RandomForestClassifier(100, random_state=0, n_jobs=2),
    "naive Bayes": lambda: GaussianNB(var_smoothing=1e-2),
}

SIMULATED = {"simulated": 4.0, "overlapping": 1.5}


def transitions(kind: str) -> np.ndarray:
    """Give the probability of each given label by the true class, (true, given)."""
    if kind == "by class":
        given = np.eye(CLASSES)
        for true, other, share in BY_CLASS:
            given[true, [true, other]] = 1 - share, share
        return given
    share = float(kind.removesuffix(" %")) / 100
    return np.eye(CLASSES) * (1 - share * CLASSES / (CLASSES - 1)) + share / (CLASSES - 1)


def flipped(true: np.ndarray, given: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give labels drawn by the true classes."""
    places = rng.random((len(true), 1)) < np.cumsum(given[true], axis=1)
    return places.argmax(axis=1)


def digits(model: str, kind: str, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give true classes, labels, and out-of-fold probabilities of a model."""
    x, true = load_digits(return_X_y=True)
    labels = flipped(true, transitions(kind), np.random.default_rng(seed))
    q = cross_val_predict(MODELS[model](), x, labels, cv=5, method="predict_proba")
    return true, labels, q


def simulated(kind: str, seed: int, apart: float = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give true classes, labels, and the probabilities of labels that are given, a bit too sure.

    The logits are `apart` times a standard normal: at 1.5, the classes overlap.
    """
    rng = np.random.default_rng(seed)
    z = apart * rng.standard_normal((5_000, CLASSES))
    true = np.argmax(z + rng.gumbel(size=z.shape), axis=1)
    given = transitions(kind)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    q = ((p / p.sum(axis=1, keepdims=True)) @ given + 1e-12) ** 1.2
    return true, flipped(true, given, rng), q / q.sum(axis=1, keepdims=True)


def ours(labels: np.ndarray, q: np.ndarray, wrong: int) -> tuple[np.ndarray, float, bool]:
    """Give the rows that are named, how many are expected, and whether the interval holds."""
    found = label_errors(labels, q)
    low, high = found.interval
    return (
        np.array([each.row for each in found.suspects], int),
        found.expected,
        low <= wrong <= high,
    )


def cleanlabs(labels: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Give the rows that cleanlab names."""
    from cleanlab.filter import find_label_issues

    return find_label_issues(labels, q, return_indices_ranked_by="self_confidence", n_jobs=1)


def shares(named: np.ndarray, bad: np.ndarray) -> tuple[float, float]:
    """Give precision and recall; of nothing, both are 1."""
    hits = bad[named].sum()
    return hits / len(named) if len(named) else 1.0, hits / bad.sum() if bad.any() else 1.0


def table(seeds: int) -> Iterator[str]:
    """Give the lines of the table."""
    yield f"{'':38}{'wrong':>6}   {'plogq: expected, precision, recall, held':>41}   cleanlab"
    for model in (*MODELS, *SIMULATED):
        for kind in ("0 %", "5 %", "10 %", "20 %", "by class"):
            lines = []
            for seed in range(seeds):
                if model in SIMULATED:
                    true, labels, q = simulated(kind, seed, SIMULATED[model])
                else:
                    true, labels, q = digits(model, kind, seed)
                bad = labels != true
                named, expected, held = ours(labels, q, int(bad.sum()))
                theirs = cleanlabs(labels, q)
                lines.append(
                    [bad.sum(), expected, *shares(named, bad), held, len(theirs),
                     *shares(theirs, bad)]
                )  # fmt: skip
            mean = np.mean(np.array(lines, float), axis=0)
            yield (
                f"{model + ', ' + kind:38}{mean[0]:6.0f}   {mean[1]:14.0f}{mean[2]:10.2f}"
                f"{mean[3]:9.2f}{mean[4]:8.0%}   {mean[5]:8.0f}{mean[6]:7.2f}{mean[7]:7.2f}"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    about = [machine("numpy", "scikit-learn", "cleanlab"), ""]
    print_and_keep(chain(about, table(arguments.seeds)), RESULTS)
