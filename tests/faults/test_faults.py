"""A sample of what `make faults` does at more moments, to all commands."""

import random
import signal

import pytest

from tests.faults import faults
from tests.faults.commands import COMMANDS, make_inputs

SAMPLE = ("compare", "recalibrate --with --out", "doctor code --fix")
OFTEN = {
    "killed": (faults.killed, 2, {"which": signal.SIGKILL}),
    "told to end": (faults.killed, 2, {"which": signal.SIGTERM}),
    "interrupted": (faults.killed, 2, {"which": signal.SIGINT}),
    "full disk": (faults.full_disk, 2, {}),
    "little memory": (faults.little_memory, 1, {}),
    "closed pipe": (faults.closed_pipe, 1, {}),
}
BY_NAME = {each.name: each for each in COMMANDS}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    make_inputs(folder, rows=20_000, model=False)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLE)
def test_nothing_is_half_done(name, inputs):
    command, rng = BY_NAME[name], random.Random(0)
    of = faults.whole(command, inputs)
    for kind, (fault, times, options) in OFTEN.items():
        for _ in range(times):
            assert fault(command, inputs, of, rng=rng, **options) == [], kind


@pytest.mark.slow
def test_a_folder_that_is_read_only(inputs):
    command = BY_NAME["compare"]
    of = faults.whole(command, inputs)
    assert faults.read_only(command, inputs, of, random.Random(0)) == []


@pytest.mark.slow
def test_a_process_that_is_killed(inputs):
    command, rng = BY_NAME["doctor code"], random.Random(1)
    of = faults.whole(command, inputs)
    assert faults.worker_killed(command, inputs, of, rng) == []
    for which in (signal.SIGKILL, signal.SIGTERM):
        assert faults.killed(command, inputs, of, which, rng) == []


def test_what_is_wrong_is_seen(tmp_path):
    """A run that leaves things behind, or says too much, does not pass."""
    from dataclasses import replace

    from tests.faults.running import Run

    command = BY_NAME["score"]
    whole = {"o.json": b"{}", "o.html": b"<html>"}
    fine = Run(0, b"", "", whole, {}, [])
    stopped = replace(fine, status=143, files={})

    def judged(run, which=signal.SIGTERM):
        return faults.judged(command, tmp_path, run, fine, {128 + which}, interrupted=which)

    assert judged(fine) == judged(stopped) == []
    told = 'File "/x/plogq/cli/__init__.py", line 1, in main\nTraceback'
    for run in (
        replace(fine, files={"o.json": b"{}"}),  # done, and a file is not there
        replace(fine, files=whole | {"o.json": b"{"}),
        replace(stopped, files={"o.json": b"{"}),
        replace(stopped, files={".o.json.12.part": b""}),
        replace(stopped, temporary=["plogq-x"]),
        replace(stopped, processes=["12 python"]),
        replace(stopped, status=1),
        replace(stopped, status=-15, said=told),
        replace(stopped, said="one\ntwo"),
    ):
        assert judged(run) != [], run
