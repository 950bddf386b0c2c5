"""A picture of ratios over runs: a row for each, with a line through its runs, light and dark."""

import math
from collections.abc import Mapping, Sequence
from html import escape

ROW, TOP = 26, 34
LABEL, LINE, VALUE = 8, 260, 70  # where labels begin; how wide lines and values are
LETTER = 6.6  # of labels, on average
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #222; }
.title { font-weight: 600; font-size: 14px; }
.line { stroke: #0072b2; stroke-width: 1.5; fill: none; }
.dot { stroke: #0072b2; stroke-width: 1.5; fill: #fff; }
.moved { stroke: #d55e00; fill: #d55e00; }
.one { stroke: #888; stroke-width: 1; }
@media (prefers-color-scheme: dark) {
  text { fill: #eee; } .line { stroke: #56b4e9; } .dot { stroke: #56b4e9; fill: #111; }
  .moved { stroke: #e69f00; fill: #e69f00; }
}
"""


def drawn(title: str, values: Mapping[str, Sequence[float | None]], moved: set[str]) -> str:
    """Return the picture: each ratio's line on a logarithmic axis of its own, which holds 1."""
    height = TOP + ROW * len(values) + 6
    left = LABEL + LETTER * max(len(name) for name in values) + 12
    width = left + LINE + VALUE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img" '
        f'aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        f'<text x="{LABEL}" y="20" class="title">{escape(title)}</text>',
    ]
    for at, (name, ratios) in enumerate(values.items()):
        parts += row(left, TOP + ROW * at, name, ratios, name in moved)
    return "\n".join([*parts, "</svg>"]) + "\n"


def row(
    left: float, top: float, name: str, ratios: Sequence[float | None], moved: bool
) -> list[str]:
    """Draw one ratio: its name, its line, and its last value."""
    right = left + LINE
    known = [(i, math.log(r)) for i, r in enumerate(ratios) if r is not None]
    low, high = min(0.0, *(v for _, v in known)), max(0.0, *(v for _, v in known))
    scale = (ROW - 10) / ((high - low) or 1.0)
    step = LINE / max(1, len(ratios) - 1)
    base = top + ROW - 5

    def place(i: int, value: float) -> tuple[float, float]:
        return left + step * i, base - (value - low) * scale

    points = [place(i, value) for i, value in known]
    one = place(0, 0.0)[1]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    out = [
        f'<text x="{LABEL}" y="{base - 4:.1f}">{escape(name)}</text>',
        f'<line x1="{left:.1f}" y1="{one:.1f}" x2="{right:.1f}" y2="{one:.1f}" class="one"/>',
        f'<polyline points="{path}" class="line"/>',
    ]
    for at, (x, y) in enumerate(points):
        last = at == len(points) - 1
        kind = "dot moved" if moved and last else "dot"
        out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" class="{kind}"/>')
    value = math.exp(known[-1][1])
    out.append(f'<text x="{right + 12:.1f}" y="{base - 4:.1f}">{value:.2f}</text>')
    return out
