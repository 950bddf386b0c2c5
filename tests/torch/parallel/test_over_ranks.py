"""Losses whose classes are in parts, on two processes, and in the slow tests on three and four."""

import pytest

from tests.torch.parallel import (
    fault_cases,
    head_cases,
    peer_cases,
    traffic_cases,
    value_cases,
)
from tests.torch.parallel.processes import Cases, run

ALL = Cases()
for each in (fault_cases, value_cases, head_cases, traffic_cases, peer_cases):
    ALL.update(each.CASES)

SIZES = [2, pytest.param(3, marks=pytest.mark.slow), pytest.param(4, marks=pytest.mark.slow)]


@pytest.fixture(scope="module", params=SIZES)
def found(request, tmp_path_factory):
    return run(ALL, request.param, tmp_path_factory.mktemp("ranks"))


@pytest.mark.parametrize("case", ALL)
def test_over_ranks(found, case):
    assert found[case] == ""
