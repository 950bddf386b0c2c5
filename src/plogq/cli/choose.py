"""plogq choose: which loss fits a task, and how it is called."""

from __future__ import annotations

import argparse
import sys

from plogq.cli.options import add_json, deliver
from plogq.cli.parser import Commands, add_command
from plogq.doctor.choices import QUESTIONS, asked, choose

EXAMPLES = """
plogq choose                                    # asks a few questions
plogq choose --task token --framework jax
plogq choose --task yes --imbalance some --json -
"""


def add(commands: Commands) -> None:
    """Add the command's arguments."""
    command = add_command(
        commands,
        "choose",
        _run,
        "say which loss fits a task, how it is called, and the mistake people make there",
        takes="",
        more="What no option answers is asked on a terminal; elsewhere the first answer is taken.",
        examples=EXAMPLES,
    )
    add = command.add_argument
    for name, question in QUESTIONS.items():
        default = next(iter(question.options))
        add(f"--{name}", choices=list(question.options), metavar="|".join(question.options),
            help=f"{question.ask} (default: {default})")  # fmt: skip
    add_json(add)


def _run(arguments: argparse.Namespace) -> None:
    from plogq.reports.terminal.choose import ask, print_choice

    answers = {name: next(iter(question.options)) for name, question in QUESTIONS.items()}
    given = {name: getattr(arguments, name) for name in QUESTIONS}
    answers |= {name: answer for name, answer in given.items() if answer is not None}
    if sys.stdin is not None and sys.stdin.isatty():
        for name, question in QUESTIONS.items():  # later ones depend on the answers before
            if given[name] is None and name in asked(answers):
                answers[name] = ask(question)
    choice = choose(**answers)
    deliver(choice, arguments.json, lambda: print_choice(choice))
