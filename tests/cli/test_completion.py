"""The script of `plogq completion bash`, run by bash."""

import shutil
import subprocess

import pytest

from plogq.cli import _parser
from plogq.cli.completion import SCRIPTS

COMMANDS = _parser().commands
SHELLS = {"bash": ["-n"], "zsh": ["-n"], "fish": ["--no-execute"]}


@pytest.mark.parametrize("shell", SCRIPTS)
def test_the_shell_can_read_its_script(shell, tmp_path):
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell}")
    (tmp_path / "script").write_text(SCRIPTS[shell](COMMANDS))
    command = [shell, *SHELLS[shell], tmp_path / "script"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_script_offers_every_command_and_option(shell):
    script = SCRIPTS[shell](COMMANDS)
    for name, command in COMMANDS.choices.items():
        assert name in script
        for option in (each for parser in command.parsers() for each in parser.options()):
            assert (f"-l {option[2:]}" if shell == "fish" else option) in script or option == "-h"


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["sc"], ["score"]),
        (["co"], ["compare", "code", "completion"]),
        (["score", "t.csv", "--pr"], ["--probs"]),
        (["score", "--unit", ""], ["nat", "bit", "hartley"]),
        (["score", "--unit", "n"], ["nat"]),
        (["compare", "a", "b", "--part", "c"], ["completion"]),
        (["code", "--deco"], ["--decode"]),
        (["doctor", "co"], ["code"]),
        (["doctor", "code", "--sel"], ["--select"]),
        (["doctor", "code", "--format", "s"], ["sarif"]),
        (["help", "ex"], ["explore"]),
        (["completion", ""], ["bash", "zsh", "fish"]),
        (["score", "t"], []),
    ],
)
def test_bash_completes(words, offered):
    program = (
        f'{SCRIPTS["bash"](COMMANDS)}\nCOMP_WORDS=("$@") COMP_CWORD=$(($# - 1))\n'
        '_plogq\n[[ ${#COMPREPLY[@]} == 0 ]] || printf "%s\\n" "${COMPREPLY[@]}"'
    )
    command = ["bash", "-c", program, "bash", "plogq", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == offered
