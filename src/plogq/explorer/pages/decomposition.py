"""Decomposition: a cross-entropy is an entropy and a divergence, outcome by outcome."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

import plogq
from plogq.explorer.controls import UNIT, Names, Shares, State, same_length
from plogq.explorer.page import Page, Result, python, readout
from plogq.explorer.shown import figure, shown
from plogq.formulas.units import plural


def compute(state: State) -> Result:
    """Give H(p), KL and H(p, q), their terms by outcome, and KL the other way round."""
    same_length(state, "p", "q")
    p, q, unit = np.array(state["p"]), np.array(state["q"]), state["unit"]
    names = state["names"]
    parts = plogq.decompose(p, q, unit=unit)
    back = plogq.kl_divergence(q, p, unit=unit)
    surprise = plogq.surprisal(q, unit=unit)
    rows = [
        {
            "name": names[j],
            "p": figure(p[j], 3),
            "q": figure(q[j], 3),
            "surprisal": figure(surprise[j]),
            "entropy": figure(parts.entropy_terms[j]),
            "kl": figure(parts.kl_terms[j]),
            "cross_entropy": figure(parts.cross_entropy_terms[j]),
        }
        for j in range(len(p))
    ]
    units = plural(unit)
    return {
        "entropy": figure(parts.entropy),
        "kl": figure(parts.kl_divergence),
        "cross_entropy": figure(parts.cross_entropy),
        "unit": units,
        "rows": rows,
        "readouts": [
            readout("H(p), what p itself costs", parts.entropy, units, "keep"),
            readout("KL(p ‖ q), what believing q adds", parts.kl_divergence, units, "waste"),
            readout("H(p, q), the two together", parts.cross_entropy, units, "ink"),
            readout("KL(q ‖ p), the other direction", back, units),
        ],
        "notice": _notice(p, q, float(parts.kl_divergence), float(back), names),
        "code": (
            "import plogq\n"
            f"plogq.decompose({python(state['p'])},\n                {python(state['q'])},"
            f' unit="{unit}").cross_entropy'
        ),
        "answer": parts.cross_entropy,
    }


def _notice(
    p: NDArray[np.float64],
    q: NDArray[np.float64],
    forward: float,
    back: float,
    names: tuple[str, ...],
) -> str:
    if np.allclose(p, q, rtol=1e-9, atol=0):  # bars in proportion, divided by their sums
        return "The model is the truth: nothing is wasted, and what is left is the entropy of p."
    cheap = [names[j] for j in np.flatnonzero((p > 0) & (q > p))]
    below = (
        f" Where q exceeds p (outcome{'s' if len(cheap) > 1 else ''} {', '.join(cheap)}) the term "
        "of KL is negative; the sum never is."
        if cheap
        else ""
    )
    if np.isinf(forward):
        hit = names[np.flatnonzero((p > 0) & (q == 0))[0]]
        return f"q calls outcome {hit} impossible, and it happens: the price is infinite.{below}"
    ways = (
        f"The divergence is {shown(forward)} both ways here, but in general it is not symmetric."
        if math.isclose(forward, back, rel_tol=1e-9)
        else f"The divergence is not symmetric: {shown(forward)} one way, {shown(back)} the other."
    )
    return (
        f"{ways}{below} No model q costs less than H(p): training can change only the divergence."
    )


PAGE = Page(
    title="Entropy plus divergence",
    summary="A cross-entropy is the cost of the truth itself, plus what it costs to believe "
    "another distribution.",
    words="KL Kullback-Leibler relative entropy decomposition stacked bars per outcome Gibbs",
    controls={
        "p": Shares("truth p", (0.6, 0.3, 0.1), least=2, most=6, named="names", along=("q",)),
        "q": Shares("model q", (0.33, 0.33, 0.34), least=2, most=6, named="names", along=("p",)),
        "unit": UNIT,
        "names": Names("names of the outcomes", within="p"),
    },
    compute=compute,
)
