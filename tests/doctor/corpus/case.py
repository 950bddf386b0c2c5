"""A case of the corpus: something to look at, and what the doctor is to say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Case:
    """What is looked at, and which checks are to find something in it.

    `given` returns it: for values, the arguments of `check` by name, or of `check_table`; for a
    training, its diagnosis. What checks of `also` say is true of it, and they need not say it.
    """

    name: str
    kind: Literal["sick", "healthy"]
    codes: frozenset[str]
    given: Callable[[], dict[str, Any]]
    also: frozenset[str] = frozenset()
