"""A comparison of three models or more: its words, tables and pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from plogq.compare.many_result import Difference, Disagreement, ManyComparison, ManyGroup
from plogq.compare.result import TIE, TokenFigures
from plogq.formulas.units import plural
from plogq.reports.findings.compare import PAIRED
from plogq.reports.findings.compare_advice import ELSE, FEW, READING
from plogq.reports.findings.figures import PLAIN
from plogq.reports.findings.finding import Finding
from plogq.reports.findings.lists import first_of
from plogq.reports.findings.page import Column, Dot, Dots, Page, Section, head
from plogq.reports.findings.source import files, read_as
from plogq.reports.findings.warnings import warning_text
from plogq.reports.findings.words import file_name, name
from plogq.reports.numbers import amount, count, figure
from plogq.tables.sums.bootstrap import FEWEST
from plogq.tables.sums.level import PERCENT

Row = dict[str, Any]


def page(result: ManyComparison) -> Page:
    """Return the report of a comparison."""
    words = Finding(_title(result), _against(result), _advice(result))
    read = [f"{name} is {file_name(m.source.paths[0])}" for name, m in result.models.items()]
    warnings = [warning_text(each, _what(result)) for each in result.warnings]
    paired = f"{count(result.rows, _what(result))}, paired {PAIRED[result.pairing]}"
    return Page(
        command="compare",
        units=plural(result.unit),
        headline=head(words, _sure(result), [f"{', '.join(read)}. {paired}"], warnings),
        sections=tuple(_sections(result)),
    )


def _sections(result: ManyComparison) -> Iterator[Section]:
    yield _models(result)
    yield _differences(result)
    if result.per_class:
        yield _groups(result, "classes", "Classes", "class", result.per_class)
    for i, (column, groups) in enumerate(result.slices.items()):
        title = f"Slices of {name(column)}"
        yield _groups(result, f"slices-{i}", title, column, groups)
    if result.disagreements:
        yield _disagreements(result)


def _what(result: ManyComparison) -> str:
    return "row" if result.per == "row" else "document"


def _unit(result: ManyComparison) -> str:
    return f"{plural(result.unit)} per {result.per}"


def _costs(result: ManyComparison) -> dict[str, float]:
    """Return what each model costs, the cheapest first."""
    key = "cross_entropy" if result.per == "row" else f"cross_entropy_per_{result.per}"
    costs = {name: getattr(figures, key) for name, figures in result.models.items()}
    return dict(sorted(costs.items(), key=lambda item: item[1]))


def listed(names: tuple[str, ...] | list[str], last: str = "and") -> str:
    """Return names as a sentence has them.

    Examples
    --------
    >>> listed(["A"]), listed(["A", "B"]), listed(["A", "B", "C"])
    ('A', 'A and B', 'A, B and C')
    """
    *others, final = names
    return f"{', '.join(others)} {last} {final}" if others else final


def _title(result: ManyComparison) -> str:
    costs = _costs(result)
    if not result.best:
        return "All models cost infinitely much"
    first, second = list(costs)[:2]
    if max(costs.values()) - costs[first] <= TIE:
        return f"{listed(sorted(costs))} cost the same: {figure(costs[first])} {_unit(result)}"
    if len(result.best) > 1 and not _judged(result):
        return f"{first} costs least: not clear"
    if len(result.best) > 1:
        return f"{first} costs least, but {listed(result.best[1:])} {_tied(result)} with it"
    gap = costs[second] - costs[first]
    if math.isinf(gap):
        return f"{first} is clearly best: the cost of all others is infinite"
    less = f"{amount(gap, result.unit)} per {result.per}"
    return f"{first} is clearly best: it costs {less} less than {second}, the next"


def _tied(result: ManyComparison) -> str:
    return "is tied" if len(result.best) == 2 else "are tied"


def _against(result: ManyComparison) -> str:
    each = [f"{name} {figure(cost)}" for name, cost in _costs(result).items()]
    return f"In {_unit(result)}, the cheapest first: {', '.join(each)}."


def _advice(result: ManyComparison) -> str:
    codes = {warning.code for warning in result.warnings}
    if codes & set(READING):
        return (
            "First check the warnings about the models: the costs may not mean what they seem to."
        )
    if not result.best:
        return "Look first at what had probability 0: it alone makes every cost infinite."
    few = next((of for code, of in FEW.items() if code in codes), None)
    if few is not None:
        return f"Compare on {FEWEST} {few}s or more before you choose."
    if len(result.best) == 1:
        return f"Keep {result.best[0]}."
    if not _judged(result):
        return "Compare with intervals before you choose: bootstrap was 0."
    among = listed(result.best, "or")
    return (
        f"{ELSE}, {among}; or compare on more {_what(result)}s: four times as many show half the "
        "difference."
    )


def _judged(result: ManyComparison) -> dict[str, Difference]:
    """Return the differences that have an interval."""
    return {pair: each for pair, each in result.differences.items() if each.interval is not None}


def _sure(result: ManyComparison) -> str:
    judged = _judged(result)
    shown = {p: x for p, each in judged.items() if (x := each.smallest_shown) is not None}
    if not judged or not shown:
        return "No intervals say how sure that is."
    clear = sum(each.winner is not None for each in judged.values())
    low, high = min(shown, key=shown.__getitem__), max(shown, key=shown.__getitem__)
    so_many = count(result.rows, _what(result))
    ends = f"{figure(shown[low])} {_unit(result)} ({low})"
    if high != low:
        ends += f" to {figure(shown[high])} ({high})"
    return (
        f"{clear} of {count(len(judged), 'difference')} "
        f"{'is' if clear == 1 else 'are'} clear, by intervals that hold together at {PERCENT}. The "
        f"smallest difference that {so_many} show in 4 of 5 cases: {ends}."
    )


def _models(result: ManyComparison) -> Section:
    costs = _costs(result)
    of_rows = {"accuracy": "percent", "brier": "number"} if result.per == "row" else {}
    columns = [
        Column("name", "model", "name"),
        Column("cost", _unit(result)),
        *(Column(key, PLAIN[key][0], kind) for key, kind in of_rows.items()),  # type: ignore[arg-type]
        Column("place", "", "words"),
        Column("file", "file", "words"),
    ]
    rows = []
    for letter, cost in costs.items():
        figures = result.models[letter]
        place = "worse"
        if letter in result.best:
            place = "best" if len(result.best) == 1 else "tied" if _judged(result) else ""
        source = figures.source
        read = [read_as(source)] if isinstance(figures, TokenFigures) else []
        rows.append(
            {
                "name": letter,
                "cost": cost,
                **{key: getattr(figures, key) for key in of_rows},
                "place": place,
                "file": "; ".join([files(source.paths), *read, *source.notes]),
            }
        )
    dots = tuple(
        Dot(letter, cost, color="gain" if letter in result.best else "rest")
        for letter, cost in costs.items()
        if math.isfinite(cost)
    )
    title = "Each model by itself, the cheapest first"
    return Section(
        "models", "Models", Finding(title), tuple(columns), tuple(rows), _dots(result, dots)
    )


def _dots(result: ManyComparison, dots: tuple[Dot, ...], zero: str | None = None) -> Dots | None:
    return Dots(_unit(result), dots, zero) if dots else None


def _differences(result: ManyComparison) -> Section:
    found = result.differences
    text = (
        f"A − B is what A costs more than B; below 0, A is better. All {PERCENT} intervals hold "
        "together: each reaches further than that of two models compared alone. A difference "
        "without a winner is a tie: these rows do not tell the two apart."
    )
    if any(each.interval and math.isinf(each.difference or 0.0) for each in found.values()):
        text += (
            " Where a difference is infinite, its interval is over the rows that are possible "
            "under both."
        )
    columns = (
        Column("pair", "", "name"),
        Column("difference", _unit(result)),
        Column("interval", f"{PERCENT} interval", "interval"),
        Column("smallest", "smallest shown"),
        Column("winner", "clearly better", "words"),
    )
    order = sorted(found.items(), key=lambda item: -abs(item[1].difference_finite or 0.0))
    rows = tuple(_difference(pair, each) for pair, each in order)
    dots = tuple(
        Dot(
            _minus(pair),
            each.difference_finite,
            each.interval,
            "gain" if each.winner else "rest",
        )
        for pair, each in order
        if each.difference_finite is not None
    )
    title = "Differences of all pairs, the largest first"
    return Section(
        "differences",
        "Differences",
        Finding(f"{title}{first_of(len(rows), len(rows))}", text),
        columns,
        rows,
        _dots(result, dots, "alike"),
    )


def _minus(pair: str) -> str:
    return pair.replace("-", " − ")


def _difference(pair: str, each: Difference) -> Row:
    return {
        "pair": _minus(pair),
        "difference": each.difference,
        "interval": each.interval,
        "smallest": each.smallest_shown,
        "winner": each.winner or "tie",
    }


def _groups(
    result: ManyComparison, key: str, title: str, of: str, groups: Mapping[str, ManyGroup]
) -> Section:
    judged = {
        value: each
        for value, each in groups.items()
        if any(gap.interval is not None for gap in each.differences.values())
    }
    text = ""
    if judged:
        clear = sum(len(each.best) == 1 for each in judged.values())
        text = (
            f"In {clear:,} of {len(judged):,} one model is clearly best; all intervals of this "
            "table hold together."
        )
    columns = (
        Column("value", of, "name"),
        Column("rows", "rows", "count"),
        *(Column(letter, letter) for letter in result.models),
        Column("best", "best, or tied", "words"),
    )
    rows = tuple(
        {
            "value": value,
            "rows": each.rows,
            **each.costs,
            "best": ", ".join(each.best) if value in judged else "too few rows",
        }
        for value, each in sorted(groups.items(), key=lambda item: -_effect(item[1]))
    )
    title = f"{title}, {_unit(result)}{first_of(len(rows), len(rows))}"
    return Section(key, title.split(",")[0], Finding(title, text), columns, rows)


def _effect(group: ManyGroup) -> float:
    """Return what the best model saves, against the worst, over all rows of a group."""
    costs = [each for each in group.costs.values() if each is not None and math.isfinite(each)]
    return group.rows * (max(costs) - min(costs)) if costs else 0.0


def _disagreements(result: ManyComparison) -> Section:
    found = result.disagreements
    named = any(each.label is not None for each in found)
    columns = (
        Column("at", _at_name(found[0]), "name"),
        *([Column("label", "label", "name")] if named else []),
        *(Column(letter, letter) for letter in result.models),
    )
    rows = tuple({"at": _at(each), "label": each.label, **each.costs} for each in found)
    title = f"{_what(result).capitalize()}s on which the models differ by most, {_unit(result)}"
    return Section("disagreements", "Largest differences", Finding(title), columns, rows)


def _at_name(each: Disagreement) -> str:
    return "document" if each.doc is not None else "row" if each.id is None else "id"


def _at(each: Disagreement) -> str:
    return next(str(x) for x in (each.doc, each.id, each.row) if x is not None)
