"""The report of token logprobs: its words, tables and pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator

from plogq.formulas.units import plural
from plogq.lm.result import TokensResult
from plogq.reports.findings.finding import Finding
from plogq.reports.findings.lists import MOST_LISTED
from plogq.reports.findings.lm import PARTS, TokensWords, by, findings
from plogq.reports.findings.page import Column, Dot, Dots, Page, Section, head
from plogq.tables.sums.level import PERCENT


def page(result: TokensResult) -> Page:
    """Return the report of token logprobs."""
    words = findings(result)
    warnings = [*words.doubts, *words.warnings]
    return Page(
        command="lm",
        units=plural(result.unit),
        headline=head(words.headline, words.sure, [words.source], warnings),
        sections=tuple(_sections(result, words)),
    )


def _sections(result: TokensResult, words: TokensWords) -> Iterator[Section]:
    yield _parts(result, words.parts)
    if words.documents is not None:
        yield _documents(result, words.documents)
    if words.tokens is not None:
        yield _tokens(result, words.tokens)


def _parts(result: TokensResult, words: Finding) -> Section:
    units = plural(result.unit)
    columns = (
        Column("per", "per", "name"),
        Column("count", "count", "count"),
        Column("cost", units),
        Column("interval", f"{PERCENT} interval", "interval"),
        Column("perplexity", "perplexity"),
    )
    rows = []
    for of, (many, key, perplexity) in PARTS.items():
        number, cost = getattr(result, many), getattr(result, key)
        if cost is None or number is None:
            continue
        rows.append(
            {
                "per": of,
                "count": number,
                "cost": cost,
                "interval": result.intervals.get(key),
                "perplexity": None if perplexity is None else getattr(result, perplexity),
            }
        )
    dots = tuple(
        Dot(row["per"], row["cost"], row["interval"]) for row in rows if math.isfinite(row["cost"])
    )
    return Section(
        "parts", "Parts of the text", words, columns, tuple(rows),
        Dots(units, dots) if dots else None,
    )  # fmt: skip


def _documents(result: TokensResult, words: Finding) -> Section:
    of, units = by(result), plural(result.unit)
    key = PARTS[of][1]
    columns = (
        Column("doc", "document", "name"),
        Column("tokens", "tokens", "count"),
        Column("bytes", "bytes", "count"),
        Column("surprisal", units),
        Column("each", f"{units} per {of}"),
    )
    rows = tuple(
        {
            "doc": item.doc,
            "tokens": item.tokens,
            "bytes": item.bytes,
            "surprisal": item.surprisal,
            "each": getattr(item, key),
        }
        for item in result.worst_documents
    )
    dots = tuple(
        Dot(row["doc"], row["each"])
        for row in rows[:MOST_LISTED]
        if row["each"] is not None and math.isfinite(row["each"])
    )
    drawn = Dots(f"{units} per {of}", dots) if dots else None
    return Section("documents", "Documents", words, columns, rows, drawn)


def _tokens(result: TokensResult, words: Finding) -> Section:
    texts = any(item.token is not None for item in result.surprises)
    columns = (
        Column("doc", "document", "name"),
        *([Column("token", "token", "name")] if texts else []),
        Column("position", "position", "count"),
        Column("surprisal", plural(result.unit)),
    )
    rows = tuple(
        {
            "doc": item.doc,
            "token": repr(item.token or ""),
            "position": item.position,
            "surprisal": item.surprisal,
        }
        for item in result.surprises
    )
    return Section("tokens", "Tokens", words, columns, rows)
