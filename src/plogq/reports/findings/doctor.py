"""The sentences of a diagnosis, which terminal, notebook and plain text show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from plogq.doctor.check import Check
from plogq.doctor.finding import Diagnosis, Finding
from plogq.errors import printable
from plogq.reports.numbers import amount, count

Role = Literal["headline", "title", "evidence", "words", "caution", "aside"]

NO_PROOF = "That is no proof that all is well"


@dataclass(frozen=True)
class Line:
    """A line of a report, and what it is there for."""

    role: Role
    text: str


def paragraphs(diagnosis: Diagnosis) -> Iterator[list[Line]]:
    """Yield the headline, each finding, and what was not looked at."""
    yield [Line("headline", headline(diagnosis))]
    for finding in diagnosis.findings:
        yield list(_lines(finding))
    if diagnosis.unread:
        yield [Line("caution", f"{each.path}: {each.reason}") for each in diagnosis.unread]
    off = [f"{code} ({why})" for code, why in diagnosis.not_run.items() if why.startswith("off ")]
    if off:
        yield [Line("aside", f"Did not look: {'; '.join(off)}.")]


def headline(diagnosis: Diagnosis) -> str:
    """Return how much was found, in what, by how many checks."""
    if not diagnosis.looked_at:
        return "Nothing could be read."
    found, by = diagnosis.findings, count(len(diagnosis.checks), "check")
    if not found:
        return f"{by} found nothing in {diagnosis.looked_at}. {NO_PROOF}."
    return f"{by} found {count(len(found), 'mistake')} in {diagnosis.looked_at}."


def _lines(finding: Finding) -> Iterator[Line]:
    yield Line("title", summary(finding))
    yield from (Line("evidence", each) for each in finding.evidence)
    yield from (Line("words", each) for each in explained(finding))


def explained(finding: Finding) -> Iterator[str]:
    """Yield how sure it is, what it costs if that is known, and what mends it."""
    yield f"{finding.confidence.capitalize()}. {finding.because}"
    if finding.cost is not None:
        yield f"Costs {amount(finding.cost.nats, 'nat')} per row: {finding.cost.how}."
    safe = " (--fix does this)" if finding.edits else ""
    yield f"Fix: {finding.fix}{safe}."


def summary(finding: Finding) -> str:
    """Return where something was found, the code of its check, and what it is."""
    return f"{finding.where}: {finding.code} {finding.title}"


def text(diagnosis: Diagnosis) -> str:
    """Return the diagnosis as plain text."""
    shown = ("\n".join(map(_indented, each)) for each in paragraphs(diagnosis))
    return "\n\n".join(shown)


def _indented(line: Line) -> str:
    shown = printable(line.text)
    return f"    {shown}" if line.role in ("evidence", "words") else shown


def listed(check: Check) -> str:
    """Return what a list of checks says of one."""
    return f"{check.title} (off by default)" if check.off else check.title
