"""Conditions on a result's figures: what a gate fails on, and what a test asserts.

Figures are named as in the JSON, with dots between: `cross_entropy`, `per_class.cat.accuracy`,
`cross_entropy.high` for the upper end of its interval.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?inf"
UNIT = r"(?P<unit>bit|nat|hartley)s?"
ON_A_FIGURE = re.compile(
    rf"(?P<figure>.+?)\s*(?P<sign><=|>=|<|>)\s*(?P<number>{NUMBER})(?:\s+{UNIT})?",
    re.DOTALL,
)
WORSE = re.compile(rf"(?P<clearly>clearly\s+)?worse(?:\s+by\s+(?P<number>{NUMBER})\s+{UNIT})?")
# What is counted in the unit of the result, by a part of its name.
OF_UNIT = re.compile(
    r"entropy|information_gain|refinement|miscalibration|resolution|overconfidence|kl\b|surprisal"
    r"|(?<!accuracy_)difference|smallest_shown|costs|\b[ab]\b"
)
EXPECTED = (
    "a figure, one of < <= > >=, and a number, such as 'cross_entropy > 0.2 bits'; or, of two "
    "models, 'worse by 0.002 bits' or 'clearly worse'"
)
MOST_LISTED = 30


@dataclass(frozen=True)
class Condition:
    """A comparison of a figure with a number, as it was written."""

    text: str
    figure: str
    sign: str
    number: float
    unit: str | None = None
    worse: bool = False
    """Whether it says that the second of two models is worse."""
    clearly: bool = False
    """Whether that model must also be clearly worse."""


@dataclass(frozen=True)
class Outcome:
    """Whether a condition holds of a result."""

    condition: Condition
    value: float
    """What the figure is."""
    holds: bool

    def sentence(self) -> str:
        """Return the condition and what the figure is."""
        asked = self.condition
        if not asked.worse:
            return f"{asked.text}: {asked.figure} is {self.value!r}"
        unit = f" {asked.unit}s" if asked.unit else ""
        least = "at least " if self.value <= 0 else "at most "  # the end of its interval
        by = least if asked.clearly and math.isfinite(self.value) else ""
        less = "less" if self.value > 0 else "more"
        return f"{asked.text}: B costs {by}{abs(self.value):.6g}{unit} {less} than A"


def condition(text: str) -> Condition:
    """Return the condition that a text states.

    Examples
    --------
    >>> found = condition("cross_entropy.high > 0.2 bits")
    >>> found.figure, found.sign, found.number, found.unit
    ('cross_entropy.high', '>', 0.2, 'bit')
    >>> found = condition("worse by 0.002 bits")
    >>> found.figure, found.sign, found.number
    ('difference', '<=', -0.002)
    """
    said = text.strip()
    if found := WORSE.fullmatch(said):
        number = None if found["number"] is None else float(found["number"])
        clearly = found["clearly"] is not None
        if (number is None and not clearly) or (number is not None and number < 0):
            raise ValueError(f"{text!r}: expected 'worse by' an amount of 0 or more, with its unit")
        end = "difference_finite.high" if clearly else "difference"
        return Condition(said, end, "<=", -(number or 0.0), found["unit"], True, clearly)
    found = ON_A_FIGURE.fullmatch(said)
    if found is None:
        raise ValueError(f"{text!r}: expected {EXPECTED}")
    return Condition(said, found["figure"], found["sign"], float(found["number"]), found["unit"])


def outcome(result: Any, of: Condition | str) -> Outcome:
    """Return whether a condition holds of a result.

    Raises
    ------
    ValueError
        The result has no such figure, it was not computed, or it is in another unit.
    """
    asked = condition(of) if isinstance(of, str) else of
    if asked.worse:
        _check_two(result, asked)
    if asked.unit is not None:
        _check_unit(result, asked)
    if asked.clearly and getattr(result, "difference", None) == -math.inf:
        return Outcome(asked, -math.inf, True)
    value = _value(result, asked)
    holds = OPERATORS[asked.sign](value, asked.number)
    if asked.clearly:
        holds = holds and result.winner == "a"
    return Outcome(asked, value, holds)


def assert_all(result: Any, texts: tuple[str, ...]) -> None:
    """Raise an AssertionError that names every condition that does not hold."""
    failed = [each for each in (outcome(result, text) for text in texts) if not each.holds]
    if failed:
        raise AssertionError("; ".join(f"not {each.sentence()}" for each in failed))


def figures(result: Any) -> dict[str, float | None]:
    """Return every number of a result by its name; None for what was not computed."""
    return dict(_figures(result, ""))


def _figures(value: Any, at: str) -> Iterator[tuple[str, float | None]]:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        yield at, value
    elif isinstance(value, tuple) and re.search(r"(^|\.)intervals?(\.|$)", at) and len(value) == 2:
        name = at.removeprefix("intervals.")
        yield from ((f"{name}.low", value[0]), (f"{name}.high", value[1]))
    else:
        for name, item in _items(value):
            yield from _figures(item, f"{at}.{name}" if at else name)


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    """Return the parts of a value by their names: of a list, by the field `name`, or by number."""
    if is_dataclass(value):
        yield from ((each.name, getattr(value, each.name)) for each in fields(value))
    elif isinstance(value, dict):
        yield from ((str(name), item) for name, item in value.items())
    elif isinstance(value, list | tuple):
        yield from ((str(getattr(item, "name", i)), item) for i, item in enumerate(value))


def _check_two(result: Any, asked: Condition) -> None:
    """Refuse "worse" of what does not compare two models."""
    if hasattr(result, "difference"):
        return
    models = list(getattr(result, "models", ()))
    if not models:
        raise ValueError(f"{asked.text!r}: expected a comparison of two models")
    end = "interval.high" if asked.clearly else "difference"
    figure = f"differences.{models[0]}-{models[1]}.{end}"  # what the first costs more
    by = f"< {asked.number + 0.0:g}" + (f" {asked.unit}s" if asked.unit else "")
    raise ValueError(
        f"{asked.text!r}: expected a comparison of two models; got {len(models)}, of which "
        f"differences are asked for by pair, such as '{figure} {by}'"
    )


def _check_unit(result: Any, asked: Condition) -> None:
    unit = getattr(result, "unit", None)
    if not OF_UNIT.search(asked.figure):
        raise ValueError(f"{asked.text!r}: {asked.figure} has no unit; got {asked.unit}s")
    if unit != asked.unit:
        raise ValueError(
            f"{asked.text!r}: this result is in {unit}s; got {asked.unit}s (choose with --unit, or "
            "unit=)"
        )


def _value(result: Any, asked: Condition) -> float:
    found, name = figures(result), asked.figure
    value = found.get(name)
    if value is not None and not math.isnan(value):
        return value
    stem, _, end = name.rpartition(".")
    if end in ("low", "high") and stem in found:
        raise ValueError(f"{asked.text!r}: {stem} has no interval here")
    parts = name.split(".")
    if any(".".join(parts[:i]) in found for i in range(1, len(parts) + 1)):
        raise ValueError(f"{asked.text!r}: {name} was not computed here")
    raise _unknown(asked, found)


def _unknown(asked: Condition, found: dict[str, float | None]) -> ValueError:
    known = [each for each, value in found.items() if value is not None]
    near = [each for each in known if each.startswith(asked.figure.split(".")[0] + ".")]
    there = near or [each for each in known if "." not in each or each.endswith((".low", ".high"))]
    more = f" and {len(there) - MOST_LISTED:,} more" if len(there) > MOST_LISTED else ""
    listed = ", ".join(there[:MOST_LISTED]) + more
    return ValueError(f"{asked.text!r}: there is no figure {asked.figure!r}; there are {listed}")
