"""The tutorial, run as it stands: its code, its commands, and that it shows what they print."""

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

PAGE = Path(__file__).parents[1] / "docs" / "tutorial.md"
BLOCK = re.compile(r"```(python|console)\n(.*?)```", re.DOTALL)
NUMBER = re.compile(r"\d[\d,]*\.?\d*")
CODE = "import sys; from plogq.cli import main; sys.argv[0] = 'plogq'; main()"


def printed(command):
    """What a command of plogq prints on a terminal of 80 columns."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, *command.split()[1:]],
        capture_output=True, text=True, check=True, timeout=120,
        env=os.environ | {"COLUMNS": "80", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    return [line.rstrip() for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run the page: each command's output as the page has it, and as it is."""
    outputs = []
    with contextlib.chdir(tmp_path_factory.mktemp("tutorial")):
        names = {}
        for kind, text in BLOCK.findall(PAGE.read_text()):
            if kind == "python":
                exec(text, names)
            else:
                command, *shown = text.rstrip().splitlines()
                outputs.append((command, shown, printed(command.removeprefix("$ "))))
    return outputs


def test_what_is_shown_is_what_is_printed(run):
    """Pieces between lines of "…" stand in the output; another processor may shift figures."""
    assert len(run) == 4
    for command, shown, told in run:
        assert len(shown) > 4, command
        words = [NUMBER.sub("#", line).split() for line in told]
        at = 0
        for line in shown:
            if line == "…":
                continue
            at = words.index(NUMBER.sub("#", line).split(), at)
            ours, theirs = (
                [float(n.replace(",", "")) for n in NUMBER.findall(text)]
                for text in (line, told[at])
            )
            np.testing.assert_allclose(theirs, ours, rtol=0.05, atol=0.02, err_msg=line)
            at += 1


def test_what_the_text_says(run):
    """The claims of the text, as far as they are figures."""
    look, check, mended, bayes = ("\n".join(told) for _, _, told in run)

    def figure(report, name):
        found = re.search(rf"^{name} +([−\d.]+|∞)", report, re.MULTILINE)
        return float(found.group(1).replace("−", "-").replace("∞", "inf"))

    assert figure(look, "cross-entropy") == pytest.approx(0.61, abs=0.005)
    assert figure(look, "resolution") == pytest.approx(3.15, abs=0.005)
    assert figure(look, "refinement") == pytest.approx(0.17, abs=0.005)
    assert figure(look, "miscalibration") == pytest.approx(0.44, abs=0.005)
    assert figure(look, "prediction entropy") == pytest.approx(1.44, abs=0.005)
    assert figure(look, "overconfidence") == pytest.approx(-0.83, abs=0.005)
    assert figure(mended, "cross-entropy") < 0.38 * figure(check, "cross-entropy")
    assert figure(mended, "accuracy") == figure(check, "accuracy")
    assert figure(bayes, "cross-entropy") == float("inf")
    assert figure(bayes, "refinement") == pytest.approx(0.88, abs=0.005)
