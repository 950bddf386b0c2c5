"""What the doctor says: findings, and what it has looked at to come to them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from plogq.kinds import Count, Text
from plogq.records import Document

Confidence = Literal["certain", "likely", "possible"]


@dataclass(frozen=True)
class Place:
    """Where something was found: in a named array or column, or in a file of code."""

    what: Text
    """The name of the array, column or layer; or the path of the file."""

    row: Count | None = None
    """The first row, from 0."""

    line: Count | None = None
    """The line of the file, from 1; of a notebook, the line of its cell."""

    column: Count | None = None
    """The column of the line, from 1."""

    cell: Count | None = None
    """The cell of the notebook, from 1."""

    def __str__(self) -> str:
        """Return the place as messages name it.

        Examples
        --------
        >>> print(Place("outputs", row=3), Place("train.py", line=12, column=8), sep="; ")
        outputs, row 3; train.py:12:8
        """
        if self.line is not None:
            cell = "" if self.cell is None else f":cell {self.cell}"
            return f"{self.what}{cell}:{self.line}:{self.column}"
        return self.what if self.row is None else f"{self.what}, row {self.row}"


@dataclass(frozen=True)
class Cost:
    """What a mistake costs."""

    nats: float
    """In nats, for each row."""

    how: Text
    """How it was computed, as a noun phrase."""

    @classmethod
    def if_any(cls, nats: float, how: str) -> Cost | None:
        """Return a cost; None where it is not above 0, or not finite.

        Examples
        --------
        >>> Cost.if_any(0.5, "the loss, less ln C")
        Cost(nats=0.5, how='the loss, less ln C')
        >>> Cost.if_any(float("nan"), "the loss, less ln C")
        """
        return cls(float(nats), how) if 0 < nats < math.inf else None


@dataclass(frozen=True)
class Edit:
    """A change of a file that mends a finding."""

    start: tuple[Count, Count]
    """The line, from 1, and the column, from 0, of the first character that is replaced."""

    end: tuple[Count, Count]
    """The line and the column behind the last one."""

    text: Text
    """What stands there instead."""


@dataclass(frozen=True)
class Finding:
    """A mistake that was found, with the evidence."""

    where: Place
    """Where."""

    evidence: tuple[Text, ...]
    """What was seen: figures, first rows, the line of the source."""

    confidence: Confidence
    """How sure it is."""

    because: Text
    """Why it is that sure, as a sentence."""

    fix: Text
    """The line that mends it."""

    cost: Cost | None = None
    """What it costs, where that can be computed."""

    edits: tuple[Edit, ...] = ()
    """What `--fix` changes in the file; empty where there is no safe change."""

    code: Text = ""
    """The check's code, such as PQ101."""

    title: Text = ""
    """What the check found, in a few words."""


@dataclass(frozen=True)
class Unread:
    """Something that could not be looked at."""

    path: Text
    """The file."""

    reason: Text
    """Why not."""


@dataclass(frozen=True)
class Diagnosis(Document):
    """What the doctor looked at, and what it found. It never says that all is well."""

    COMMAND: ClassVar[str] = "plogq doctor"
    CELL: ClassVar[str] = "plogq.reports.cell:doctor_cell"
    TEXT: ClassVar[str] = "plogq.reports.findings.doctor:text"
    PAGE: ClassVar[str] = "plogq.reports.html:report_html"

    looked_at: Text
    """What was looked at, in words; empty where nothing could be read."""

    checks: tuple[Text, ...]
    """The codes of the checks that looked."""

    findings: tuple[Finding, ...]
    """What they found, in the order of the code or of the checks."""

    not_run: dict[Text, Text]
    """The checks that did not look, by code, and why."""

    unread: tuple[Unread, ...] = ()
    """The files that could not be read."""
