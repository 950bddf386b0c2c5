"""The report of a result as one self-contained HTML file."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from plogq.files import write_whole
from plogq.records import Document, encoded
from plogq.reports.embed import embedded
from plogq.reports.findings import findings
from plogq.reports.findings.of_result import page_of
from plogq.reports.findings.words import file_name
from plogq.score.result import Result

# Nothing may load or run but this script and this style sheet, which their hashes identify.
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
script-src 'sha256-{script_hash}'; style-src 'sha256-{style_hash}'; img-src data:; \
base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<div id="plogq-report"></div>
<noscript>{noscript} The pictures and tables of this report are drawn by JavaScript.</noscript>
<script type="application/json" id="plogq-data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def report_html(result: Document | Mapping[str, Any]) -> str:
    """Return a result's report as the text of an HTML page that needs no other file.

    Parameters
    ----------
    result
        What `plogq.score.score`, `plogq.compare.compare`, `plogq.lm.score_tokens` or the doctor
        returns, or the JSON that `plogq score --json` wrote.

    Returns
    -------
    str
        The page: its script and style sheet inside, and the numbers as JSON. It loads nothing.

    Raises
    ------
    ValueError
        If a mapping is not the JSON of a score.

    Examples
    --------
    >>> from plogq.score import score
    >>> page = report_html(score({"probs": [[0.5, 0.5], [0.75, 0.25]], "labels": [0, 1]}))
    >>> page.startswith("<!doctype html>")
    True
    """
    if isinstance(result, Document) and not isinstance(result, Result):
        page = page_of(result)
        title = f"{page.headline.title}: plogq {page.command}"
        data = {"result": result.to_document(), "page": encoded(page)}
        return _html(title, page.headline.title, data)
    typed = result if isinstance(result, Result) else Result.read(result)
    found = findings(typed)
    title = f"{file_name(typed.source.paths[0])}: plogq score"
    data = {"result": typed.to_document(), "findings": encoded(found)}
    return _html(title, found.headline.title, data)


def _html(title: str, headline: str, data: dict[str, Any]) -> str:
    script, style = (
        resources.files("plogq.reports").joinpath("static", name).read_text("utf-8")
        for name in ("report.js", "report.css")
    )
    return PAGE.format(
        script_hash=_hash(script),
        style_hash=_hash(style),
        title=html.escape(title),
        style=style,
        noscript=html.escape(f"{headline}."),
        data=embedded(data),
        script=script,
    )


def write_report(result: Document | Mapping[str, Any], path: Path) -> None:
    """Write the report to a file, whole or not at all.

    Raises
    ------
    OSError
        If the file cannot be written; names `path`.
    """
    write_whole(path, report_html(result).encode())


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
