"""A comparison on the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from plogq.compare.result import Comparison
from plogq.errors import printable
from plogq.reports.numbers import UNKNOWN, figure, percent, rows
from plogq.reports.terminal.lm import read_as
from plogq.reports.terminal.text import cautions, name, notes, print_sections, table
from plogq.tables.sums.level import ONE_IN, PERCENT

SHOWN = 20


def print_report(result: Comparison, console: Console | None = None) -> None:
    """Print the verdict, both models' figures, and where each is better."""
    print_sections(_sections(result), console)


def _sections(result: Comparison) -> Iterator[list[Text | Table]]:
    yield _headline(result)
    yield [Text("Each by itself", style="bold"), _figures(result)]
    groups = {item["class"]: item for item in result.per_class}
    if groups:
        yield _groups("Classes", groups, result)
    for column, values in result.slices.items():
        yield _groups(f"Slices of {printable(column)}", values, result)
    for who, title in (("a", "A"), ("b", "B")):
        if result.largest[who]:
            what = "rows" if result.per == "row" else "documents"
            head = Text(f"{what.capitalize()} where {title} is better by most", style="bold")
            yield [head, _largest(result, who)]
    for warning in cautions(result.warnings, of_reading=False):
        yield [warning]


def _headline(result: Comparison) -> list[Text | Table]:
    lines: list[Text | Table] = []
    for who, side in (("A", result.a), ("B", result.b)):
        lines += [Text(f"{who} {_where(side['source'])}", style="bold"), *notes(side["source"])]
    ways = {"row order": "by their order", "id": "by id", "doc": "by name", "text": "by text"}
    paired = ways[result.pairing]
    what = rows(result.rows)
    if result.per != "row":
        what = f"{result.rows:,} document{'' if result.rows == 1 else 's'}"
        what += f" of {result.weight:,.0f} {result.per}s (scored by A)"
    lines += [
        Text(f"{what}, paired {paired}", style="dim"),
        *cautions(result.warnings, of_reading=True),
        Text(),
        _verdict(result),
    ]
    ends = result.intervals.get("difference_finite")
    if ends is not None:
        said = f"A − B: {PERCENT} interval {figure(ends[0])} to {figure(ends[1])} {result.unit}s"
        said += "" if _finite(result.difference) else ", over the rows possible under both"
        lines.append(Text(said))
    if result.wins["a"] is not None:
        ties = f", neither {percent(result.wins['tie'])}" if result.wins["tie"] else ""
        on = "rows" if result.per == "row" else "documents"
        lines.append(
            Text(
                f"A is better on {percent(result.wins['a'])} of {on}, B on "
                f"{percent(result.wins['b'])}{ties}"
            )
        )
    return lines


def _finite(x: float | None) -> bool:
    return x is not None and math.isfinite(x)


def _where(source: dict[str, Any]) -> str:
    paths = source["paths"]
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    read = f" ({read_as(source)})" if "part" in source else ""
    return f"{printable(paths[0])}{more}{read}"


def _verdict(result: Comparison) -> Text:
    d = result.difference
    if d is None:
        return Text("Both costs are infinite", style="bold")
    better = "A" if d < 0 else "B"
    if math.isinf(d):
        return Text(f"{better} is better: the other's cost is infinite", style="bold green")
    said = f"{better} costs {figure(abs(d))} {result.unit}s per {result.per} less"
    if d == 0:
        said = f"A and B cost the same: a difference of 0 {result.unit}s per {result.per}"
    if result.winner is not None:
        return Text.assemble((said, "bold green"), ": clearly better")
    why = "" if "difference_finite" in result.intervals else " (no interval)"
    return Text.assemble((said, "bold"), f": not clearly{why}" if d else "")


FIGURES = {
    "cross_entropy": "cross-entropy",
    "perplexity": "perplexity",
    "accuracy": "accuracy",
    "brier": "Brier score",
    "prediction_entropy": "prediction entropy",
    "overconfidence": "overconfidence",
    "cross_entropy_per_byte": "{unit}s per byte",
    "cross_entropy_per_token": "{unit}s per token",
    "cross_entropy_per_word": "{unit}s per word",
    "perplexity_per_token": "perplexity per token",
    "perplexity_per_word": "perplexity per word",
}


def _figures(result: Comparison) -> Table:
    out = table("", ("right", "A"), ("right", "B"), ("right", "A − B"))
    for key, title in FIGURES.items():
        a, b = result.a.get(key), result.b.get(key)
        if a is None and b is None:
            continue
        gap = a - b if _finite(a) and _finite(b) and a is not None and b is not None else None
        shown = percent if key == "accuracy" else figure
        out.add_row(title.format(unit=result.unit), shown(a), shown(b), shown(gap))
    return out


def _groups(
    title: str, groups: dict[str, dict[str, Any]], result: Comparison
) -> list[Text | Table]:
    """Show the groups with the largest effect first: rows times difference."""
    out = table("", ("right", "rows"), ("right", "A"), ("right", "B"), ("right", "A − B"),
                ("right", f"{PERCENT} interval"), "clearly")  # fmt: skip
    order = sorted(
        groups.items(), key=lambda item: -abs(item[1]["rows"] * (item[1]["difference"] or 0.0))
    )
    for value, item in order[:SHOWN]:
        ends = item["interval"]
        out.add_row(
            name(value, 20),
            f"{item['rows']:,}",
            figure(item["a"]),
            figure(item["b"]),
            figure(item["difference"]),
            UNKNOWN if ends is None else f"{figure(ends[0])} to {figure(ends[1])}",
            Text({"a": "A", "b": "B"}.get(item["winner"], ""), style="bold green"),
        )
    tested = [item for item in groups.values() if item["interval"] is not None]
    clear = sum(item["winner"] is not None for item in tested)
    n = len(tested)
    cut = f", first {SHOWN}" if len(groups) > SHOWN else ""
    said = f"{clear} of {n} clear; of as many without a difference, {n / ONE_IN:.1f} would be"
    return [
        Text(f"{title}, {result.unit}s per row{cut}", style="bold"),
        out,
        Text(said, style="dim"),
    ]


def _largest(result: Comparison, who: str) -> Table:
    items = result.largest[who][:SHOWN]
    key = next(k for k in ("id", "row", "doc") if k in items[0])
    more = ["label"] if "label" in items[0] else [("right", f"{result.per}s")]
    out = table(key if key != "doc" else "document", *more, ("right", "A"), ("right", "B"),
                ("right", "A − B"))  # fmt: skip
    for item in items:
        also = name(item["label"]) if "label" in item else f"{item[f'{result.per}s']:,}"
        gap = item["a"] - item["b"]
        out.add_row(
            name(str(item[key]), 30), also, figure(item["a"]), figure(item["b"]), figure(gap)
        )
    return out
