"""Names inside sentences."""

from __future__ import annotations

import re

from plogq.errors import printable
from plogq.reports.numbers import SPACE

LONGEST_NAME = 40
ISOLATES = "\u2068\u2069"


def file_name(path: str) -> str:
    r"""Return the last part of a path or an address, after the last / or \."""
    return re.split(r"[\\/]", path.rstrip("\\/"))[-1] or path


def short(value: str, longest: int = LONGEST_NAME) -> str:
    """Return a name from the table as one short line, its control characters as escapes."""
    text = printable(value)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def name(value: str) -> str:
    """Return a name from the table in quotes; it may be written from right to left.

    The two marks around it (U+2068, U+2069) keep its direction from the sentence.
    """
    return f"“{ISOLATES[0]}{short(value)}{ISOLATES[1]}”"


def sentence(text: str) -> str:
    """Return words as a sentence, with a capital and a full stop.

    Examples
    --------
    >>> sentence("fewer than 10 rows")
    'Fewer than 10 rows.'
    """
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


def plain(text: str) -> str:
    """Return a sentence as plain text: without a page's marks, control characters escaped."""
    return printable(text.translate(dict.fromkeys(map(ord, ISOLATES))).replace(SPACE, " "))
