"""Numbers for a page: raw and as text; infinities and NaN, which JSON lacks, as text or null."""

from __future__ import annotations

import math
from typing import Any

from plogq.records import encoded

Figure = dict[str, Any]


def figure(value: Any, digits: int = 4) -> Figure:
    """Give a number raw and as text, whose fixed number of decimals keeps a page from jumping.

    Examples
    --------
    >>> figure(0.35667494), figure(float("inf"))
    ({'value': 0.35667494, 'text': '0.3567'}, {'value': 'inf', 'text': '∞'})
    >>> figure(0.0000123)["text"], figure(-1.4286, 2)["text"], figure(float("nan"))
    ('1.23×10⁻⁵', '−1.43', {'value': None, 'text': '–'})
    """
    x = float(value)
    return {"value": encoded(x), "text": shown(x, digits)}


def shown(x: float, digits: int = 4) -> str:
    """Write a number for a reader."""
    if math.isnan(x):
        return "–"
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    if x == 0 or min(1.0, 10.0 ** (1 - digits)) <= abs(x) < 1e5:
        text = f"{x + 0.0:.{digits}f}"  # −0 is 0
    else:
        mantissa, power = f"{x:.2e}".split("e")
        text = f"{mantissa}×10{str(int(power)).translate(_RAISED)}"
    return text.replace("-", "−", 1) if text.startswith("-") else text


def shown_exp(nats: float, digits: int = 4) -> str:
    """Write e to a power as text, even if a float64 cannot hold it.

    Examples
    --------
    >>> shown_exp(math.log(0.25)), shown_exp(-2000 * math.log(2)), shown_exp(-math.inf)
    ('0.2500', '8.71×10⁻⁶⁰³', '0.0000')
    """
    if not 700 < abs(nats) < math.inf:
        return shown(math.exp(nats), digits)
    power = math.floor(nats / math.log(10))
    mantissa = f"{math.exp(nats - power * math.log(10)):.2f}"
    if mantissa == "10.00":
        mantissa, power = "1.00", power + 1
    return f"{mantissa}×10{str(power).translate(_RAISED)}"


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
