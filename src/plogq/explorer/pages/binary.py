"""Binary cross-entropy: one logit, one label, and a gradient that is probability minus label."""

from __future__ import annotations

import numpy as np

import plogq
from plogq.explorer.controls import Choice, Number, State
from plogq.explorer.page import Page, Result, python, readout
from plogq.explorer.shown import figure, shown

LOW, HIGH = -5.0, 5.0
CURVE = np.linspace(LOW, HIGH, 161)
RATE = 4.0  # of the step that is drawn: long enough to be seen


def compute(state: State) -> Result:
    """Give the probability, the loss and its gradient, and both labels' losses over the logit."""
    logit, label = np.array(state["logit"]), np.array(float(state["label"]))
    prob = plogq.sigmoid(logit)
    value, grad = plogq.binary_cross_entropy_from_logits(logit, label)
    z, loss, slope = float(logit), float(value), float(grad)
    # The tangent ends where it meets 0, which is at least 1 away.
    reach = min(1.5, loss / abs(slope))
    ends = [max(LOW, z - reach), min(HIGH, z + reach)]
    losses = {
        str(t): plogq.binary_cross_entropy_from_logits(CURVE, np.full_like(CURVE, t)).value
        for t in (1, 0)
    }
    return {
        "label": state["label"],
        "domain": [LOW, HIGH],
        "curves": {t: np.stack([CURVE, curve], axis=1) for t, curve in losses.items()},
        "sigmoid": np.stack([CURVE, plogq.sigmoid(CURVE)], axis=1),
        "point": [z, loss],
        "tangent": [[x, loss + (x - z) * slope] for x in ends],
        "step": [z, z - RATE * slope],
        "gap": [[z, float(prob)], [z, float(label)]],
        "gradient": figure(slope),
        "readouts": [
            readout("probability of label 1", prob, "", "gain"),
            readout("loss", value, "nats", "waste"),
            readout("gradient", grad, "nats per logit", "keep"),
        ],
        "notice": _notice(float(prob), int(label), slope),
        "code": (
            "import plogq, numpy as np\n"
            "plogq.binary_cross_entropy_from_logits(\n"
            f"    np.array({python(state['logit'])}), np.array({float(label)})).value"
        ),
        "answer": value,
    }


def _notice(prob: float, label: int, slope: float) -> str:
    pull = (
        f"The gradient is the probability minus the label, {shown(prob)} − {label}. Training goes "
        f"against it, so it moves the logit {'up' if label else 'down'}."
    )
    if prob == 0.5:
        return f"{pull} The prediction leans neither way, and pays ln 2, as a fair coin would."
    if abs(slope) > 0.5:
        return (
            f"{pull} The prediction is on the wrong side. The further it goes, the straighter the "
            "curve becomes: each unit of the logit adds nearly 1 to the loss, and the gradient "
            "does not fade."
        )
    return (
        f"{pull} The prediction is on the right side. The surer it is, the less there is to "
        "correct: loss and gradient fade together, and neither is ever 0."
    )


PAGE = Page(
    title="Binary cross-entropy",
    summary="One logit is enough for yes or no. The sigmoid turns it into a probability, and the "
    "gradient is the probability minus the label.",
    words="BCE log loss sigmoid logistic regression softplus label gradient direction",
    controls={
        "label": Choice("label t", "1", {"1": "1, it happened", "0": "0, it did not"}),
        "logit": Number("logit z", 1.5, LOW, HIGH, 0.05),
    },
    checks=("sigmoid_before_logits_loss",),
    compute=compute,
)
