"""Numbers on their way to a page: raw and as text, with JSON for what has no digits."""

from __future__ import annotations

from typing import Any

from plogq.records import encoded
from plogq.reports.numbers import exponential as shown_exp
from plogq.reports.numbers import figure as shown

__all__ = ["Figure", "figure", "shown", "shown_exp"]

Figure = dict[str, Any]


def figure(value: Any, digits: int = 4) -> Figure:
    """Return a number raw and as text, whose fixed number of decimals keeps a page from jumping.

    Examples
    --------
    >>> figure(0.35667494), figure(float("inf"))
    ({'value': 0.35667494, 'text': '0.3567'}, {'value': 'inf', 'text': '∞'})
    >>> figure(0.0000123)["text"], figure(-1.4286, 2)["text"], figure(float("nan"))
    ('1.23×10⁻⁵', '−1.43', {'value': None, 'text': '–'})
    """
    x = float(value)
    return {"value": encoded(x), "text": shown(x, digits)}
