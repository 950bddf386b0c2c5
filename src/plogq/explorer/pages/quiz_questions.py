"""The quiz: two sets of eight questions, drawn and put in order by a seed."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from plogq.explorer.pages.quiz_draft import Choice, Draft, apart
from plogq.explorer.pages.quiz_ideas import IDEAS
from plogq.explorer.pages.quiz_numbers import NUMBERS

LETTERS = "abcd"
SETS = {"numbers": NUMBERS, "ideas": IDEAS}


@dataclass(frozen=True)
class Question:
    """A question whose choices stand in the order of LETTERS; the other fields are a Draft's."""

    page: str
    ask: str
    unit: str
    choices: tuple[Choice, ...]
    right: str  # its letter
    code: str


@functools.lru_cache(maxsize=64)
def questions(seed: int, about: str = "numbers") -> tuple[Question, ...]:
    """Give the eight questions of a seed, of one of SETS."""
    return tuple(
        _drawn(np.random.default_rng([seed, i]), make) for i, make in enumerate(SETS[about])
    )


def score(seed: int, answers: list[str], about: str = "numbers") -> int:
    """Count the right ones among answers "a" to "d"; "" is none.

    Examples
    --------
    >>> score(1, [question.right for question in questions(1, "ideas")], "ideas")
    8
    """
    pairs = zip(answers, questions(seed, about), strict=True)
    return sum(answer == question.right for answer, question in pairs)


def _drawn(rng: np.random.Generator, make: Callable[[np.random.Generator], Draft]) -> Question:
    """Draw until no two choices are alike; then shuffle them."""
    while True:
        draft = make(rng)
        choices = (draft.right, *draft.wrong)
        if all(apart(one.value, other.value) for one, other in itertools.combinations(choices, 2)):
            break
    order = rng.permutation(len(choices))
    return Question(
        draft.page,
        draft.ask,
        draft.unit,
        tuple(choices[i] for i in order),
        LETTERS[int(np.flatnonzero(order == 0)[0])],
        draft.code,
    )
