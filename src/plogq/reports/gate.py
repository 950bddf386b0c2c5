"""The answer of a gate: which conditions closed it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from xml.etree import ElementTree

from plogq.conditions import Outcome
from plogq.errors import printable
from plogq.reports.github import command

CLOSED = "gate closed"


def line(outcome: Outcome) -> str:
    """Return one line on a condition that holds."""
    return printable(f"{CLOSED}: {outcome.sentence()}")


def text(of: str, outcomes: Sequence[Outcome]) -> str:
    """Return a line for each condition that holds; `of` names the command."""
    return "\n".join(f"{of}: {line(each)}" for each in outcomes if each.holds)


def github(of: str, outcomes: Sequence[Outcome]) -> str:
    """Return the commands by which GitHub Actions shows the conditions that hold."""
    return "\n".join(command("error", {"title": of}, line(each)) for each in outcomes if each.holds)


def junit(of: str, outcomes: Sequence[Outcome]) -> str:
    """Return every condition as a test in JUnit's XML: one that holds is a failure.

    Readers differ in what they show and require: some take the message of a failure, others its
    text or its type, and some refuse a test without a time. The XML is ASCII, whatever the
    encoding of the terminal or file.
    """
    failures = str(sum(each.holds for each in outcomes))
    tests = str(len(outcomes))
    counts = {"name": of, "tests": tests, "failures": failures, "errors": "0", "time": "0"}
    suites = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(suites, "testsuite", counts | {"skipped": "0"})
    for each in outcomes:
        named = {"classname": of, "name": printable(each.condition.text), "time": "0"}
        case = ElementTree.SubElement(suite, "testcase", named)
        if each.holds:
            said = {"message": line(each), "type": CLOSED}
            ElementTree.SubElement(case, "failure", said).text = line(each)
    ElementTree.indent(suites)
    found: bytes = ElementTree.tostring(suites, encoding="us-ascii")
    return found.decode("ascii")


FORMATS: dict[str, Callable[[str, Sequence[Outcome]], str]] = {
    "text": text,
    "github": github,
    "junit": junit,
}
