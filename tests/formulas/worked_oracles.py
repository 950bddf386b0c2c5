"""The worked numbers once more, from their inputs as decimals, in mpmath."""

from typing import Any

from tests import oracles
from tests.oracles import Softmax, mp

LN2 = mp.log(2)


def bits(nats: Any) -> Any:
    return [bits(x) for x in nats] if isinstance(nats, list) else nats / LN2


def two(p: Any) -> list[Any]:
    return [p, 1 - p]


def mean(numbers: list[Any]) -> Any:
    return sum(numbers) / len(numbers)


def codes(p: Any, lengths: Any) -> dict[str, Any]:
    return {
        "expected_length": [sum(a * n for a, n in zip(p, code, strict=True)) for code in lengths],
        "kraft_sum": [sum(mp.mpf(2) ** -n for n in code) for code in lengths],
    }


def softmax(logits: Any, target: int) -> dict[str, Any]:
    s = Softmax(logits)
    return {
        "probs": s.probs,
        "loss": s.surprisals[target],
        "entropy": oracles.entropy(s.probs),
        "gradient": oracles.linear_gradient(logits, oracles.one_hot(target, len(logits))),
    }


def decomposition(p: Any, q: Any) -> dict[str, Any]:
    return {
        "entropy": bits(oracles.entropy(p)),
        "kl_divergence": bits(sum(oracles.log_ratio_terms(p, q))),
        "cross_entropy": bits(oracles.cross_entropy(p, q)),
        "entropy_terms": bits(oracles.cross_entropy_terms(p, p)),
        "kl_terms": bits(oracles.log_ratio_terms(p, q)),
        "cross_entropy_terms": bits(oracles.cross_entropy_terms(p, q)),
    }


def smoothing(label_smoothing: Any, classes: int, target: int) -> dict[str, Any]:
    e = label_smoothing
    t = [(1 - e) * (k == target) + e / classes for k in range(classes)]
    return {"targets": t, "least_loss": oracles.entropy(t)}


def normal_density(x: Any, mean: Any, sigma: Any) -> dict[str, Any]:
    log_density = -((mp.mpf(x) - mean) ** 2) / (2 * sigma**2) - mp.log(2 * mp.pi * sigma**2) / 2
    return {"density": mp.exp(log_density), "negative_log_likelihood": -log_density}


def gradient_flow(input: Any, weights: Any, bias: Any, target: Any) -> dict[str, Any]:
    """By difference quotients of the whole network; the library's side uses the chain rule."""

    def network(shifts: Any) -> tuple[Any, Any, Any]:
        h1 = oracles.sigmoid(weights[0] * (input + shifts[0]) + bias + shifts[1])
        h2 = oracles.sigmoid(weights[1] * h1 + bias + shifts[2])
        return h1, h2, oracles.sigmoid(weights[2] * h2 + bias + shifts[3])

    losses = {"bce": lambda p: -mp.log(p), "mse": lambda p: (p - target) ** 2}
    h1, h2, output = network([0] * 4)
    places = ("d_input", "d_hidden1", "d_hidden2", "d_logit")
    return {
        name: {"h1": h1, "h2": h2, "output": output, "loss": loss(output)}
        | {
            place: oracles.derivative(lambda s, loss=loss: loss(network(s)[2]), [0.0] * 4, k)
            for k, place in enumerate(places)
        }
        for name, loss in losses.items()
    }


def kl_pairs(p: Any, q: Any) -> dict[str, Any]:
    return {
        "kl_divergence": [bits(sum(oracles.log_ratio_terms(p, row))) for row in q],
        "cross_entropy": [bits(oracles.cross_entropy(p, row)) for row in q],
    }


def squared_and_log(p: Any, target: int) -> dict[str, Any]:
    return {
        "squared_error": [(x - target) ** 2 for x in p],
        "squared_error_gradient": [2 * (x - target) for x in p],
        "log_loss": [-mp.log(x) for x in p],
        "log_loss_gradient": [-1 / x for x in p],
    }


def nats_and_bits(nats: Any) -> dict[str, Any]:
    return {"nats": nats, "bits": bits(nats)}


def batch_bce(labels: Any, p: Any) -> dict[str, Any]:
    pairs = zip(labels, p, strict=True)
    return {"mean_loss": mean([-mp.log(x if label else 1 - x) for label, x in pairs])}


def batch_ce(labels: Any, probs: Any) -> dict[str, Any]:
    return {"mean_loss": mean([-mp.log(row[y]) for y, row in zip(labels, probs, strict=True)])}


def batch_logits(labels: Any, logits: Any) -> dict[str, Any]:
    pairs = zip(labels, logits, strict=True)
    return {"mean_loss": mean([Softmax(row).surprisals[y] for y, row in pairs])}


def bce_logit(logit: Any, label: int) -> dict[str, Any]:
    p = oracles.sigmoid(logit)
    return {"probability": p, "loss": -mp.log(p), "gradient": p - label}


ORACLES = {
    "surprisal": lambda p: {"surprisal": [bits(oracles.surprisal(mp.mpf(x))) for x in p]},
    "coins": lambda p_heads: {"entropy": [bits(oracles.entropy(two(mp.mpf(x)))) for x in p_heads]},
    "two_dice": lambda ways: {"entropy": bits(oracles.entropy_of_counts(ways))},
    "friends": lambda p, heads_guess: {
        "cross_entropy": [bits(oracles.cross_entropy(p, two(mp.mpf(x)))) for x in heads_guess]
    },
    "balls_entropy": lambda p: {"entropy": bits(oracles.entropy(p))},
    "balls_codes": codes,
    "balls_cross": lambda code_for, source: {
        "cross_entropy": bits(oracles.cross_entropy(source, code_for)),
        "entropy": bits(oracles.entropy(source)),
        "excess": bits(sum(oracles.log_ratio_terms(source, code_for))),
    },
    "explorer_ce": lambda probs, target: nats_and_bits(-mp.log(probs[target])),
    "three_models": lambda probs, target: {"loss": -mp.log(probs[target])},
    "bce_logit": bce_logit,
    "bce_probs": lambda p, label: nats_and_bits(-mp.log(p)),
    "two_models": lambda probs: nats_and_bits([-mp.log(p) for p in probs]),
    "softmax4": softmax,
    "softmax3": softmax,
    "decomposition": decomposition,
    "kl_two_models": kl_pairs,
    "mse_vs_ce": squared_and_log,
    "batch_bce": batch_bce,
    "batch_ce": batch_ce,
    "batch_logits": batch_logits,
    "uniform10": lambda classes: nats_and_bits(mp.log(classes)),
    "smoothing": smoothing,
    "focal": lambda p, gamma: {"loss": -((1 - p) ** gamma) * mp.log(p), "share": (1 - p) ** gamma},
    "gaussian_kl": lambda mean, log_variance: {
        "kl_divergence": oracles.normal_kl(mean, log_variance)
    },
    "normal_density": normal_density,
    "gradient_flow": gradient_flow,
}
