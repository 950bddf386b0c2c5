"""The one exception of a table that cannot be scored."""

from __future__ import annotations


class TableError(ValueError):
    """One line for the user: which file, column and row, what was expected, what came."""
