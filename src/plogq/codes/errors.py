"""The one exception of data that cannot be decoded."""

from __future__ import annotations


class CodeError(ValueError):
    """Data is no code, damaged, or the code of something else; the message is one line."""
