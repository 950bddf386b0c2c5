"""Options that several commands have: their types, their help, and what is done with them."""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from plogq.formulas.units import UNITS
from plogq.tables.sums.level import LEAST_REPLICATES, PERCENT

if TYPE_CHECKING:
    from plogq.conditions import Condition

Add: TypeAlias = Callable[..., Any]  # `add_argument` of a command, or of a group of its options

MOST_NUMBERED = 10_000_000  # classes that are given as a range
PREDICTIONS = {
    "logits": "logits",
    "logprobs": "natural log-probabilities",
    "probs": "probabilities",
}


FOUND = 3  # the exit status when something was found, or a gate is closed
STDOUT = (Path("-"), Path("/dev/stdout"))


class Answer(Protocol):
    """The result of a command."""

    def to_json(self) -> str:
        """Return it as JSON text."""


def count(text: str) -> int:
    """Return a whole number, 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be 0, 1, 2, …, not {text!r}")
    if int(text) >= 2**64:
        raise argparse.ArgumentTypeError(f"must be below 2**64, not {text}")
    return int(text)


def positive(text: str) -> int:
    """Return a whole number, 1 or more."""
    if not text.isdecimal() or not 1 <= int(text) < 2**64:
        raise argparse.ArgumentTypeError(f"must be 1, 2, 3, …, not {text!r}")
    return int(text)


def folds(text: str) -> int:
    """Return a number of folds, 2 or more."""
    if not text.isdecimal() or not 2 <= int(text) < 2**64:
        raise argparse.ArgumentTypeError(f"must be 2, 3, 4, …, not {text!r}")
    return int(text)


def probability(text: str) -> float:
    """Return a probability above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"must be a probability, above 0, not {text!r}")
    return value


def names(text: str) -> list[str]:
    """Return names that are given with commas between them."""
    return text.split(",")


def class_names(text: str) -> list[str]:
    """Return names given with commas between them, or as the ends of some numbers: 1..1000."""
    ends = re.fullmatch(r"(-?[0-9]{1,9})\.\.(-?[0-9]{1,9})", text)
    if ends is None:
        return names(text)
    first, last = map(int, ends.groups())
    if not 0 <= last - first < MOST_NUMBERED:
        raise argparse.ArgumentTypeError(f"must rise by less than {MOST_NUMBERED:,}, not {text}")
    return [str(number) for number in range(first, last + 1)]


def joined_values(arguments: Sequence[str]) -> list[str]:
    """Return the arguments, with values such as -1 joined to their options: argparse would not.

    Examples
    --------
    >>> joined_values(["score", "t.csv", "--classes", "-1,0,1"])
    ['score', 't.csv', '--classes=-1,0,1']
    """
    out: list[str] = []
    for argument in arguments:
        before = out[-1] if out else ""
        if re.match(r"-[0-9]", argument) and before.startswith("--") and "=" not in before:
            out[-1] = f"{before}={argument}"
        else:
            out.append(argument)
    return out


def add_predictions(add: Add) -> None:
    """Add the options on which columns hold the predictions, and on their classes."""
    for kind, of in PREDICTIONS.items():
        add(f"--{kind}", metavar="COLS|PREFIX*",
            help=f"predictions as {of}: a list column, or a column per class (A,B,... or "
                 "PREFIX*)")  # fmt: skip
    add("--exclude", metavar="COLS", type=names, default=[],
        help="columns that are neither predictions nor labels, whatever their names")  # fmt: skip
    add("--classes", metavar="A,B,...", type=class_names,
        help="class names: matched with columns that are named after classes, else in the "
        "order of the predictions; 1..1000 for numbers")  # fmt: skip
    add("--chosen", metavar="COL",
        help="with a lone column: the column that names the class of each probability")  # fmt: skip
    add("--normalise", action="store_true",
        help="divide the probabilities of each row by their sum")  # fmt: skip


def add_labels(add: Add, *, soft: bool = True) -> None:
    """Add the options on which column holds the labels, and of what kind they are."""
    kinds = "class indices or names; lists, or a column per class: soft labels"
    add("--label", metavar="COL|PREFIX*",
        help=f"{kinds if soft else kinds.partition(';')[0]} (default: found by name: label, "
             "labels, y_true, target, ...)")  # fmt: skip
    add("--ignore", metavar="LABELS", type=names, default=[],
        help="leave out rows with these labels: -100, or null for a missing one")  # fmt: skip
    if soft:
        add("--annotators", action="store_true",
            help="labels are lists, a label from each annotator")  # fmt: skip


def add_text(command: argparse.ArgumentParser) -> None:
    """Add the options on how a text table is written; without them its head decides."""
    add = command.add_argument_group("text tables (CSV and its kin)").add_argument
    add("--encoding", metavar="NAME", help="such as cp1252 or utf-16 (default: as found)")
    add("--delimiter", metavar="CHAR", help=r"between columns, such as ; or \t (default: as found)")
    add("--decimal", metavar="MARK", choices=[".", ","],
        help=". or , in numbers (default: as found)")  # fmt: skip
    add("--header", metavar="A,B,...", type=names,
        help="names of the columns of a file that does not begin with them")  # fmt: skip


TEXT = ("encoding", "delimiter", "decimal", "header")


def add_second_table(add: Add) -> None:
    """Add the options on labels in another table."""
    add("--labels", metavar="TABLE", help="a second table, which has the labels")
    add("--on", metavar="COL", help="with --labels: the column of both that names the rows")


def add_rows(add: Add, report: str | None, as_one: str) -> None:
    """Add the options on the weights of rows, and on which rows belong together.

    `report` is what a command does with slices; None for a command without slices.
    """
    add("--weight", metavar="COL", help="row weights")
    if report is not None:
        add("--slice", metavar="COL", action="append", default=[], dest="slices",
            help=f"{report} each value of a column apart (repeatable)")  # fmt: skip
    add_group(add, as_one)


def add_group(add: Add, as_one: str) -> None:
    """Add the option on which rows belong together."""
    add("--group", metavar="COL",
        help="rows of one value belong together (a patient, a document): they are "
             f"{as_one} as one")  # fmt: skip


def add_part(add: Add) -> None:
    """Add the option on which tokens of a response count."""
    add("--part", choices=["prompt", "completion", "all"],
        help="which tokens count, where responses have logprobs of both")  # fmt: skip


def add_unit(add: Add, of: str) -> None:
    """Add the option on the unit."""
    add("--unit", choices=UNITS, default="bit",
        help=f"unit of {of} (default: bit)")  # fmt: skip


def add_folds(add: Add) -> None:
    """Add the option on the folds of the cross-fit."""
    add("--folds", metavar="N", type=folds, default=5,
        help="folds of the cross-fit that finds the miscalibration (default: 5)")  # fmt: skip


def add_intervals(
    add: Add, listed: str | None, top: int = 0, over: str = "", seed: str = "intervals"
) -> None:
    """Add the options on intervals, and on how many rows to list; None where none are listed."""
    add("--bootstrap", metavar="N", type=count, default=200,
        help=f"replicates{over} of the {PERCENT}% intervals; 0 for none, or "  # %%: argparse's
             f"{LEAST_REPLICATES} or more (default: 200)")  # fmt: skip
    if listed is not None:
        add("--top", metavar="N", type=count, default=top,
            help=f"how many of the {listed} to list (default: {top})")  # fmt: skip
    add("--seed", metavar="N", type=count, default=0, help=f"seed of the {seed} (default: 0)")


def add_json(add: Add) -> None:
    """Add the option on where the figures are written."""
    add("--json", metavar="FILE", type=Path,
        help="write every figure as JSON; - for standard output")  # fmt: skip


GATE = """\
A condition is a figure of the JSON, < <= > or >=, a number, maybe a unit:
  cross_entropy > 0.2 bits       accuracy < 0.9
  cross_entropy.high > 0.25      the end of its interval; also .low
  per_class.cat.accuracy < 0.8   the parts of a figure, with dots between
Of two models, where the second is the new one:
  worse by 0.002 bits            it costs so much more, or more than that
  clearly worse [by 0.002 bits]  and so does its whole interval
A condition that holds closes the gate: one line, and exit status 3. A figure
that is not there, was not computed, or has another unit is bad input.
"""


def condition(text: str) -> Condition:
    """Return a condition of a gate."""
    from plogq.conditions import condition

    try:
        return condition(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_gate(command: argparse.ArgumentParser) -> None:
    """Add the options on what makes a build fail."""
    add = command.add_argument_group("gate", GATE).add_argument
    add("--fail-if", metavar="CONDITION", type=condition, action="append", default=[],
        help="exit with status 3 if it holds (repeatable)")  # fmt: skip
    add("--gate-format", choices=["text", "github", "junit"], default="text",
        help="text: lines on standard error; github: annotations after the report; junit: XML in "
             "place of the report (default: text)")  # fmt: skip


def check_gate(arguments: argparse.Namespace) -> None:
    """Refuse a format of the gate that would be mixed with other output, or is of no gate."""
    if arguments.gate_format != "text" and not arguments.fail_if:
        arguments.usage_error("--gate-format goes with --fail-if")
    if arguments.gate_format != "text" and arguments.json in STDOUT:
        arguments.usage_error(f"--gate-format {arguments.gate_format} and --json - both print")


def deliver_guarded(
    answer: Any, arguments: argparse.Namespace, of: str, print_report: Callable[[], None]
) -> int:
    """Write JSON and page, print the report and what closes the gate; return the exit status."""
    outcomes = []
    if arguments.fail_if:
        from plogq.conditions import outcome

        outcomes = [outcome(answer, each) for each in arguments.fail_if]
    if arguments.html is not None:
        from plogq.reports.html import write_report

        write_report(answer, arguments.html)
    if not outcomes:
        deliver(answer, arguments.json, print_report)
        return 0
    from plogq.reports.gate import FORMATS

    said = FORMATS[arguments.gate_format](f"plogq {of}", outcomes)
    if arguments.gate_format == "junit":
        deliver(answer, arguments.json, lambda: print(said))
    else:
        deliver(answer, arguments.json, print_report)
        if said:
            sys.stdout.flush()
            print(said, file=sys.stderr if arguments.gate_format == "text" else sys.stdout)
    return FOUND if any(each.holds for each in outcomes) else 0


def add_html(add: Add) -> None:
    """Add the option on where the report is written as a page."""
    add("--html", metavar="FILE", type=Path, help="write a report with charts, as one file")


def given(arguments: argparse.Namespace, *but: str) -> dict[str, Any]:
    """Return the options by the names that the Python function has for them."""
    own = {"run", "usage_error", "turned", "json", "html", "fail_if", "gate_format", *but}
    return {name: value for name, value in vars(arguments).items() if name not in own}


def check_outputs(arguments: argparse.Namespace, *inputs: str | None) -> None:
    """Refuse, before the work, a file that cannot be written, or that is read or written twice."""
    from plogq.files import check_output

    for option in ("html", "csv"):
        if getattr(arguments, option, None) in STDOUT:
            arguments.usage_error(f"--{option} takes the name of a file")
    taken = [Path(path) for path in inputs if path is not None]
    for option in ("json", "html", "csv", "out", "save"):
        path = getattr(arguments, option, None)
        if path is not None and path not in STDOUT:
            folders = [each for each in taken if each.is_dir()] if path.is_file() else []
            held = [file for each in folders for file in _read_in(each, path)]
            check_output(path, but=[*taken, *held])
            taken.append(path)


def _read_in(folder: Path, there: Path) -> list[Path]:
    """Return the files that are read in a folder, if a file that is there lies in it."""
    from plogq.errors import TableError
    from plogq.tables.readers import open_table

    if not there.resolve().is_relative_to(folder.resolve()):
        return []
    try:
        return [Path(path) for path in open_table(folder).paths]
    except (TableError, OSError):  # no tables: logs, of which any file may be one, but a page
        return [there] if there.suffix not in (".html", ".htm") else []


def deliver(answer: Answer, json: Path | None, print_report: Callable[[], None]) -> None:
    """Write the JSON and print the report; JSON on standard output is printed alone.

    Files are written first: a reader of the report may stop (`| head`), which ends the command.
    """
    from plogq.files import write_whole

    if json in STDOUT:
        sys.stdout.write(answer.to_json() + "\n")
        return
    if json is not None:
        write_whole(json, (answer.to_json() + "\n").encode())
    print_report()
