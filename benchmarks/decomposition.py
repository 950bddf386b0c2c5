"""The decomposition beside its peers', on tables of which the truth is known.

Labels are drawn from softmax(z), predictions are z distorted, so that the true miscalibration is
E D(softmax(z) ‖ q). Peers: probmetrics, cross-validated (temperature mixed with the uniform
distribution, "ts-mix"; one-vs-rest isotonic, "isotonic-mix"), and model-diagnostics, in-sample
isotonic (of two classes). Both must be installed: pip install probmetrics numba model-diagnostics
(probmetrics 1.3.0 imports numba and does not say so). Prints how far each estimate is from the
truth, writes that to benchmarks/results/decomposition.txt, and the peers' figures of the first
tables to tests/data/decomposition_peers.json, which the tests hold ours against.
"""

import argparse
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from _side_by_side import machine, print_and_keep

from plogq.score import score
from plogq.score.recalibration import log_softmax

ROOT = Path(__file__).parents[1]
PEERS = ROOT / "tests" / "data" / "decomposition_peers.json"
CASES: dict[str, tuple[int, int, Callable[[np.ndarray], np.ndarray]]] = {
    "2 classes, calibrated": (2, 2_000, lambda z: z),
    "2 classes, T = 2": (2, 2_000, lambda z: 2 * z),
    "2 classes, T = 0.7": (2, 2_000, lambda z: 0.7 * z),
    "2 classes, biased": (2, 2_000, lambda z: z + np.array([0.7, 0.0])),
    "2 classes, bent": (2, 2_000, lambda z: z + 0.3 * z**3),
    "3 classes, T = 1.5, 300 rows": (3, 300, lambda z: 1.5 * z),
    "10 classes, calibrated": (10, 2_000, lambda z: z),
    "10 classes, T = 2": (10, 2_000, lambda z: 2 * z),
    "10 classes, scaled and biased each": (
        10, 2_000, lambda z: z * np.linspace(0.8, 2, 10) + np.linspace(-0.5, 0.5, 10)
    ),
}  # fmt: skip
Figures = dict[str, float]


def draw(case: str, seed: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Give logits, labels, and the mean of D(softmax(z) ‖ q) in nats."""
    classes, rows, distort = CASES[case]
    rng = np.random.default_rng(seed)
    z = 1.5 * rng.standard_normal((rows, classes))
    labels = np.argmax(z + rng.gumbel(size=z.shape), axis=1)
    x = distort(z)
    log_p, log_q = log_softmax(z), log_softmax(x)
    return x, labels, float((np.exp(log_p) * (log_p - log_q)).sum(axis=1).mean())


def ours(x: np.ndarray, labels: np.ndarray) -> Figures:
    """Give our estimate, and what single families save, in nats."""
    result = score({"logits": x, "labels": labels}, unit="nat", bootstrap=0)
    found = result.recalibration
    return {
        "plogq": result.miscalibration,
        "refinement": result.refinement,
        "family": found.family,
        **{f"refinement, {name}": cost for name, cost in found.cross_entropy.items()},
    }


def peers(x: np.ndarray, labels: np.ndarray) -> Figures:
    """Give the peers' figures, in nats."""
    import torch
    from model_diagnostics.scoring import LogLoss, decompose
    from probmetrics.metrics import Metrics

    q = np.exp(log_softmax(x))
    names = {
        f"{part}, {family}": f"{key}_logloss_{family}_cv-5"
        for part, key in (("miscalibration", "calib-err"), ("refinement", "refinement"))
        for family in ("ts-mix", "isotonic-mix")
    }
    metrics = Metrics.from_names([*names.values(), "logloss"])
    found = metrics.compute_all_from_labels_probs(torch.tensor(labels), torch.tensor(q))
    out = {"cross_entropy": float(found["logloss"])}
    out |= {ours: float(found[theirs]) for ours, theirs in names.items()}
    if x.shape[1] == 2:
        table = decompose(labels.astype(float), q[:, 1], scoring_function=LogLoss())
        out["miscalibration, model-diagnostics"] = table["miscalibration"].item()
        out["refinement, model-diagnostics"] = (
            table["uncertainty"].item() - table["discrimination"].item()
        )
    return out


COLUMNS = {
    "plogq": "plogq",
    "ts-mix": "miscalibration, ts-mix",
    "isotonic-mix": "miscalibration, isotonic-mix",
    "in-sample": "miscalibration, model-diagnostics",
}


def compare(case: str, tables: int) -> tuple[str, dict[str, Any]]:
    """Give a line of means and errors, and the peers' figures of the first table."""
    errors: dict[str, list[float]] = {name: [] for name in COLUMNS}
    truths, first = [], {}
    for seed in range(tables):
        x, labels, true = draw(case, seed)
        theirs = peers(x, labels)
        first = first or theirs
        figures = theirs | ours(x, labels)
        truths.append(true)
        for name, key in COLUMNS.items():
            if key in figures:
                errors[name].append(figures[key] - true)
    mean = np.mean(truths)
    line = f"{case:44}{1e3 * mean:9.1f}"
    for found in errors.values():
        if not found or not np.isfinite(found).all():
            line += f"{'inf' if found else '-':>16}"
        else:
            bias, size = np.mean(found), math.sqrt(np.mean(np.square(found)))
            line += f"{1e3 * bias:+8.1f} ±{1e3 * size:6.1f}"
    return line, first


def lines(tables: int, keep: dict[str, Any]) -> Iterator[str]:
    """Give the benchmark, a line at a time."""
    yield machine("numpy", "probmetrics", "model-diagnostics", "torch")
    yield ""
    yield f"Miscalibration in millinats: the truth, and by how much each of {tables} estimates is"
    yield "off: its mean error ± the root of its mean square. The last column is model-diagnostics."
    yield "(inf: it takes probabilities, and one that rounds to 1 was wrong.)"
    yield ""
    yield f"{'':44}{'truth':>9}" + "".join(f"{name:>16}" for name in COLUMNS)
    for case in CASES:
        line, keep[case] = compare(case, tables)
        yield line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=20, help="of each kind (default: 20)")
    parser.add_argument("--quick", action="store_true", help="a smoke run: one table, not kept")
    arguments = parser.parse_args()
    first: dict[str, Any] = {}
    results = ROOT / "benchmarks" / "results" / "decomposition.txt"
    tables = 1 if arguments.quick else arguments.tables
    print_and_keep(lines(tables, first), None if arguments.quick else results)
    if not arguments.quick:
        PEERS.write_text(json.dumps(first, indent=1) + "\n")


if __name__ == "__main__":
    main()
