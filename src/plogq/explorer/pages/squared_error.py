"""Squared error against cross-entropy of one prediction: losses, and gradients in p and in z."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

import plogq
from plogq.explorer.controls import Choice, Number, State
from plogq.explorer.page import Page, Result, python, readout
from plogq.explorer.shown import shown
from plogq.formulas import ValueAndGrad

SURE = 0.01  # how near to 0 and to 1 the slider goes
PROBS = np.linspace(0.004, 0.996, 249)
LOGITS = np.linspace(-5.0, 5.0, 161)
SLOPE = 0.09  # how far the slopes are drawn, as a part of the picture's width

Losses = dict[str, ValueAndGrad]


def losses(prob: NDArray[np.float64], target: float) -> Losses:
    """Give both losses of probabilities, with their gradients in the probability."""
    t = np.full_like(prob, target)
    return {
        "squared error": plogq.squared_error(prob, t),
        "cross-entropy": plogq.binary_cross_entropy_from_probs(prob, t),
    }


def in_logit(of: Losses, prob: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Give the gradients in the logit: by the chain rule, ∂p/∂z = p (1 − p)."""
    return {name: loss.grad * prob * (1 - prob) for name, loss in of.items()}


def compute(state: State) -> Result:
    """Give both losses at a prediction, their gradients in p and in z, and their curves."""
    prob, target = np.array(state["prob"]), float(state["target"])
    p, logit = float(prob), math.log(state["prob"]) - math.log1p(-state["prob"])
    here = losses(prob, target)
    pulls = in_logit(here, prob)
    curves = losses(PROBS, target)
    # The curves over z need the probabilities of evenly spaced logits.
    along = plogq.sigmoid(LOGITS)
    pull_curves = in_logit(losses(along, target), along)
    square, cross = here["squared error"], here["cross-entropy"]
    return {
        "target": state["target"],
        "prob": p,
        "logit": logit,
        "losses": [
            {
                "name": name,
                "curve": np.stack([PROBS, curves[name].value], axis=1),
                "point": [p, here[name].value],
                "tangent": _tangent(p, float(here[name].value), float(here[name].grad)),
                "pulls": np.stack([LOGITS, np.abs(pull_curves[name])], axis=1),
                "pull": [logit, abs(pulls[name])],
            }
            for name in here
        ],
        "readouts": [
            readout("squared error", square.value, "", "waste"),
            readout("squared error, gradient in p", square.grad, "", "waste"),
            readout("squared error, gradient in the logit", pulls["squared error"], "", "waste"),
            readout("cross-entropy", cross.value, "nats", "gain"),
            readout("cross-entropy, gradient in p", cross.grad, "nats", "gain"),
            readout("cross-entropy, gradient in the logit", pulls["cross-entropy"], "nats", "gain"),
        ],
        "notice": _notice(abs(p - target), pulls),
        "code": (
            "import plogq, numpy as np\n"
            f"p, t = np.array({python(state['prob'])}), np.array({target})\n"
            "[plogq.squared_error(p, t), plogq.binary_cross_entropy_from_probs(p, t)]"
        ),
        "answer": [square, cross],
    }


def _tangent(x: float, y: float, slope: float) -> list[list[float]]:
    """Give a piece of the slope of about one length on the picture, which is 5 high and 1 wide."""
    reach = SLOPE / math.hypot(1, slope / 5)
    ends = [max(0.0, x - reach), min(1.0, x + reach)]
    return [[end, y + (end - x) * slope] for end in ends]


def _notice(miss: float, pulls: dict[str, NDArray[np.float64]]) -> str:
    square, cross = float(pulls["squared error"]), float(pulls["cross-entropy"])
    sent = (
        f"With respect to the logit, the gradient of cross-entropy is the whole difference p − t: "
        f"{shown(cross)}. That of squared error is {shown(square)}, which is 2 p (1 − p) = "
        f"{shown(square / cross, 3)} times as much."
    )
    if miss > 2 / 3:
        return (
            f"{sent} Make the prediction more sure and more wrong: the gradient of cross-entropy "
            "grows to the size 1, and that of squared error fades, just where there is most to "
            "learn."
        )
    return f"{sent} Now make the prediction sure and wrong, and see which gradient stays large."


PAGE = Page(
    title="Squared error against cross-entropy",
    summary="Both are 0 for a perfect prediction. They differ in the gradient that they send back "
    "when a prediction is sure and wrong.",
    words="MSE mean squared error Brier score sigmoid saturation vanishing gradient chain rule "
    "classification regression",
    controls={
        "prob": Number("prediction p", 0.7, SURE, 1 - SURE, 0.01),
        "target": Choice("target t", "1", {"1": "1", "0": "0"}),
    },
    checks=("saturated_squared_error", "squared_error_of_softmax"),
    compute=compute,
)
