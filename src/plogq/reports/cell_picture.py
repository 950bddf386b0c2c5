"""A small picture of a result for a notebook's cell: SVG without scripts, with its words beside."""

from __future__ import annotations

import math
from html import escape

from plogq.compare.result import Comparison
from plogq.records import Document
from plogq.reports.findings.figures import PER_ROW
from plogq.reports.numbers import figure
from plogq.score.result import Result

PARTS = {
    "refinement": "currentColor",
    "miscalibration": "var(--waste)",
    "information_gain": "var(--gain)",
}
WIDTH, HEIGHT, MIDDLE = 1000, 20, 10


def picture(result: Document) -> str:
    """Return the picture of a result, and its words, as HTML; '' where there is nothing to draw."""
    if isinstance(result, Result):
        return _budget(result)
    return _interval(result) if isinstance(result, Comparison) else ""


def _budget(r: Result) -> str:
    """Return the label entropy as a bar of what the model leaves, wastes and saves of it."""
    values = {name: getattr(r, name) for name in PARTS}
    known = [value for value in values.values() if value is not None and 0 <= value < math.inf]
    if len(known) < len(PARTS) or not r.label_entropy:
        return ""
    at, bars, words = 0.0, [], []
    for name, colour in PARTS.items():
        width, said = WIDTH * values[name] / r.label_entropy, PER_ROW[name][0]
        opacity = ".35" if colour == "currentColor" else "1"
        look = f'fill="{colour}" opacity="{opacity}"'
        bars.append(f'<rect x="{at:.1f}" y="3" width="{width:.1f}" height="14" {look}/>')
        square = f'<span style="color:{colour};opacity:{opacity}">■</span>'
        words.append(f"<small>{square} {escape(said)} {figure(values[name])}</small>")
        at += width
    return _svg(PER_ROW["label_entropy"][0], bars) + f"<div>{''.join(words)}</div>"


def _interval(c: Comparison) -> str:
    """Return the interval of the difference as a line, with marks at 0 and at the difference."""
    ends, d = c.intervals.get("difference_finite"), c.difference
    if ends is None or d is None or not all(map(math.isfinite, (*ends, d))):
        return ""
    reach = 1.1 * max(map(abs, (*ends, d)))
    if reach == 0:
        return ""
    low, high, dot, zero = (WIDTH / 2 * (1 + each / reach) for each in (*ends, d, 0.0))
    look = f'fill="{"currentColor" if c.winner is None else "var(--gain)"}"'
    shapes = [
        f'<rect x="{zero - 1:.1f}" y="0" width="2" height="{HEIGHT}" fill="currentColor"/>',
        f'<rect x="{low:.1f}" y="{MIDDLE - 2}" width="{high - low:.1f}" height="4" {look}/>',
        f'<rect x="{dot - 4:.1f}" y="{MIDDLE - 6}" width="8" height="12" {look}/>',
    ]
    words = "".join(f"<small>{each}</small>" for each in ("← A costs less", "B costs less →"))
    return _svg("A − B", shapes) + f"<div>{words}</div>"


def _svg(label: str, shapes: list[str]) -> str:
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none"'
    return f'<svg role="img" aria-label="{escape(label)}" {box}>{"".join(shapes)}</svg>'
