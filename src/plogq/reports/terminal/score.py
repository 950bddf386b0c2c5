"""A result on the terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from plogq.errors import printable
from plogq.reports.numbers import count, figure, percent
from plogq.reports.surprises import doubtful, listed
from plogq.reports.terminal.decomposition import advice, families, stack
from plogq.reports.terminal.labels_code import code_table
from plogq.reports.terminal.text import cautions, notes, print_sections
from plogq.reports.terminal.text import name as _name
from plogq.reports.terminal.text import table as _table
from plogq.reports.verdict import taken
from plogq.score.result import Result
from plogq.tables.sums.level import PERCENT

MOST_LISTED = 20
BAR = 20


def print_report(result: Result, console: Console | None = None) -> None:
    """Print the headline, the figures, and where the cost comes from."""
    console = console or Console(highlight=False)
    print_sections(_sections(result, console.width), console)


def _sections(result: Result, width: int) -> Iterator[list[Text | Table]]:
    yield _headline(result)
    if result.refinement is not None:
        yield [Text("Where the bits are", style="bold"), *stack(result, width)]
    yield _section("What it says to do", advice(result))
    yield _section("What it is made of", _figures(result))
    if result.recalibration is not None and len(result.recalibration["cross_entropy"]) > 1:
        yield _section("Recalibrations", families(result.recalibration, result.unit))
    if result.temperature is not None:
        family = taken(result.recalibration)
        yield _section("Temperature", _temperature(result.temperature, family))
    yield _section("Reliability: how sure, how often right", _reliability(result))
    cost = "finite cost" if result.zero_probability_rows else "cost"
    yield _section(
        _most(f"Classes, by their share of the {cost}", result.per_class), _classes(result)
    )
    for column, groups in result.slices.items():
        yield _section(
            _most(f"Slices of {printable(column)}", groups), _slices(groups, result.unit)
        )
    if dear := listed(result.surprises):
        title = (
            "Most surprising rows: look for wrong labels here first"
            if doubtful(dear)
            else "Rows that cost most: all predicted right"
        )
        yield _section(title, _surprises(dear, result.unit))
    if result.code is not None:
        yield _section("The labels as bytes", code_table(result.code))
    if result.entropy_floor is None:
        yield [
            Text(
                "How much of the cost no model could save, hard labels cannot tell: that takes "
                "soft labels, or several annotators' labels.",
                style="dim",
            )
        ]
    for warning in cautions(result.warnings, of_reading=False):
        yield [warning]


def _section(title: str, body: Text | Table) -> list[Text | Table]:
    return [Text(title, style="bold"), body]


def _most(title: str, items: Any) -> str:
    """Say in the title when a list is cut."""
    return (
        title if len(items) <= MOST_LISTED else f"{title} (first {MOST_LISTED} of {len(items):,})"
    )


def _headline(result: Result) -> list[Text | Table]:
    origin = result.source
    paths = origin["paths"]
    where = printable(paths[0]) + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
    taken = ", ".join(f"{what} {_column(name)}" for what, name in origin["columns"].items())
    names = ", ".join(_name(name, 12).plain for name in result.classes[:4])
    names += ", …" if len(result.classes) > 4 else ""
    about = f"{count(result.rows, 'row')}, {len(result.classes):,} classes ({names}); {taken}"
    head = Text.assemble(
        (f"{figure(result.cross_entropy)} {result.unit}s per row", "bold green"),
        f", of {figure(result.label_entropy)} with no model",
    )
    if result.explained is not None and result.explained >= 0:
        head.append(f": {result.explained:.1%} explained")
    return [
        Text(where, style="bold"),
        Text(about, style="dim"),
        *notes(origin),
        *cautions(result.warnings, of_reading=True),
        Text(),
        head,
    ]


def _column(name: Any) -> str:
    return printable(name if isinstance(name, str) else ", ".join(name))


# The field of the result: what it is called, and what it means.
FIGURES = {
    "cross_entropy": ("cross-entropy", "what a label costs, by the model"),
    "label_entropy": ("label entropy", "what it costs with no model"),
    "information_gain": ("information gain", "the difference"),
    "resolution": ("resolution", "the same once recalibrated"),
    "refinement": ("refinement", "what recalibration leaves"),
    "miscalibration": ("miscalibration", "what it saves"),
    "prediction_entropy": ("prediction entropy", "what the model expects to pay"),
    "overconfidence": ("overconfidence", "beyond that; 0 if calibrated"),
    "entropy_floor": ("entropy floor", "the labels' own doubt"),
    "kl": ("KL", "what a better model could save"),
    "perplexity": ("perplexity", "as if among so many classes"),
    "brier": ("Brier", "squared error of probabilities"),
    "accuracy": ("accuracy", "how often the top class is right"),
}
OF_SOFT_LABELS = ("entropy_floor", "kl")


def _figures(result: Result) -> Table:
    table = _table(
        "",
        ("right", result.unit + "s"),
        ("whole", f"{PERCENT} interval" if result.intervals else ""),
        "",
    )
    for key, (title, meaning) in FIGURES.items():
        value = getattr(result, key)
        if value is None and key in OF_SOFT_LABELS:
            continue
        show = percent if key == "accuracy" else figure
        ends = _span(result.intervals.get(key), show)
        table.add_row(title, show(value), ends, Text(meaning, style="dim"))
        if key == "cross_entropy":
            for indented, other, why in _of_impossible(result):
                table.add_row(f"  {indented}", figure(other), "", Text(why, style="dim"))
    return table


def _of_impossible(result: Result) -> Iterator[tuple[str, float | None, str]]:
    """Give what the loss would be without what is impossible, or with a floor under it."""
    if result.zero_probability_rows:
        without = f"without {count(result.zero_probability_rows, 'row')} of probability 0"
        yield "where possible", result.cross_entropy_finite, without
    if result.floor is not None:
        raised = f"{count(result.floor['rows'], 'row')} raised to {result.floor['p']:g}"
        yield "floored", result.floor["cross_entropy"], raised


def _span(ends: list[float] | None, show: Callable[[float | None], str]) -> str:
    if ends is None:
        return ""
    if show is percent:
        return " to ".join(map(percent, ends))
    digits = ".3f" if 0.01 <= max(map(abs, ends)) < 1000 else ".3g"
    return " to ".join(f"{end:{digits}}" for end in ends)


def _temperature(fit: dict[str, Any], family: str | None) -> Text:
    t = fit["value"]
    if not fit["identified"]:
        text = Text("Not identified: no temperature between 1/64 and 64 is best.")
        least = f" Of those tried, {figure(t)} costs least."
        return text.append(least) if family == "temperature" else text
    low, high = fit["interval"]
    text = Text.assemble(
        ("T = " + figure(t), "bold"),
        f", {PERCENT} interval {figure(low)} to {figure(high)}: ",
    )
    if low <= 1 <= high and family == "temperature":
        return text.append("1 is inside, but rows that T was not fitted to cost less with it.")
    if low <= 1 <= high:
        return text.append("1 is inside: the predictions are neither too sure nor too timid.")
    how = f"too {'sure' if t > 1 else 'timid'}"
    if family is None:
        return text.append(f"slightly {how}; no recalibration is shown to help.")
    return text.append(f"the predictions are {how}.")


def _reliability(result: Result) -> Table:
    table = _table("confidence", ("right", "rows"), ("right", "mean"), ("right", "accuracy"), "")
    for item in result.reliability:
        if item["confidence"] is not None:
            low, high = item["bin"]
            table.add_row(
                f"{low:.1f} to {high:.1f}",
                f"{item['rows']:,}",
                f"{item['confidence']:.3f}",
                f"{item['accuracy']:.3f}",
                _bar(item["accuracy"], item["confidence"]),
            )
    table.columns[-1].header = Text("━ accuracy  │ confidence", style="dim")
    return table


def _bar(value: float, mark: float | None = None) -> Text:
    """Draw a value in [0, 1], with a mark at another."""
    filled = round(value * BAR)
    text = Text("━" * filled + " " * (BAR + 1 - filled), style="cyan")
    if mark is not None:
        at = round(mark * BAR)
        text = Text.assemble(text[:at], ("│", "bold"), text[at + 1 :])
    return text


def _classes(result: Result) -> Table:
    table = _table(
        "class",
        ("right", "rows"),
        ("right", result.unit + "s"),
        ("right", "share"),
        "",
        ("right", "accuracy"),
        "mistaken for",
    )
    worst = sorted(
        result.per_class, key=lambda c: (c["bits"] == math.inf, c["share"] or 0.0), reverse=True
    )
    for item in worst[:MOST_LISTED]:
        mistaken = Text(", ").join(
            _name(name, 12).append(f" ×{n:,}") for name, n, _ in item["mistaken_for"][:2]
        )
        share = item["share"] or 0.0
        table.add_row(
            _name(item["class"]),
            f"{item['rows']:,}",
            figure(item["bits"]),
            percent(item["share"]),
            Text("━" * round(share * 10), style="cyan"),
            percent(item["accuracy"]),
            mistaken,
        )
    return table


def _slices(groups: dict[str, dict[str, Any]], unit: str) -> Table:
    table = _table("value", ("right", "rows"), ("right", unit + "s"), ("right", "gain"))
    worst = sorted(groups.items(), key=lambda item: -(item[1]["cross_entropy"] or 0.0))
    for value, item in worst[:MOST_LISTED]:
        table.add_row(
            _name(value, 30),
            f"{item['rows']:,}",
            figure(item["cross_entropy"]),
            figure(item["information_gain"]),
        )
    return table


def _surprises(dear: list[dict[str, Any]], unit: str) -> Table:
    named = any("id" in item for item in dear)
    table = _table(
        "id" if named else "row",
        "label",
        "predicted",
        ("right", unit + "s"),
        ("right", "q(label)"),
    )
    for item in dear:
        table.add_row(
            _name(str(item.get("id", item.get("row"))), 24),
            _name(item["label"]),
            _name(item["predicted"]),
            figure(item["surprisal"]),
            f"{item['q_label']:.2g}",
        )
    return table
