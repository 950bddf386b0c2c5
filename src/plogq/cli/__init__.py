"""The command line: arguments only, no logic.

It is argparse's: a typer 0.29 that starts pydantic took 0.1 s of a command's time, as much as
scoring two million rows.
"""

from __future__ import annotations

import argparse
import codecs
import io
import os
import sys


def main() -> None:
    """Run the command line: 0 done, 1 bad input in one line, 2 usage, 130 interrupted."""
    try:
        from plogq.cli.options import joined_values

        if isinstance(sys.stdout, io.TextIOWrapper):
            codecs.register_error("plogq", _plain)
            sys.stdout.reconfigure(errors="plogq")
        arguments = _parser().parse_args(joined_values(sys.argv[1:]))
        arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        _drop_stdout()
        sys.exit(1)
    except (ValueError, OSError) as error:
        print(f"plogq: {_one_line(error)}", file=sys.stderr)
        _drop_stdout()
        sys.exit(1)


def _one_line(error: Exception) -> str:
    from plogq.errors import printable

    if isinstance(error, OSError) and error.strerror:
        return printable(f"{error.filename or 'standard output'}: {error.strerror}")
    return printable(" ".join(str(error).split()))


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Write what the encoding of standard output lacks as what is nearest."""
    assert isinstance(error, UnicodeEncodeError)
    nearest = {"━": "=", "█": "#", "░": ":", "│": "|", "×": "x", "…": "~", "←": "<", "∞": "inf"}
    missing = error.object[error.start : error.end]
    return "".join(nearest.get(c, "?") for c in missing), error.end


def _drop_stdout() -> None:
    """Let go of what could not be written, or Python complains of it once more at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    from plogq import __version__
    from plogq.cli import code, compare, demo, explore, lm, score

    parser = argparse.ArgumentParser(
        prog="plogq", description="Cross-entropy, exact, fast, explained and shown."
    )
    parser.add_argument("--version", action="version", version=f"plogq {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in (score, compare, lm, code, explore, demo):
        command.add(commands)
    return parser
