"""What holds for the words of every report."""

import re
from dataclasses import astuple

from plogq.reports.findings.finding import Finding

ONE_OF_MANY = re.compile(r"(?<![\d.,])1 (rows|documents|bytes|tokens|groups|words)\b")
NO_WORD = re.compile(r"\b(nan|None|inf|True|False)\b|\de[-+]\d|(?<!\d)[-−]0(\.0+)?(?![\d.])")


def sentences(words):
    """Give all sentences, in their order."""
    if isinstance(words, str):
        return [words]
    if isinstance(words, Finding):
        return [text for text in astuple(words) if text]
    if not isinstance(words, dict | list | tuple):
        words = vars(words)
    items = words.values() if isinstance(words, dict) else words
    return [text for item in items if item is not None for text in sentences(item)]


def check_plain(text):
    """Refuse a plural of one, a number that is none, and a space or a full stop too many."""
    for wrong in (ONE_OF_MANY, NO_WORD):
        assert not wrong.search(text), text
    assert text == text.strip(), text
    assert ".." not in text, text
    assert "  " not in text, text
