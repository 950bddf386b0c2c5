"""A diagnosis in the formats that other programs read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any

from plogq import __version__
from plogq.doctor.check import check_of
from plogq.doctor.finding import Confidence, Diagnosis, Finding, Place
from plogq.records import Document, to_json
from plogq.reports.findings.doctor import headline
from plogq.reports.github import command

SARIF_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
LEVELS: dict[Confidence, str] = {"certain": "error", "likely": "warning", "possible": "note"}
GITHUB = {"error": "error", "warning": "warning", "note": "notice"}


def _said(finding: Finding) -> str:
    return f"{finding.title}. {finding.because} Fix: {finding.fix}."


def github(diagnosis: Diagnosis) -> str:
    """Return the commands by which GitHub Actions annotates the lines of a pull request."""
    return "\n".join([*_commands(diagnosis), headline(diagnosis)])


def _commands(diagnosis: Diagnosis) -> Iterator[str]:
    for finding in diagnosis.findings:
        where = finding.where
        properties = {"file": where.what, "title": finding.code}
        if where.line is not None and where.cell is None:
            properties |= {"line": str(where.line), "col": str(where.column)}
        yield command(GITHUB[LEVELS[finding.confidence]], properties, _said(finding))
    for unread in diagnosis.unread:
        yield command("error", {"file": unread.path}, unread.reason)


def sarif(diagnosis: Diagnosis) -> str:
    """Return the findings in the Static Analysis Results Interchange Format, version 2.1.0."""
    checks = [check_of(code) for code in diagnosis.checks]
    rules = [
        {
            "id": check.code,
            "name": check.name,
            "shortDescription": {"text": check.title},
            "help": {"text": check.text, "markdown": check.page},
        }
        for check in checks
    ]
    unread = [
        {"level": "error", "message": {"text": each.reason}, "locations": [_file(each.path)]}
        for each in diagnosis.unread
    ]
    run = {
        "tool": {"driver": {"name": "plogq doctor", "version": __version__, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": not unread, "toolExecutionNotifications": unread}],
        "results": [_result(finding) for finding in diagnosis.findings],
    }
    return to_json({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def _result(finding: Finding) -> dict[str, Any]:
    return {
        "ruleId": finding.code,
        "level": LEVELS[finding.confidence],
        "message": {"text": _said(finding)},
        "locations": [_location(finding.where)],
    }


def _location(where: Place) -> dict[str, Any]:
    if where.line is None or where.cell is not None:  # a cell's lines are not those of the file
        return {**_file(where.what), "logicalLocations": [{"fullyQualifiedName": str(where)}]}
    location = _file(where.what)
    location["physicalLocation"]["region"] = {
        "startLine": where.line,
        "startColumn": where.column,
    }
    return location


def _file(path: str) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(path)}}}


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(PurePath(path).as_posix())


FORMATS: dict[str, Callable[[Diagnosis], str]] = {
    "json": Document.to_json,
    "github": github,
    "sarif": sarif,
}
