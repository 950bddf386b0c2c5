"""Estimators: maximum likelihood as the sample grows, beside another way and the least error."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

import plogq
from plogq.explorer.controls import Choice, Number, State, Whole
from plogq.explorer.page import Page, Result, python, readout
from plogq.explorer.shown import figure, shown

Floats = NDArray[np.float64]

SAMPLES, MOST = 1000, 200  # so many samples, of so many observations each
SIZES = (1, 2, 5, 10, 20, 50, 100, MOST)
GROWING = np.unique(np.geomspace(1, MOST, 60).round().astype(int))


@dataclass(frozen=True)
class Case:
    """A parameter to estimate, by maximum likelihood and by another estimator.

    `control` has its true value, which is 0 where there is none. `sample` makes observations of
    random numbers and that value; both estimators take (samples, n) of them and give an estimate
    for each sample. `spread` is 1 / √I of the true value, with the Fisher information I of one
    observation: the bound for n of them is spread / √n. `functions` are of the parameter.
    """

    parameter: str
    control: str | None
    names: tuple[str, str]
    sample: Callable[[Floats, float], Floats]
    likely: Callable[[Floats], Floats]
    other: Callable[[Floats], Floats]
    spread: Callable[[float], float]
    functions: dict[str, Callable[[Floats], Floats]]
    code: str  # gives e, the errors of both


def _itself(values: Floats) -> Floats:
    return values


def _above(mean: Floats) -> Floats:
    return np.array([math.erfc((1 - m) / math.sqrt(2)) / 2 for m in mean])


def _log_odds(p: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        out: Floats = np.log(p) - np.log1p(-p)
    return out


CASES = {
    "mean": Case(
        parameter="mean",
        control=None,
        names=("the mean of the sample", "the median"),
        sample=lambda z, true: z,
        likely=lambda x: x.mean(axis=1),
        other=lambda x: np.median(x, axis=1),
        spread=lambda true: 1.0,
        functions={"mean": _itself, "its square": np.square, "chance of a value above 1": _above},
        code="x = rng.normal(size=({samples}, {most}))[:, :{n}]\n"
        "e = x.mean(axis=1), np.median(x, axis=1)\n",
    ),
    "sd": Case(
        parameter="standard deviation",
        control="sd",
        names=("the root of the mean square", "the mean absolute value, times √(π/2)"),
        sample=lambda z, true: true * z,
        likely=lambda x: np.sqrt(np.mean(x**2, axis=1)),
        other=lambda x: np.sqrt(np.pi / 2) * np.mean(np.abs(x), axis=1),
        spread=lambda true: true / math.sqrt(2),
        functions={
            "standard deviation": _itself,
            "variance": np.square,
            "entropy, nats": lambda sd: plogq.normal_entropy(2 * np.log(sd)[:, None]),
        },
        code="x = {true} * rng.normal(size=({samples}, {most}))[:, :{n}]\n"
        "e = (np.sqrt(np.mean(x**2, axis=1)) - {true},\n"
        "     np.sqrt(np.pi / 2) * np.mean(np.abs(x), axis=1) - {true})\n",
    ),
    "coin": Case(
        parameter="chance of heads",
        control="p",
        names=("the share of heads", "Laplace’s rule, (heads + 1) / (n + 2)"),
        sample=lambda u, true: (u < true).astype(np.float64),
        likely=lambda x: x.mean(axis=1),
        other=lambda x: (x.sum(axis=1) + 1) / (x.shape[1] + 2),
        spread=lambda true: math.sqrt(true * (1 - true)),
        functions={
            "chance of heads": _itself,
            "log-odds": _log_odds,
            "entropy, nats": lambda p: plogq.entropy(np.stack([p, 1 - p], axis=1)),
        },
        code="x = rng.random(({samples}, {most}))[:, :{n}] < {true}\n"
        "e = x.mean(axis=1) - {true}, (x.sum(axis=1) + 1) / ({n} + 2) - {true}\n",
    ),
}


@lru_cache(maxsize=8)
def samples(name: str, true: float, seed: int) -> Floats:
    """Return (SAMPLES, MOST) observations."""
    return CASES[name].sample(_drawn(name == "coin", seed), true)


@lru_cache(maxsize=4)  # they stay while the reader moves the truth
def _drawn(uniform: bool, seed: int) -> Floats:
    rng, size = np.random.default_rng(seed), (SAMPLES, MOST)
    return rng.random(size) if uniform else rng.normal(size=size)


@lru_cache(maxsize=64)  # they stay while the reader moves n
def curves(name: str, true: float, seed: int) -> Result:
    """Return each estimator's errors over n, and its estimates of one sample that grows."""
    x, estimators = samples(name, true, seed), (CASES[name].likely, CASES[name].other)
    return {
        "errors": [[[n, error(of(x[:, :n]), true)] for n in SIZES] for of in estimators],
        "growing": [[[int(n), float(of(x[:1, :n])[0])] for n in GROWING] for of in estimators],
    }


def error(estimates: Floats, true: float) -> float:
    """Return the root mean square error."""
    return float(np.sqrt(np.mean((estimates - true) ** 2)))


def compute(state: State) -> Result:
    """Give both estimators' errors over the size of the sample, and one sample that grows."""
    name, n, seed = state["case"], state["n"], state["seed"]
    case = CASES[name]
    true = state[case.control] if case.control else 0.0
    x, spread = samples(name, true, seed)[:, :n], case.spread(true)
    likely, other = case.likely(x), case.other(x)
    here, bound = [error(likely, true), error(other, true)], spread / math.sqrt(n)
    first, second = case.names
    return {
        "parameter": case.parameter,
        "names": case.names,
        "n": n,
        "samples": SAMPLES,
        "true": true,
        "spread": spread,
        **curves(name, true, seed),
        "bound": [[k, spread / math.sqrt(k)] for k in SIZES],
        "here": here,
        "corridor": [
            [[int(k), true + side * 2 * spread / math.sqrt(k)] for k in GROWING] for side in (-1, 1)
        ],
        "functions": [
            {
                "name": function,
                "true": figure(of(np.array([true]))[0]),
                "estimate": figure(of(likely[:1])[0]),
                "average": figure(_average(of(likely))),
            }
            for function, of in case.functions.items()
        ],
        "readouts": [
            readout(f"maximum likelihood, {first}", likely[0], "", "gain"),
            readout(second, other[0], "", "waste"),
            readout("the truth", true),
            readout(
                f"error of the first, root mean square of {SAMPLES:,} samples", here[0], "", "gain"
            ),
            readout("error of the second", here[1], "", "waste"),
            readout("Cramér–Rao bound, the least of an unbiased estimator", bound, "", "keep"),
            readout("efficiency of the second, (bound / error)²", (bound / here[1]) ** 2),
        ],
        "notice": _notice(name, n, true, here, bound),
        "code": _code(case, n, true, seed),
        "answer": here,
    }


def _average(values: Floats) -> float:
    """Return the mean, NaN where both infinities are among the values."""
    with np.errstate(invalid="ignore"):
        return float(np.mean(values))


def _code(case: Case, n: int, true: float, seed: int) -> str:
    errors = case.code.format(samples=SAMPLES, most=MOST, n=n, true=python(true))
    return (
        "import numpy as np\n"
        f"rng = np.random.default_rng({seed})\n"
        f"{errors}"
        "[np.sqrt(np.mean(error**2)) for error in e]"
    )


def _notice(name: str, n: int, true: float, here: list[float], bound: float) -> str:
    good = 100 / math.sqrt(SAMPLES / 2)  # two standard deviations of a root mean square, in percent
    said = (
        f"At n = {n} maximum likelihood errs by {shown(here[0])} and the other estimator by "
        f"{shown(here[1])} (good to some {good:.0f} %). The bound is {shown(bound)}."
    )
    if name == "coin":
        return f"{said} {_laplace(n, true)}"
    limit = {"mean": "2/π = 0.6366", "sd": "1/(π − 2) = 0.8760"}[name]
    if name == "sd" and n <= 10:
        said += (
            " From few values maximum likelihood is somewhat below the bound, since it is not "
            "unbiased: on average it is too low."
        )
    return (
        f"{said} For large n maximum likelihood is at the bound, and the efficiency of the other "
        f"tends to {limit}: with that share of the data maximum likelihood would do as well."
    )


def _laplace(n: int, p: float) -> str:
    """Say what Laplace's rule does to the error, by the exact one."""
    exact = math.sqrt(n * p * (1 - p) + (1 - 2 * p) ** 2) / (n + 2)
    ratio = exact / math.sqrt(p * (1 - p) / n)
    rule = "Laplace’s rule adds one flip of each side, and so is drawn towards one half."
    if ratio < 0.98:
        return f"{rule} It is not unbiased, and here that helps: the bound does not hold for it."
    if ratio > 1.02:
        return f"{rule} The truth is far from there, and here that hurts."
    return f"{rule} Here that hardly matters."


PAGE = Page(
    title="What maximum likelihood promises",
    summary="It finds the truth in the end, and with much data no unbiased estimator is closer. "
    "How the parameter is written does not matter.",
    words="MLE consistency efficiency invariance Cramér Rao Fisher information bias median "
    "estimator asymptotic Laplace rule of succession sample size",
    controls={
        "case": Choice(
            "what is estimated",
            "mean",
            {
                "mean": "mean of a normal",
                "sd": "standard deviation of a normal",
                "coin": "chance of heads",
            },
        ),
        "n": Whole("n, observations in a sample", 25, 1, MOST),
        "sd": Number("true standard deviation", 2.0, 0.5, 4.0, 0.1),
        "p": Number("true chance of heads", 0.3, 0.02, 0.98, 0.01),
        "seed": Whole("seed", 0, 0, 99),
    },
    compute=compute,
)
