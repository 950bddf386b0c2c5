"""Likelihood: how probable a model makes data, and why −log of it is N times a cross-entropy."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

import plogq
from plogq.explorer.controls import Choice, Number, Numbers, State, Whole, wrong
from plogq.explorer.page import Page, Result, python, readout
from plogq.explorer.shown import figure, shown, shown_exp

Floats = NDArray[np.float64]

LOW, HIGH = 20.0, 40.0  # of the data and of the mean
MEANS = np.linspace(LOW, HIGH, 201)
VALUES = np.linspace(LOW - 5, HIGH + 5, 301)
CHANCES = np.linspace(0.005, 0.995, 199)


def compute(state: State) -> Result:
    """Give the likelihood of the data under the model, and its curve over the parameter."""
    return _coin(state) if state["data"] == "coin" else _normal(state)


def _coin(state: State) -> Result:
    heads, tails, p = state["heads"], state["tails"], state["p"]
    n = heads + tails
    if n == 0:
        raise wrong("heads", "at least one flip, heads or tails", 0)
    seen = np.array([heads / n, tails / n])
    nll = n * float(plogq.cross_entropy(seen, np.array([p, 1 - p])))
    chances = np.stack([CHANCES, 1 - CHANCES], axis=1)
    curve = plogq.cross_entropy(np.broadcast_to(seen, chances.shape), chances)
    least = float(plogq.entropy(seen))
    return {
        "outcomes": [
            {"name": name, "share": figure(share), "prob": figure(prob)}
            for name, share, prob in zip(("heads", "tails"), seen, (p, 1 - p), strict=True)
        ],
        **_result(
            [p] * heads + [1 - p] * tails,
            nll,
            (least, "the least that any p can reach"),
            (
                "flip",
                "the probability of its side under the model",
                f"p = {shown(seen[0])}, the share of heads, makes these flips more probable than "
                "any other p does, and the cross-entropy there is their entropy",
            ),
        ),
        "curve": np.stack([CHANCES, curve], axis=1),
        "here": [p, nll / n],
        "best": [seen[0], least],
        "code": (
            f"import plogq\n{n} * plogq.cross_entropy({python(seen.tolist())}, [{p!r}, 1 - {p!r}])"
        ),
        "answer": nll,
    }


def _normal(state: State) -> Result:
    values, mean, sd = np.array(state["values"]), state["mean"], state["sd"]
    n, middle = len(values), float(np.mean(values))
    terms = surprisal(values, mean, sd)
    nll = float(np.sum(terms))
    least = float(np.mean(surprisal(values, middle, sd)))
    return {
        "density": np.stack([VALUES, np.exp(-surprisal(VALUES, mean, sd))], axis=1),
        "observations": [
            {"x": figure(x, 2), "density": figure(y)}
            for x, y in zip(values, np.exp(-terms), strict=True)
        ],
        **_result(
            np.exp(-terms),
            nll,
            (least, "the least that any mean can reach at this width"),
            (
                "value",
                "the density of the model there",
                f"at this width, the mean of the data, {shown(middle, 2)}, gives them a higher "
                "density than any other mean does",
            ),
        ),
        "curve": np.stack([MEANS, surprisal(values[:, None], MEANS, sd).mean(axis=0)], axis=1),
        "here": [mean, nll / n],
        "best": [middle, least],
        "code": (
            "import plogq, numpy as np\n"
            f"x, mean, sd = np.array({python(state['values'])}), {mean!r}, {sd!r}\n"
            "flat = plogq.normal_entropy(np.array([2 * np.log(sd)]))\n"
            "np.sum(flat + (((x - mean) / sd) ** 2 - 1) / 2)"
        ),
        "answer": nll,
    }


def surprisal(x: Floats, mean: Floats | float, sd: float) -> Floats:
    """−log N(x; μ, σ²), nats: the normal's entropy, in which ((x − μ)/σ)² is 1 on average."""
    flat = plogq.normal_entropy(np.array([2 * np.log(sd)]))
    out: Floats = flat + (((x - mean) / sd) ** 2 - 1) / 2
    return out


def _result(
    factors: Floats | list[float], nll: float, least: tuple[float, str], said: tuple[str, str, str]
) -> Result:
    """Give the readouts, with the product as a program would multiply it: it may come to 0."""
    n, product = len(factors), float(np.prod(factors))
    return {
        "readouts": [
            {**readout("likelihood", product, "", "gain"), "text": shown_exp(-nll)},
            readout("its factors multiplied in float64", product),
            readout("log-likelihood", 0.0 - nll, "nats"),
            readout("negative log-likelihood, N · cross-entropy", nll, "nats", "waste"),
            readout(f"cross-entropy: that divided by N = {n}", nll / n, "nats"),
            readout(least[1], least[0], "nats", "keep"),
        ],
        "notice": _notice(nll, n, least[0], product, *said),
    }


def _notice(
    nll: float, n: int, least: float, product: float, what: str, factor: str, best: str
) -> str:
    """Say what to notice; the last three are words for a datum, its factor, and the best."""
    if nll == math.inf:
        return (
            "The model calls impossible what happened. One factor is 0, so the likelihood is 0, "
            f"and nothing else in the data can make up for it. There is a best parameter: {best}."
        )
    if product == 0:
        small = f"The likelihood is not 0. But a float64 cannot hold {shown_exp(-nll)}, so"
        many = (
            f"{small} its one factor rounds to 0. Its logarithm fits: {shown(-nll, 2)}."
            if n == 1
            else f"{small} its {n} factors multiply to 0. The sum of their logarithms fits: "
            f"{shown(-nll, 2)}."
        )
    elif n == 1:
        many = f"One {what} is one factor: {factor}."
    else:
        many = f"The likelihood is a product of {n} factors, one for each {what}."
    above = nll / n - least
    if above <= 1e-9:
        return f"{many} This is the maximum: {best}."
    return f"{many} A better parameter saves {shown(above)} nats for each {what}: {best}."


PAGE = Page(
    title="Likelihood",
    summary="How probable a model makes the data. The higher the likelihood, the lower the "
    "cross-entropy.",
    words="maximum likelihood MLE NLL log-likelihood underflow normal Gaussian density coin "
    "Bernoulli fit",
    controls={
        "data": Choice("data", "normal", {"coin": "coin flips", "normal": "measured values"}),
        "heads": Whole("heads", 7, 0, 1000),
        "tails": Whole("tails", 3, 0, 1000),
        "p": Number("p, the model’s chance of heads", 0.5, 0.0, 1.0, 0.01),
        "values": Numbers("values", (32.0,), LOW, HIGH, 0.5, least=1, most=8),
        "mean": Number("mean of the model", 30.0, LOW, HIGH, 0.1),
        "sd": Number("standard deviation of the model", 2.5, 0.5, 8.0, 0.1),
    },
    compute=compute,
)
