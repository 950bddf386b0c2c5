"""Softmax and temperature: from logits to probabilities, and back as a gradient."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

import plogq
from plogq.explorer.controls import Names, Number, Numbers, State, Whole
from plogq.explorer.page import Page, Result, python, readout
from plogq.explorer.shown import figure, shown


def compute(state: State) -> Result:
    """Give the softmax of the logits at a temperature, its loss, and the loss's gradient."""
    logits, temperature = np.array(state["logits"]), state["temperature"]
    target = min(state["target"], len(logits) - 1)
    probs = plogq.softmax(logits, temperature=temperature)
    # ∂loss/∂logits of softmax(x / T): the chain rule's 1 / T.
    value, slope = plogq.cross_entropy_from_logits(logits / temperature, target)
    grad = slope / temperature
    spread = plogq.entropy(probs)
    return {
        "classes": [
            {"name": state["names"][j], "logit": figure(logits[j], 2), "prob": figure(probs[j]),
             "grad": figure(grad[j], 3), "target": j == target}
            for j in range(len(logits))
        ],
        "readouts": [
            readout("loss", value, "nats", "waste"),
            readout("probability of the true class", probs[target], "", "gain"),
            readout("entropy of the prediction", spread, "nats", "keep"),
        ],
        "notice": _notice(logits, grad, target, float(spread), state["names"]),
        "code": (
            "import plogq, numpy as np\n"
            f"plogq.cross_entropy_from_logits(np.array({python(state['logits'])})"
            f" / {python(temperature)}, {target}).value"
        ),
        "answer": value,
    }  # fmt: skip


def _notice(
    logits: NDArray[np.float64],
    grad: NDArray[np.float64],
    target: int,
    spread: float,
    names: tuple[str, ...],
) -> str:
    pull = (
        f"The true class, {names[target]}, is pulled up by {shown(-grad[target], 3)}; the others "
        "together are pushed down by as much. The gradient is the prediction minus the truth, "
        "divided by T."
    )
    sure = f"The prediction is as spread out as {shown(math.exp(spread), 2)} equally likely classes"
    top = logits.max()
    if top == logits.min():
        return f"{pull} {sure}: with all logits alike, no T changes it."
    turned = (
        "a higher T flattens it, a lower one sharpens it, and neither changes which class is on top"
    )
    wrong = (
        "" if logits[target] == top else f" On top is {names[int(np.argmax(logits))]}: a wrong one."
    )
    return f"{pull} {sure}: {turned}.{wrong}"


PAGE = Page(
    title="Softmax and temperature",
    summary="Logits may be any numbers. Softmax turns them into a distribution, and the gradient "
    "of the loss is the prediction minus the truth.",
    words="logits probabilities gradient arrows entropy of the prediction confidence scaling",
    controls={
        "logits": Numbers("logits", (2.0, 0.5, -1.0, 0.0), -5, 5, 0.1, least=2, most=8,
                          named="names"),
        "temperature": Number("temperature T", 1.0, 0.1, 5.0, 0.05),
        "target": Whole("true class", 0, 0, 7, within="logits", named="names"),
        "names": Names(within="logits"),
    },
    checks=("softmax_before_logits_loss",),
    compute=compute,
)  # fmt: skip
