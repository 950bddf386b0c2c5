"""plogq recalibrate: fit the recalibration that a score would take, keep it, apply it, try it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from plogq.cli.options import (
    TEXT,
    add_folds,
    add_intervals,
    add_json,
    add_labels,
    add_predictions,
    add_rows,
    add_second_table,
    add_text,
    add_unit,
    check_outputs,
    deliver,
)
from plogq.cli.parser import Commands, add_command
from plogq.tables.formats import NAMES

READS = """
TABLE alone           fit to its rows; --save keeps what was fitted
--with FILE TABLE     apply what was kept to TABLE, and write it to --out
TABLE --test OTHER    fit to TABLE, and score OTHER before and after
--with FILE --test OTHER, the same with what was kept

With --test, --out has the rows of OTHER. It has a column of probabilities for
each class, or one of lists, where the predictions were, and every other column
as it was. Rows that are only written need no labels.
"""

EXAMPLES = """
plogq recalibrate valid.parquet --save calibration.json
plogq recalibrate --with calibration.json new.parquet --out calibrated.parquet
plogq recalibrate valid.parquet --test test.parquet --family temperature
"""

MODEL = ("logits", "logprobs", "probs", "exclude", "classes", "chosen", "normalise")
ROWS = ("label", "labels", "on", "ignore", "annotators", "weight", "group", "bootstrap", "seed")
FIT = ("unit", "folds", "family")


def add(commands: Commands) -> None:
    """Add the command's arguments."""
    command = add_command(
        commands,
        "recalibrate",
        _run,
        "fit the recalibration that a score recommends, keep it, and apply it to other tables",
        takes="[TABLE]",
        reads=READS,
        examples=EXAMPLES,
    )
    command.add_argument("table", metavar="TABLE", nargs="?",
        help=f"the rows to fit to, or with --with to change: {NAMES}")  # fmt: skip
    add = command.add_argument
    add("--save", metavar="FILE", type=Path, help="keep what was fitted, as JSON")
    add("--with", metavar="FILE", type=Path, dest="kept",
        help="apply what was kept; nothing is fitted")  # fmt: skip
    add("--out", metavar="FILE", type=Path,
        help="write the recalibrated table: .parquet, .csv, .arrow")  # fmt: skip
    add("--test", metavar="OTHER",
        help="score these rows before and after; none of them may have been fitted to")  # fmt: skip

    add = command.add_argument_group("columns of all tables").add_argument
    add_labels(add)
    add_predictions(add)
    add_second_table(add)
    add_rows(add, None, "resampled and held out")

    add_text(command)

    add = command.add_argument_group("figures").add_argument
    add("--family", metavar="NAME",
        help="identity, temperature, temperature+base, vector or isotonic (default: the simplest "
             "of the best on held-out rows)")  # fmt: skip
    add_unit(add, "costs")
    add_folds(add)
    add_intervals(add, None, seed="folds, the intervals, the sample they are fitted on")
    add_json(add)


def _check(arguments: argparse.Namespace) -> None:
    """Refuse options that do not go together."""
    error, kept, test = arguments.usage_error, arguments.kept, arguments.test
    if kept is None and arguments.table is None:
        error("TABLE is missing: the rows to fit to")
    if kept is not None and (arguments.table is None) == (test is None):
        error("--with takes a TABLE and --out, or --test TABLE")
    if kept is not None and test is None and arguments.out is None:
        error("--with TABLE takes --out FILE, where the result is written")
    if kept is not None:
        for option in ("save", "family"):
            if getattr(arguments, option) is not None:
                error(f"--{option} goes with a fit, not with --with")
    if arguments.out is not None and kept is None and test is None:
        error("--out takes --with FILE, or --test TABLE: which rows are to be written?")
    if test is not None and arguments.table == test:
        error("--test takes other rows than those that are fitted to")
    if arguments.json is not None and test is None:
        error("--json goes with --test; --save writes what was fitted")


def _run(arguments: argparse.Namespace) -> None:
    _check(arguments)
    kept = None if arguments.kept is None else str(arguments.kept)
    check_outputs(arguments, arguments.table, arguments.test, kept)
    if arguments.out is not None:
        from plogq.reports.recalibrated_file import check_ending

        check_ending(arguments.out)
    from plogq.files import write_whole
    from plogq.reports.progress import ProgressBar
    from plogq.reports.terminal.recalibrate import of_applied, of_fit, of_validation
    from plogq.score import Recalibration, score

    def options(*names: str) -> dict[str, Any]:
        return {name: getattr(arguments, name) for name in (*MODEL, *names, *TEXT)}

    sections = []
    if arguments.kept is None:
        with ProgressBar("fitting") as progress:
            result = score(arguments.table, **options(*ROWS, *FIT), progress=progress)
        recalibration = Recalibration.from_result(result)
        sections += of_fit(result)
    else:
        recalibration = Recalibration.from_json(arguments.kept)
    if arguments.save is not None:  # before what may fail, so that a long fit is not lost
        write_whole(arguments.save, (recalibration.to_json() + "\n").encode())
    found = None
    if arguments.test is not None:
        from plogq.compare import validate

        with ProgressBar("scoring") as progress:
            found = validate(recalibration, arguments.test, **options(*ROWS), progress=progress)
        sections.append(of_validation(found))
    if arguments.out is not None:
        from plogq.reports.recalibrated_file import write_recalibrated

        source = arguments.test or arguments.table
        with ProgressBar("recalibrating") as progress:
            done, notes = write_recalibrated(
                source, recalibration, arguments.out, **options(), progress=progress
            )
        sections.append(of_applied(done, notes))

    def print_report() -> None:
        from plogq.reports.terminal.text import print_sections

        print_sections(sections)

    if found is None:
        print_report()
    else:
        deliver(found, arguments.json, print_report)
