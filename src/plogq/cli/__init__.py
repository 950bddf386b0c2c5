"""The command line: arguments only, no logic.

It uses argparse: typer 0.29, which starts pydantic, took 0.1 s of a command's time, as much as
scoring two million rows.
"""

from __future__ import annotations

import argparse
import atexit
import codecs
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from plogq.signals import ended_in_order, status_of

PARSER_EXAMPLES = """\
examples:
  plogq demo                        train a model on real data, and score it
  plogq score predictions.parquet   what a model's predictions cost, and why
  plogq explore                     every formula to try out, in the browser
  plogq help score                  the options of a command

exit status: 0 done, 1 bad input, 2 wrong usage, 3 something was found
or a gate is closed, 130 interrupted, 143 told to end (SIGTERM)
"""
COMMANDS = (
    "score",
    "recalibrate",
    "labels",
    "compare",
    "lm",
    "code",
    "choose",
    "doctor",
    "explore",
    "demo",
    "completion",
    "about",
)

NO_ROOM = "failed to map segment"  # of a shared library, in the loader's words


def main() -> None:
    """Run the command line.

    Its exit status is 0 done, 1 bad input in one line, 2 usage, 3 something was found or a gate is
    closed, 130 interrupted, or 143 told to end.
    """
    with ended_in_order() as told:
        try:
            _run()
        except KeyboardInterrupt as interrupt:
            sys.exit(status_of(interrupt))
        except Exception as error:
            if told.number is not None:  # a library has made another error of the interrupt
                sys.exit(128 + told.number)
            _explain(error)


def _run() -> None:
    from plogq.cli.options import joined_values

    if sys.stdout is None:  # the caller has closed it: what is printed goes nowhere
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        codecs.register_error("plogq", _plain)
        sys.stdout.reconfigure(errors="plogq")
    try:
        words = joined_values(sys.argv[1:])
        arguments = _parser(words).parse_args(words)
    except SystemExit:  # --help has ended, but its text may not be written yet
        sys.stdout.flush()
        raise
    status = arguments.run(arguments)
    sys.stdout.flush()
    if status:
        sys.exit(status)


def _explain(error: Exception) -> NoReturn:
    """Say in one line what went wrong, and end; raise an error that is a fault of ours."""
    match error:
        case BrokenPipeError():
            _drop_stdout()
            sys.exit(1)
        case MemoryError():
            _skip_teardown()
            _fail(_sentence(error))
        case ModuleNotFoundError():
            from plogq.extras import what_to_install

            _fail(what_to_install("plogq " + " ".join(sys.argv[1:2]), error))
        case ImportError() if NO_ROOM in str(error):
            _skip_teardown()
            _fail("out of memory: a library cannot be loaded")
        case ValueError() | OSError():
            _fail(_sentence(error))
        case RuntimeError() if "can't start new thread" in str(error):
            _skip_teardown()
            _fail("no further thread can be started: out of memory, or too many processes")
    raise error


def _fail(message: str) -> NoReturn:
    """Print in one line what went wrong, and end with status 1."""
    from plogq.errors import printable

    print(f"plogq: {printable(' '.join(message.split()))}", file=sys.stderr)
    _drop_stdout()
    sys.exit(1)


def _skip_teardown() -> None:
    """End before libraries are torn down: Arrow crashes then if it lacked memory or threads."""
    atexit.register(os._exit, 1)


def _sentence(error: Exception) -> str:
    match error:
        case MemoryError():
            return f"out of memory: {error}" if str(error) else "out of memory"
        case UnicodeEncodeError():  # of a file's name, whose bytes Python keeps as surrogates
            return f"{error.object[:99]}: not a name in UTF-8: rename the file"
        case UnicodeDecodeError():
            return f"{os.fsdecode(error.object[:99])}: not in UTF-8, as names and texts must be"
        case OSError() if error.strerror:
            return f"{error.filename or 'standard output'}: {error.strerror}"
    return str(error)


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Return the nearest characters for those that the encoding of standard output lacks."""
    assert isinstance(error, UnicodeEncodeError)
    nearest = {"━": "=", "█": "#", "░": ":", "│": "|", "×": "x", "…": "~", "←": "<", "∞": "inf"}
    missing = error.object[error.start : error.end]
    return "".join(nearest.get(c, "?") for c in missing), error.end


def _drop_stdout() -> None:
    """Drop what could not be written: otherwise Python reports it once more at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return the parser of all commands; of the one alone that the words name, to start sooner."""
    from plogq import __version__
    from plogq.cli import help
    from plogq.cli.parser import Parser

    parser = Parser(
        prog="plogq",
        usage="plogq COMMAND [options]",
        description="Cross-entropy, exact, fast, explained and shown.",
        epilog=PARSER_EXAMPLES,
    )
    parser.add_argument("--version", action="version", version=f"plogq {__version__}")
    parser.set_defaults(run=lambda _: parser.print_help())
    parser.commands = parser.add_subparsers(title="commands", metavar="COMMAND [options]")
    alone = words[:1] if words and words[0] in COMMANDS and words[0] != "completion" else COMMANDS
    for name in alone:
        import_module(f"plogq.cli.{name}").add(parser.commands)
    help.add(parser.commands, parser)
    return parser
