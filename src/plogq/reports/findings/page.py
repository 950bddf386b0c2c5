"""A report as a list of sections, for results whose page and terminal show the same tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from plogq.reports.findings.finding import QUESTIONS, Finding
from plogq.reports.findings.headline import Answer, Headline
from plogq.reports.findings.words import sentence

Cell = Literal["name", "words", "number", "percent", "count", "interval"]


@dataclass(frozen=True)
class Column:
    """A column of a table; an interval is two numbers."""

    key: str
    name: str
    kind: Cell = "number"


@dataclass(frozen=True)
class Dot:
    """A value on an axis, with its interval."""

    name: str
    value: float
    interval: tuple[float, float] | None = None
    color: str = "keep"
    strong: bool = False


@dataclass(frozen=True)
class Dots:
    """Values on one axis."""

    axis: str
    dots: tuple[Dot, ...]
    zero: str | None = None
    """What 0 stands for, where a line shows it."""


@dataclass(frozen=True)
class Section:
    """What a report says on one thing: words, a picture, a table."""

    key: str
    tab: str
    """Its name in a list of contents."""
    words: Finding
    columns: tuple[Column, ...]
    rows: tuple[dict[str, Any], ...]
    """By the keys of the columns."""
    dots: Dots | None = None


@dataclass(frozen=True)
class Page:
    """The words, pictures and tables of a report."""

    command: str
    """The command whose report it is, without plogq."""
    units: str
    headline: Headline
    sections: tuple[Section, ...]
    json: str | None = None
    """What gives its numbers as JSON, where that is not the command's --json."""


def head(
    words: Finding, sure: str, read: Iterable[Finding | str], warnings: Iterable[str]
) -> Headline:
    """Return the first screen from the words that a terminal shows there."""
    said = [each if isinstance(each, str) else f"{each.title}. {each.text}" for each in read]
    answers = (f"{words.title}.", words.text, words.advice or "", sure)
    return Headline(
        title=words.title,
        read=" ".join(each.strip().removesuffix(".") + "." for each in said),
        answers=tuple(Answer(q, text) for q, text in zip(QUESTIONS, answers, strict=True) if text),
        warnings=tuple(map(sentence, warnings)),
    )
