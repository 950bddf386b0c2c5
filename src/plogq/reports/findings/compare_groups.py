"""Classes and slices of a comparison in words: how many are clear, and where the loser wins."""

from __future__ import annotations

from collections.abc import Mapping

from plogq.compare.result import Comparison, Group
from plogq.formulas.units import plural
from plogq.reports.findings.finding import Finding
from plogq.reports.findings.lists import first_of
from plogq.reports.findings.words import name
from plogq.reports.numbers import amount
from plogq.tables.sums.level import ONE_IN


def groups(result: Comparison, title: str, found: Mapping[str, Group], of: str) -> Finding:
    """Return in how many groups a model is clearly better, and in how many by chance alone."""
    judged = [each for each in found.values() if each.interval is not None or each.winner]
    text = ""
    if judged:
        clear = sum(each.winner is not None for each in judged)
        text = (
            f"In {clear:,} of {len(judged):,} one model is clearly better; by chance alone, it "
            f"would be in 1 of {ONE_IN:g}."
        )
    title += f", {plural(result.unit)} per row{first_of(len(found), len(found))}"
    return Finding(title, text, _look(result, found, of))


def looks(result: Comparison) -> list[str]:
    """Return where the model that is worse overall is clearly better: classes, then slices."""
    found = [_look(result, result.per_class, "class")]
    found += [_look(result, values, column) for column, values in result.slices.items()]
    return [each for each in found if each is not None]


def effect(group: Group) -> float:
    """Return what the better model saves over all rows of a group."""
    return abs(group.rows * (group.difference or 0.0))


def _look(result: Comparison, found: Mapping[str, Group], of: str) -> str | None:
    """Return the group that the worse model clearly wins, and where it saves most over all rows."""
    if result.winner is None:
        return None
    loser = "b" if result.winner == "a" else "a"
    won = {value: each for value, each in found.items() if each.winner == loser}
    if not won:
        return None
    value = max(won, key=lambda each: effect(won[each]))
    a, b = won[value].a, won[value].b
    assert a is not None
    assert b is not None
    costs = f"A costs {amount(a, result.unit)} per row, B {amount(b, result.unit)}"
    return f"Look at {of} {name(value)}: there {loser.upper()} is clearly better ({costs})."
