"""The one voice in which bad input is refused: what was expected, what came, and where first."""

from __future__ import annotations

from typing import NoReturn


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
