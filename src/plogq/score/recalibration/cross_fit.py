"""Every family fitted to all folds but one and judged by that one, for each fold in turn."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, Self

import numpy as np

from plogq.errors import refuse
from plogq.kernels.threads import default_threads
from plogq.score.recalibration.families.base_rate import TemperatureAndBase
from plogq.score.recalibration.families.identity import Identity
from plogq.score.recalibration.families.isotonic import Isotonic
from plogq.score.recalibration.families.temperature import Temperature
from plogq.score.recalibration.families.vector import Vector
from plogq.score.recalibration.labelled_rows import LabelledRows
from plogq.tables.arrays import Array

ROWS_PER_PARAMETER = 10
MOST_CLASSES_BY_CLASS = 128


class Family(Protocol):
    """A way to change predictions that is learnt from rows; an instance is a fitted one."""

    name: str
    mends: bool  # whether it gives labels of probability 0 a positive one

    @staticmethod
    def size(classes: int) -> int:
        """How many parameters it has."""

    @classmethod
    def fit(cls, rows: LabelledRows, start: Self | None = None) -> Self:
        """Return a fit to rows; a `start` that was fitted to nearly the same rows saves time."""

    def losses(self, rows: LabelledRows) -> Array:
        """Return what each of some other rows costs, in nats, (n,)."""

    def parameters(self) -> dict[str, Any]:
        """Return what was learnt, as plain data: the keywords of `probabilities`."""

    @staticmethod
    def probabilities(*log_q: Any, **parameters: Any) -> Array:
        """Return the recalibrated probabilities, (n, C), of z = log q, (n, C)."""


# The simplest comes first: among families that are equally good, the first is taken.
FAMILIES: tuple[type[Family], ...] = (Identity, Temperature, TemperatureAndBase, Vector, Isotonic)
BY_NAME = {family.name: family for family in FAMILIES}


def check_family(name: str | None) -> None:
    """Refuse the name of a family that there is not."""
    if name is not None and name not in BY_NAME:
        refuse("family", f"be one of {', '.join(BY_NAME)}", repr(name))


def choose_families(
    rows: int, classes: int, impossible: bool, folds: int
) -> tuple[list[type[Family]], dict[str, str]]:
    """Return the families that so many rows can be fitted by, and why the others cannot.

    Each parameter needs ten rows, and a family with parameters for each class at most 128 classes.
    Where labels have probability 0, only a family that mends them has a finite cost: the mixture is
    then tried however few rows there are.
    """
    tried: list[type[Family]] = []
    aside = {}
    for family in FAMILIES:
        size = family.size(classes)
        by_class = family.size(3) != family.size(4)
        if family is Identity:
            tried.append(family)
        elif classes == 1:
            aside[family.name] = "one class"
        elif folds < 2:
            aside[family.name] = "nothing to hold out"
        elif by_class and classes > MOST_CLASSES_BY_CLASS:
            aside[family.name] = f"more than {MOST_CLASSES_BY_CLASS} classes"
        elif rows < size * ROWS_PER_PARAMETER and not (impossible and family is TemperatureAndBase):
            aside[family.name] = f"fewer than {size * ROWS_PER_PARAMETER:,} rows"
        else:
            tried.append(family)
    return tried, aside


def cross_fit(
    rows: LabelledRows,
    surprisal: Array,
    fold: Array,
    base: Sequence[Array],
    families: Sequence[type[Family]],
) -> tuple[Array, tuple[Family, ...]]:
    """Return each row's loss by each family fitted to the other folds, and the fits to all rows.

    Parameters
    ----------
    rows
        All rows, with the base rates of the whole table.
    surprisal
        What each row costs as it is, in nats, (n,).
    fold
        The fold of each row, 0, 1, 2 …, (n,).
    base
        The base rates without each fold, (C,) each.
    families
        The families to fit; the first is the identity.
    """
    losses = np.empty((len(families), len(rows)))
    losses[0] = surprisal

    def judge(number: int) -> None:
        held = np.flatnonzero(fold == number)
        learn, unseen = rows.take(np.flatnonzero(fold != number), base[number]), rows.take(held)
        for i, family in enumerate(families[1:], 1):
            losses[i, held] = family.fit(learn, fits[i]).losses(unseen)

    with ThreadPoolExecutor(default_threads()) as pool:
        fits = tuple(pool.map(lambda family: family.fit(rows), families))
        for _ in pool.map(judge, range(len(base))):
            pass
    return losses, fits
