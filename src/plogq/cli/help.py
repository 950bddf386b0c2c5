"""plogq help: the arguments and options of a command."""

import argparse

from plogq.cli.parser import Commands, Parser, add_command

EXAMPLES = """
plogq help score      # the same as plogq score --help
"""


def add(commands: Commands, whole: Parser) -> None:
    """Add the command's arguments; without any it prints the help of plogq itself."""

    def run(arguments: argparse.Namespace) -> None:
        name = arguments.command
        (whole if name is None else commands.choices[name]).print_help()

    command = add_command(
        commands, "help", run, "show what a command takes", takes="[COMMAND]", examples=EXAMPLES
    )
    names = list(commands.choices)
    command.add_argument(
        "command", metavar="COMMAND", nargs="?", choices=names, help=", ".join(names)
    )
