"""Sick and healthy cases: each check finds what is sick, and little else."""

import importlib.util
from pathlib import Path

import pytest

from plogq.doctor.check import CODE, TRAINING, VALUES, all_checks
from tests.doctor.corpus import measure

PRECISION, RECALL = 0.95, 0.9
SCRIPT = Path(__file__).parents[2] / "docs" / "doctor" / "precision.py"


HALVES = {
    VALUES: (measure.VALUES, measure.found_in_values),
    CODE: (measure.CODE, measure.found_in_code),
    TRAINING: (measure.TRAININGS, measure.found_in_trainings),
}
FEWEST = {VALUES: (50, 45), CODE: (40, 45), TRAINING: (40, 30)}  # sick and healthy cases
# In trainings, checks of values look, too, whose own precision is that of values.
RIGHT = {VALUES: 3, CODE: 3, TRAINING: 1}


@pytest.mark.parametrize("series", [VALUES, CODE, pytest.param(TRAINING, marks=pytest.mark.slow)])
def test_each_check_is_precise_and_finds_most(series):
    cases, found_in = HALVES[series]
    counts = measure.counts((case, found_in(case)) for case in cases)
    whole = measure.total(counts)
    assert whole.precision >= PRECISION
    assert whole.recall >= RECALL
    named = frozenset().union(*(case.codes for case in cases))
    assert named <= {check.code for check in all_checks("PQ" if series == TRAINING else series)}
    for code, counted in counts.items():
        if not code.startswith(series):
            continue
        assert counted.right >= RIGHT[series], code
        assert counted.precision >= PRECISION, code
        assert counted.recall >= RECALL, code


def test_the_first_training_of_each_check_is_found():
    """All of them, and the healthy ones, are left to the slow tests."""
    first = {code: case for case in reversed(measure.TRAININGS) for code in case.codes}
    for code in (check.code for check in all_checks(TRAINING)):
        assert code in measure.found_in_trainings(first[code]), code
    healthy = [case for case in measure.TRAININGS if case.kind == "healthy"]
    assert [case.name for case in healthy[::6] if measure.found_in_trainings(case)] == []


@pytest.mark.parametrize("series", HALVES)
def test_the_corpus_is_large_and_names_its_cases_once(series):
    cases, _ = HALVES[series]
    kinds = [case.kind for case in cases]
    sick, healthy = FEWEST[series]
    assert kinds.count("sick") >= sick
    assert kinds.count("healthy") >= healthy
    assert len({case.name for case in cases}) == len(cases)
    assert all((case.kind == "sick") == bool(case.codes) for case in cases)


def test_wrong_and_missed_findings_are_counted():
    case = measure.Case("a_case", "sick", frozenset({"A", "B"}), dict)
    counted = measure.counts([(case, {"B", "C"})])
    assert counted == {"A": (0, 0, 1), "B": (1, 0, 0), "C": (0, 1, 0)}
    assert (counted["B"].precision, counted["B"].recall) == (1, 1)


@pytest.mark.slow
def test_the_page_of_precision_is_what_the_corpus_says():
    spec = importlib.util.spec_from_file_location("precision", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.PAGE.read_text() == script.page(), "make precision"
