"""plogq doctor: find the mistakes that people make with these losses."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from plogq.cli.options import Add, names
from plogq.cli.parser import Commands, add_command

if TYPE_CHECKING:
    from plogq.doctor.finding import Diagnosis

FOUND = 3  # the exit status when something was found
UNREAD = 1

READS = """
It never says that all is well: it says what it looked at and what it found, how
sure it is, what that costs, and the line that mends it. Every check has a code:
PQ1xx look at values, PQ3xx at code.

exit status: 0 nothing found, 1 bad input, 2 wrong usage, 3 something was found
"""
EXAMPLES = """
plogq doctor code train.py src/ notebook.ipynb
plogq doctor --list
plogq doctor --explain PQ101
"""

CODE_READS = """
Python files, notebooks, and folders of them are read, and never imported or
run. Values are followed within a file, and only where that is certain: what
cannot be followed is not guessed. Lines that end in "# noqa: PQ301" are left
out.

pyproject.toml may hold select, ignore and exclude under [tool.plogq.doctor]; the
nearest one above what is looked at counts.

exit status: 0 nothing found, 1 something cannot be read, 2 wrong usage, 3 found
"""
CODE_EXAMPLES = """
plogq doctor code train.py src/ notebook.ipynb
plogq doctor code src/ --select PQ301,PQ304 --format github
plogq doctor code train.py --fix
"""


def add(commands: Commands) -> None:
    """Add the command's arguments."""
    command = add_command(
        commands,
        "doctor",
        _about,
        "find the mistakes people make with these losses",
        takes="[code]",
        reads=READS,
        examples=EXAMPLES,
    )
    command.add_argument("--list", action="store_true", help="list the checks")
    command.add_argument("--explain", metavar="CODE", help="print the page of a check")
    command.for_a_file = "plogq doctor code"
    command.commands = command.add_subparsers(
        title="what to look at", metavar="WHAT", help="see plogq doctor WHAT --help"
    )
    _add_code(command.commands)
    command.set_defaults(help=command.print_help)


def _about(arguments: argparse.Namespace) -> None:
    """List the checks, or print the page of one."""
    from plogq.doctor.check import all_checks, check_of
    from plogq.reports.terminal.doctor import print_list

    if arguments.explain is not None:
        print(check_of(arguments.explain).page, end="")
    elif arguments.list:
        print_list(all_checks())
    else:
        arguments.help()


def _add_code(commands: Commands) -> None:
    command = add_command(
        commands,
        "code",
        _code,
        "look for the mistakes in Python files and notebooks, which are not run",
        takes="PATH...",
        reads=CODE_READS,
        examples=CODE_EXAMPLES,
        of="plogq doctor",
    )
    command.add_argument("paths", metavar="PATH", nargs="+", help="files, notebooks or folders")
    add = command.add_argument
    add_checks(add)
    add("--exclude", metavar="PATTERNS", type=names,
        help="files and folders not to read, as patterns with commas between: tests/*")  # fmt: skip
    add("--diff", action="store_true", help="show what --fix would change")
    add("--fix", action="store_true", help="show what is safe to change, and change it")


def add_checks(add: Add) -> None:
    """Add the options on which checks look, and how their findings are printed."""
    add("--select", metavar="CODES", type=names,
        help="only these checks look: PQ301,PQ31 (by how their codes begin)")  # fmt: skip
    add("--ignore", metavar="CODES", type=names, help="these checks do not look")
    add("--format", choices=["text", "json", "github", "sarif"], default="text",
        help="how findings are printed (default: text)")  # fmt: skip


def _code(arguments: argparse.Namespace) -> int:
    from plogq.doctor.source import check_code
    from plogq.kernels.threads import default_threads
    from plogq.reports.progress import ProgressBar

    with ProgressBar("reading", "files") as progress:
        diagnosis = check_code(
            arguments.paths,
            select=arguments.select,
            ignore=arguments.ignore,
            exclude=arguments.exclude,
            workers=default_threads(),
            progress=progress,
        )
    if arguments.diff or arguments.fix:
        diagnosis = _fixed(diagnosis, change=arguments.fix)
    return print_diagnosis(diagnosis, arguments.format)


def _fixed(diagnosis: Diagnosis, change: bool) -> Diagnosis:
    """Print what is safe to change, maybe change it, and return the diagnosis without that."""
    from plogq.doctor.source import fixed_files, without_fixed
    from plogq.reports.files import write_whole

    for fixed in fixed_files(diagnosis):
        print(fixed.diff, end="", file=sys.stderr)
        if change:
            write_whole(fixed.path, fixed.after)
    return without_fixed(diagnosis) if change else diagnosis


def print_diagnosis(diagnosis: Diagnosis, form: str) -> int:
    """Print a diagnosis in one of the formats, and return the exit status."""
    from plogq.reports.doctor_formats import FORMATS
    from plogq.reports.terminal.doctor import print_report

    if form == "text":
        print_report(diagnosis)
    else:
        print(FORMATS[form](diagnosis))
    return UNREAD if diagnosis.unread else FOUND if diagnosis.findings else 0
