"""What to do after a comparison: the one most urgent thing."""

from __future__ import annotations

import math

from plogq.compare.result import Comparison
from plogq.reports.findings.compare_groups import looks
from plogq.reports.findings.compare_phrases import (
    better_first,
    each,
    grouped,
    impossible,
    paired_what,
    same,
)
from plogq.reports.numbers import count
from plogq.tables.sums.bootstrap import FEWEST
from plogq.tables.sums.level import LEAST_REPLICATES, PERCENT

# Warnings of how the tables were read: the figures may not mean what they seem to.
READING = ("reading", "other_base", "all_certain", "repeated_bytes")
FEW = {"few_rows": "row", "few_groups": "group", "few_documents": "document"}
FAR = 100  # times as many rows are too many to wait for
ELSE = "Choose by something else, such as speed"


def advice(result: Comparison) -> str:
    """Return what to do first."""
    codes = {warning.code for warning in result.warnings}
    what, difference = paired_what(result), result.difference
    if codes & set(READING):
        return "First check the warnings about A and B: the costs may not mean what they seem to."
    if difference is None:
        return f"Look first at what had probability 0: {impossible(result)}."
    if math.isinf(difference):
        better, other = better_first(difference)
        zero = f"what {other} gave probability 0"
        return f"Keep {better}, or look first at {zero}: {impossible(result)}."
    if result.wins is not None and result.wins.tie == 1:
        return f"Check that A and B are two models: neither is better on any {what}."
    few = next((of for code, of in FEW.items() if code in codes), None)
    if few is not None:
        return f"Compare on {FEWEST} {few}s or more before you choose."
    if result.winner is not None:
        return " ".join([f"Keep {result.winner.upper()}.", *looks(result)[:1]])
    if same(result):
        return f"{ELSE}: they cost the same."
    ends = result.intervals.get("difference_finite")
    if ends is None:
        drawn = "group" if grouped(result) else what
        return (
            f"Compare with an interval before you choose: it takes several {drawn}s, and bootstrap "
            f"of {LEAST_REPLICATES} or more."
        )
    return _more(result, difference, ends)


def rows_needed(rows: int, difference: float, ends: tuple[float, float]) -> float:
    """Return how many rows make the winner clear, if the difference stays as it is.

    The interval of n rows reaches from the difference d to its end e on the other side of 0. Its
    reach shrinks with √n, so that it ends at 0 with n ((e − d) / d)² rows.

    Examples
    --------
    >>> rows_needed(1000, -0.25, (-0.75, 0.25))
    4000.0
    """
    end = ends[1] if difference < 0 else ends[0]
    times = (end - difference) / difference
    return rows * times * times


def _more(result: Comparison, difference: float, ends: tuple[float, float]) -> str:
    """Return how many rows would make the winner clear, or that the difference is too small."""
    needed = rows_needed(result.rows, difference, ends)
    if needed > FAR * result.rows:
        most = each(result, max(map(abs, ends)))
        return f"{ELSE}: the difference is {most} at most, by the {PERCENT} interval."
    groups = ", in more groups," if grouped(result) else ""
    many = count(_rounded_up(needed), paired_what(result))
    return f"Compare on about {many}{groups} to make it clear, if the difference stays as it is."


def _rounded_up(number: float) -> int:
    """Return the next whole number of two digits and zeros.

    Examples
    --------
    >>> _rounded_up(20.1), _rounded_up(8301.0)
    (21, 8400)
    """
    step: int = 10 ** max(0, len(str(math.ceil(number))) - 2)
    return math.ceil(number / step) * step
