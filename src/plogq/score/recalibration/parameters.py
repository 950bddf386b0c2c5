"""Whether parameters are those of a family, before they are applied to anybody's predictions."""

from __future__ import annotations

from typing import Any

import numpy as np

from plogq.errors import refuse
from plogq.formulas.recalibration_core import read_recalibration
from plogq.score.recalibration.cross_fit import BY_NAME, check_family

SURE = 0.99  # of the class that is probable in a row which the parameters are tried on
ROUNDING = 1e-9


def check_parameters(family: str, parameters: dict[str, Any], classes: int) -> None:
    """Refuse a family that there is not, or parameters that give no probabilities."""
    check_family(family)
    try:
        fit = _fits(family, parameters, classes)
    except (TypeError, ValueError, KeyError, IndexError, OverflowError):
        fit = False
    if not fit:
        expected = f"be those of {family} over {classes} classes, as docs/recalibration.md has them"
        refuse("parameters", expected, few_of(parameters))


def few_of(parameters: dict[str, Any]) -> str:
    """Return the beginning of the parameters as text."""
    text = repr(parameters)
    return text if len(text) <= 60 else text[:59] + "…"


def _fits(family: str, parameters: dict[str, Any], classes: int) -> bool:
    """Return whether the parameters have the right lengths, and make rows probabilities."""
    of = read_recalibration({"family": family, "parameters": parameters})[-1]
    if of not in (None, classes):
        return False
    if not all(_is_staircase(curve) for curve in parameters.get("curves", [])):
        return False
    sure = np.full((classes, classes), (1 - SURE) / max(1, classes - 1))
    np.fill_diagonal(sure, SURE if classes > 1 else 1.0)
    q = BY_NAME[family].probabilities(np.log(sure), **parameters)
    return (
        q.shape == sure.shape
        and bool((q >= 0).all())
        and bool((np.abs(q.sum(axis=1) - 1) <= ROUNDING).all())
    )


def _is_staircase(curve: dict[str, Any]) -> bool:
    """Return whether every score has a step: the first begins at −inf, and they rise."""
    begins, values = np.array(curve["from"], float), np.array(curve["value"], float)
    return (
        begins[0] == -np.inf
        and bool((np.diff(begins) > 0).all())
        and bool(((values > 0) & (values < 1)).all())
    )
