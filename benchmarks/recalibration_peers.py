"""What recalibrations of netcal and probmetrics leave, beside ours, on the same rows.

The cases are those of benchmarks/recalibration.py, seed by seed: simulated models, whose loss on
fresh rows is an expectation over labels, and models trained on scikit-learn's data sets. All are
given probabilities. netcal and probmetrics must be installed, beside numba, in an environment of
their own: pip install netcal probmetrics numba. Prints bits left per fresh row and the median time
of a fit; writes benchmarks/results/recalibration_peers.txt.
"""

import argparse
import os
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np
from _side_by_side import machine, print_and_keep
from recalibration import CASES, DATA, FRESH_ROWS, MODELS, REAL
from sklearn.model_selection import StratifiedShuffleSplit, train_test_split

from plogq.score import Recalibration
from plogq.score.recalibration import log_softmax, softmax

RESULTS = Path(__file__).with_name("results") / "recalibration_peers.txt"
Method = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # q, labels, fresh -> fresh
Split = tuple[np.ndarray, np.ndarray, np.ndarray, Callable[[np.ndarray], float]]


def ours(q: np.ndarray, labels: np.ndarray, fresh: np.ndarray) -> np.ndarray:
    return Recalibration.fit(labels, q).apply(probs=fresh)


def of_netcal(module: str, name: str) -> Method:
    """Give a method of netcal, which takes one column of two classes."""

    def method(q: np.ndarray, labels: np.ndarray, fresh: np.ndarray) -> np.ndarray:
        import netcal.binning
        import netcal.scaling

        found = getattr(getattr(netcal, module), name)()
        two = q.shape[1] == 2
        found.fit(q[:, 1] if two else q, labels)
        out = np.asarray(found.transform(fresh[:, 1] if two else fresh))
        return np.column_stack([1 - out.ravel(), out.ravel()]) if two else out

    return method


def of_probmetrics(name: str) -> Method:
    """Give a method of probmetrics; its mixtures take in the class frequencies."""

    def method(q: np.ndarray, labels: np.ndarray, fresh: np.ndarray) -> np.ndarray:
        from probmetrics.calibrators import get_calibrator

        found = get_calibrator(name, calibrate_with_mixture=name.endswith("-mix"))
        return found.fit(q, labels).predict_proba(fresh)

    return method


METHODS: dict[str, Method] = {
    "plogq": ours,
    "nc.temperature": of_netcal("scaling", "TemperatureScaling"),
    "nc.logistic": of_netcal("scaling", "LogisticCalibration"),
    "nc.isotonic": of_netcal("binning", "IsotonicRegression"),
    "pm.ts-mix": of_probmetrics("ts-mix"),
    "pm.logistic-mix": of_probmetrics("logistic-mix"),
}


def simulated(case: str, seed: int) -> Split:
    """Give predictions, labels, fresh predictions, and what probabilities of these cost."""
    classes, rows, distort = CASES[case]
    rng = np.random.default_rng(seed)
    z = 1.5 * rng.standard_normal((rows, classes))
    labels = np.argmax(z + rng.gumbel(size=z.shape), axis=1)
    fresh = 1.5 * np.random.default_rng(10**6).standard_normal((FRESH_ROWS, classes))
    p = softmax(log_softmax(fresh))

    def cost(q: np.ndarray) -> float:
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(-np.where(p > 0, p * np.log2(q), 0.0).sum(axis=1).mean())

    return softmax(log_softmax(distort(z))), labels, softmax(log_softmax(distort(fresh))), cost


def real(data: str, model: str, seed: int) -> Split:
    """Give the same of a trained model: a third of the rows each to train, to fit, and fresh."""
    X, y = DATA[data](return_X_y=True)
    X, held, y, of_held = train_test_split(X, y, test_size=2 / 3, stratify=y, random_state=seed)
    split = StratifiedShuffleSplit(n_splits=1, test_size=0.5, random_state=seed)
    known, fresh = next(split.split(held, of_held))
    q = MODELS[model](seed).fit(X, y).predict_proba(held)
    answer = of_held[fresh]

    def cost(q: np.ndarray) -> float:
        with np.errstate(divide="ignore"):
            return float(-np.log2(q[np.arange(len(q)), answer]).mean())

    return q[known], of_held[known], q[fresh], cost


def lines(tables: int, splits: int) -> Iterator[str]:
    """Give the benchmark, a line at a time."""
    yield machine("numpy", "scikit-learn", "netcal", "probmetrics")
    for kind, cases in (
        ("simulated", {case: [(case, seed) for seed in range(tables)] for case in CASES}),
        ("real", {f"{d}, {m}": [(d, m, seed) for seed in range(splits)]
                  for d, m in REAL if m != "SVC"}),  # which has no probabilities
    ):  # fmt: skip
        taken: dict[str, list[float]] = {name: [] for name in METHODS}
        yield ""
        yield f"{kind:35}{'before':>8}" + "".join(f"{name:>16}" for name in METHODS) + "  bits left"
        for case, every in cases.items():
            left: dict[str, list[float]] = {name: [] for name in ("before", *METHODS)}
            for each in every:
                q, labels, fresh, cost = (simulated if kind == "simulated" else real)(*each)
                left["before"].append(cost(fresh))
                for name, method in METHODS.items():
                    begin = time.perf_counter()
                    method(q, labels, fresh[:1])
                    taken[name].append((time.perf_counter() - begin) * 1e3)
                    left[name].append(cost(method(q, labels, fresh)))
            before, *means = (np.mean(some) for some in left.values())
            yield f"{case:35}{before:8.4f}" + "".join(f"{mean:16.4f}" for mean in means)
        yield f"{'ms to fit, median':43}" + "".join(f"{median(t):16.1f}" for t in taken.values())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=10, help="of each kind (default: 10)")
    parser.add_argument("--splits", type=int, default=5, help="of each data set (default: 5)")
    parser.add_argument("--quick", action="store_true", help="a smoke run: one table, not kept")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # netcal loads what has TensorFlow's log
    tables, splits = (1, 1) if arguments.quick else (arguments.tables, arguments.splits)
    print_and_keep(lines(tables, splits), None if arguments.quick else RESULTS)
