"""How bad input is refused, everywhere: what was expected, what came, and where first."""

from __future__ import annotations

import math
from typing import Any, NoReturn

import numpy as np


class TableError(ValueError):
    """One line for the user: which file, column and row, what was expected, what came.

    Rows count from 0.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


def refuse(
    name: str,
    expected: str,
    came: object,
    *,
    row: int | tuple[int, ...] | None = None,
    error: type[Exception] = ValueError,
) -> NoReturn:
    """Raise `error` saying that argument `name` must be `expected`, but `came`.

    Examples
    --------
    >>> refuse("target", "be a class index in [0, 10)", 12, row=3)
    Traceback (most recent call last):
        ...
    ValueError: target must be a class index in [0, 10); got 12 (first at row 3)
    """
    where = "" if row in (None, ()) else f" (first at row {row})"
    raise error(f"{name} must {expected}; got {came}{where}")


def printable(text: str) -> str:
    """Return the text with control characters as escapes: a name must not steer the terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def check_number(name: str, value: Any) -> None:
    """Refuse all but numbers; a tensor would look as if it could be learned."""
    if not isinstance(value, (int, float, np.integer, np.floating)):
        refuse(name, "be a number", type(value).__name__, error=TypeError)


def check_share(name: str, value: Any) -> None:
    """Refuse all but numbers in [0, 1]."""
    check_number(name, value)
    if not 0 <= value <= 1:
        refuse(name, "be in [0, 1]", value)


def check_exponent(name: str, value: Any) -> None:
    """Refuse all but finite numbers of 0 or more."""
    check_number(name, value)
    if not 0 <= value < math.inf:
        refuse(name, "be at least 0 and finite", value)


def check_count(name: str, count: object, least: int = 0) -> None:
    """Refuse all but whole numbers from `least` to 2⁶⁴ − 1."""
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)):
        refuse(name, "be an integer", repr(count), error=TypeError)
    if not least <= count < 2**64:
        refuse(name, f"be at least {least}" if count < least else "be below 2**64", count)
