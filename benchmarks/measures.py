"""How often the intervals of the other measures hold the truth, which is that of very many rows.

Labels are drawn from softmax(z), predictions are z distorted. Prints the share of 95 % intervals
that hold the truth, and writes that to benchmarks/results/measures.txt.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from _side_by_side import machine, print_and_keep

from plogq.score import score

RESULTS = Path(__file__).with_name("results") / "measures.txt"
TRUTHS = 12  # tables of 32,768 rows, of which the means are taken for the truth
MEASURES = (
    "ece", "ece_equal_mass", "smooth_ece", "classwise_ece", "brier_reliability",
    "brier_resolution", "brier_uncertainty", "auc", "auc_weighted", "top_2", "selective_risk",
)  # fmt: skip
CASES: dict[str, tuple[int, int, Callable[[np.ndarray], np.ndarray]]] = {
    "calibrated, 2 classes, 500 rows": (2, 500, lambda z: z),
    "T = 1.5, 3 classes, 500 rows": (3, 500, lambda z: 1.5 * z),
    "T = 3, 3 classes, 500 rows": (3, 500, lambda z: 3 * z),
    "T = 1.1, 3 classes, 2,000 rows": (3, 2_000, lambda z: 1.1 * z),
    "T = 0.7, 10 classes, 2,000 rows": (10, 2_000, lambda z: 0.7 * z),
    "calibrated, 10 classes, 2,000 rows": (10, 2_000, lambda z: z),
}


def measured(case: str, rows: int, seed: int, bootstrap: int) -> tuple[dict, dict]:
    """Give the measures of a table, and their intervals."""
    classes, _, distort = CASES[case]
    rng = np.random.default_rng(seed)
    z = 1.5 * rng.standard_normal((rows, classes))
    labels = np.argmax(z + rng.gumbel(size=z.shape), axis=1)
    found = score(labels, logits=distort(z), bootstrap=bootstrap).measures
    return vars(found) | found.top_accuracy, found.intervals


def held(case: str, tables: int) -> dict[str, float]:
    """Give the share of intervals that hold the truth, by measure."""
    large = [measured(case, 1 << 15, 10**6 + seed, 0)[0] for seed in range(TRUTHS)]
    hits = defaultdict(list)
    for seed in range(tables):
        for name, (low, high) in measured(case, CASES[case][1], seed, 40)[1].items():
            hits[name].append(low <= np.mean([each[name] for each in large]) <= high)
    return {name: float(np.mean(each)) for name, each in hits.items()}


def lines(tables: int) -> Iterator[str]:
    """Give the lines of the table."""
    for number, case in enumerate(CASES, 1):
        yield f"{number}: {case}"
    shares = [held(case, tables) for case in CASES]
    yield ""
    yield f"{'':20}" + "".join(f"{number:8}" for number in range(1, len(CASES) + 1))
    for name in MEASURES:
        cells = (f"{each[name]:8.1%}" if name in each else f"{'-':>8}" for each in shares)
        yield f"{name:20}" + "".join(cells)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=200)
    arguments = parser.parse_args()
    about = [machine("numpy"), "", f"{arguments.tables} tables of each kind", ""]
    print_and_keep(chain(about, lines(arguments.tables)), RESULTS)
