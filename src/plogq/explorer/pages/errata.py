"""Errata: figures in circulation that are wrong, each beside the right one and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import plogq
from plogq.explorer.controls import State
from plogq.explorer.page import Page, Result, readout
from plogq.explorer.shown import figure, shown

DICE = np.array([1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1]) / 36


@dataclass(frozen=True)
class Erratum:
    """`published` is what is said of `what`; `code` gives the right figure, one expression."""

    name: str
    what: str
    published: float
    said: str  # as it is published
    right: float
    unit: str
    why: str
    code: str


def errata() -> list[Erratum]:
    """Give the list; every right figure is computed here."""
    rounded = DICE.round(2)
    clipped = float(plogq.surprisal(1e-10, unit="bit"))
    gradient = plogq.cross_entropy_from_probs(np.array([0.05, 0.95]), 0).grad[0]
    return [
        Erratum(
            "two dice",
            "The entropy of the sum of two dice",
            3.3,
            "3.3 bits",
            float(plogq.entropy(DICE, unit="bit")),
            "bits",
            "The eleven probabilities had been rounded to two decimals, and then sum to "
            f"{shown(float(rounded.sum()), 2)}. What sums to more than 1 is no distribution.",
            'plogq.entropy(\n        np.array([1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1]) / 36, unit="bit")',
        ),
        Erratum(
            "sure of tails",
            "The cross-entropy of a coin that shows heads with 0.7, to someone sure of tails",
            23.25,
            "23.25 bits",
            float(plogq.cross_entropy([0.7, 0.3], [0.0, 1.0], unit="bit")),
            "bits",
            "The probability 0 had been replaced by 10⁻¹⁰ in silence, and the figure says no more "
            f"than how small that was: 0.7 · log₂ 10¹⁰ = {shown(0.7 * clipped, 2)}."
            " What cannot happen, and does, is infinitely surprising.",
            'plogq.cross_entropy([0.7, 0.3], [0.0, 1.0], unit="bit")',
        ),
        Erratum(
            "sure of heads",
            "The same coin, to someone sure of heads",
            9.97,
            "9.97 bits",
            float(plogq.cross_entropy([0.7, 0.3], [1.0, 0.0], unit="bit")),
            "bits",
            f"The same 10⁻¹⁰: 0.3 · log₂ 10¹⁰ = {shown(0.3 * clipped, 2)}. Both are sure and "
            "wrong, and both infinitely far off; clipping makes one look better than the other.",
            'plogq.cross_entropy([0.7, 0.3], [1.0, 0.0], unit="bit")',
        ),
        Erratum(
            "loss at 0.9",
            "The loss of a prediction of 0.9 that comes true",
            0.105,
            "0.105 bits",
            float(plogq.surprisal(0.9, unit="bit")),
            "bits",
            f"The figure is in nats: −ln 0.9 = {shown(float(plogq.surprisal(0.9)))}. A bit is ln 2 "
            "nats, so the number of bits is larger.",
            'plogq.surprisal(0.9, unit="bit")',
        ),
        Erratum(
            "loss at 0.6",
            "The loss of a prediction of 0.6 that comes true",
            0.511,
            "0.511 bits",
            float(plogq.surprisal(0.6, unit="bit")),
            "bits",
            f"Nats again: −ln 0.6 = {shown(float(plogq.surprisal(0.6)))}.",
            'plogq.surprisal(0.6, unit="bit")',
        ),
        Erratum(
            "divergence",
            "The KL divergence of (0.5, 0.5) from (0.9, 0.1)",
            0.237,
            "0.237 bits",
            float(plogq.kl_divergence([0.5, 0.5], [0.9, 0.1], unit="bit")),
            "bits",
            f"One logarithm is off by 1: log₂(0.5 / 0.1) is {shown(float(np.log2(0.5 / 0.1)), 3)}, "
            "not 1.322. Half of the missing bit is missing in the sum.",
            'plogq.kl_divergence([0.5, 0.5], [0.9, 0.1], unit="bit")',
        ),
        Erratum(
            "cross-entropy",
            "The cross-entropy of the same two",
            1.237,
            "1.237 bits",
            float(plogq.cross_entropy([0.5, 0.5], [0.9, 0.1], unit="bit")),
            "bits",
            "The same slip, with the entropy of 1 bit added. For a fair coin the cross-entropy is "
            "the divergence and 1 bit, so the two agree in being wrong.",
            'plogq.cross_entropy([0.5, 0.5], [0.9, 0.1], unit="bit")',
        ),
        Erratum(
            "gradient at 0.05",
            "How steep the log loss is where the truth was given 0.05",
            19.0,
            "about 19",
            abs(float(gradient)),
            "nats per unit of probability",
            f"The derivative of −ln q is −1 / q, and 1 / 0.05 is {shown(abs(float(gradient)), 0)}.",
            "-plogq.cross_entropy_from_probs(np.array([0.05, 0.95]), 0).grad[0]",
        ),
    ]


def compute(state: State) -> Result:
    """Give what is published, what is right, and how far the one is from the other."""
    found = errata()
    expressions = "".join(f"    {erratum.code},\n" for erratum in found)
    finite = [e for e in found if np.isfinite(e.right)]
    most = max(finite, key=lambda e: abs(e.published / e.right - 1))
    return {
        "errata": [_drawn(erratum) for erratum in found],
        "readouts": [
            readout("figures put right", len(found), digits=0),
            readout("that should be infinite", len(found) - len(finite), digits=0),
        ],
        "notice": (
            "Three habits make most of them: nats are called bits, a zero is clipped in silence, "
            f"and what was rounded is used again. Of the finite ones “{most.name}” is furthest "
            f"off: {most.said} instead of {shown(most.right)}."
        ),
        "code": f"import plogq, numpy as np\n[\n{expressions}]",
        "answer": [e.right for e in found],
    }


def _drawn(erratum: Erratum) -> dict[str, Any]:
    share = erratum.published / erratum.right  # 0 of what is infinite
    return {
        "name": erratum.name,
        "what": erratum.what,
        "said": erratum.said,
        "right": figure(erratum.right),
        "unit": erratum.unit,
        "why": erratum.why,
        "code": f"import plogq, numpy as np\n{erratum.code}".replace("\n        ", "\n    "),
        "share": share,
        "percent": f"{shown(100 * share, 1)} %",
    }


PAGE = Page(
    title="Errata",
    summary="Figures about these ideas that are copied from text to text, and are wrong. Each "
    "with the right one, computed here, and with what went wrong.",
    words="wrong published mistakes corrections known errors list bits nats clipping rounding",
    controls={},
    compute=compute,
)
