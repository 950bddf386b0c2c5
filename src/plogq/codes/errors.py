"""The one exception of data that cannot be decoded."""

from __future__ import annotations


class CodeError(ValueError):
    """Data that is no code, is damaged, or is the code of something else: which, in one line."""
