"""argparse without abbreviations; for a word that it does not know it suggests the nearest."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn, TypeAlias

from plogq.errors import printable

Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
Run: TypeAlias = Callable[[argparse.Namespace], int | None]  # returns the exit status, if not 0

WIDTH = 79


class Parser(argparse.ArgumentParser):
    """The parser of `plogq`, or of one of its commands.

    An option that is not known is refused where it is written, with the usage of its own command;
    argparse would hand it to `plogq` itself, and say that it was not recognised there.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(
            allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **options
        )
        self.commands: Commands | None = None
        self.for_a_file = "plogq score"  # what a file in the place of a command is meant for
        self.what = ""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Return the arguments that the words stand for; any word left over is refused."""
        words = list(sys.argv[1:] if args is None else args)
        self._check_options(words)
        if self.commands is not None:
            self._refuse_unknown_command(words)
        found, left = super().parse_known_args(words, namespace)
        if left and left[0].startswith("-"):
            self._refuse_option(left[0])
        if left:
            self.error(f"{left[0]}: one argument too many")
        return found, left

    def print_help(self, file: Any = None) -> None:
        """Print the help; argparse itself would hide an error such as a full disk."""
        print(self.format_help(), end="", file=file)

    def error(self, message: str) -> NoReturn:
        """Print the usage and what is wrong, and end with status 2."""
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: {printable(message)}\n({self.prog} --help says more)\n")

    def arguments(self) -> list[argparse.Action]:
        """Return all arguments and options."""
        return list(self._actions)

    def options(self) -> list[str]:
        """Return the options, as they are written."""
        return [name for action in self.arguments() for name in action.option_strings]

    def parsers(self) -> list[Parser]:
        """Return this parser and those of its commands."""
        inner = {} if self.commands is None else self.commands.choices
        return [self, *(each for command in inner.values() for each in command.parsers())]

    def turned(self, arguments: argparse.Namespace) -> set[str]:
        """Return the options that are not at their defaults."""
        return {
            action.option_strings[0]
            for action in self.arguments()
            if action.option_strings
            and getattr(arguments, action.dest, action.default) != action.default
        }

    def _check_options(self, words: Iterable[str]) -> None:
        """Refuse an option that is unknown, or given twice: argparse would take the last value."""
        actions = {name: action for action in self.arguments() for name in action.option_strings}
        given: set[str] = set()
        for word in words:
            name = word.partition("=")[0]
            if word == "--" or (self.commands is not None and not word.startswith("-")):
                return  # what follows is no option, or one of the command's
            if not name.startswith("--"):
                continue
            if name not in actions:
                self._refuse_option(name)
            repeatable = isinstance(actions[name], argparse._AppendAction)
            if name in given and actions[name].nargs != 0 and not repeatable:
                self.error(f"{name}: given twice")
            given.add(name)

    def _refuse_option(self, name: str) -> NoReturn:
        for command in () if self.commands is None else self.commands.choices.values():
            if name in command.options():
                self.error(f"{name}: follows its command, as in {command.prog} {name}")
        self.error(f"{name}: no such option{_did_you_mean(_nearest(name, self.options()))}")

    def _refuse_unknown_command(self, words: Iterable[str]) -> None:
        assert self.commands is not None
        word = next(iter(words), "")
        if word and not word.startswith("-") and word not in self.commands.choices:
            near = _nearest(word, self.commands.choices)
            a_file = [] if "." not in word else [f"{self.for_a_file} {word}"]
            self.error(f"{word}: no such command{_did_you_mean(near or a_file)}")


def _nearest(name: str, names: Iterable[str]) -> list[str]:
    from difflib import get_close_matches  # it takes time to load, and only a typo needs it

    return get_close_matches(name, list(names), 1)


def _did_you_mean(names: Sequence[str]) -> str:
    return f"; did you mean {names[0]}?" if names else ""


def add_command(
    commands: Commands,
    name: str,
    run: Run,
    what: str,
    *,
    takes: str,
    more: str = "",
    reads: str = "",
    examples: str,
    of: str = "plogq",
) -> Parser:
    """Add a command.

    Parameters
    ----------
    commands
        The commands to which it is added.
    name, run, what
        Its name; the function that does its work; and a phrase for that work.
    takes
        Its arguments, as its usage shows them; options are not listed there.
    more
        Further sentences about it.
    reads
        What it reads, a paragraph or a list that is printed as it is.
    examples
        Lines of a shell.
    of
        The command that it belongs to.
    """
    description = f"{what[0].upper()}{what[1:]}. {more}"
    command = commands.add_parser(
        name,
        prog=f"{of} {name}",
        help=what,
        usage=" ".join(f"{of} {name} {takes} [options]".split()),
        description=textwrap.fill(description, WIDTH),
        epilog=f"{reads}\nexamples:\n{textwrap.indent(examples.strip(), '  ')}\n",
    )
    command.what = what
    command.set_defaults(run=run, usage_error=command.error)
    return command
