"""The report of a comparison of two models: its words, tables and pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from plogq.compare.result import Comparison, DocumentPair, Group, RowPair
from plogq.formulas.units import plural
from plogq.reports.findings.compare import ComparisonWords, findings
from plogq.reports.findings.compare_groups import effect
from plogq.reports.findings.compare_phrases import costs, own_figures
from plogq.reports.findings.figures import SHARES
from plogq.reports.findings.finding import Finding
from plogq.reports.findings.lists import MOST_LISTED
from plogq.reports.findings.page import Column, Dot, Dots, Page, Section, head
from plogq.tables.sums.level import PERCENT

Row = dict[str, Any]
GAP = Column("gap", "A − B")


def page(result: Comparison) -> Page:
    """Return the report of a comparison."""
    words = findings(result)
    return Page(
        command="compare",
        units=plural(result.unit),
        headline=head(
            words.headline,
            words.sure,
            [words.a, words.b, words.paired],
            [*words.doubts, *words.warnings],
        ),
        sections=tuple(_sections(result, words)),
    )


def _sections(result: Comparison, words: ComparisonWords) -> Iterator[Section]:
    yield _alone(result, words.alone)
    if words.classes is not None:
        yield _groups(result, "classes", "Classes", "class", words.classes, result.per_class)
    for i, (column, of_column) in enumerate(words.slices.items()):
        groups = result.slices[column]
        yield _groups(result, f"slices-{i}", f"By {column}", column, of_column, groups)
    for key, of, pairs in (
        ("better-a", words.largest_a, result.largest.a),
        ("better-b", words.largest_b, result.largest.b),
    ):
        if of is not None:
            yield _largest(result, key, of, pairs)


def _axis(result: Comparison) -> str:
    return f"{plural(result.unit)} per {result.per}"


def _alone(result: Comparison, words: Finding) -> Section:
    rows = []
    for key, title in own_figures(result.unit).items():
        a, b = (getattr(side, key, None) for side in (result.a, result.b))
        if a is None and b is None:
            continue
        gap = None if a is None or b is None or math.isinf(max(a, b)) else a - b
        kind = "percent" if key in SHARES else "number"
        rows.append({"name": title, "a": a, "b": b, "gap": gap, "kind": kind})
    columns = (Column("name", "figure", "name"), Column("a", "A"), Column("b", "B"), GAP)
    dots = [
        Dot(name, cost)
        for name, cost in zip("AB", costs(result), strict=True)
        if math.isfinite(cost)
    ]
    return Section(
        "alone", "Each model", words, columns, tuple(rows),
        Dots(_axis(result), tuple(dots)) if dots else None,
    )  # fmt: skip


def _groups(
    result: Comparison, key: str, tab: str, of: str, words: Finding, groups: Mapping[str, Group]
) -> Section:
    columns = (
        Column("value", of, "name"),
        Column("rows", "rows", "count"),
        Column("a", "A"),
        Column("b", "B"),
        GAP,
        Column("interval", f"{PERCENT} interval", "interval"),
        Column("winner", "clearly better", "words"),
    )
    order = sorted(groups.items(), key=lambda item: -effect(item[1]))
    rows: list[Row] = [
        {
            "value": value,
            "rows": each.rows,
            "a": each.a,
            "b": each.b,
            "gap": each.difference,
            "interval": each.interval,
            "winner": "" if each.winner is None else each.winner.upper(),
        }
        for value, each in order
    ]
    dots = tuple(
        Dot(value, each.difference, each.interval, "gain" if each.winner else "rest")
        for value, each in order[:MOST_LISTED]
        if each.difference is not None and math.isfinite(each.difference)
    )
    drawn = Dots(f"A − B, {_axis(result)}: below 0, A is better", dots, "alike") if dots else None
    return Section(key, tab, words, columns, tuple(rows), drawn)


def _largest(
    result: Comparison, key: str, words: Finding, pairs: tuple[RowPair | DocumentPair, ...]
) -> Section:
    rows: list[Row] = []
    for pair in pairs:
        row: Row = {"a": pair.a, "b": pair.b, "gap": pair.a - pair.b}
        if isinstance(pair, DocumentPair):
            row |= {"at": pair.doc, "size": pair.tokens if pair.bytes is None else pair.bytes}
        else:
            row |= {"at": str(pair.row if pair.id is None else pair.id), "label": pair.label}
        rows.append(row)
    also = (
        Column("label", "label", "name")
        if "label" in rows[0]
        else Column("size", f"{result.per}s", "count")
    )
    at = Column("at", result.pairing if result.pairing == "id" else _what(result), "name")
    columns = (at, also, Column("a", "A"), Column("b", "B"), GAP)
    dots = tuple(
        Dot(row["at"], row["gap"], color="gain" if row["gap"] < 0 else "waste")
        for row in rows[:MOST_LISTED]
        if math.isfinite(row["gap"])
    )
    drawn = Dots(f"A − B, {_axis(result)}", dots, "alike") if dots else None
    return Section(key, f"Where {key[-1].upper()} is better", words, columns, tuple(rows), drawn)


def _what(result: Comparison) -> str:
    return "row" if result.per == "row" else "document"
