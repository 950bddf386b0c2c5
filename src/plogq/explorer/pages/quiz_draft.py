"""The form in which a question of the quiz is written, and how its numbers are drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from plogq.explorer.shown import shown

DIGITS = 3


@dataclass(frozen=True)
class Choice:
    """What may be chosen, a number or words, and why it is right or wrong."""

    value: float | str
    why: str

    @property
    def text(self) -> str:
        """The choice as a reader sees it."""
        return self.value if isinstance(self.value, str) else shown(self.value, DIGITS)


@dataclass(frozen=True)
class Draft:
    """A question whose choices are not in order yet.

    `code` gives the right number, or the numbers that show why words are right; its last line is an
    expression. `page` is where the explorer teaches it.
    """

    page: str
    ask: str
    unit: str  # of the choices, where they are numbers
    code: str
    right: Choice
    wrong: tuple[Choice, ...]


def apart(one: float | str, other: float | str) -> bool:
    """Tell whether two choices differ so much that no reader has to guess which is meant."""
    if isinstance(one, str) or isinstance(other, str) or math.isinf(one) or math.isinf(other):
        return one != other
    return abs(one - other) > max(_APART * max(abs(one), abs(other)), 10.0**-DIGITS * 5)


_APART = 0.03  # of the larger number


def shares(rng: np.random.Generator, n: int) -> tuple[float, ...]:
    """Draw a distribution in steps of 0.05, none of them 0."""
    cuts = np.sort(rng.choice(np.arange(1, 20), n - 1, replace=False))
    return tuple(float(k) / 20 for k in np.diff(cuts, prepend=0, append=20))


def logits(rng: np.random.Generator) -> tuple[float, ...]:
    """Draw three logits in steps of 0.1."""
    return tuple(float(k) / 10 for k in rng.integers(-20, 31, size=3))


def said(numbers: tuple[float, ...]) -> str:
    """Write a few numbers for a reader: (0.5, 0.3, 0.2)."""
    return f"({', '.join(f'{x:g}'.replace('-', '−') for x in numbers)})"
