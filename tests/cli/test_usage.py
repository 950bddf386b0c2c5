"""What is typed wrongly is answered with what is nearest, and help says all there is."""

import contextlib
import io
import os
import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plogq.cli import _parser
from tests.cli.running import plogq

PARSER = _parser()
COMMANDS = PARSER.commands.choices
SCREENS = {each.prog: each for each in PARSER.parsers()}


def refused(capsys, *words):
    """Give what is said of words that cannot be parsed."""
    with pytest.raises(SystemExit) as end:
        PARSER.parse_args(words)
    assert end.value.code == 2
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("scor t.csv", "plogq: scor: no such command; did you mean score?"),
        ("t.csv", "plogq: t.csv: no such command; did you mean plogq score t.csv?"),
        ("xyz", "plogq: xyz: no such command"),
        ("\x1b[31m", "plogq: \\x1b[31m: no such command"),
        ("--verison", "plogq: --verison: no such option; did you mean --version?"),
        ("--unit nat score t.csv", "plogq: --unit: follows its command, as in plogq score --unit"),
        ("score t.csv --prob p_*", "plogq score: --prob: no such option; did you mean --probs?"),
        ("score t.csv --prob=p_*", "plogq score: --prob: no such option; did you mean --probs?"),
        ("score --boot 3", "plogq score: --boot: no such option; did you mean --bootstrap?"),
        ("score t.csv -probs x", "plogq score: -probs: no such option; did you mean --probs?"),
        ("score a.csv b.csv", "plogq score: b.csv: one argument too many"),
        ("score t.csv --probs a --probs b", "plogq score: --probs: given twice"),
        ("score t.csv --probs a --probs=a", "plogq score: --probs: given twice"),
        ("compare a b --ids n", "plogq compare: --ids: no such option; did you mean --id?"),
        ("lm t --units nat", "plogq lm: --units: no such option; did you mean --unit?"),
        ("code f --ot x", "plogq code: --ot: no such option; did you mean --out?"),
        (
            "doctor code t.py --selct A",
            "plogq doctor code: --selct: no such option; did you mean --select?",
        ),
        (
            "doctor --fix t.py",
            "plogq doctor: --fix: follows its command, as in plogq doctor code --fix",
        ),
        (
            "doctor t.py",
            "plogq doctor: t.py: no such command; did you mean plogq doctor code t.py?",
        ),
        ("demo --sed 3", "plogq demo: --sed: no such option; did you mean --seed?"),
        ("explore --prot 1", "plogq explore: --prot: no such option; did you mean --port?"),
    ],
)
def test_a_typo_names_its_command_and_what_is_nearest(words, said, capsys):
    usage, message, more = refused(capsys, *words.split())
    command = message.partition(":")[0]
    assert message == said
    assert usage.startswith(f"usage: {command} ")
    assert more == f"({command} --help says more)"


@pytest.mark.parametrize("name", SCREENS)
def test_no_option_can_be_abbreviated(name, capsys):
    options = [word for word in SCREENS[name].options() if word.startswith("--")]
    words = name.split()[1:]
    for option in options:
        if (shorter := option[:-1]) not in options:
            assert f"{shorter}: no such option" in refused(capsys, *words, shorter)[1]


def test_what_may_be_given_twice():
    words = "score t.csv --slice a --slice=b --code --code -- --probs --probs"
    with pytest.raises(SystemExit):  # the last two words are files
        PARSER.parse_args(words.split())
    assert PARSER.parse_args(words.split()[:-3]).slices == ["a", "b"]


def test_words_after_two_dashes_are_no_options():
    assert PARSER.parse_args(["score", "--", "--odd.csv"]).table == "--odd.csv"


def test_without_a_command_there_is_a_page_of_help():
    done = plogq()
    assert (done.returncode, done.stderr) == (0, "")
    assert plogq("help").stdout == done.stdout
    assert done.stdout == PARSER.format_help()
    for name, command in COMMANDS.items():
        assert re.search(rf"^ +{name} +{re.escape(command.what[:20])}", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_and_the_option_say_the_same(name, capsys):
    arguments = PARSER.parse_args(["help", name])
    arguments.run(arguments)
    by_command = capsys.readouterr().out
    with pytest.raises(SystemExit):
        PARSER.parse_args([name, "--help"])
    assert capsys.readouterr().out == by_command


@pytest.mark.parametrize("name", SCREENS)
def test_help_fits_80_columns_and_ends_in_examples(name, monkeypatch):
    monkeypatch.setitem(os.environ, "COLUMNS", "80")
    screen = SCREENS[name].format_help()
    assert max(map(len, screen.splitlines())) <= 80
    _, examples = screen.split("\nexamples:\n")
    lines = [line.strip() for line in examples.splitlines() if line.startswith("  plogq ")]
    assert lines or name == "completion"
    for line in lines:
        PARSER.parse_args(shlex.split(re.split(r" {3,}| > ", line)[0], comments=True)[1:])


@pytest.mark.parametrize("name", list(SCREENS)[1:])
def test_every_option_says_what_it_does(name):
    assert [a.dest for a in SCREENS[name].arguments() if not a.help] == []


OPTIONS = {option for command in COMMANDS.values() for option in command.options()}
ODD = {"t.csv", "nat", "3", "--", "-", "-1", "-1,0,1", "--prob", "--unit=nat", "--=", "=", "", "\n"}
WORDS = st.sampled_from(sorted({*COMMANDS, *OPTIONS, *ODD, "é", "\udcff"})) | st.text(max_size=4)


@given(st.lists(WORDS, max_size=6))
def test_any_words_are_taken_or_refused(words):
    status = None
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            PARSER.parse_args(words)
        except SystemExit as end:
            status = end.code
    assert status in (None, 0, 2)


@pytest.mark.parametrize("words", ["--unit nat", "--label y", "--slice a", "--engine dask"])
def test_options_of_a_table_need_one_to_explore(words):
    done = plogq("explore", *words.split())
    assert done.returncode == 2
    assert f"plogq explore: {words.split()[0]} goes with FILE" in done.stderr


def test_what_scores_also_explores():
    score, explore = COMMANDS["score"], COMMANDS["explore"]
    lacking = set(score.options()) - set(explore.options())
    assert lacking == {"--json", "--html", "--fail-if", "--gate-format"}
    words = ["t.csv", "--probs", "p*", "--classes", "a,b", "--weight", "w", "--floor", "0.1"]
    scored, explored = (vars(PARSER.parse_args([name, *words])) for name in ("score", "explore"))
    others = {"table", "file", "json", "html", "port", "no_browser", "turned", "run", "usage_error",
              "fail_if", "gate_format"}  # fmt: skip
    assert {k: v for k, v in scored.items() if k not in others} == {
        k: v for k, v in explored.items() if k not in others
    }
