"""How often the 95 % intervals of `plogq score` hold the truth, over tables drawn from known odds.

Each table is n rows of logits z ~ N(0, 1.5²), less what makes classes rare, of labels drawn from
softmax(z), and of predictions that are z distorted; the true value of each figure is its mean over
a table of a million rows. Prints, for each figure, how many of the intervals hold it, and what
miscalibration is told of predictions that have none; writes benchmarks/results/intervals.txt.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from _side_by_side import machine, print_and_keep

from plogq.score import score
from plogq.score.recalibration import log_softmax

TRUTH_ROWS = 1_000_000
FIGURES = (
    "cross_entropy", "label_entropy", "information_gain", "explained", "refinement",
    "miscalibration", "resolution", "perplexity", "accuracy", "brier", "prediction_entropy",
    "overconfidence", "temperature",
)  # fmt: skip
Distortion = Callable[[np.ndarray], np.ndarray]
# What a recalibration can undo: then the refinement is that of z, the mean entropy of softmax(z).
CASES: dict[str, tuple[int, int, float, Distortion]] = {
    "calibrated, 2 classes, 500 rows": (2, 500, 0.0, lambda z: z),
    "T = 1.15, 3 classes, one rarer, 500 rows": (3, 500, 1.0, lambda z: 1.15 * z),
    "T = 1.5, 3 classes, one rare, 500 rows": (3, 500, 2.0, lambda z: 1.5 * z),
    "T = 2, 10 classes, 2,000 rows": (10, 2_000, 0.0, lambda z: 2 * z),
    "T = 0.7, 10 classes, some rare, 2,000 rows": (10, 2_000, 3.0, lambda z: 0.7 * z),
    "biased, 3 classes, 2,000 rows": (3, 2_000, 0.0, lambda z: z + np.array([0.5, 0, -0.5])),
    "T = 1.5, 3 classes, one rarer, 40,000 rows": (3, 40_000, 1.0, lambda z: 1.5 * z),
}


def draw(
    classes: int, rows: int, rare: float, distort: Distortion, seed: int
) -> tuple[np.ndarray, ...]:
    """Give the true logits, the distorted ones, and labels."""
    rng = np.random.default_rng(seed)
    z = 1.5 * rng.standard_normal((rows, classes)) - np.linspace(0, rare, classes)
    return z, distort(z), np.argmax(z + rng.gumbel(size=z.shape), axis=1)


def truth(classes: int, rare: float, distort: Distortion) -> dict[str, float]:
    """Give the figures in bits over many rows, labels in expectation."""
    z, x, _ = draw(classes, TRUTH_ROWS, rare, distort, 0)
    log_p, log_q = log_softmax(z), log_softmax(x)
    p, q = np.exp(log_p), np.exp(log_q)
    bits = np.log(2)
    cost = -(p * log_q).sum(axis=1).mean() / bits
    expected = -(q * log_q).sum(axis=1).mean() / bits
    refinement = -(p * log_p).sum(axis=1).mean() / bits
    base = p.mean(axis=0)
    labels = -(base * np.log(base)).sum() / bits
    top = q.argmax(axis=1)
    return {
        "cross_entropy": cost,
        "label_entropy": labels,
        "information_gain": labels - cost,
        "explained": 1 - cost / labels,
        "refinement": refinement,
        "miscalibration": cost - refinement,
        "resolution": labels - refinement,
        "perplexity": 2**cost,
        "accuracy": p[np.arange(len(p)), top].mean(),
        "brier": (1 - 2 * (p * q).sum(axis=1) + (q * q).sum(axis=1)).mean(),
        "prediction_entropy": expected,
        "overconfidence": cost - expected,
        "temperature": _temperature(x, p),
    }


def _temperature(x: np.ndarray, p: np.ndarray) -> float:
    part = slice(0, 100_000)
    return score({"logits": x[part], "labels": p[part]}, bootstrap=0).temperature.value


def coverage(case: str, tables: int) -> dict[str, float]:
    """Give the share of intervals that hold the truth, by figure."""
    classes, rows, rare, distort = CASES[case]
    true = truth(classes, rare, distort)
    held = dict.fromkeys(FIGURES, 0)
    for seed in range(1, tables + 1):
        _, x, labels = draw(classes, rows, rare, distort, seed)
        result = score({"logits": x, "labels": labels}, seed=seed)
        intervals = result.intervals | {"temperature": result.temperature.interval}
        for name in FIGURES:
            low, high = intervals[name]
            held[name] += low <= true[name] <= high
    return {name: count / tables for name, count in held.items()}


def lines(tables: int) -> Iterator[str]:
    """Give the benchmark, a line at a time."""
    yield machine("numpy")
    yield ""
    yield f"{tables} tables of each kind; share of 95 % intervals that hold the truth"
    yield ""
    columns = [coverage(case, tables) for case in CASES]
    for number, case in enumerate(CASES, 1):
        yield f"{number}: {case}"
    yield ""
    yield f"{'':20}" + "".join(f"{number:>8}" for number in range(1, len(CASES) + 1))
    for name in FIGURES:
        yield f"{name:20}" + "".join(f"{column[name]:8.1%}" for column in columns)
    yield ""
    yield from told(tables)


CALIBRATED = ((100, 2), (200, 2), (1_000, 2), (1_000, 10))


def told(tables: int) -> Iterator[str]:
    """Give what the choice of a family tells of perfectly calibrated predictions, by luck."""
    yield f"{tables} calibrated tables of each kind: how many are told to recalibrate, and the mean"
    yield "miscalibration that they are told, in nats"
    for rows, classes in CALIBRATED:
        found = []
        for seed in range(1, tables + 1):
            _, x, labels = draw(classes, rows, 0.0, lambda z: z, seed)
            result = score({"logits": x, "labels": labels}, seed=seed, bootstrap=0, unit="nat")
            found.append((result.recalibration.family != "identity", result.miscalibration))
        share, mean = np.mean(found, axis=0)
        yield f"{rows:5,} rows of {classes:2} classes{share:8.1%}{mean:10.5f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=400, help="of each kind (default: 400)")
    parser.add_argument("--quick", action="store_true", help="a smoke run: few tables, not kept")
    arguments = parser.parse_args()
    results = Path(__file__).parent / "results" / "intervals.txt"
    tables = 4 if arguments.quick else arguments.tables
    print_and_keep(lines(tables), None if arguments.quick else results)


if __name__ == "__main__":
    main()
