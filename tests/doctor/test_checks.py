"""Every check: its page is whole, its example is found, and the mended twin is not."""

import pytest

from plogq.doctor.check import CODE, SECTIONS, TRAINING, VALUES, all_checks
from plogq.doctor.finding import Diagnosis
from plogq.doctor.source import check_code, fixed_files


def diagnosis(block: str) -> Diagnosis:
    """Run an example, and return what its last line gives."""
    *lines, last = block.strip().splitlines()
    names: dict = {}
    exec("\n".join(lines), names)
    return eval(last, names)


@pytest.mark.parametrize(
    "check", [*all_checks(VALUES), *all_checks(TRAINING)], ids=lambda check: check.code
)
def test_the_example_is_found_and_its_twin_is_not(check):
    found = diagnosis(check.example("Example"))
    assert check.code in [finding.code for finding in found.findings]
    assert type(found).read(found.to_document()) == found
    healthy = diagnosis(check.example("Use instead"))
    assert healthy.findings == ()
    assert (found.unread, healthy.unread) == ((), ())


@pytest.mark.parametrize("check", all_checks(CODE), ids=lambda check: check.code)
def test_the_example_of_code_is_found_and_its_twin_is_not(check, tmp_path):
    for section, found in (("Example", [check.code]), ("Use instead", [])):
        path = tmp_path / "train.py"
        path.write_text(check.example(section))
        diagnosis = check_code(path, select=[check.code])
        assert [finding.code for finding in diagnosis.findings] == found
    assert [each.code for each in check_code(path).findings] == []


@pytest.mark.parametrize(
    "check", [each for each in all_checks(CODE) if each.safe], ids=lambda check: check.code
)
def test_what_is_safe_to_fix_is_not_found_any_more(check, tmp_path):
    path = tmp_path / "train.py"
    path.write_text(check.example("Example"))
    (fixed,) = fixed_files(check_code(path, select=[check.code]))
    path.write_bytes(fixed.after)
    assert check_code(path).findings == ()
    assert "\n+" in fixed.diff


def test_codes_and_names_tell_checks_apart():
    codes = [check.code for check in all_checks()]
    assert len(set(codes)) == len(codes) > 0
    assert all(tuple(check.sections) == SECTIONS for check in all_checks())
