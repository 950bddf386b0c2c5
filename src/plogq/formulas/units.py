"""Units of information: nats inside, bits or hartleys at the surface."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

from plogq.errors import refuse

Unit = Literal["nat", "bit", "hartley"]
"""The names of the units: of base e, 2 and 10."""
UNITS: tuple[Unit, ...] = get_args(Unit)
NATS_PER_UNIT: dict[Unit, float] = {"nat": 1.0, "bit": math.log(2), "hartley": math.log(10)}
"""How many nats each unit has: 1, ln 2, ln 10."""


def check_unit(unit: str) -> None:
    """Refuse a string that is no unit of information."""
    if unit not in UNITS:
        refuse("unit", "be " + one_of_units('"{}"'), repr(unit))


def one_of_units(each: str = "{}") -> str:
    """Give the names of the units as one text, each written in this format.

    Examples
    --------
    >>> one_of_units()
    'nat, bit or hartley'
    """
    *most, last = map(each.format, UNITS)
    return f"{', '.join(most)} or {last}"


def plural(unit: Unit) -> str:
    """Return what several of a unit are called.

    Examples
    --------
    >>> plural("bit")
    'bits'
    """
    return f"{unit}s"


def from_nats(value: Any, unit: Unit) -> Any:
    """Convert nats: 1 bit = ln 2 nats, 1 hartley (ban, dit) = ln 10 nats.

    Raises
    ------
    ValueError
        If `unit` is none of `UNITS`.

    Examples
    --------
    >>> from_nats(math.log(8), "bit")
    3.0

    References
    ----------
    IEC 80000-13:2008, entries 13-24 to 13-27.
    """
    check_unit(unit)
    return value if unit == "nat" else value / NATS_PER_UNIT[unit]
