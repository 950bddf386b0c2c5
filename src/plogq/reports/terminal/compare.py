"""A comparison on the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from plogq.compare.result import (
    Comparison,
    DocumentPair,
    Group,
    PredictionFigures,
    RowPair,
    TokenFigures,
)
from plogq.formulas.units import Unit
from plogq.reports.findings.compare import findings
from plogq.reports.findings.compare_groups import effect
from plogq.reports.findings.compare_phrases import own_figures
from plogq.reports.findings.figures import SHARES
from plogq.reports.findings.lists import MOST_LISTED
from plogq.reports.numbers import UNKNOWN, count, figure, percent, perplexity_text, span
from plogq.reports.terminal.text import caution, headline, name, print_sections, section, table
from plogq.tables.sums.level import PERCENT


def print_report(result: Comparison, console: Console | None = None) -> None:
    """Print which model is better, both models' figures, and where each is better."""
    print_sections(_sections(result), console)


def _sections(result: Comparison) -> Iterator[list[Text | Table]]:
    words = findings(result)
    yield [
        *section(words.a),
        *section(words.b),
        Text(words.paired, style="dim"),
        *map(caution, words.doubts),
        Text(),
        *headline(words.headline.title, words.headline.text, words.headline.advice, words.sure),
    ]
    yield section(words.alone, _figures(result))
    if words.classes is not None:
        yield section(words.classes, _groups(result.per_class))
    for column, of_column in words.slices.items():
        yield section(of_column, _groups(result.slices[column]))
    if words.largest_a is not None:
        yield section(words.largest_a, _largest(result.largest.a, result.per))
    if words.largest_b is not None:
        yield section(words.largest_b, _largest(result.largest.b, result.per))
    yield from ([caution(warning)] for warning in words.warnings)


def _figures(result: Comparison) -> Table:
    out = table("", ("right", "A"), ("right", "B"), ("right", "A − B"))
    for key, title in own_figures(result.unit).items():
        a, b = (getattr(side, key, None) for side in (result.a, result.b))
        if a is None and b is None:
            continue
        gap = None if a is None or b is None or math.isinf(max(a, b)) else a - b
        cells = (_cell(side, key, result.unit) for side in (result.a, result.b))
        out.add_row(title, *cells, percent(gap) if key in SHARES else figure(gap))
    return out


def _cell(side: PredictionFigures | TokenFigures, key: str, unit: Unit) -> str:
    """Return a figure as text; a perplexity also where a float64 cannot hold it."""
    value = getattr(side, key, None)
    if value is not None and key.startswith("perplexity"):
        cost = getattr(side, key.replace("perplexity", "cross_entropy"))
        return perplexity_text(cost, unit)
    return percent(value) if key in SHARES else figure(value)


def _groups(groups: dict[str, Group]) -> Table:
    """Return the groups, those with the largest effect first."""
    out = table("", ("right", "rows"), ("right", "A"), ("right", "B"), ("right", "A − B"),
                ("right", f"{PERCENT} interval"), "clearly")  # fmt: skip
    order = sorted(groups.items(), key=lambda item: -effect(item[1]))
    for value, group in order[:MOST_LISTED]:
        out.add_row(
            name(value, 20),
            count(group.rows),
            figure(group.a),
            figure(group.b),
            figure(group.difference),
            UNKNOWN if group.interval is None else span(group.interval),
            Text("" if group.winner is None else group.winner.upper(), style="bold green"),
        )
    return out


def _largest(pairs: tuple[RowPair | DocumentPair, ...], per: str) -> Table:
    costs = (("right", "A"), ("right", "B"), ("right", "A − B"))
    first = pairs[0]
    if isinstance(first, DocumentPair):
        out = table("document", ("right", f"{per}s"), *costs)
    else:
        out = table("row" if first.id is None else "id", "label", *costs)
    for pair in pairs[:MOST_LISTED]:
        if isinstance(pair, DocumentPair):
            called, size = pair.doc, pair.tokens if pair.bytes is None else pair.bytes
            also = Text(UNKNOWN if size is None else count(size))
        else:
            called, also = str(pair.row if pair.id is None else pair.id), name(pair.label)
        out.add_row(name(called, 30), also, figure(pair.a), figure(pair.b), figure(pair.a - pair.b))
    return out
