"""The result of token logprobs on the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from plogq.formulas.units import plural
from plogq.lm.result import TokensResult
from plogq.reports.findings.lists import MOST_LISTED
from plogq.reports.findings.lm import PARTS, by, findings
from plogq.reports.numbers import UNKNOWN, count, figure, perplexity_text, span
from plogq.reports.terminal.text import caution, headline, name, print_sections, section, table
from plogq.tables.sums.level import PERCENT


def print_report(result: TokensResult, console: Console | None = None) -> None:
    """Print the headline, the figures, and what cost most."""
    print_sections(_sections(result), console)


def _sections(result: TokensResult) -> Iterator[list[Text | Table]]:
    words = findings(result)
    doubts = [caution(warning) for warning in words.doubts]
    yield [
        *section(words.source),
        *doubts,
        Text(),
        *headline(words.headline.title, words.headline.text, words.headline.advice, words.sure),
    ]
    yield section(words.parts, _figures(result))
    if words.documents is not None:
        yield section(words.documents, _documents(result))
    if words.tokens is not None:
        yield section(words.tokens, _tokens(result))
    yield from ([caution(warning)] for warning in words.warnings)


def _figures(result: TokensResult) -> Table:
    out = table("per", ("right", "count"), ("right", plural(result.unit)),
                ("right", f"{PERCENT} interval"), ("right", "perplexity"))  # fmt: skip
    for of, (many, key, perplexed) in PARTS.items():
        number, cost = getattr(result, many), getattr(result, key)
        if cost is None or number is None:
            continue
        perplexity = UNKNOWN if perplexed is None else perplexity_text(cost, result.unit)
        ends = result.intervals.get(key)
        shown = UNKNOWN if ends is None else span(ends)
        out.add_row(of, count(number), figure(cost), shown, perplexity)
    return out


def _documents(result: TokensResult) -> Table:
    of = by(result)
    out = table("document", ("right", "tokens"), ("right", "bytes"),
                ("right", plural(result.unit)), ("right", f"per {of}"))  # fmt: skip
    for item in result.worst_documents[:MOST_LISTED]:
        counts = (UNKNOWN if n is None else count(n) for n in (item.tokens, item.bytes))
        each = getattr(item, PARTS[of][1])
        out.add_row(name(item.doc, 36), *counts, figure(item.surprisal), figure(each))
    return out


def _tokens(result: TokensResult) -> Table:
    texts = any(item.token is not None for item in result.surprises)
    out = table("document", *(["token"] if texts else []), ("right", "position"),
                ("right", plural(result.unit)))  # fmt: skip
    for item in result.surprises[:MOST_LISTED]:
        token = [name(repr(item.token or ""), 20)] if texts else []
        out.add_row(name(item.doc, 36), *token, count(item.position), figure(item.surprisal))
    return out
