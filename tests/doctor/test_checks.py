"""Every check: its page is whole, its example is found, and the mended twin is not."""

import pytest

from plogq.doctor.check import SECTIONS, VALUES, all_checks
from plogq.doctor.finding import Diagnosis


def diagnosis(block: str) -> Diagnosis:
    """Run an example, and return what its last line gives."""
    *lines, last = block.strip().splitlines()
    names: dict = {}
    exec("\n".join(lines), names)
    return eval(last, names)


@pytest.mark.parametrize("check", all_checks(VALUES), ids=lambda check: check.code)
def test_the_example_is_found_and_its_twin_is_not(check):
    found = diagnosis(check.example("Example"))
    assert check.code in [finding.code for finding in found.findings]
    assert type(found).read(found.to_document()) == found
    assert diagnosis(check.example("Use instead")).findings == ()


def test_codes_and_names_tell_checks_apart():
    codes = [check.code for check in all_checks()]
    assert len(set(codes)) == len(codes) > 0
    assert all(tuple(check.sections) == SECTIONS for check in all_checks())
