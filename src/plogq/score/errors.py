"""The one exception of a table that cannot be scored."""

from __future__ import annotations


class TableError(ValueError):
    """One line for the user: which file, column and row, what was expected, what came.

    Rows count from 0.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


def printable(text: str) -> str:
    """Show control characters as escapes: a name must not steer the terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
