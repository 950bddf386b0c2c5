"""Which loss: in Python, and on the command line with flags and with questions."""

import json
import os
import pty
import subprocess
import sys

import pytest

from plogq.doctor import Choice, choose
from plogq.doctor.choices import QUESTIONS
from plogq.doctor.choices_table import FRAMEWORKS


def plogq(*words, **options):
    command = [sys.executable, "-m", "plogq", "choose", *words]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **options
    )


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_ours_is_in_the_same_framework(framework):
    choice = choose(framework=framework)
    library = framework.removeprefix("plogq_")
    assert f"plogq.{library}" in choice.plogq
    assert (choice.call == choice.plogq) == framework.startswith("plogq_")
    assert Choice.read(json.loads(choice.to_json())) == choice


def test_an_answer_that_is_none_of_them():
    with pytest.raises(ValueError, match=r"task must be one of one, yes, .*; got 'two'"):
        choose("two")
    done = plogq("--task", "two")
    assert done.returncode == 2
    assert "invalid choice: 'two'" in done.stderr


def test_flags():
    done = plogq("--task", "several", "--imbalance", "some", "--json", "-", check=True)
    assert json.loads(done.stdout) == choose("several", imbalance="some").to_document()
    printed = plogq("--task", "several", check=True).stdout
    for line in choose("several").plogq.splitlines():
        assert line in printed


def test_questions_on_a_terminal():
    """Each is asked once, a wrong number again, and Enter takes the first answer."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "plogq", "choose", "--output", "logits", "--json", "-"],
        stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        os.write(ours, b"2\n\n9\n2\n1\n")  # yes or no; class numbers; none; some are; torch
        printed, asked = process.communicate(timeout=60)
    os.close(ours), os.close(theirs)
    assert json.loads(printed) == choose("yes", imbalance="some").to_document()
    for name in ("task", "labels", "imbalance", "framework"):
        assert QUESTIONS[name].ask in asked
    assert QUESTIONS["output"].ask not in asked
    assert "'9' is none of them." in asked
