"""Numbers as text: one rule for terminal, report, notebook and explorer.

A number has a fixed count of decimals, so that columns line up and a page does not jump; whole
digits come in groups of three. No number but 0 looks like 0, and no share but 1 like 100 %.
`web/src/parts/format.js` restates these functions, and `tests/explorer/test_numbers.py` compares.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from plogq.formulas.units import NATS_PER_UNIT, Unit, plural
from plogq.kinds import ROUNDED

DECIMALS = 4
WHOLE = 1000  # from here on a number is shown without decimals
LARGEST = 10**9  # from here on it is shown by a power of ten
HALF = 0.5 - ROUNDED  # of all: a sum of shares is rounded
UNKNOWN = "–"
SPACE = "\N{NO-BREAK SPACE}"  # between a number and its sign
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def figure(value: float | None, decimals: int = DECIMALS) -> str:
    """Return a number as text: with `decimals`, or as a whole number, or by a power of ten.

    With decimals where they show two digits or more; as a whole number from 1,000 on; else, with
    three digits, times a power of ten. Ties are rounded away from 0. What is not known is "–".

    Examples
    --------
    >>> figure(0.99994), figure(-1.4286, 2), figure(12345.6), figure(0), figure(None)
    ('0.9999', '−1.43', '12,346', '0.0000', '–')
    >>> figure(0.0000123), figure(2.5e12), figure(math.inf)
    ('1.23×10⁻⁵', '2.50×10¹²', '∞')
    """
    if value is None or math.isnan(value):
        return UNKNOWN
    if value < 0:
        return f"−{figure(-value, decimals)}"
    if math.isinf(value):
        return "∞"
    if value == 0 or min(1.0, 10.0 ** (1 - decimals)) <= value < WHOLE:
        text = _rounded(abs(value), decimals)  # −0 is 0
        return text if float(text) < WHOLE else f"{WHOLE:,}"
    return f"{int(_rounded(value, 0)):,}" if WHOLE <= value < LARGEST else _scientific(value)


def said(value: float, decimals: int = DECIMALS) -> str:
    """Return a number as a sentence says it.

    Examples
    --------
    >>> said(0.25), said(math.inf), said(-math.inf)
    ('0.2500', 'infinite', 'minus infinite')
    """
    if math.isinf(value):
        return "infinite" if value > 0 else "minus infinite"
    return figure(value, decimals)


def amount(value: float, unit: Unit) -> str:
    """Return a number of units as a sentence says it.

    Examples
    --------
    >>> amount(0.25, "nat"), amount(1.0, "bit"), amount(math.inf, "bit")
    ('0.2500 nats', '1.0000 bits', 'infinitely many bits')
    """
    number = "infinitely many" if value == math.inf else said(value)
    return f"{number} {plural(unit)}"


def percent(share: float | None) -> str:
    r"""Return a share of 1 in percent, with one decimal.

    Examples
    --------
    >>> percent(0.5), percent(1), percent(0.99999), percent(1e-9), percent(0), percent(None)
    ('50.0\xa0%', '100.0\xa0%', '>\xa099.9\xa0%', '<\xa00.1\xa0%', '0.0\xa0%', '–')
    >>> percent(-0.25), percent(-1e-9), percent(-math.inf), percent(1234.5)
    ('−25.0\xa0%', '>\xa0−0.1\xa0%', '−∞', '123,450\xa0%')
    """
    if share is None or not math.isfinite(share):
        return figure(share)
    hundred = 100 * share
    size = abs(hundred)
    if 0 < size < 0.05:
        return f"{'<' if share > 0 else '>'}{SPACE}{'' if share > 0 else '−'}0.1{SPACE}%"
    if 99.95 <= hundred < 100:
        return f">{SPACE}99.9{SPACE}%"
    text = _rounded(size, 1) if size < WHOLE else figure(size)
    return f"{'−' if hundred < 0 else ''}{text}{SPACE}%"


def together(shares: Iterable[float]) -> float:
    """Return the sum of shares of one whole; 1 where only rounding keeps it from that.

    Examples
    --------
    >>> 120 * (1 / 120), together([0.1] * 10), together([0.25, 0.5])
    (1.0, 1.0, 0.75)
    """
    total = math.fsum(shares)
    return 1.0 if abs(total - 1) < ROUNDED else total


def count(number: int, of: str = "", several: str = "") -> str:
    """Return a number of things; `several` is their plural where it is not `of` and an s.

    Examples
    --------
    >>> count(1, "row"), count(1234, "row"), count(1234), count(2, "class", "classes")
    ('1 row', '1,234 rows', '1,234', '2 classes')
    """
    text = f"{number:,}"
    name = of if number == 1 or not of else several or f"{of}s"
    return f"{text} {name}".rstrip()


def rows(number: int) -> str:
    """Return a number of rows."""
    return count(number, "row")


def span(ends: tuple[float, float], decimals: int = DECIMALS) -> str:
    """Return an interval as text.

    Examples
    --------
    >>> span((0.5, 1.25))
    '0.5000 to 1.2500'
    """
    return f"{figure(ends[0], decimals)} to {figure(ends[1], decimals)}"


def exponential(nats: float, decimals: int = DECIMALS) -> str:
    """Return e to a power as text, also where a float64 cannot hold it.

    Examples
    --------
    >>> exponential(math.log(0.25)), exponential(-2000 * math.log(2)), exponential(-math.inf)
    ('0.2500', '8.71×10⁻⁶⁰³', '0.0000')
    """
    if not 700 < abs(nats) < math.inf:
        return figure(math.exp(nats), decimals)
    power = math.floor(nats / math.log(10))
    mantissa = f"{math.exp(nats - power * math.log(10)):.2f}"
    if mantissa == "10.00":
        mantissa, power = "1.00", power + 1
    return _by_power(mantissa, power)


def perplexity_text(cost: float, unit: Unit) -> str:
    """Return the perplexity of a cost as text, also where a float64 cannot hold it.

    Examples
    --------
    >>> perplexity_text(2.0, "bit"), perplexity_text(2000.0, "bit")
    ('4.0000', '1.15×10⁶⁰²')
    """
    return exponential(cost * NATS_PER_UNIT[unit])


def _rounded(value: float, decimals: int) -> str:
    """Return a number with so many decimals; a tie is rounded away from 0, as JavaScript does."""
    return str(Decimal(float(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))


def _scientific(value: float) -> str:
    """Return three digits times a power of ten; a tie is rounded away from 0."""
    exact = Decimal(float(value))
    power = exact.adjusted()
    mantissa = exact.scaleb(-power).quantize(Decimal("0.01"), ROUND_HALF_UP)
    if mantissa == 10:
        mantissa, power = Decimal("1.00"), power + 1
    return _by_power(str(mantissa), power)


def _by_power(mantissa: str, power: int) -> str:
    return f"{mantissa}×10{str(power).translate(_RAISED)}"
