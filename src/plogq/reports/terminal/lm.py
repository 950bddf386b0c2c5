"""A result on the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from plogq.errors import printable
from plogq.lm.result import TokensResult
from plogq.reports.numbers import UNKNOWN, figure
from plogq.reports.terminal.text import name, notes, print_sections, table
from plogq.tables.sums.level import PERCENT

SHOWN = 20
# A part of the text: the fields of how many there are, of what one costs, of its perplexity.
PARTS = {
    "byte": ("bytes", "cross_entropy_per_byte", "perplexity_per_byte"),
    "character": ("characters", "cross_entropy_per_character", None),
    "token": ("tokens", "cross_entropy_per_token", "perplexity_per_token"),
    "word": ("words", "cross_entropy_per_word", "perplexity_per_word"),
}
PARTS_OF_RESPONSES = {
    "prompt": "the prompt",
    "completion": "the completion",
    "all": "prompt and completion",
}
FIRST = ("byte", "token", "word", "character")  # that is known stands in the headline
# Warnings that stand at the head: the file may mean something else than it was read as.
DOUBTS = ("reading", "other_base", "all_certain", "repeated_bytes", "worse_than_uniform",
          "more_words_than_text", "more_characters_than_bytes")  # fmt: skip
OF_TOKENS = ("zero_probability", "unscored_tokens", "all_certain")  # what a warning counts


def print_report(result: TokensResult, console: Console | None = None) -> None:
    """Print the headline, the figures, and what cost most."""
    print_sections(_sections(result), console)


def _sections(result: TokensResult) -> Iterator[list[Text | Table]]:
    yield _headline(result)
    yield [Text("What a part of the text costs", style="bold"), _figures(result)]
    by = "token" if result.cross_entropy_per_byte is None else "byte"
    if result.worst_documents:
        most = min(SHOWN, len(result.worst_documents))
        of = f"first {most} of {result.documents:,}"
        title = f"Documents, by {result.unit}s per {by} ({of})"
        yield [Text(title, style="bold"), _documents(result, by)]
    if result.surprises:
        yield [Text("Most surprising tokens", style="bold"), _surprises(result)]
    yield from ([warning] for warning in _warnings(result, doubts=False))


def _headline(result: TokensResult) -> list[Text | Table]:
    source = result.source
    paths = source["paths"]
    where = printable(paths[0]) + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
    counts = [(result.documents, "document"), (result.tokens, "token"), (result.bytes, "byte")]
    about = ", ".join(f"{n:,} {what}{'' if n == 1 else 's'}" for n, what in counts if n is not None)
    taken = ", ".join(f"{what} {printable(column)}" for what, column in source["columns"].items())
    per = next((of for of in FIRST if getattr(result, PARTS[of][1]) is not None), None)
    if per is None:
        head = Text(f"{figure(result.surprisal)} {result.unit}s in all", "bold green")
    else:
        key = PARTS[per][1]
        head = Text(f"{figure(getattr(result, key))} {result.unit}s per {per}", "bold green")
        head.append(_interval(result, key, f", {PERCENT} interval "), style="not bold default")
    if result.zero_probability_tokens:
        head.append(f"; {figure(result.surprisal_finite)} {result.unit}s without the impossible")
    return [
        Text(where, style="bold"),
        Text(f"{about}; {taken or read_as(source)}", style="dim"),
        *notes(source),
        *_warnings(result, doubts=True),
        Text(),
        head,
    ]


def _warnings(result: TokensResult, *, doubts: bool) -> list[Text | Table]:
    """Show the warnings that the figures may not mean what they seem to, or all others."""
    found: list[Text | Table] = []
    for warning in result.warnings:
        if (warning["code"] in DOUBTS) == doubts:
            of = "tokens" if warning["code"] in OF_TOKENS else "documents"
            count = f" ({of}: {warning['rows']:,})" if warning["rows"] else ""
            found.append(Text(f"! {printable(warning['message'])}{count}", style="yellow"))
    return found


def read_as(source: dict[str, Any]) -> str:
    """Say whose log it is, which part of it was scored, and what was left out."""
    said: str = source["format"]
    if "part" in source:
        said += f", {PARTS_OF_RESPONSES[source['part']]}"
    if left_out := source.get("left_out"):
        said += f"; not read: {printable(left_out[0])}"
        said += f" and {len(left_out) - 1} more" if len(left_out) > 1 else ""
    return said


def _interval(result: TokensResult, key: str, before: str = "") -> str:
    ends = result.intervals.get(key)
    return "" if ends is None else f"{before}{figure(ends[0])} to {figure(ends[1])}"


def _figures(result: TokensResult) -> Table:
    out = table("per", ("right", "count"), ("right", result.unit + "s"),
                ("right", f"{PERCENT} interval"), ("right", "perplexity"))  # fmt: skip
    for of, (many, key, perplexed) in PARTS.items():
        count, cost = getattr(result, many), getattr(result, key)
        if cost is None or count is None:
            continue
        perplexity = None if perplexed is None else getattr(result, perplexed)
        out.add_row(
            of,
            f"{count:,}",
            figure(cost),
            _interval(result, key) or UNKNOWN,
            figure(perplexity),
        )
    return out


def _documents(result: TokensResult, by: str) -> Table:
    out = table("document", ("right", "tokens"), ("right", "bytes"), ("right", result.unit + "s"),
                ("right", f"per {by}"))  # fmt: skip
    for item in result.worst_documents[:SHOWN]:
        out.add_row(
            name(item["doc"], 36),
            _count(item["tokens"]),
            _count(item["bytes"]),
            figure(item["surprisal"]),
            figure(item[f"cross_entropy_per_{by}"]),
        )
    return out


def _count(n: int | None) -> str:
    return UNKNOWN if n is None else f"{n:,}"


def _surprises(result: TokensResult) -> Table:
    texts = any("token" in item for item in result.surprises)
    out = table("document", *(["token"] if texts else []), ("right", "position"),
                ("right", result.unit + "s"))  # fmt: skip
    for item in result.surprises[:SHOWN]:
        token = [name(repr(item.get("token", "")), 20)] if texts else []
        out.add_row(
            name(item["doc"], 36), *token, f"{item['position']:,}", figure(item["surprisal"])
        )
    return out
