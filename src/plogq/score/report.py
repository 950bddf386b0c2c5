"""A result on the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from plogq.score.errors import printable
from plogq.score.result import Result

MOST_LISTED = 20
BAR = 20
NARROWEST = 12  # of a column that is cut to fit


def print_report(result: Result, console: Console | None = None) -> None:
    """Print the headline, the figures, and where the cost comes from."""
    console = console or Console(highlight=False)
    for number, section in enumerate(_sections(result)):
        if number:
            console.print()
        for piece in section:
            if isinstance(piece, Table):
                _fit(piece, console)
            console.print(piece, crop=False)


def _sections(result: Result) -> Iterator[list[Text | Table]]:
    yield _headline(result)
    yield _section("What it is made of", _figures(result))
    if result.temperature is not None:
        yield _section("Temperature", _temperature(result, result.temperature))
    yield _section("Reliability: how sure, how often right", _reliability(result))
    cost = "finite cost" if result.zero_probability_rows else "cost"
    yield _section(
        _most(f"Classes, by their share of the {cost}", result.per_class), _classes(result)
    )
    for column, groups in result.slices.items():
        yield _section(
            _most(f"Slices of {printable(column)}", groups), _slices(groups, result.unit)
        )
    if result.surprises:
        yield _section("Most surprising rows: look for wrong labels here first", _surprises(result))
    if result.entropy_floor is None:
        yield [
            Text(
                "How much of the cost no model could save, hard labels cannot tell: that takes "
                "soft labels, or several annotators' labels.",
                style="dim",
            )
        ]
    for warning in result.warnings:
        count = f" ({_rows(warning['rows'])})"
        yield [Text(f"! {warning['message']}{count}", style="yellow")]


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
    about = f"{_rows(result.rows)}, {len(result.classes):,} classes; {taken}"
    head = Text.assemble(
        (f"{_number(result.cross_entropy)} {result.unit}s per row", "bold green"),
        f", of {_number(result.label_entropy)} with no model",
    )
    if result.explained is not None and result.explained >= 0:
        head.append(f": {result.explained:.1%} explained")
    return [Text(where, style="bold"), Text(about, style="dim"), Text(), head]


def _column(name: Any) -> str:
    return printable(name if isinstance(name, str) else ", ".join(name))


def _figures(result: Result) -> Table:
    table = _table("", ("right", result.unit + "s"), "")

    def row(name: str, value: float | None, meaning: str) -> None:
        table.add_row(name, _number(value), Text(meaning, style="dim"))

    row("cross-entropy", result.cross_entropy, "what a label costs, given the model")
    if result.zero_probability_rows:
        row(
            "  where possible",
            result.cross_entropy_finite,
            f"without {_rows(result.zero_probability_rows)} whose label had probability 0",
        )
    if result.floor is not None:
        row(
            "  floored",
            result.floor["cross_entropy"],
            f"{_rows(result.floor['rows'])} raised to probability {result.floor['p']:g}",
        )
    row("label entropy", result.label_entropy, "what it costs with no model")
    row("information gain", result.information_gain, "the difference: what the model knows")
    row("prediction entropy", result.prediction_entropy, "what the model expects to pay")
    row("overconfidence", result.overconfidence, "what it pays beyond that; 0 if calibrated")
    if result.entropy_floor is not None:
        row("entropy floor", result.entropy_floor, "what no model can save: the labels' own doubt")
        row("divergence (KL)", result.kl, "the rest: what a better model could save")
    row("perplexity", result.perplexity, "as if choosing among so many classes (no unit)")
    row("Brier score", result.brier, "squared error of the probabilities (no unit)")
    table.add_row("accuracy", f"{result.accuracy:.2%}", Text("top class right", style="dim"))
    return table


def _temperature(result: Result, fit: dict[str, Any]) -> Text:
    if not fit["identified"]:
        return Text("Not identified: no temperature between 1/64 and 64 is best.")
    t, (low, high) = fit["value"], fit["interval"]
    text = Text.assemble(
        ("T = " + _number(t), "bold"), f", 95 % interval {_number(low)} to {_number(high)}. "
    )
    if low <= 1 <= high:
        return text.append("1 is inside: leave the predictions as they are.")
    saved = (result.cross_entropy_finite or 0.0) - fit["cross_entropy"]
    what = (
        "divide the logits by T" if result.kind == "logits" else "raise them to 1/T and normalise"
    )
    return text.append(
        f"The predictions are too {'sure' if t > 1 else 'timid'}: {what} and pay "
        f"{_number(fit['cross_entropy'])} {result.unit}s per row, {_number(saved)} less."
    )


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
            _number(item["bits"]),
            _percent(item["share"]),
            Text("━" * round(share * 10), style="cyan"),
            _percent(item["accuracy"]),
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
            _number(item["cross_entropy"]),
            _number(item["information_gain"]),
        )
    return table


def _surprises(result: Result) -> Table:
    named = any("id" in item for item in result.surprises)
    table = _table(
        "id" if named else "row",
        "label",
        "predicted",
        ("right", "q(label)"),
        ("right", result.unit + "s"),
    )
    for item in result.surprises:
        table.add_row(
            _name(str(item.get("id", item.get("row"))), 24),
            _name(item["label"]),
            _name(item["predicted"]),
            f"{item['q_label']:.2g}",
            _number(item["surprisal"]),
        )
    return table


def _table(*columns: str | tuple[str, str]) -> Table:
    """Make a table without lines: of names, of numbers ("right"), of what may be left out."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        justify, header = column if isinstance(column, tuple) else ("left", column)
        table.add_column(header, justify=justify, no_wrap=True, overflow="ellipsis")  # type: ignore[arg-type]
    return table


def _fit(table: Table, console: Console) -> None:
    """Cut names for a narrow terminal, and what stands behind the numbers; numbers stay whole."""
    widths = [
        max((cell if isinstance(cell, Text) else Text(str(cell))).cell_len for cell in cells)
        for cells in ([column.header, *column.cells] for column in table.columns)
    ]
    spare = console.width - sum(widths) - 2 * (len(widths) - 1)
    numbers = [i for i, column in enumerate(table.columns) if column.justify == "right"]
    dropped = set()
    for i in [i for i in range(len(widths) - 1, numbers[0], -1) if i not in numbers]:
        if spare < 0 and widths[i] + spare >= NARROWEST:
            widths[i], spare = widths[i] + spare, 0
        elif spare < 0:
            spare += widths[i] + 2
            dropped.add(i)
    for i in range(numbers[0]):
        widths[i] = max(4, widths[i] + min(0, spare // numbers[0]))
    for column, width in zip(table.columns, widths, strict=True):
        column.min_width = column.max_width = width
    table.columns = [column for i, column in enumerate(table.columns) if i not in dropped]


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if value == 0 or 1e-3 <= abs(value) < 1e6 or math.isinf(value):
        return f"{value:.4f}"
    return f"{value:.3g}"


def _rows(n: int) -> str:
    return "1 row" if n == 1 else f"{n:,} rows"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _name(name: str, width: int = 16) -> Text:
    """Show a name as it is: a string would be read as rich's markup."""
    shown = printable(name)
    return Text(shown if len(shown) <= width else shown[: width - 1] + "…")
