"""plogq labels: which labels of a table are likely wrong."""

from __future__ import annotations

import argparse
from pathlib import Path

from plogq.cli.options import (
    add_group,
    add_json,
    add_labels,
    add_predictions,
    add_second_table,
    add_text,
    add_unit,
    check_outputs,
    count,
    deliver,
    given,
)
from plogq.cli.parser import Commands, add_command

READS = """
TABLE is a table of predictions, as plogq score reads it. The predictions must
be of rows that the model was not fitted to: out-of-fold, as scikit-learn's
cross_val_predict makes them. A model that was fitted to a wrong label repeats
it, and finds nothing.
"""

EXAMPLES = """
plogq labels out_of_fold.parquet
plogq labels out_of_fold.csv --id id --csv to_check.csv
"""


def add(commands: Commands) -> None:
    """Add the command's arguments."""
    command = add_command(
        commands,
        "labels",
        _run,
        "say which labels are likely wrong, how many, and what they cost",
        takes="TABLE",
        reads=READS,
        examples=EXAMPLES,
    )
    command.add_argument("table", metavar="TABLE", help="a table of out-of-fold predictions")
    add = command.add_argument_group("columns").add_argument
    add_labels(add, soft=False)
    add_predictions(add)
    add_second_table(add)
    add_group(add, "resampled and held out")
    add("--id", metavar="COL", help="names of the rows")

    add_text(command)

    add = command.add_argument_group("figures").add_argument
    add_unit(add, "costs")
    add("--top", metavar="N", type=count,
        help="how many rows to list (default: as many as are expected to be wrong, up to "
             "10,000)")  # fmt: skip
    add("--seed", metavar="N", type=count, default=0,
        help="seed of the sample that a large table is judged by (default: 0)")  # fmt: skip

    add = command.add_argument_group("output").add_argument
    add_json(add)
    add("--csv", metavar="FILE", type=Path, help="write the rows to look at, for annotators")


def _run(arguments: argparse.Namespace) -> None:
    check_outputs(arguments, arguments.table)
    from plogq.reports.progress import ProgressBar
    from plogq.score import label_errors

    with ProgressBar() as progress:
        found = label_errors(arguments.table, **given(arguments, "table", "csv"), progress=progress)

    def print_report() -> None:
        from plogq.reports.terminal.label_errors import print_report

        print_report(found)

    if arguments.csv is not None:
        from plogq.reports.suspects_csv import write_suspects

        write_suspects(found, arguments.csv)
    deliver(found, arguments.json, print_report)
