"""Numbers and names inside sentences."""

from __future__ import annotations

import math
import re
from typing import Any

LONGEST_NAME = 40
REFINEMENT = "what the best recalibration that was tried leaves, on held-out rows"


def number(value: Any) -> float | None:
    """Read a number of a document: "inf" as infinity."""
    return None if value is None else float(value)


def finite(value: Any) -> float | None:
    """Read a number of a document; None unless it is finite."""
    read = number(value)
    return read if read is not None and math.isfinite(read) else None


def figure(value: float) -> str:
    """Write a number with three significant digits, in groups of three.

    Examples
    --------
    >>> figure(0.17841), figure(12345.6), figure(float("inf")), figure(-0.5)
    ('0.178', '12,346', 'infinite', '−0.5')
    """
    if math.isinf(value):
        return "infinite" if value > 0 else "−infinite"
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return text.replace("-", "−", 1) if text.startswith("-") else text


def amount(value: float, unit: str) -> str:
    """Write a number of units.

    Examples
    --------
    >>> amount(0.9999, "bit"), amount(0.25, "nat")
    ('1 bit', '0.25 nats')
    """
    text = figure(value)
    return f"{text} {unit}" if text == "1" else f"{text} {unit}s"


def percent(share: float) -> str:
    r"""Write a share of 1, its sign on the same line as its digits.

    Examples
    --------
    >>> percent(0.9463), percent(0.5), percent(0.00012), percent(0), percent(1)
    ('94.6\xa0%', '50\xa0%', '0.012\xa0%', '0\xa0%', '100\xa0%')
    """
    value = 100 * share
    digits = f"{value:.2g}" if abs(value) < 1 else f"{value:.1f}".removesuffix(".0")
    return f"{digits}\N{NO-BREAK SPACE}%"


def rows(count: int) -> str:
    """Write a number of rows."""
    return "1 row" if count == 1 else f"{count:,} rows"


def file_name(path: str) -> str:
    """Give a path's or an address's last part, whichever way its slashes lean."""
    return re.split(r"[\\/]", path.rstrip("\\/"))[-1] or path


def name(value: str) -> str:
    """Quote a name from the table, which may be long, or be written from right to left.

    The two marks around it (U+2068, U+2069) keep its direction from the sentence.
    """
    short = value if len(value) <= LONGEST_NAME else value[: LONGEST_NAME - 1] + "…"
    return f"“\u2068{short}\u2069”"
