"""Surprisal and entropy: how much an outcome surprises, and how much is to be expected."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

import plogq
from plogq.explorer.controls import UNIT, Choice, Names, Shares, State
from plogq.explorer.page import Page, Result, python, readout
from plogq.explorer.shown import figure, shown
from plogq.formulas.units import plural

COIN = ("heads", "tails")
WAYS = (1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1)  # to throw 2 to 12 with two dice
SOURCES: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {
    "dice": (tuple(map(str, range(2, 13))), tuple(w / 36 for w in WAYS)),
    "fair": (COIN, (0.5, 0.5)),
    "biased": (COIN, (0.9, 0.1)),
    "certain": (COIN, (1.0, 0.0)),
}  # fmt: skip


def compute(state: State) -> Result:
    """Give the surprisal of each outcome, and their average: the entropy."""
    names, probs = SOURCES.get(state["source"], (state["names"], state["own"]))
    p, unit = np.array(probs), state["unit"]
    surprise = plogq.surprisal(p, unit=unit)
    entropy = float(plogq.entropy(p, unit=unit))
    parts = plogq.decompose(p, p, unit=unit).entropy_terms
    outcomes = [
        {
            "name": name,
            "prob": figure(p[j]),
            "surprisal": figure(surprise[j]),
            "short": shown(float(surprise[j]), 2),
            "term": figure(parts[j]),
        }
        for j, name in enumerate(names[: len(p)])
    ]
    units = plural(unit)
    most = plogq.surprisal(1 / len(p), unit=unit)
    return {
        "unit": units,
        "outcomes": outcomes,
        "entropy": figure(entropy),
        "readouts": [
            readout("entropy", entropy, units, "keep"),
            readout("perplexity, in equally likely outcomes", plogq.perplexity(p)),
            readout(f"largest entropy of {len(p)} outcomes", most, units),
        ],
        "notice": _notice(names, p, surprise, parts, units),
        "code": _code(state),
        "answer": entropy,
    }


def _code(state: State) -> str:
    if state["source"] == "dice":
        return (
            "import plogq, numpy as np\n"
            "ways = np.array([1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1])\n"
            f'plogq.entropy(ways / 36, unit="{state["unit"]}")'
        )
    _, probs = SOURCES.get(state["source"], ((), state["own"]))
    return f'import plogq\nplogq.entropy({python(probs)},\n              unit="{state["unit"]}")'


def _notice(
    names: tuple[str, ...],
    p: NDArray[np.float64],
    surprise: NDArray[np.float64],
    parts: NDArray[np.float64],
    units: str,
) -> str:
    never = (
        " An outcome of probability 0 would surprise without limit, but it never comes, so it adds "
        "nothing."
        if (p == 0).any()
        else ""
    )
    some = p > 0
    if some.sum() == 1:
        return f"Only one outcome can come. It is no surprise, and the entropy is 0.{never}"
    least, most = p[some].min(), p[some].max()
    if math.isclose(least, most, rel_tol=1e-9):
        return (
            f"The {some.sum()} outcomes that can come are equally likely. Each surprises as much "
            f"as the others, and the average is the same number. No other distribution over "
            f"{some.sum()} outcomes has more entropy.{never}"
        )
    rare = some & np.isclose(p, least, rtol=1e-9, atol=0)
    which = " and ".join(name for name, here in zip(names, rare, strict=False) if here)
    is_, it, each = ("are", "they add", " each") if rare.sum() > 1 else ("is", "it adds", "")
    adds, top = float(parts[rare][0]), int(np.argmax(parts))
    weighed = (
        f"less than outcome {names[top]}, which adds {shown(parts[top])}"
        if adds < parts[top] * (1 - 1e-9)
        else "and no other outcome adds more"
    )
    return (
        f"The rarest and most surprising {is_} {which}: {shown(surprise[rare][0])} {units}{each}. "
        f"But a surprise counts only as often as it comes. Weighted by the probability, {it} "
        f"{shown(adds)}{each} to the average, {weighed}.{never}"
    )


PAGE = Page(
    title="Surprisal and entropy",
    summary="The less likely an outcome is, the more it surprises. Entropy is the average "
    "surprise.",
    words="self-information Shannon information content bits nats uncertainty perplexity dice coin",
    controls={
        "source": Choice(
            "what is thrown",
            "dice",
            {
                "dice": "the sum of two dice",
                "fair": "a fair coin",
                "biased": "a coin with 0.9 heads",
                "certain": "a coin with two heads",
                "own": "your own",
            },
        ),
        "own": Shares("your own", (0.5, 0.25, 0.125, 0.125), least=2, most=8, named="names"),
        "names": Names("names of your own", within="own"),
        "unit": UNIT,
    },
    compute=compute,
)
