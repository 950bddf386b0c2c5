"""A score once more, in mpmath to 50 digits, row by row and class by class, from its definition.

Nothing here imports plogq. Predictions are given as surprisals −log q_j of each row, labels as
distributions (one-hot for a hard label).
"""

from collections.abc import Sequence
from typing import Any

from mpmath import MPContext

mp = MPContext()
mp.dps = 50


def surprisals_of_logits(x: Sequence[float]) -> list[Any]:
    lse = mp.log(sum(mp.exp(mp.mpf(float(v))) for v in x if v > -mp.inf))
    return [lse - mp.mpf(float(v)) if v > -mp.inf else mp.inf for v in x]


def surprisals_of_probs(q: Sequence[float]) -> list[Any]:
    return [-mp.log(mp.mpf(float(v))) if v > 0 else mp.inf for v in q]


def times(p: Any, s: Any) -> Any:
    return p * s if p > 0 else mp.zero


def entropy(p: Sequence[Any]) -> Any:
    return sum(times(v, -mp.log(v) if v > 0 else mp.zero) for v in p)


def distribution(p: Sequence[float]) -> list[Any]:
    exact = [mp.mpf(float(v)) for v in p]
    return [v / sum(exact) for v in exact]


def score(
    surprisals: Sequence[Sequence[Any]],
    labels: Sequence[Sequence[Any]],
    weights: Sequence[float],
    floor: float = 0.0,
) -> dict[str, Any]:
    """Give the figures in nats."""
    w = [mp.mpf(float(v)) for v in weights]
    total = sum(w)
    q = [[mp.exp(-s) if s < mp.inf else mp.zero for s in row] for row in surprisals]
    loss = [sum(map(times, p, s)) for p, s in zip(labels, surprisals, strict=True)]
    top = [max(range(len(row)), key=lambda j: row[j]) for row in q]
    classes = range(len(labels[0]))

    def mean(values: Sequence[Any], over: Sequence[int] | None = None) -> Any:
        rows = range(len(w)) if over is None else over
        return sum(times(w[i], values[i]) for i in rows) / sum(w[i] for i in rows)

    possible = [i for i in range(len(w)) if loss[i] < mp.inf]
    amount = [sum(v * p[j] for v, p in zip(w, labels, strict=True)) for j in classes]
    cost = [sum(times(w[i] * labels[i][j], surprisals[i][j]) for i in possible) for j in classes]
    label_entropy = entropy([a / total for a in amount])
    cross_entropy = mean(loss)
    expected = mean([sum(map(times, a, b)) for a, b in zip(q, surprisals, strict=True)])
    low = mp.mpf(floor)
    most = -mp.log(low) if floor else mp.inf
    return {
        "weight": total,
        "cross_entropy": cross_entropy,
        "cross_entropy_finite": mean(loss, possible),
        "zero_probability_rows": len(w) - len(possible),
        "floored": mean(
            [
                sum(times(a, min(s, most)) for a, s in zip(p, row, strict=True))
                for p, row in zip(labels, surprisals, strict=True)
            ]
        )
        if floor
        else None,
        "label_entropy": label_entropy,
        "information_gain": label_entropy - cross_entropy,
        "explained": (label_entropy - cross_entropy) / label_entropy if label_entropy else None,
        "perplexity": mp.exp(cross_entropy),
        "accuracy": mean([p[k] for p, k in zip(labels, top, strict=True)]),
        "brier": mean(
            [
                sum((a - b) ** 2 for a, b in zip(row, p, strict=True))
                for row, p in zip(q, labels, strict=True)
            ]
        ),
        "prediction_entropy": expected,
        "overconfidence": cross_entropy - expected,
        "entropy_floor": mean([entropy(p) for p in labels]),
        "kl": cross_entropy - mean([entropy(p) for p in labels]),
        "share": [c / sum(cost) for c in cost],
        "class_cost": [c / a if a else None for c, a in zip(cost, amount, strict=True)],
        "class_accuracy": [
            sum(v * p[j] for v, p, k in zip(w, labels, top, strict=True) if k == j) / amount[j]
            if amount[j]
            else None
            for j in classes
        ],
        "confidence": [row[k] for row, k in zip(q, top, strict=True)],
        "top": top,
        "loss": loss,
    }
