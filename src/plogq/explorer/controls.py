"""The controls of a page: what a reader may change, with its default and its bounds.

The front end draws a control from its `spec`; the server reads what comes back with `read`, which
checks everything.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol


class Control(Protocol):
    """One control of a page."""

    def read(self, value: Any, name: str) -> Any:
        """Give a value that came from outside, or raise a ValueError that names it."""

    def spec(self) -> dict[str, Any]:
        """Give the data from which the front end draws it."""


State = dict[str, Any]


def read_state(controls: Mapping[str, Control], body: Any) -> State:
    """Read a page's state; a control that is not named has its default.

    Raises
    ------
    ValueError
        If it is not an object, has a name that no control has, or a value out of its bounds.

    Examples
    --------
    >>> read_state({"logit": Number("logit", 1.5, -5, 5)}, {})
    {'logit': 1.5}
    >>> read_state({"logit": Number("logit", 1.5, -5, 5)}, {"logit": 9})
    Traceback (most recent call last):
    ...
    ValueError: logit: expected a number from -5 to 5, got 9
    """
    if not isinstance(body, Mapping):
        raise wrong("the state", "an object", body)
    for name in body:
        if name not in controls:
            raise wrong("the state", f"only {', '.join(controls) or 'nothing'}", name)
    return {
        name: control.read(body[name], name) if name in body else control.spec()["default"]
        for name, control in controls.items()
    }


def wrong(name: str, expected: str, got: Any) -> ValueError:
    """Give the error for a value that is not what was expected."""
    shown = ascii(got)
    shown = shown if len(shown) <= 60 else shown[:59] + "…"
    return ValueError(f"{name}: expected {expected}, got {shown}")


class _Spec:
    """A control whose fields are all that the front end needs."""

    kind: ClassVar[str]

    def spec(self) -> dict[str, Any]:
        return {"kind": self.kind, **asdict(self)}  # type: ignore[call-overload]


def _number(value: Any, low: float, high: float, name: str, expected: str) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high:  # NaN is between no two numbers
        raise wrong(name, expected, value)
    return float(value)


@dataclass(frozen=True)
class Number(_Spec):
    """A slider."""

    kind: ClassVar[str] = "number"

    label: str
    default: float
    low: float
    high: float
    step: float = 0.05

    def read(self, value: Any, name: str) -> float:
        """Read a number between the bounds."""
        return _number(value, self.low, self.high, name, f"a number from {self.low} to {self.high}")


@dataclass(frozen=True)
class Whole(_Spec):
    """A slider over whole numbers."""

    kind: ClassVar[str] = "whole"

    label: str
    default: int
    low: int
    high: int
    within: str = ""  # the list whose positions this counts; its last position is the bound
    named: str = ""  # the control that names what it counts

    def read(self, value: Any, name: str) -> int:
        """Read a whole number between the bounds."""
        expected = f"a whole number from {self.low} to {self.high}"
        if isinstance(value, float) and not value.is_integer():
            raise wrong(name, expected, value)
        return int(_number(value, self.low, self.high, name, expected))


@dataclass(frozen=True)
class Choice(_Spec):
    """One of a few: {value: what the reader sees}."""

    kind: ClassVar[str] = "choice"

    label: str
    default: str
    options: dict[str, str]

    def read(self, value: Any, name: str) -> str:
        """Read one of the options."""
        if not isinstance(value, str) or value not in self.options:
            raise wrong(name, f"one of {', '.join(self.options)}", value)
        return value


@dataclass(frozen=True)
class Numbers(_Spec):
    """A row of sliders that may grow and shrink: logits, weights of a network."""

    kind: ClassVar[str] = "numbers"

    label: str
    default: tuple[float, ...]
    low: float
    high: float
    step: float = 0.05
    least: int = 1
    most: int = 12
    names: tuple[str, ...] = ()  # of the sliders; by default 0, 1, 2, …
    named: str = ""  # the control that names them instead
    along: tuple[str, ...] = ()  # the other lists that grow and shrink with this one

    def read(self, value: Any, name: str) -> tuple[float, ...]:
        """Read a list of numbers between the bounds, of an allowed length."""
        if not isinstance(value, list) or not self.least <= len(value) <= self.most:
            many = f"{self.least} to {self.most}" if self.least < self.most else f"{self.most}"
            raise wrong(name, f"a list of {many} numbers", value)
        expected = f"a number from {self.low} to {self.high}"
        return tuple(
            _number(item, self.low, self.high, f"{name}[{i}]", expected)
            for i, item in enumerate(value)
        )


@dataclass(frozen=True)
class Shares(Numbers):
    """A distribution as bars to pull: any numbers from 0 to 1, divided by their sum.

    Bars that sum to 1 are taken as they are, so that .7 .2 .1 stay themselves.
    """

    kind: ClassVar[str] = "shares"

    low: float = 0.0
    high: float = 1.0
    step: float = 0.01

    def read(self, value: Any, name: str) -> tuple[float, ...]:
        """Read the bars, and make them a distribution."""
        bars = super().read(value, name)
        total = math.fsum(bars)
        if total < 1e-9:
            raise wrong(name, "at least one bar above 0", value)
        return bars if abs(total - 1) < 1e-9 else tuple(bar / total for bar in bars)


@dataclass(frozen=True)
class Words(_Spec):
    """A few short texts: code words, names."""

    kind: ClassVar[str] = "words"

    label: str
    default: tuple[str, ...]
    letters: str
    longest: int
    least: int = 1
    most: int = 12
    names: tuple[str, ...] = ()  # of the texts; by default 1, 2, 3, …

    def read(self, value: Any, name: str) -> tuple[str, ...]:
        """Read a list of texts of the allowed letters and lengths."""
        if not isinstance(value, list) or not self.least <= len(value) <= self.most:
            raise wrong(name, f"a list of {self.least} to {self.most} texts", value)
        for i, word in enumerate(value):
            if (
                not isinstance(word, str)
                or len(word) > self.longest
                or not set(word) <= set(self.letters)
            ):
                expected = f"at most {self.longest} of the letters {self.letters}"
                raise wrong(f"{name}[{i}]", expected, word)
        return tuple(value)


CLASS_NAMES = ("cat", "dog", "bird", "fish", "horse", "frog", "deer", "mouse")


@dataclass(frozen=True)
class Names(_Spec):
    """Names of a page's classes, which its reader may change."""

    kind: ClassVar[str] = "names"

    label: str = "names of the classes"
    default: tuple[str, ...] = CLASS_NAMES
    within: str = ""  # the list whose numbers they name: no more of them are shown
    longest: int = 16  # characters of a name

    def read(self, value: Any, name: str) -> tuple[str, ...]:
        """Read names, and make them names of all classes, each another.

        Where none is given, or a blank one, it is that of the default. Of two that are alike the
        second is numbered.

        Examples
        --------
        >>> Names().read(["owl", " ", "owl"], "names")[:4]
        ('owl', 'dog', 'owl 2', 'fish')
        """
        if not isinstance(value, list) or len(value) > len(self.default):
            raise wrong(name, f"a list of at most {len(self.default)} texts", value)
        found: list[str] = []
        for i, by_default in enumerate(self.default):
            given = value[i] if i < len(value) else ""
            text = " ".join(given.split()) if isinstance(given, str) else None
            if text is None or len(text) > self.longest or not text.isprintable():
                expected = f"at most {self.longest} characters that can be shown"
                raise wrong(f"{name}[{i}]", expected, given)
            found.append(self._another(text or by_default, found))
        return tuple(found)

    def _another(self, name: str, others: list[str]) -> str:
        """Give the name, with the first number from 2 on that makes it none of the others."""
        one, number = name, 1
        while one in others:
            number += 1
            end = f" {number}"
            one = f"{name[: self.longest - len(end)].rstrip()}{end}"
        return one


UNIT = Choice("unit", "bit", {"bit": "bits", "nat": "nats"})


def same_length(state: State, first: str, second: str) -> None:
    """Raise unless two lists of a state are of one length."""
    if len(state[first]) != len(state[second]):
        raise wrong(second, f"as many numbers as {first} ({len(state[first])})", state[second])
