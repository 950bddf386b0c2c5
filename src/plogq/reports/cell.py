"""A result in a notebook's cell: the first screen of its report, as HTML."""

from __future__ import annotations

from html import escape

from plogq.doctor.finding import Diagnosis
from plogq.reports.findings.doctor import paragraphs
from plogq.reports.findings.headline import headline
from plogq.score.result import Result


def score_cell(result: Result) -> str:
    """Return the answers of a score as HTML that runs nothing and loads nothing.

    Examples
    --------
    >>> from plogq.score import score
    >>> cell = score_cell(score({"probs": [[0.5, 0.5], [0.75, 0.25]], "labels": [0, 1]}))
    >>> "<dt>How good</dt><dd>A label costs 1.5000 bits per row" in cell
    True
    """
    head = headline(result)
    answers = "".join(
        f"<dt>{escape(each.question)}</dt><dd>{escape(each.text)}</dd>" for each in head.answers
    )
    warnings = "".join(f"<li>{escape(each)}</li>" for each in head.warnings)
    return (
        f"<p><strong>{escape(head.title)}</strong></p><dl>{answers}</dl>"
        f"{f'<ul>{warnings}</ul>' if warnings else ''}<p>{escape(head.read)}</p>"
    )


def doctor_cell(diagnosis: Diagnosis) -> str:
    """Return a diagnosis as HTML that runs nothing and loads nothing.

    Examples
    --------
    >>> from plogq.doctor import Diagnosis
    >>> doctor_cell(Diagnosis("<b>.py", ("PQ301",), (), {}))
    '<p>1 check found nothing in &lt;b&gt;.py. That is no proof that all is well.</p>'
    """
    tags = {"title": "strong", "evidence": "code"}
    out = []
    for lines in paragraphs(diagnosis):
        parts = []
        for line in lines:
            tag = tags.get(line.role)
            parts.append(f"<{tag}>{escape(line.text)}</{tag}>" if tag else escape(line.text))
        out.append(f"<p>{'<br>'.join(parts)}</p>")
    return "".join(out)
