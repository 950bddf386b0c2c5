"""A result in a notebook's cell: the first screen of its report, as HTML or as plain text."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from plogq.doctor.finding import Diagnosis
from plogq.records import Document
from plogq.reports.cell_picture import picture
from plogq.reports.findings.doctor import paragraphs
from plogq.reports.findings.headline import Answer, Headline
from plogq.reports.findings.of_result import first_screen
from plogq.reports.findings.words import plain

# Text has the notebook's own colour, so that it is read in light and in dark. Of the two colours of
# a picture, a dark theme of JupyterLab, VS Code or the browser has lighter ones.
LIGHT = "--gain:#2a6fbb;--waste:#8f2457"
DARK = "--gain:#6ea8e5;--waste:#dc5c8c"
STYLE = f"""<style>
.plogq{{{LIGHT};max-width:44rem;margin:.25rem 0;line-height:1.45}}
@media (prefers-color-scheme:dark){{.plogq{{{DARK}}}}}
[data-jp-theme-light=true] .plogq,.vscode-light .plogq{{{LIGHT}}}
[data-jp-theme-light=false] .plogq,.vscode-dark .plogq{{{DARK}}}
.plogq p,.plogq dl,.plogq ul{{margin:.5rem 0}}
.plogq .plogq-title{{font-size:1.25em;font-weight:600}}
.plogq dl{{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}}
.plogq dt{{font-weight:600}}
.plogq dd{{margin:0}}
.plogq .plogq-read{{opacity:.75;font-size:.9em}}
.plogq svg{{display:block;width:100%;height:1.1rem}}
.plogq small{{margin-right:1rem}}
.plogq code{{white-space:pre-wrap}}
</style>"""


def cell(result: Document) -> str:
    """Return the first screen of a result as HTML that runs nothing and loads nothing.

    Examples
    --------
    >>> from plogq.score import score
    >>> shown = cell(score({"probs": [[0.5, 0.5], [0.75, 0.25]], "labels": [0, 1]}))
    >>> "<dt>How good</dt><dd>A label costs 1.5000 bits per row" in shown
    True
    """
    screen = first_screen(result)
    answers = "".join(
        f"<dt>{escape(each.question)}</dt><dd>{escape(each.text)}</dd>" for each in _answers(screen)
    )
    warnings = "".join(f"<li>{escape(each)}</li>" for each in screen.warnings)
    return _framed([
        f'<p class="plogq-title">{escape(screen.title)}</p>',
        picture(result),
        f"<dl>{answers}</dl>",
        f"<ul>{warnings}</ul>" if warnings else "",
        f'<p class="plogq-read">{escape(screen.read)}</p>',
    ])  # fmt: skip


def text(result: Document) -> str:
    """Return the first screen of a result as plain text.

    Examples
    --------
    >>> from plogq.score import score
    >>> print(text(score({"probs": [[0.5, 0.5], [0.75, 0.25]], "labels": [0, 1]})))
    1.5000 bits per row
    How good: A label costs 1.5000 bits per row...
    """
    screen = first_screen(result)
    answers = (f"{each.question}: {each.text}" for each in _answers(screen))
    lines = [screen.title, *answers, *(f"! {each}" for each in screen.warnings), screen.read]
    return "\n".join(map(plain, lines))


def _answers(screen: Headline) -> list[Answer]:
    """Return the answers but for one that is the title, which stands above them."""
    return [each for each in screen.answers if each.text != f"{screen.title}."]


def doctor_cell(diagnosis: Diagnosis) -> str:
    """Return a diagnosis as HTML that runs nothing and loads nothing.

    Examples
    --------
    >>> from plogq.doctor import Diagnosis
    >>> doctor_cell(Diagnosis("<b>.py", ("PQ301",), (), {})).removeprefix(STYLE)
    '<div class="plogq"><p>1 check found nothing in &lt;b&gt;.py. ...</p></div>'
    """
    tags = {"title": "strong", "evidence": "code"}
    out = []
    for lines in paragraphs(diagnosis):
        parts = []
        for line in lines:
            tag, said = tags.get(line.role), escape(line.text)
            parts.append(f"<{tag}>{said}</{tag}>" if tag else said)
        out.append(f"<p>{'<br>'.join(parts)}</p>")
    return _framed(out)


def _framed(parts: Iterable[str]) -> str:
    return f'{STYLE}<div class="plogq">{"".join(parts)}</div>'
