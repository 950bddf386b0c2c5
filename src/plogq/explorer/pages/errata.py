"""Errata: what is wrong in print, each beside what is right, and why."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np

from plogq.explorer.controls import State
from plogq.explorer.page import Page, Result, readout
from plogq.explorer.pages.errata_list import HABITS, Erratum, errata
from plogq.explorer.shown import shown


def compute(state: State) -> Result:
    """Give the errata by habit; the page's number is the figure that is furthest off."""
    found = errata()
    figures = [erratum for erratum in found if erratum.share is not None]
    finite = [erratum for erratum in figures if np.isfinite(erratum.values).all()]
    most = max(finite, key=lambda erratum: abs((erratum.share or 0) - 1))
    return {
        "habits": [
            {"title": HABITS[habit], "errata": [_drawn(erratum) for erratum in group]}
            for habit, group in groupby(found, key=lambda erratum: erratum.habit)
        ],
        "readouts": [
            readout("figures put right", len(figures), digits=0),
            readout("of them infinite", len(figures) - len(finite), digits=0),
            readout("sentences put right", len(found) - len(figures), digits=0),
        ],
        "notice": (
            "Most of the wrong figures come from four habits: nats are called bits, a zero is "
            "replaced or left out, a rounded number is used again, or a slip is copied. Of the "
            f"finite ones “{most.name}” is furthest off: {most.said} instead of {most.right}."
        ),
        "code": most.code,
        "answer": most.values[0],
    }


def _drawn(erratum: Erratum) -> dict[str, Any]:
    share = erratum.share
    return {
        "name": erratum.name,
        "what": erratum.what,
        "said": erratum.said,
        "right": erratum.right,
        "why": erratum.why,
        "code": erratum.code,
        "share": share,
        "percent": "" if share is None else f"{shown(100 * share, 1)} %",
    }


PAGE = Page(
    title="Errata",
    summary="Wrong figures and wrong sentences that are copied from text to text. Each stands "
    "beside the right one, with the reason and the line of Python that shows it.",
    words="wrong published mistakes corrections known errors list bits nats clipping rounding",
    controls={},
    compute=compute,
)
