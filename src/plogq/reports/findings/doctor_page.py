"""The page of a diagnosis: a section for each finding, and one for the checks that looked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from plogq.doctor.check import all_checks
from plogq.doctor.finding import Diagnosis, Finding
from plogq.reports.findings import finding as said
from plogq.reports.findings.doctor import NO_PROOF, explained, headline, summary
from plogq.reports.findings.headline import Answer, Headline
from plogq.reports.findings.page import Column, Page, Section
from plogq.reports.findings.words import plain
from plogq.reports.numbers import count

EVIDENCE = (Column("evidence", "evidence", "words"),)
CHECKS = (
    Column("code", "check", "name"), Column("title", "looks for", "words"),
    Column("looked", "looked", "words"),
)  # fmt: skip


def page(diagnosis: Diagnosis) -> Page:
    """Return the report of a diagnosis."""
    first = Headline(
        title=plain(headline(diagnosis)).removesuffix("."),
        read="",
        answers=tuple(
            Answer(f"{each.code}, {plain(str(each.where))}", f"{each.title}.")
            for each in diagnosis.findings
        ),
        warnings=tuple(plain(f"{each.path}: {each.reason}.") for each in diagnosis.unread),
    )
    sections = (*_findings(diagnosis), _checks(diagnosis))
    return Page("doctor", "nats", first, sections, json="to_json()")


def _findings(diagnosis: Diagnosis) -> Iterator[Section]:
    seen: Counter[str] = Counter()
    for each in diagnosis.findings:
        seen[each.code] += 1
        again = f"-{seen[each.code]}" if seen[each.code] > 1 else ""
        yield _section(each, f"{each.code}{again}")


def _section(finding: Finding, key: str) -> Section:
    because, *cost, fix = (plain(each) for each in explained(finding))
    words = said.Finding(plain(summary(finding)), " ".join([because, *cost]), fix)
    rows = tuple({"evidence": plain(each)} for each in finding.evidence)
    return Section(key, key, words, EVIDENCE, rows)


def _checks(diagnosis: Diagnosis) -> Section:
    titles = {each.code: each.title for each in all_checks()}
    rows = [{"code": code, "looked": "yes"} for code in diagnosis.checks]
    rows += [{"code": code, "looked": f"no: {why}"} for code, why in diagnosis.not_run.items()]
    rows.sort(key=lambda row: row["code"])
    words = said.Finding(f"{count(len(diagnosis.checks), 'check')} looked", f"{NO_PROOF}.")
    shown = tuple({**row, "title": titles.get(row["code"], "")} for row in rows)
    return Section("checks", "Checks", words, CHECKS, shown)
