"""Losses: what label smoothing, focal loss, weights, temperature and z-loss do to cross-entropy."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

import plogq.numpy
from plogq.explorer.controls import CLASS_NAMES, Names, Number, State
from plogq.explorer.page import Page, Result, python, readout
from plogq.explorer.shown import shown

CLASSES = 3  # the true one and two others, whose logits are 0
LOW, HIGH = -6.0, 6.0
CURVE = np.linspace(LOW, HIGH, 193)
ROUNDS, POINTS = 9, 33  # of the search for the least loss: each round is 16 times as fine

Options = dict[str, float | list[float]]
Floats = NDArray[np.float64]


def options(state: State) -> Options:
    """Give the options of `plogq.numpy.cross_entropy` that differ from their defaults."""
    given: Options = {
        "label_smoothing": state["smoothing"],
        "gamma": state["gamma"],
        "temperature": state["temperature"],
        "z_loss": state["z_loss"],
    }
    plain = {"temperature": 1.0}
    found = {name: value for name, value in given.items() if value != plain.get(name, 0.0)}
    if state["weight"] != 1:
        found["weight"] = [state["weight"], 1.0, 1.0]
    return found


def loss(logit: Floats, given: Options) -> tuple[Floats, Floats]:
    """Give the loss of each logit of the true class, and its gradient in that logit."""
    logits = np.zeros((logit.size, CLASSES))
    logits[:, 0] = logit
    value, grad = plogq.numpy.cross_entropy(
        logits, np.zeros(logit.size, dtype=int), reduction="none", return_grad=True,
        **given,  # type: ignore[arg-type]
    )  # fmt: skip
    return value, grad[:, 0]


def least(state: State) -> tuple[float, float]:
    """Give (logit, loss) where the loss is least.

    Without smoothing and z-loss there is no such logit: the loss falls towards 0 for ever.
    """
    turns = max(state["smoothing"], state["z_loss"])
    if turns == 0:
        return math.inf, 0.0
    given, temperature = options(state), state["temperature"]
    # The loss rises again where the probability of the other classes is far below `turns`.
    low, high = -40.0 * temperature, (12.0 + math.log(CLASSES) - math.log(turns)) * temperature
    for _ in range(ROUNDS):
        logits = np.linspace(low, high, POINTS)
        values, grads = loss(logits, given)
        # Of the places where the loss stops falling and rises, the one with the least loss.
        ups = np.flatnonzero((grads[:-1] <= 0) & (grads[1:] > 0))
        at = int(ups[np.argmin(values[ups])]) if len(ups) else int(np.argmin(values[:-1]))
        low, high = float(logits[at]), float(logits[at + 1])
    where = round(low, 9)
    (value,), _ = loss(np.array([where]), given)
    return where, float(value)


def compute(state: State) -> Result:
    """Give the loss as it is set, and its gradient, beside plain cross-entropy."""
    given, logit = options(state), state["logit"]
    (value,), (grad,) = loss(np.array([logit]), given)
    (plain,), (plain_grad,) = loss(np.array([logit]), {})
    values, grads = loss(CURVE, given)
    plains, plain_grads = loss(CURVE, {})
    where, floor = least(state)
    return {
        "domain": [LOW, HIGH],
        "true": state["names"][0],
        "changed": bool(given),
        "loss": {
            "curve": np.stack([CURVE, values], axis=1),
            "plain": np.stack([CURVE, plains], axis=1),
            "point": [logit, value],
            "plainPoint": [logit, plain],
        },
        "gradient": {
            "curve": np.stack([CURVE, grads], axis=1),
            "plain": np.stack([CURVE, plain_grads], axis=1),
            "point": [logit, grad],
            "plainPoint": [logit, plain_grad],
        },
        "least": [where, floor] if LOW <= where <= HIGH else None,
        "readouts": [
            readout("loss", value, "nats", "waste"),
            readout("its gradient in the logit", grad, "nats", "waste"),
            readout("plain cross-entropy", plain, "nats", "rest"),
            readout("plain gradient in the logit", plain_grad, "nats", "rest"),
            readout("least loss on this curve", floor, "nats", "keep"),
            readout("reached at the logit", where, "", "keep", 2),
        ],
        "notice": _notice(state, where, floor),
        "code": _code(state, given),
        "answer": value,
    }


def _code(state: State, given: Options) -> str:
    options = [f"    {name}={python(value)}," for name, value in given.items()]
    if "weight" in given:
        options.append('    reduction="sum",  # a mean divides by the weight')
    row = f"[{python(state['logit'])}, 0.0, 0.0], 0"
    lines = ["plogq.numpy.cross_entropy(", f"    {row},", *options, ")"]
    return "\n".join(["import plogq.numpy", *lines])


def _notice(state: State, where: float, floor: float) -> str:
    smoothing, gamma, weight = state["smoothing"], state["gamma"], state["weight"]
    temperature, z_loss = state["temperature"], state["z_loss"]
    true, other, third = state["names"]
    said = []
    if smoothing:
        truth = _smoothed(smoothing)
        said.append(
            f"Smoothing makes the target {shown(truth[0])} for {true}, the true class, and "
            f"{shown(truth[1])} for {other} and for {third}."
        )
        if gamma == z_loss == 0 and weight == 1:
            said.append(
                f"No prediction costs less than the entropy of this target, {shown(floor)}: past "
                f"the logit {shown(where, 2)} the prediction is too sure, and the gradient changes "
                "its sign."
            )
    if gamma:
        prob = float(plogq.softmax(np.array([state["logit"], 0.0, 0.0]) / temperature)[0])
        said.append(
            f"The focal factor of {true}, (1 − p)^γ, is {shown((1 - prob) ** gamma)} here: "
            "rows that are predicted well hardly count."
        )
    if weight != 1:
        said.append(
            f"The term of {true} counts {shown(weight, 2)} times; the mean of a batch then "
            "divides by the sum of the weights."
        )
    if temperature != 1:
        bent = "wider and its slope flatter" if temperature > 1 else "narrower, its slope steeper"
        said.append(
            f"The logits are divided by {shown(temperature, 2)} first: the curve is {bent}."
        )
    if z_loss:
        scaled = np.array([state["logit"], 0.0, 0.0]) / temperature
        extra = z_loss * float(plogq.z_loss_from_logits(scaled).value)
        said.append(
            f"The z-loss adds {shown(extra)} here. It pulls the log-sum-exp towards 0, and so "
            "keeps the logits from drifting: softmax does not change if all of them grow by the "
            "same amount."
        )
    return " ".join(said) or (
        "This is plain cross-entropy: it falls for ever as the logit grows, and its gradient never "
        "changes its sign. Move one control at a time, and compare the curve with the grey one."
    )


def _smoothed(smoothing: float) -> tuple[float, float]:
    """Give the smoothed target of the true class, and of each other class."""
    share = smoothing / CLASSES
    return 1 - smoothing + share, share


PAGE = Page(
    title="Losses",
    summary="Five common changes to cross-entropy, with one control each. All of them bend the "
    "same curve: see where, and what happens to the gradient.",
    words="label smoothing focal loss gamma class weight imbalance temperature z-loss "
    "regularisation overconfidence least loss",
    controls={
        "logit": Number("logit of the true class; two others are 0", 2.0, LOW, HIGH, 0.1),
        "smoothing": Number("label smoothing ε", 0.1, 0.0, 1.0, 0.01),
        "gamma": Number("focal γ", 0.0, 0.0, 5.0, 0.1),
        "weight": Number("weight w of the true class", 1.0, 0.1, 5.0, 0.1),
        "temperature": Number("temperature T", 1.0, 0.25, 4.0, 0.05),
        "z_loss": Number("z-loss ζ", 0.0, 0.0, 0.2, 0.005),
        "names": Names("names: the true class, and two others", default=CLASS_NAMES[:CLASSES]),
    },
    compute=compute,
)
