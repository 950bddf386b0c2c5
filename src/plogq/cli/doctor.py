"""plogq doctor: find the mistakes that people make with these losses."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from plogq.cli.options import (
    FOUND,
    Add,
    add_labels,
    add_predictions,
    add_second_table,
    add_text,
    count,
    given,
    names,
)
from plogq.cli.parser import Commands, add_command
from plogq.tables.formats import NAMES

if TYPE_CHECKING:
    from plogq.doctor.finding import Diagnosis

UNREAD = 1
ABOUT = ("list", "explain", "help")  # arguments of plogq doctor without a command

READS = """
It never says that all is well: it says what it looked at and what it found, how
sure it is, what that costs, and the line that mends it. Every check has a code:
PQ1xx look at values, PQ2xx at a training (plogq.doctor.watch), PQ3xx at code.

exit status: 0 nothing found, 1 bad input, 2 wrong usage, 3 something was found
"""
EXAMPLES = """
plogq doctor code train.py src/ notebook.ipynb
plogq doctor table predictions.parquet
plogq doctor --list
plogq doctor --explain PQ101
"""

CODE_READS = """
Python files, notebooks, and folders of them are read, and never imported or
run. Values are followed within a file, and only where that is certain: what
cannot be followed is not guessed. Lines that end in "# noqa: PQ301" are left
out.

pyproject.toml may hold select, ignore and exclude under [tool.plogq.doctor];
the nearest one above what is looked at counts.

exit status: 0 nothing found, 1 something not read, 2 wrong usage, 3 findings
"""
CODE_EXAMPLES = """
plogq doctor code train.py src/ notebook.ipynb
plogq doctor code src/ --select PQ301,PQ304 --format github
plogq doctor code train.py --fix
"""


TABLE_READS = """
Opens a table as plogq score does, and looks at its first rows: whether the
columns are what they were taken for, and whether the labels and the model are
what they seem.

exit status: 0 nothing found, 1 bad input, 2 wrong usage, 3 something was found
"""
TABLE_EXAMPLES = """
plogq doctor table predictions.parquet
plogq doctor table t.csv --label y --logits 'z_*' --rows 1000
plogq doctor table t.csv --select PQ101,PQ12 --format json
"""


def add(commands: Commands) -> None:
    """Add the command's arguments."""
    command = add_command(
        commands,
        "doctor",
        _about,
        "find the mistakes people make with these losses",
        takes="[code | table]",
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
    _add_table(command.commands)
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
    add_checks(add, "PQ301,PQ31")
    add("--exclude", metavar="PATTERNS", type=names,
        help="files and folders not to read, as patterns with commas between: tests/*")  # fmt: skip
    add("--diff", action="store_true", help="show what --fix would change")
    add("--fix", action="store_true", help="show what is safe to change, and change it")


def _add_table(commands: Commands) -> None:
    command = add_command(
        commands,
        "table",
        _table,
        "look for the mistakes in a table of predictions",
        takes="TABLE",
        reads=TABLE_READS,
        examples=TABLE_EXAMPLES,
        of="plogq doctor",
    )
    command.add_argument("table", metavar="TABLE", help=f"{NAMES}: a file, a folder, or a URI")
    add = command.add_argument_group("columns").add_argument
    add_labels(add)
    add_predictions(add)
    add_second_table(add)
    add_text(command)
    add = command.add_argument_group("checks").add_argument
    add("--rows", metavar="N", type=count, default=100_000,
        help="how many rows to look at, the first ones (default: 100,000)")  # fmt: skip
    add("--at-start", action="store_true", help="the model has not been trained yet")
    add_checks(add, "PQ101,PQ12", "--skip")


def _table(arguments: argparse.Namespace) -> int:
    from plogq.doctor.table import check_table
    from plogq.reports.progress import ProgressBar

    with ProgressBar() as progress:
        diagnosis = check_table(
            arguments.table, **given(arguments, "table", "format", *ABOUT), progress=progress
        )
    return print_diagnosis(diagnosis, arguments.format)


def add_checks(add: Add, codes: str, but: str = "--ignore") -> None:
    """Add the options on which checks look, such as `codes`, and how their findings are printed.

    `but` names the option of those that do not look: of a table, --ignore is about labels.
    """
    add("--select", metavar="CODES", type=names,
        help=f"only these checks look: {codes} (by how their codes begin)")  # fmt: skip
    add(but, metavar="CODES", type=names, help="these checks do not look")
    add("--format", choices=["text", "json", "github", "sarif"], default="text",
        help="how findings are printed (default: text)")  # fmt: skip


def _code(arguments: argparse.Namespace) -> int:
    from plogq.doctor.source import check_code
    from plogq.kernels.threads import default_threads
    from plogq.reports.progress import ProgressBar

    def look() -> Diagnosis:
        with ProgressBar("reading", "files") as progress:
            return check_code(
                arguments.paths,
                select=arguments.select,
                ignore=arguments.ignore,
                exclude=arguments.exclude,
                workers=default_threads(),
                progress=progress,
            )

    diagnosis = look()
    if (arguments.diff or arguments.fix) and _fixed(diagnosis, change=arguments.fix):
        diagnosis = look()
    return print_diagnosis(diagnosis, arguments.format)


def _fixed(diagnosis: Diagnosis, change: bool) -> bool:
    """Print what is safe to change, maybe change it, and return whether a file was changed."""
    from plogq.doctor.source import fixed_files
    from plogq.files import write_whole

    changed = False
    for fixed in fixed_files(diagnosis):
        print(fixed.diff, end="", file=sys.stderr)
        if change:
            write_whole(fixed.path, fixed.after)
            changed = True
    return changed


def print_diagnosis(diagnosis: Diagnosis, form: str) -> int:
    """Print a diagnosis in one of the formats, and return the exit status."""
    from plogq.reports.doctor_formats import FORMATS
    from plogq.reports.terminal.doctor import print_report

    if form == "text":
        print_report(diagnosis)
    else:
        print(FORMATS[form](diagnosis))
    return UNREAD if diagnosis.unread else FOUND if diagnosis.findings else 0
