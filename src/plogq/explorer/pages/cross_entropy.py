"""Cross-entropy of a prediction: minus the logarithm of what it gave to the true class."""

from __future__ import annotations

import numpy as np

import plogq
from plogq.explorer.controls import UNIT, Choice, Names, Shares, State, Whole
from plogq.explorer.page import Page, Result, python, readout
from plogq.explorer.shown import figure, shown
from plogq.formulas.units import Unit, plural

CURVE = np.geomspace(1e-3, 1.0, 160)


def compute(state: State) -> Result:
    """Give −log q of the true class, or the cost of a soft target, and the curve it lies on."""
    probs, unit, smoothing = np.array(state["probs"]), state["unit"], state["target_kind"]
    target = min(state["target"], len(probs) - 1)
    true = state["names"][target]
    truth = np.eye(len(probs))[target]
    if smoothing == "soft":
        truth = 0.9 * truth + 0.1 / len(probs)
    loss = plogq.cross_entropy(truth, probs, unit=unit)
    surprise = plogq.surprisal(probs, unit=unit)
    units = plural(unit)
    return {
        "unit": units,
        "curve": np.stack([CURVE, plogq.surprisal(CURVE, unit=unit)], axis=1),
        "classes": [
            {
                "name": state["names"][j],
                "prob": figure(probs[j], 3),
                "surprisal": figure(surprise[j]),
                "truth": figure(truth[j], 3),
                "target": j == target,
            }
            for j in range(len(probs))
        ],
        "readouts": [
            readout("loss", loss, units, "waste"),
            readout("probability of the true class", probs[target], "", "gain"),
            readout("least loss that this target allows", plogq.entropy(truth, unit=unit), units),
        ],
        "notice": _notice(float(probs[target]), float(loss), smoothing, unit, true),
        "code": (
            "import plogq\n"
            f"plogq.cross_entropy({python(truth.tolist())},\n"
            f'                    {python(state["probs"])}, unit="{unit}")'
        ),
        "answer": loss,
    }


def _notice(prob: float, loss: float, kind: str, unit: Unit, true: str) -> str:
    if kind == "soft":
        return (
            "A soft target gives a little to every class, so every probability counts. The loss "
            "never reaches 0: its least value is the entropy of the target."
        )
    if prob == 0:
        return (
            f"The true class, {true}, was called impossible: its surprise is infinite, and so is "
            "the loss."
        )
    half = float(plogq.surprisal(prob / 2, unit=unit))
    return (
        f"Only the probability of the true class, {true}, counts; how the other classes share the "
        "rest does not. If it is halved, the loss grows by a fixed amount, here from "
        f"{shown(loss)} to {shown(half)} {plural(unit)}. The curve rises without limit on the "
        "left: to be sure and wrong has no highest price."
    )


PAGE = Page(
    title="Cross-entropy",
    summary="The cost of a prediction once the truth is known: minus the logarithm of the "
    "probability that it gave to the true class.",
    words="negative log-likelihood NLL log loss categorical sparse one-hot soft target",
    controls={
        "probs": Shares("prediction q", (0.7, 0.2, 0.1), least=2, most=6, named="names"),
        "target": Whole("true class", 0, 0, 5, within="probs", named="names"),
        "target_kind": Choice("target", "hard", {"hard": "one class", "soft": "smoothed by 0.1"}),
        "unit": Choice("unit", "nat", UNIT.options),
        "names": Names(within="probs"),
    },
    compute=compute,
)
