"""The worked numbers by the library, each from its entry's inputs as floats."""

import math
from typing import Any

import numpy as np

import plogq
from plogq import formulas


def two(heads: Any) -> Any:
    return np.stack([heads, 1 - np.asarray(heads, dtype=float)], axis=-1)


def friends(p: Any, heads_guess: Any) -> dict[str, Any]:
    q = two(heads_guess)
    return {"cross_entropy": plogq.cross_entropy(np.broadcast_to(p, q.shape), q, unit="bit")}


def codes(p: Any, lengths: Any) -> dict[str, Any]:
    """A code of lengths l is the model 2^-l: its Kraft sum is that model's mass."""
    model = 2.0 ** -np.asarray(lengths)
    return {
        "expected_length": np.sum(p * plogq.surprisal(model, unit="bit"), axis=-1),
        "kraft_sum": np.sum(model, axis=-1),
    }


def balls_cross(code_for: Any, source: Any) -> dict[str, Any]:
    return {
        "cross_entropy": plogq.cross_entropy(source, code_for, unit="bit"),
        "entropy": plogq.entropy(source, unit="bit"),
        "excess": plogq.kl_divergence(source, code_for, unit="bit"),
    }


def nats_and_bits(nats: Any) -> dict[str, Any]:
    return {"nats": nats, "bits": plogq.from_nats(nats, "bit")}


def explorer(probs: Any, target: int) -> dict[str, Any]:
    return nats_and_bits(plogq.cross_entropy_from_probs(probs, target).value)


def bce_logit(logit: float, label: int) -> dict[str, Any]:
    loss, gradient = plogq.binary_cross_entropy_from_logits(logit, label)
    return {"probability": plogq.sigmoid(logit), "loss": loss, "gradient": gradient}


def softmax(logits: Any, target: int) -> dict[str, Any]:
    probs = plogq.softmax(logits)
    loss, gradient = plogq.cross_entropy_from_logits(logits, target)
    return {"probs": probs, "loss": loss, "entropy": plogq.entropy(probs), "gradient": gradient}


def kl_two_models(p: Any, q: Any) -> dict[str, Any]:
    p = np.broadcast_to(p, np.shape(q))
    return {
        "kl_divergence": plogq.kl_divergence(p, np.asarray(q), unit="bit"),
        "cross_entropy": plogq.cross_entropy(p, np.asarray(q), unit="bit"),
    }


def mse_vs_ce(p: Any, target: int) -> dict[str, Any]:
    target = np.full(np.shape(p), target)
    squared = plogq.squared_error(p, target)
    log_loss = plogq.binary_cross_entropy_from_probs(p, target)
    return {
        "squared_error": squared.value,
        "squared_error_gradient": squared.grad,
        "log_loss": log_loss.value,
        "log_loss_gradient": log_loss.grad,
    }


def uniform(classes: int) -> dict[str, Any]:
    loss = plogq.cross_entropy_from_logits(np.zeros(classes), 0).value
    return nats_and_bits(loss)


def smoothing(label_smoothing: float, classes: int, target: int) -> dict[str, Any]:
    """The gradient at equal logits is 1/C − t, and at logits log t it is 0."""
    at_equal = plogq.cross_entropy_from_logits(
        np.zeros(classes), target, label_smoothing=label_smoothing
    )
    targets = 1 / classes - at_equal.grad
    least = plogq.cross_entropy_from_logits(
        np.log(targets), target, label_smoothing=label_smoothing
    )
    return {"targets": targets, "least_loss": least.value}


def focal(p: float, gamma: float) -> dict[str, Any]:
    logits = np.log([p, 1 - p])
    loss = plogq.focal_from_logits(logits, 0, gamma=gamma).value
    return {"loss": loss, "share": loss / plogq.cross_entropy_from_logits(logits, 0).value}


def normal_density(x: float, mean: float, sigma: float) -> dict[str, Any]:
    """−log N(x; μ, σ²) is the normal's entropy, in which (x − μ)²/σ² is 1 on average."""
    nats = plogq.normal_entropy([2 * math.log(sigma)]) + (((x - mean) / sigma) ** 2 - 1) / 2
    return {"density": np.exp(-nats), "negative_log_likelihood": nats}


def gradient_flow(input: float, weights: Any, bias: float, target: int) -> dict[str, Any]:
    """The chain rule by hand, from the loss's own gradient."""
    h1 = plogq.sigmoid(weights[0] * input + bias)
    h2 = plogq.sigmoid(weights[1] * h1 + bias)
    logit = weights[2] * h2 + bias
    output = plogq.sigmoid(logit)
    bce = plogq.binary_cross_entropy_from_logits(logit, target)
    mse = plogq.squared_error(output, target)
    slopes = {"bce": (bce.value, bce.grad), "mse": (mse.value, mse.grad * output * (1 - output))}
    flows = {}
    for name, (loss, d3) in slopes.items():
        d2 = d3 * weights[2] * h2 * (1 - h2)
        d1 = d2 * weights[1] * h1 * (1 - h1)
        flows[name] = {"h1": h1, "h2": h2, "output": output, "loss": loss, "d_logit": d3}
        flows[name] |= {"d_hidden2": d2, "d_hidden1": d1, "d_input": d1 * weights[0]}
    return flows


def mean_of(loss: Any) -> dict[str, Any]:
    return {"mean_loss": np.mean(loss.value)}


OURS = {
    "surprisal": lambda p: {"surprisal": plogq.surprisal(p, unit="bit")},
    "coins": lambda p_heads: {"entropy": plogq.entropy(two(p_heads), unit="bit")},
    "two_dice": lambda ways: {"entropy": plogq.entropy_of_counts(ways, unit="bit")},
    "friends": friends,
    "balls_entropy": lambda p: {"entropy": plogq.entropy(p, unit="bit")},
    "balls_codes": codes,
    "balls_cross": balls_cross,
    "explorer_ce": explorer,
    "three_models": lambda probs, target: {
        "loss": plogq.cross_entropy_from_probs(probs, target).value
    },
    "bce_logit": bce_logit,
    "bce_probs": lambda p, label: nats_and_bits(
        plogq.binary_cross_entropy_from_probs(p, label).value
    ),
    "two_models": lambda probs: nats_and_bits(plogq.surprisal(probs)),
    "softmax4": softmax,
    "softmax3": softmax,
    "decomposition": lambda p, q: formulas.decompose(p, q, unit="bit")._asdict(),
    "kl_two_models": kl_two_models,
    "mse_vs_ce": mse_vs_ce,
    "batch_bce": lambda labels, p: mean_of(plogq.binary_cross_entropy_from_probs(p, labels)),
    "batch_ce": lambda labels, probs: mean_of(plogq.cross_entropy_from_probs(probs, labels)),
    "batch_logits": lambda labels, logits: mean_of(plogq.cross_entropy_from_logits(logits, labels)),
    "uniform10": uniform,
    "smoothing": smoothing,
    "focal": focal,
    "gaussian_kl": lambda mean, log_variance: {
        "kl_divergence": plogq.normal_kl([mean], [log_variance])
    },
    "normal_density": normal_density,
    "gradient_flow": gradient_flow,
}
