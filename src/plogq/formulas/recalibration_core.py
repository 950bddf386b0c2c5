"""Recalibrated log-probabilities of logits: the five families of `docs/recalibration.md`.

The parameters are plain data, as `plogq recalibrate` writes them, so that a model in any framework
can be recalibrated without what has fitted them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from plogq.errors import refuse
from plogq.formulas.arrays import Array
from plogq.formulas.softmax_state import softmax_parts

LOG_ODDS = "log_odds"
PARAMETERS = {
    "identity": (),
    "temperature": ("temperature",),
    "temperature+base": ("temperature", "epsilon", "base"),
    "vector": ("scale", "bias"),
    "isotonic": ("of", "curves"),
}
BY_CLASS = ("base", "scale", "bias")


def read_recalibration(calibration: Any) -> tuple[str, dict[str, Any], int | None]:
    """Return the family, its parameters as numbers and lists of them, and C where they tell it.

    A staircase k becomes two lists: `from_k`, where each of its steps but the first begins, and
    `value_k`.

    Parameters
    ----------
    calibration
        A mapping with "family" and "parameters", such as the JSON of a recalibration; or an object
        with these two attributes.
    """
    try:
        family, given = (
            (calibration["family"], calibration["parameters"])
            if isinstance(calibration, Mapping)
            else (calibration.family, calibration.parameters)
        )
    except (KeyError, AttributeError):
        expected = 'have "family" and "parameters", as the JSON of plogq recalibrate has'
        refuse("parameters", expected, type(calibration).__name__)
    if family not in PARAMETERS:
        refuse("family", f"be one of {', '.join(PARAMETERS)}", repr(family))
    if {*given} != {*PARAMETERS[family]}:
        refuse("parameters", f"be those of {family}, {PARAMETERS[family]}", sorted(given))
    if not given.get("temperature", 1.0) > 0:
        refuse("temperature", "be above 0", given["temperature"])
    lengths = {len(given[name]) for name in BY_CLASS if name in given}
    if len(lengths) > 1:
        refuse("parameters", f"have one length of {' and '.join(BY_CLASS)}", sorted(lengths))
    if family != "isotonic":
        return family, dict(given), min(lengths, default=None)
    found: dict[str, Any] = {}
    for k, curve in enumerate(given["curves"]):
        begins, values = [float(begin) for begin in curve["from"]], [*curve["value"]]
        if not (len(begins) == len(values) > 0 and begins == sorted(begins)):
            expected = "have a value for each step, and steps that rise"
            refuse(f"curves[{k}]", expected, f"{len(begins)} steps and {len(values)} values")
        found[f"from_{k}"], found[f"value_{k}"] = begins[1:], values
    return family, found, 2 if given["of"] == LOG_ODDS else len(given["curves"])


def recalibrated(xp: ModuleType, x: Array, family: str, parameters: dict[str, Array]) -> Array:
    """Return the recalibrated log-probabilities of logits, (…, C); they are logits, too.

    `parameters` are those that `read_recalibration` returns, as arrays in the dtype of x.
    """
    if family in ("temperature", "temperature+base"):
        log_q = -softmax_parts(xp, x, parameters["temperature"]).surprisals(xp)
        if family == "temperature":
            return log_q
        log_q = log_q + xp.log1p(-parameters["epsilon"])
        return _log_sum(xp, log_q, xp.log(parameters["epsilon"] * parameters["base"]))
    log_q = -softmax_parts(xp, x).surprisals(xp)
    if family == "vector":
        masked = log_q == -xp.inf
        scaled = xp.where(masked, 0.0, log_q) * parameters["scale"] + parameters["bias"]
        scaled = xp.where(masked, -xp.inf, scaled)
        return -softmax_parts(xp, scaled).surprisals(xp)
    if family == "isotonic":
        return _staircases(xp, log_q, parameters)
    return log_q


def _log_sum(xp: ModuleType, a: Array, b: Array) -> Array:
    """Return log(exp a + exp b), of b above −inf."""
    higher = a > b
    rest = xp.log1p(xp.exp(-xp.abs(a - b)))
    return xp.where(higher, a, b) + rest


def _staircases(xp: ModuleType, log_q: Array, parameters: dict[str, Array]) -> Array:
    """Return log (g_j(z_j) / Σ_k g_k(z_k)); of two classes with one curve, it is of z_1 − z_0."""
    curves = len(parameters) // 2
    # The sum is a copy: torch's searchsorted wants rows that are not strided.
    z = [log_q[..., k] + 0.0 for k in range(log_q.shape[-1])]
    scores = [z[1] - z[0]] if curves == 1 else z
    steps = [
        xp.take(
            parameters[f"value_{k}"], xp.searchsorted(parameters[f"from_{k}"], score, side="right")
        )
        for k, score in enumerate(scores)
    ]
    g = xp.stack([1 - steps[0], steps[0]] if curves == 1 else steps, -1)
    # A row of NaN is above every step: it must not look like a row that is known.
    return xp.where(log_q == log_q, xp.log(g / xp.sum(g, axis=-1, keepdims=True)), log_q)
