"""Sick and healthy cases: each check finds what is sick, and little else."""

import importlib.util
from pathlib import Path

import pytest

from plogq.doctor.check import VALUES, all_checks
from tests.doctor.corpus import measure

PRECISION, RECALL = 0.95, 0.9
SCRIPT = Path(__file__).parents[2] / "docs" / "doctor" / "precision.py"


@pytest.fixture(scope="module")
def counts():
    return measure.counts((case, measure.found_in_values(case)) for case in measure.VALUES)


@pytest.mark.parametrize("code", [check.code for check in all_checks(VALUES)])
def test_each_check_is_precise_and_finds_most(counts, code):
    assert counts[code].right >= 3
    assert counts[code].precision >= PRECISION
    assert counts[code].recall >= RECALL


def test_the_corpus_is_large_and_names_its_cases_once():
    kinds = [case.kind for case in measure.VALUES]
    assert kinds.count("sick") >= 50
    assert kinds.count("healthy") >= 45
    assert len({case.name for case in measure.VALUES}) == len(measure.VALUES)
    assert all((case.kind == "sick") == bool(case.codes) for case in measure.VALUES)


def test_wrong_and_missed_findings_are_counted():
    case = measure.Case("a_case", "sick", frozenset({"A", "B"}), dict)
    counted = measure.counts([(case, {"B", "C"})])
    assert counted == {"A": (0, 0, 1), "B": (1, 0, 0), "C": (0, 1, 0)}
    assert (counted["B"].precision, counted["B"].recall) == (1, 1)


def test_the_page_of_precision_is_what_the_corpus_says():
    spec = importlib.util.spec_from_file_location("precision", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.PAGE.read_text() == script.page(), "make precision"
