"""The gradient of a loss by layer, as text and in a notebook's cell."""

from __future__ import annotations

import math
from html import escape

from plogq.doctor.runtime.gradient_flow import GradientFlow, LayerFlow
from plogq.errors import printable

COLUMNS = ("layer", "class", "parameters", "weight rms", "gradient rms", "zero")
WIDTH = 24  # characters of the longest bar
DECADES = 8  # of the largest gradient, that the bars show


def _rows(flow: GradientFlow) -> list[tuple[str, ...]]:
    return [
        (
            each.name or "the model", each.kind, f"{each.parameters:,}", f"{each.weight:.2g}",
            f"{each.gradient:.2g}", f"{each.zero:.0%}",
        )
        for each in flow.layers
    ]  # fmt: skip


def _share(layer: LayerFlow, most: float) -> float:
    """Return how long a layer's bar is, from 0 to 1, on a scale of powers of ten."""
    if not 0 < layer.gradient < math.inf or not most < math.inf:
        return 0.0
    return max(0.0, 1 + math.log10(layer.gradient / most) / DECADES)


def text(flow: GradientFlow) -> str:
    """Return a table with a bar for each layer; a bar of half the length is 10⁴ times less.

    Examples
    --------
    >>> from plogq.doctor.runtime.gradient_flow import GradientFlow, LayerFlow
    >>> print(text(GradientFlow((LayerFlow("0", "Linear", 40, 0.5, 0.01, 0.0),))))
    layer  class   parameters  weight rms  gradient rms  zero
    0      Linear          40         0.5          0.01    0%  ████████████████████████
    """
    rows = [COLUMNS, *_rows(flow)]
    most = max((each.gradient for each in flow.layers), default=0.0)
    bars = ["", *("█" * round(WIDTH * _share(each, most)) for each in flow.layers)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    lines = []
    for row, bar in zip(rows, bars, strict=True):
        names = [cell.ljust(width) for cell, width in zip(row[:2], widths, strict=False)]
        numbers = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
        lines.append(printable("  ".join([*names, *numbers, bar]).rstrip()))
    return "\n".join(lines)


def cell(flow: GradientFlow) -> str:
    """Return the table as HTML that runs nothing and loads nothing."""
    return f"<pre>{escape(text(flow))}</pre>"
