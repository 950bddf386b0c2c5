"""plogq help: what a command takes."""

import argparse

from plogq.cli.parser import Commands, Parser, add_command

EXAMPLES = """
plogq help score      # the same as plogq score --help
"""


def add(commands: Commands, whole: Parser) -> None:
    """Add the command's arguments; without one, the help is that of the whole."""

    def run(arguments: argparse.Namespace) -> None:
        name = arguments.command
        (whole if name is None else commands.choices[name]).print_help()

    command = add_command(
        commands, "help", run, "say what a command takes", takes="[COMMAND]", examples=EXAMPLES
    )
    names = list(commands.choices)
    command.add_argument(
        "command", metavar="COMMAND", nargs="?", choices=names, help=", ".join(names)
    )
