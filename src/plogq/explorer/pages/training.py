"""Training: the same network on real digits, under squared error and under cross-entropy."""

from __future__ import annotations

import itertools
import math
from functools import partial
from typing import Any

from plogq.explorer.controls import Choice, Number, State, Whole
from plogq.explorer.page import Page, Result, python, readout
from plogq.explorer.pages.training_runs import CLASSES, EVERY, LAST, Moment, Run, Settings, run_of
from plogq.explorer.shown import shown

CE, SE = "cross_entropy", "squared_error"


def compute(state: State, patience: float = math.inf) -> Result:
    """Give all steps up to the one that the state is at, or as many as there is `patience` for."""
    settings = settings_of(state)
    run = run_of(settings)
    moments = run.upto(state["steps"], patience)
    step = len(moments) - 1
    return {
        "more": step < state["steps"],
        "last": LAST,
        "layers": _layers(settings),
        "digits": [
            {"label": label, "pixels": pixels}
            for label, pixels in zip(run.examples.labels, run.examples.pixels, strict=True)
        ],
        "moments": [_drawn(k, moment) for k, moment in enumerate(moments)],
        **_words(moments),
        "code": _code(settings, step),
        "answer": moments[-1][CE].losses[CE],
    }


def event(run: Run, step: int) -> Result:
    """Give the moment after a step, with the page's readouts and notice at that step."""
    moments = run.upto(step)
    return {"moment": _drawn(step, moments[-1]), **_words(moments)}


def settings_of(state: State) -> Settings:
    """Give the settings of a run: all of the state but the number of steps."""
    return Settings(**{name: value for name, value in state.items() if name != "steps"})


def _drawn(step: int, moment: Moment) -> dict[str, Any]:
    return {"step": step, **{name: seen._asdict() for name, seen in moment.items()}}


def _layers(settings: Settings) -> list[str]:
    hidden = [f"hidden {i + 1}" for i in range(settings.layers)]
    places = ["pixels", *hidden, "logits"]
    return [f"{a} → {b}" for a, b in itertools.pairwise(places)]


def _words(moments: list[Moment]) -> Result:
    step = len(moments) - 1
    now, looked = moments[-1], step - step % EVERY
    right = {name: moments[looked][name].accuracy or 0.0 for name in (CE, SE)}
    return {
        "readouts": [
            readout("steps", step, digits=0),
            readout("held-out digits right, cross-entropy", 100 * right[CE], "%", "gain", 1),
            readout("held-out digits right, squared error", 100 * right[SE], "%", "waste", 1),
            readout("its own loss on the batch, cross-entropy", now[CE].losses[CE], "nats", "gain"),
            readout("its own loss on the batch, squared error", now[SE].losses[SE], "", "waste"),
        ],
        "notice": _notice(step, now, looked, right),
    }


def _notice(step: int, now: Moment, looked: int, right: dict[str, float]) -> str:
    pull, other = now[CE].norms[0], now[SE].norms[0]
    pulls = (
        f"At the first layer the gradient of cross-entropy now has the size {shown(pull, 3)}, and "
        f"that of squared error {shown(other, 3)}."
    )
    if step == 0:
        cost, guess = now[CE].losses[CE], math.log(CLASSES)
        sure = (
            ": the softmax is sure of itself, and mostly wrong. There the gradient of squared "
            "error fades, and that of cross-entropy does not"
            if cost > 2 * guess
            else ""
        )
        return (
            f"Both networks are still the same, and see the same batch. {pulls} They pay "
            f"{shown(cost, 2)} nats, where an even guess among ten pays {shown(guess, 2)}{sure}."
        )
    both = "Same start, same batches, same rate: only the loss differs. "
    rights = (
        f"After {looked} steps cross-entropy gets {shown(100 * right[CE], 1)} % of the held-out "
        f"digits right, squared error {shown(100 * right[SE], 1)} %. "
    )
    better = (
        " On this batch the network trained under cross-entropy has the lower squared error, too."
        if now[CE].losses[SE] < now[SE].losses[SE]
        else " On this batch the network trained under squared error has the lower squared error."
    )
    return f"{both}{rights}{pulls}{better}"


def _code(settings: Settings, step: int) -> str:
    s = settings
    return (
        "import plogq\n"
        "from plogq.explorer.pages.training_runs import Settings, batches, start\n"
        f"settings = Settings(rate={python(s.rate)}, layers={s.layers}, hidden={s.hidden},\n"
        f'    batch={s.batch}, units="{s.units}", start="{s.start}", seed={s.seed})\n'
        "network = start(settings)\n"
        f"for step, (pixels, labels) in zip(range({step + 1}), batches(settings)):\n"
        "    layers = network.layers(pixels)\n"
        "    loss, slope = plogq.cross_entropy_from_logits(layers[-1], labels)\n"
        "    gradient = network.gradient(layers, slope / len(labels))\n"
        "    network = network.descend(gradient, settings.rate)\n"
        "loss.mean()"
    )


PAGE = Page(
    title="Training",
    summary="Two copies of a network learn handwritten digits, one by squared error, one by "
    "cross-entropy. Watch what the loss alone changes.",
    words="live gradient descent SGD learning rate vanishing saturation digits accuracy norm MSE "
    "initialisation network backpropagation",
    controls={
        "steps": Whole("steps", 50, 0, LAST),
        "start": Choice("first weights", "large", {"small": "small", "large": "large"}),
        "rate": Number("learning rate", 0.5, 0.05, 2.0, 0.05),
        "units": Choice("hidden units", "tanh", {"tanh": "tanh", "sigmoid": "sigmoid"}),
        "layers": Whole("hidden layers", 2, 1, 3),
        "hidden": Whole("units in a layer", 32, 4, 64),
        "batch": Whole("rows in a batch", 32, 4, 128),
        "seed": Whole("seed", 0, 0, 99),
    },
    compute=compute,
    begun=partial(compute, patience=0.1),
)
