"""Losses whose classes are in parts, on two processes, and in the slow tests on three and four."""

import pytest
import torch

from plogq.torch import parallel
from tests.torch.parallel import (
    fault_cases,
    head_cases,
    peer_cases,
    slow_cases,
    traffic_cases,
    value_cases,
)
from tests.torch.parallel.processes import Cases, run

ALL = Cases()
for each in (fault_cases, value_cases, head_cases, traffic_cases, peer_cases):
    ALL.update(each.CASES)

SIZES = [2, pytest.param(3, marks=pytest.mark.slow), pytest.param(4, marks=pytest.mark.slow)]


def failures(cases, size, folder):
    """Return what went wrong, by the names of the cases."""
    return {name: error for name, error in run(cases, size, folder).items() if error}


@pytest.mark.parametrize("size", SIZES)
def test_all_cases(size, tmp_path):
    """One test, since a spawn takes seconds, and each worker of pytest would have its own."""
    assert failures(ALL, size, tmp_path) == {}


@pytest.mark.slow
def test_cases_that_take_seconds(tmp_path):
    assert failures(slow_cases.CASES, 2, tmp_path) == {}


def _off_by_a_little(here):
    x = torch.zeros(1, 4)[:, 2 * here.rank : 2 * here.rank + 2]
    loss = parallel.cross_entropy(x, torch.tensor([3]))
    torch.testing.assert_close(loss, torch.tensor(4.0).log() + 1e-3)


@pytest.mark.slow
def test_a_case_that_fails_is_told(tmp_path):
    cases = {"wrong": _off_by_a_little, "next": _off_by_a_little}
    found = failures(cases, 2, tmp_path)
    assert found["wrong"].count("not close") == 2
    assert "not run" in found["next"]


def test_without_other_processes_a_loss_says_what_is_missing():
    with pytest.raises(ValueError, match="group must be of processes that know each other: call"):
        parallel.cross_entropy(torch.zeros(1, 2), torch.tensor([0]))
