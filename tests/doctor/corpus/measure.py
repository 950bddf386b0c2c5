"""How precise each check is on the corpus, and how much it finds."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterable, Set
from pathlib import Path
from typing import NamedTuple

import torch

from plogq.doctor import check, check_code, check_table
from tests.doctor.corpus.case import Case
from tests.doctor.corpus.code_cases import CASES as CODE
from tests.doctor.corpus.trainings import healthy as healthy_trainings
from tests.doctor.corpus.trainings import sick as sick_trainings
from tests.doctor.corpus.unseen.all_cases import CASES as UNSEEN
from tests.doctor.corpus.values import healthy, sick

__all__ = [
    "CODE", "FIRST_RUNS", "NOW", "TRAININGS", "UNSEEN", "VALUES", "Counts", "counts",
    "found_in_code", "found_in_trainings", "found_in_values", "recorded", "total",
]  # fmt: skip

VALUES = (*sick.CASES, *healthy.CASES)
TRAININGS = (*sick_trainings.CASES, *healthy_trainings.CASES)
# What was found in the unseen trainings when each batch was first tried, and what is found now.
_UNSEEN = Path(__file__).parent / "unseen"
FIRST_RUNS = tuple(_UNSEEN / f"{batch}_run.json" for batch in ("first", "second", "third"))
NOW = _UNSEEN / "now.json"


Found = tuple[Case, Set[str]]


class Counts(NamedTuple):
    """How many cases a check found rightly, wrongly, and not at all."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.missed)


def found_in_values(case: Case) -> Set[str]:
    """Return the codes of what `check`, or of a table `check_table`, finds in a case."""
    given = case.given()
    found = check_table(**given) if "source" in given else check(**given)
    return {finding.code for finding in found.findings}


def found_in_code(case: Case) -> Set[str]:
    """Return the codes of what `check_code` finds in a case, by all checks."""
    return {finding.code for finding in check_code(**case.given(), select=["PQ3"]).findings}


@functools.cache
def found_in_trainings(case: Case) -> Set[str]:
    """Return the codes of what `watch` finds in a case: a training is made once, by one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return {finding.code for finding in case.given()["diagnosis"].findings}
    finally:
        torch.set_num_threads(threads)


def recorded(path: Path) -> list[Found]:
    """Return the unseen trainings of a recorded run, each with what was found in it then."""
    found = json.loads(path.read_text())
    return [(case, set(found[case.name])) for case in UNSEEN if case.name in found]


def counts(cases: Iterable[Found]) -> dict[str, Counts]:
    """Return the counts of each check, by code, from cases and what was found in them."""
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    for case, found in cases:
        right.update(found & case.codes)
        wrong.update(found - case.codes - case.also)
        missed.update(case.codes - found)
    codes = sorted({*right, *wrong, *missed})
    return {code: Counts(right[code], wrong[code], missed[code]) for code in codes}


def total(counts: dict[str, Counts]) -> Counts:
    """Return the counts of all checks together."""
    return Counts(*(sum(each) for each in zip(*counts.values(), strict=True)))
