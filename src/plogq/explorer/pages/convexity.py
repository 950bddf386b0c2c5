"""Convexity: one weight, both losses, and a ball that rolls down each of them."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import plogq
from plogq.explorer.controls import Number, State, Whole
from plogq.explorer.page import Page, Result, python, readout
from plogq.explorer.shown import shown

Floats = NDArray[np.float64]

# The labels of the two rows far from 0 ask for w > 0, those of three rows near 0 for w < 0; the
# row nearest to 0 asks for w > 0 and turns the loss up again far on the left.
X = np.array([0.5, -0.5, -0.5, -0.1, -8.0, 8.0])
T = np.array([0.0, 1.0, 1.0, 0.0, 0.0, 1.0])
SIDE = 2 * T - 1  # 1 for a label of 1, −1 for a label of 0

LAST = 150  # steps
WEIGHTS = np.linspace(-9.0, 6.0, 151)
FIELD_WEIGHTS, FIELD_BIASES = np.linspace(-9.0, 6.0, 76), np.linspace(-4.0, 4.0, 33)
HALVINGS = 60  # of the interval in which a slope changes its sign

LOSSES = SE, CE = "squared error", "cross-entropy"


class Curve(NamedTuple):
    """A loss at each weight, a mean over the rows, with its first two derivatives by the weight."""

    loss: Floats
    slope: Floats
    bend: Floats


def curves(weight: Floats, bias: Floats | float = 0.0) -> dict[str, Curve]:
    """Give both losses of p = σ(w x + b), in the shape of `weight`; `bias` broadcasts to it."""
    z = weight[..., None] * X + np.asarray(bias)[..., None]
    wrong, right = sides(z)
    spread = X**2 * wrong * right
    square = plogq.squared_error(wrong, np.zeros_like(wrong)).value
    cross = plogq.binary_cross_entropy_from_logits(z, np.broadcast_to(T, z.shape)).value
    losses = {SE: square.mean(axis=-1), CE: cross.mean(axis=-1)}
    bends = {SE: spread * wrong * (4 - 6 * wrong), CE: spread}
    return {
        name: Curve(losses[name], slope, bends[name].mean(axis=-1))
        for name, slope in slopes(wrong, right).items()
    }


def sides(z: Floats) -> tuple[Floats, Floats]:
    """Return what the model gives to the wrong label of each row, |p − t|, and to the right one."""
    return plogq.sigmoid(-SIDE * z), plogq.sigmoid(SIDE * z)


def slopes(wrong: Floats, right: Floats) -> dict[str, Floats]:
    """Return both losses' derivatives by the weight, means over the rows (the last axis)."""
    cross = -SIDE * X * wrong
    square = 2 * wrong * right * cross
    return {SE: square.mean(axis=-1), CE: cross.mean(axis=-1)}


@lru_cache(maxsize=64)
def paths(start: float, rate: float) -> Floats:
    """Give the weights after 0, 1, … `LAST` steps of gradient descent, for each of `LOSSES`."""
    weights = [np.full(len(LOSSES), start)]
    for _ in range(LAST):
        here = slopes(*sides(weights[-1][:, None] * X))
        slope = np.array([here[name][i] for i, name in enumerate(LOSSES)])
        weights.append(weights[-1] - rate * slope)
    return np.stack(weights, axis=1)


@lru_cache
def level_places(loss: str) -> tuple[float, ...]:
    """Give the weights at which a loss has no slope, from left to right."""
    along = curves(WEIGHTS)[loss].slope
    found = []
    for at in np.flatnonzero(np.diff(np.sign(along))):
        low, high = WEIGHTS[at], WEIGHTS[at + 1]
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            same = np.sign(curves(np.array(middle))[loss].slope) == np.sign(along[at])
            low, high = (middle, high) if same else (low, middle)
        found.append(float((low + high) / 2))
    return tuple(found)


@lru_cache
def surfaces() -> dict[str, Result]:
    """Give both losses over weight and bias, a row for each bias, and the place of the least."""
    found = curves(*np.meshgrid(FIELD_WEIGHTS, FIELD_BIASES))
    return {
        name: {"values": curve.loss.round(4).tolist(), "least": _least(curve.loss)}
        for name, curve in found.items()
    }


def _least(field: Floats) -> list[float]:
    i, j = divmod(int(np.argmin(field)), len(FIELD_WEIGHTS))
    return [float(FIELD_WEIGHTS[j]), float(FIELD_BIASES[i])]


def compute(state: State) -> Result:
    """Give both curves and surfaces, and the way of the ball down each of them."""
    steps = state["steps"]
    found = paths(state["start"], state["rate"])[:, : steps + 1]
    ways = dict(zip(LOSSES, found, strict=True))
    here = {name: curves(way[-1])[name] for name, way in ways.items()}
    return {
        "last": LAST,
        "domain": [WEIGHTS[0], WEIGHTS[-1]],
        "grid": {"weights": FIELD_WEIGHTS, "biases": FIELD_BIASES},
        "losses": [
            {
                "name": name,
                "curve": _on(name, WEIGHTS),
                "way": _on(name, ways[name]),
                "valleys": _on(name, np.array(level_places(name)[::2])),
                "surface": surfaces()[name],
            }
            for name in LOSSES
        ],
        "readouts": [
            part
            for name, color in ((SE, "waste"), (CE, "gain"))
            for part in (
                readout(f"{name}, weight", ways[name][-1], "", color),
                readout(f"{name}, loss", here[name].loss, "nats" if name == CE else "", color),
                readout(f"{name}, slope", here[name].slope, "", color),
                readout(f"{name}, second derivative", here[name].bend, "", color),
            )
        ],
        "notice": _notice(steps, {name: float(way[-1]) for name, way in ways.items()}, here),
        "code": (
            "import plogq, numpy as np\n"
            f"x = np.array({python(X.tolist())})\n"
            f"t = np.array({python(T.tolist())})\n"
            f"w = {python(state['start'])}\n"
            f"for _ in range({steps}):\n"
            "    pull = plogq.binary_cross_entropy_from_logits(w * x, t).grad * x\n"
            f"    w -= {python(state['rate'])} * np.mean(pull)\n"
            "w"
        ),
        "answer": ways[CE][-1],
    }


def _on(loss: str, weights: Floats) -> Floats:
    """Give points on the curve of a loss: a weight and the loss there in each row."""
    return np.stack([weights, curves(weights)[loss].loss], axis=1)


def _notice(steps: int, at: dict[str, float], here: dict[str, Curve]) -> str:
    bad, hill, good = level_places(SE)
    bad_loss, good_loss = curves(np.array([bad, good]))[SE].loss.tolist()
    (lowest,) = level_places(CE)
    above = float(here[CE].loss - curves(np.array(lowest))[CE].loss)
    slope, other = (float(of.slope) for of in (here[SE], curves(np.array(at[SE]))[CE]))
    side, valley = ("left", "bad") if at[SE] < hill else ("right", "good")
    return (
        f"After {steps} {'step' if steps == 1 else 'steps'} squared error is at "
        f"w = {shown(at[SE], 2)}, {side} of the hill at {shown(hill, 2)}: downhill from there is "
        f"the {valley} valley. Its slope there is {shown(slope)}; cross-entropy’s, at the "
        f"same weight, is {shown(other)}. The bad valley, at {shown(bad, 2)}, pays "
        f"{shown(bad_loss, 3)}; the good one, at {shown(good, 2)}, {shown(good_loss, 3)}. "
        f"Cross-entropy has one valley, and its ball is {shown(max(0.0, above), 3)} nats above it."
    )


PAGE = Page(
    title="Convexity",
    summary="The cross-entropy of one weight has one valley. Squared error has a bad one as well, "
    "and plateaus where a ball hardly moves.",
    words="convex local minimum valley plateau gradient descent logistic regression sigmoid MSE "
    "second derivative curvature surface learning rate",
    controls={
        "steps": Whole("steps", 100, 0, LAST),
        "start": Number("first weight", -1.0, -8.0, 5.0, 0.1),
        "rate": Number("learning rate η", 1.0, 0.1, 2.0, 0.1),
    },
    compute=compute,
)
