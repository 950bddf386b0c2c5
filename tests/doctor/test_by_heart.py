"""How far a copy is followed that learns some rows by heart."""

import math
from itertools import count

import pytest

from plogq.doctor.runtime.by_heart import LONGEST, ROUND, Cost, follow

BASE = math.log(4)


def costs(course):
    return (Cost(course(turn), BASE, 16) for turn in count())


@pytest.mark.parametrize(
    ("course", "best", "updates"),
    [
        (lambda turn: 2.0 - 0.05 * turn, 1.35, 14),  # learnt: the search ends
        (lambda turn: BASE + 0.5**turn, BASE, ROUND),  # it comes to rest at the base rates
        (lambda turn: 8.0 - 0.05 * turn, 1.35, 134),  # learnt late
        (lambda turn: BASE + 4 * 0.97**turn, BASE + 4 * 0.97**199, LONGEST),  # slowly to rest
        (lambda turn: math.nan, math.inf, ROUND),
    ],
)
def test_a_copy_is_followed_while_it_gains(course, best, updates):
    seen = follow([costs(course)])
    assert seen.updates == updates
    assert seen.best == pytest.approx(best)
    assert seen.start == pytest.approx(course(0), nan_ok=True)


def test_one_that_still_falls_says_nothing():
    assert follow([costs(lambda turn: 90 - 0.1 * turn)]) is None
    assert follow([costs(lambda turn: 90 - 0.1 * turn), costs(lambda turn: 91.0)]) is None
    assert follow([costs(lambda turn: 90 - 0.1 * turn), costs(lambda turn: 2.0)]).best == 2.0


def test_the_first_that_learns_is_enough():
    def never():
        raise AssertionError
        yield

    assert follow([costs(lambda turn: 1.0), never()]).updates == 1


def test_rows_without_classes_say_nothing():
    assert follow([iter([None])]) is None
