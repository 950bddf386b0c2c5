"""plogq about: what a bug report needs."""

import subprocess
import sys
from importlib.metadata import version

import pytest

from plogq.kernels.threads import INSTRUCTION_SETS
from tests.cli.running import plogq


def rows(text):
    return {name: words.strip() for name, _, words in (line.partition("  ") for line in text)}


@pytest.fixture(scope="module")
def about():
    done = plogq("about", timeout=120)
    assert done.returncode == 0, done.stderr
    return rows(done.stdout.splitlines())


def test_versions_and_the_machine_are_those_of_this_process(about):
    assert about["plogq"] == version("plogq")
    assert about["Python"].endswith(sys.version.split()[0])
    assert about["instruction set"].startswith(INSTRUCTION_SETS[-1])


def test_each_door_names_its_engines(about):
    assert about["plogq.numpy"] == f"numpy {version('numpy')}, engines native, formula"
    names = "native, triton, compiled, blocks, formula, materialised"
    assert about["plogq.torch"].endswith(f"engines {names}")
    assert about["plogq.jax"].startswith(f"jax {version('jax')}, engines native, xla")
    assert "on the backend" in about["plogq.keras"]


def test_what_is_missing_is_named_with_what_installs_it():
    hide = (
        "import sys, importlib.util as u; find = u.find_spec;"
        "u.find_spec = lambda name, *more: None if name == 'torch' else find(name, *more);"
        "sys.modules['torch'] = None; sys.argv = ['plogq', 'about'];"
        "from plogq.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", hide], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = rows(done.stdout.splitlines())
    install = "pip install 'plogq[torch]'"
    assert found["[torch]"] == f"without torch: {install}"
    assert found["plogq.torch"].startswith("not there: ")
    assert found["plogq.torch"].endswith(install)
