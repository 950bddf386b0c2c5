"""Gradient flow: how much of the loss's gradient arrives at the first of a chain of sigmoids."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

import plogq
from plogq.explorer.controls import Choice, Number, Numbers, State, Whole
from plogq.explorer.page import Page, Result, python, readout
from plogq.explorer.shown import figure, shown

DEEPEST = 20
LOSSES = {"cross_entropy": "cross-entropy", "squared_error": "squared error"}


class Chain(NamedTuple):
    """One sigmoid unit per layer, the first layer first."""

    weights: tuple[float, ...]
    sums: tuple[float, ...]  # z = w · (the value below) + b
    values: tuple[float, ...]  # σ(z)


def chain(weights: tuple[float, ...], bias: float, begin: float) -> Chain:
    """Send a number through the layers."""
    sums, values = [], [begin]
    for weight in weights:
        sums.append(weight * values[-1] + bias)
        values.append(float(plogq.sigmoid(np.array(sums[-1]))))
    return Chain(weights, tuple(sums), tuple(values[1:]))


def slopes(sums: tuple[float, ...]) -> list[float]:
    """Give σ'(z) = σ(z) σ(−z) of each layer: h (1 − h), with no digit lost where h is nearly 1."""
    z = np.array(sums)
    bent: list[float] = (plogq.sigmoid(z) * plogq.sigmoid(-z)).tolist()
    return bent


def start(net: Chain, target: float, loss: str) -> tuple[float, float]:
    """Give the loss of the last value, and its gradient in the last z."""
    t = np.array(target)
    if loss == "cross_entropy":
        value, grad = plogq.binary_cross_entropy_from_logits(np.array(net.sums[-1]), t)
        return float(value), float(grad)
    value, grad = plogq.squared_error(np.array(net.values[-1]), t)
    return float(value), float(grad) * slopes(net.sums)[-1]


def back(net: Chain, grad: float) -> tuple[list[float], list[float]]:
    """Send ∂L/∂z of the last layer back: give it for every layer, and each layer's factor."""
    grads, factors = [grad], []
    for weight, slope in zip(net.weights[:0:-1], slopes(net.sums)[-2::-1], strict=True):
        factors.append(weight * slope)
        grads.append(grads[-1] * factors[-1] + 0.0)  # adding 0 turns −0 into 0
    return grads[::-1], factors[::-1]


def compute(state: State) -> Result:
    """Give every layer's value and gradient, under the loss that was chosen and the other."""
    depth, target, loss = state["depth"], float(state["target"]), state["loss"]
    weights = tuple(state["weights"][i % 3] for i in range(depth))
    net = chain(weights, state["bias"], state["input"])
    both = {name: start(net, target, name) for name in LOSSES}
    grads, factors = back(net, both[loss][1])
    other = next(name for name in LOSSES if name != loss)
    others, _ = back(net, both[other][1])
    arrives = abs(grads[0] / grads[-1])
    return {
        "input": figure(state["input"], 2),
        "loss": {"name": LOSSES[loss], **figure(both[loss][0])},
        "other": LOSSES[other],
        "layers": [
            {
                "name": "output" if i == depth - 1 else f"layer {i + 1}",
                "weight": figure(weights[i], 2),
                "value": figure(net.values[i]),
                "grad": figure(grads[i]),
                "size": _decimal_log(grads[i]),
                "other": figure(others[i]),
                "otherSize": _decimal_log(others[i]),
                # what the gradient above is multiplied by on its way to this layer
                "factor": figure(factors[i]) if i < depth - 1 else None,
            }
            for i in range(depth)
        ],
        "scale": _scale([*grads, *others]),
        "readouts": [
            readout("output p", net.values[-1], "", "gain"),
            readout("loss", both[loss][0], "nats" if loss == "cross_entropy" else "", "waste"),
            readout("gradient at the output", grads[-1], "", "keep"),
            readout("gradient at layer 1", grads[0], "", "keep"),
            readout("gradient at layer 1 over that at the output", arrives, "", ""),
        ],
        "notice": _notice(grads, arrives, both, net.values[-1]),
        "code": _code(state),
        "answer": grads[::-1],
    }


def _decimal_log(x: float) -> float:
    """Give log10 |x|, the height of a bar: −∞ for a gradient of 0."""
    return math.log10(abs(x)) if x else -math.inf


def _scale(grads: list[float]) -> list[int]:
    """Give the powers of ten to draw between: four at least."""
    sizes = [_decimal_log(g) for g in grads if g]
    top = math.ceil(max(sizes))
    return [min(math.floor(min(sizes)), top - 4), top]


def _notice(
    grads: list[float], arrives: float, both: dict[str, tuple[float, float]], output: float
) -> str:
    cross, square = both["cross_entropy"][1], both["squared_error"][1]
    begin = (
        f"At the output the gradient of cross-entropy is p − t = {shown(cross)}. That of squared "
        f"error is {shown(square)}, which is 2 p (1 − p) = {shown(square / cross, 3)} times as much"
        f"{'; the surer p is, the smaller this factor' if max(output, 1 - output) > 0.9 else ''}."
    )
    if len(grads) == 1:
        return f"{begin} Add layers, and see how much of it arrives at the first one."
    if arrives == 0:
        return (
            f"{begin} No gradient goes through a weight of 0, or as near to it as here: layer 1 "
            "learns nothing from either loss."
        )
    return (
        f"{begin} On the way back each layer multiplies the gradient by w · h (1 − h), which is at "
        f"most a quarter of w in size. Layer 1 gets {shown(arrives)} times the gradient at the "
        "output. The choice of the loss changes only the gradient at the output, and not these "
        "factors."
    )


def _code(state: State) -> str:
    z = f"[np.array({python(state['weights'][0])} * {python(state['input'])} + b)]"
    first = (
        "grads = [plogq.binary_cross_entropy_from_logits(z[-1], t).grad]"
        if state["loss"] == "cross_entropy"
        else "p = s(z[-1])\ngrads = [plogq.squared_error(p, t).grad * p * s(-z[-1])]"
    )
    return (
        "import plogq, numpy as np\n"
        f"weights = ({python(state['weights'])} * 7)[:{state['depth']}]\n"
        f"b, t, s = {python(state['bias'])}, np.array({float(state['target'])}), plogq.sigmoid\n"
        f"z = {z}\n"
        "for w in weights[1:]:\n"
        "    z.append(w * s(z[-1]) + b)\n"
        f"{first}\n"
        "for w, below in zip(weights[:0:-1], z[-2::-1]):\n"
        "    grads.append(grads[-1] * w * s(below) * s(-below))\n"
        "grads  # the output's first"
    )


PAGE = Page(
    title="Gradient flow",
    summary="A chain of sigmoid units, one per layer. The gradient starts at the loss, and every "
    "layer on the way back multiplies it by a factor.",
    words="backpropagation backprop chain rule vanishing exploding gradient deep network depth "
    "layers sigmoid saturation",
    controls={
        "loss": Choice("loss", "cross_entropy", LOSSES),
        "depth": Whole("layers", 3, 1, DEEPEST),
        "weights": Numbers(
            "weights; after the third they repeat",
            (0.5, 0.3, -0.2),
            -5,
            5,
            0.1,
            least=3,
            most=3,
            names=("1", "2", "3"),
        ),
        "bias": Number("bias of every unit", 0.1, -5, 5, 0.1),
        "input": Number("input", 1.0, -2, 2, 0.1),
        "target": Choice("target t", "1", {"1": "1", "0": "0"}),
    },
    checks=("saturated_squared_error",),
    compute=compute,
)
