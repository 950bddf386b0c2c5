"""Whether a recalibration keeps what it promises, and what scikit-learn's save on the same rows.

A recalibration is fitted to some rows, and applied to fresh ones. Simulated models: labels are
drawn from softmax(z), the predictions are z distorted, and what is saved is an expectation over
labels, on 100,000 fresh rows. Real models: a third of the rows of a data set of scikit-learn trains
the model, a third is for recalibration, and a third is fresh; since these are few, what they save
has an error of its own, which widens the promised interval. Prints how often the interval holds
what is saved, what is left by ours and by `CalibratedClassifierCV`, and the time of a fit; writes
benchmarks/results/recalibration.txt.
"""

import argparse
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from _side_by_side import machine, print_and_keep
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit, train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from plogq.score import Promise, Recalibration
from plogq.score.recalibration import log_softmax, softmax
from plogq.sklearn import RecalibratedClassifier

FRESH_ROWS = 100_000
NORMAL_END = 1.96
METHODS = ("sigmoid", "isotonic", "temperature")  # of CalibratedClassifierCV
Distortion = Callable[[np.ndarray], np.ndarray]
CASES: dict[str, tuple[int, int, Distortion]] = {
    "2 classes, 500 rows, calibrated": (2, 500, lambda z: z),
    "2 classes, 500 rows, T = 1.5": (2, 500, lambda z: 1.5 * z),
    "2 classes, 2,000 rows, bent": (2, 2_000, lambda z: z + 0.3 * z**3),
    "3 classes, 1,000 rows, T = 0.7": (3, 1_000, lambda z: 0.7 * z),
    "3 classes, 2,000 rows, biased": (3, 2_000, lambda z: z + np.array([0.5, 0, -0.5])),
    "10 classes, 1,000 rows, T = 1.2": (10, 1_000, lambda z: 1.2 * z),
    "10 classes, 2,000 rows, T = 2": (10, 2_000, lambda z: 2 * z),
    "10 classes, 5,000 rows, scaled each": (
        10, 5_000, lambda z: z * np.linspace(0.8, 2, 10) + np.linspace(-0.5, 0.5, 10)
    ),
}  # fmt: skip


def scaled(model: BaseEstimator) -> BaseEstimator:
    return make_pipeline(StandardScaler(), model)


MODELS: dict[str, Callable[[int], BaseEstimator]] = {
    "forest": lambda seed: RandomForestClassifier(random_state=seed),
    "boosting": lambda seed: HistGradientBoostingClassifier(max_iter=30, random_state=seed),
    "naive Bayes": lambda _: GaussianNB(),
    "network": lambda seed: scaled(MLPClassifier(random_state=seed, max_iter=200)),
    "SVC": lambda _: scaled(SVC()),
    "logistic": lambda _: scaled(LogisticRegression(C=100, max_iter=2000)),
}
DATA = {
    "digits": load_digits,
    "breast cancer": load_breast_cancer,
    "wine": load_wine,
    "iris": load_iris,
}
REAL = [
    *((data, model) for data in ("digits", "breast cancer") for model in MODELS),
    *((data, model) for data in ("wine", "iris") for model in ("forest", "naive Bayes", "network")),
]


class Says(ClassifierMixin, BaseEstimator):
    """A classifier whose logits are its input."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> "Says":
        """Return itself, with as many classes as there are logits."""
        self.classes_ = np.arange(X.shape[1])
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return the logits, (n, C), or of two classes the margins, (n,)."""
        return X[:, 1] - X[:, 0] if X.shape[1] == 2 else X

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the class of the highest logit, (n,)."""
        return X.argmax(axis=1)


@dataclass
class Tried:
    """One model recalibrated: bits left on fresh rows, and milliseconds of a fit, by method."""

    promise: Promise
    alone: bool
    before: float
    error: float  # the standard error of what the fresh rows say is saved
    left: dict[str, float]
    milliseconds: dict[str, float]

    @property
    def saved(self) -> float:
        """The bits per fresh row that the recalibration has saved."""
        return self.before - self.left["plogq"]

    def holds(self) -> bool:
        """Whether what is saved lies in the promised interval, widened by the error of both."""
        low, high = self.promise.interval
        own = NORMAL_END * self.error
        promised = self.promise.saved
        return (
            -np.hypot(promised - low, own)
            <= self.saved - promised
            <= np.hypot(high - promised, own)
        )


def tried(
    model: BaseEstimator, known: tuple[Any, Any], fresh: np.ndarray, rows_cost: Callable[..., Any]
) -> Tried:
    """Recalibrate a fitted model by known rows, with each method, and apply that to fresh rows.

    `rows_cost` gives the bits of each fresh row by some probabilities.
    """
    frozen = FrozenEstimator(model)
    contenders = {"plogq": RecalibratedClassifier(frozen)}
    contenders |= {name: CalibratedClassifierCV(frozen, method=name) for name in METHODS}
    left, taken = {}, {}
    for name, contender in contenders.items():
        begin = time.perf_counter()
        contender.fit(*known)
        taken[name] = (time.perf_counter() - begin) * 1e3
        left[name] = rows_cost(contender.predict_proba(fresh))
    found: Recalibration = contenders["plogq"].recalibration_
    as_it_is = RecalibratedClassifier(frozen, family="identity").fit(*known).predict_proba(fresh)
    before = rows_cost(as_it_is)
    with np.errstate(invalid="ignore"):
        error = (before - left["plogq"]).std() / np.sqrt(len(before))
    return Tried(
        found.promise,
        found.family == "identity",
        float(before.mean()),
        float(error),
        {name: float(each.mean()) for name, each in left.items()},
        taken,
    )


def simulated(case: str, seed: int) -> Tried:
    classes, rows, distort = CASES[case]
    rng = np.random.default_rng(seed)
    z = 1.5 * rng.standard_normal((rows, classes))
    labels = np.argmax(z + rng.gumbel(size=z.shape), axis=1)
    fresh = 1.5 * np.random.default_rng(10**6).standard_normal((FRESH_ROWS, classes))
    p = softmax(log_softmax(fresh))
    model = Says().fit(z, labels)

    def rows_cost(q: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return -np.where(p > 0, p * np.log2(q), 0.0).sum(axis=1)

    return tried(model, (distort(z), labels), distort(fresh), rows_cost)


def real(data: str, model: str, seed: int) -> Tried:
    X, y = DATA[data](return_X_y=True)
    X, held, y, of_held = train_test_split(X, y, test_size=2 / 3, stratify=y, random_state=seed)
    split = StratifiedShuffleSplit(n_splits=1, test_size=0.5, random_state=seed)
    known, fresh = next(split.split(held, of_held))
    answer = of_held[fresh]

    def rows_cost(q: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return -np.log2(q[np.arange(len(q)), answer])

    fitted = MODELS[model](seed).fit(X, y)
    return tried(fitted, (held[known], of_held[known]), held[fresh], rows_cost)


def lines(tables: int, splits: int) -> Iterator[str]:
    """Give the benchmark, a line at a time."""
    yield machine("numpy", "scikit-learn")
    yield ""
    yield f"{tables} simulated models of each kind, and {splits} splits for each real model"
    yield ""
    found = {case: [simulated(case, seed) for seed in range(tables)] for case in CASES}
    yield from promises("simulated", found)
    yield ""
    yield from beside("simulated", found)
    found = {f"{d}, {m}": [real(d, m, seed) for seed in range(splits)] for d, m in REAL}
    yield ""
    yield from promises("real", found)
    yield ""
    yield from beside("real", found)


def promises(name: str, found: dict[str, list[Tried]]) -> Iterator[str]:
    """Give a table of what was promised and kept, in bits per row, and the intervals' width."""
    yield (
        f"{name:37}{'left alone':>11}{'promised':>10}{'kept':>9}"
        f"{'intervals':>11}{'width':>9}{'held':>8}"
    )
    all_held = []
    for case, every in found.items():
        some = [each for each in every if each.promise.interval and np.isfinite(each.before)]
        held = [each.holds() for each in some]
        all_held += held
        alone = sum(each.alone for each in every)
        promised = np.mean([each.promise.saved for each in some]) if some else np.nan
        kept = np.mean([each.saved for each in some]) if some else np.nan
        width = np.mean([np.diff(each.promise.interval) for each in some]) if some else np.nan
        share = f"{width:9.4f}{np.mean(held):8.1%}" if held else ""
        yield f"{case:37}{alone:11}{promised:10.4f}{kept:9.4f}{len(some):11}{share}".rstrip()
    yield f"{'all':37}{'':30}{len(all_held):11}{'':9}{np.mean(all_held):8.1%}"


def beside(name: str, found: dict[str, list[Tried]]) -> Iterator[str]:
    """Give what each method leaves on fresh rows in bits per row, and the median time of a fit."""
    names = ("plogq", *METHODS)
    yield f"{name:37}{'before':>8}" + "".join(f"{each:>13}" for each in names) + "  bits left"
    for case, every in found.items():
        before = np.mean([each.before for each in every])
        means = (np.mean([each.left[method] for each in every]) for method in names)
        yield f"{case:37}{before:8.4f}" + "".join(f"{mean:13.4f}" for mean in means)
    times = {m: median(t.milliseconds[m] for every in found.values() for t in every) for m in names}
    yield f"{'ms to fit, median':45}" + "".join(f"{times[each]:13.1f}" for each in names)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=100, help="of each kind (default: 100)")
    parser.add_argument("--splits", type=int, default=20, help="of each data set (default: 20)")
    parser.add_argument("--quick", action="store_true", help="a smoke run: few tables, not kept")
    arguments = parser.parse_args()
    # A network that is stopped early, and a forest that never says a class: both are of interest.
    warnings.simplefilter("ignore")
    results = Path(__file__).parent / "results" / "recalibration.txt"
    tables, splits = (2, 2) if arguments.quick else (arguments.tables, arguments.splits)
    print_and_keep(lines(tables, splits), None if arguments.quick else results)


if __name__ == "__main__":
    main()
