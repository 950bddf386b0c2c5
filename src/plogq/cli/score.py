"""plogq score: what a table of predictions costs, and why."""

from __future__ import annotations

import argparse

from plogq.cli.options import (
    add_folds,
    add_gate,
    add_html,
    add_intervals,
    add_json,
    add_labels,
    add_predictions,
    add_rows,
    add_second_table,
    add_text,
    add_unit,
    check_gate,
    check_outputs,
    deliver_guarded,
    given,
    probability,
)
from plogq.cli.parser import Commands, Parser, add_command
from plogq.tables.formats import NAMES

EXAMPLES = """
plogq score predictions.parquet
plogq score t.csv --label y --probs 'p_*' --unit nat
plogq score folder/ --id id --slice site --html report.html --json out.json
plogq score predictions.parquet --fail-if 'accuracy < 0.9'
plogq score s3://bucket/dir --engine dask --scheduler tcp://host:8786
"""


def add(commands: Commands) -> None:
    """Add the command's arguments."""
    command = add_command(
        commands,
        "score",
        _run,
        "say what a table of predictions costs, and what that cross-entropy is made of",
        takes="TABLE",
        examples=EXAMPLES,
    )
    command.add_argument("table", metavar="TABLE", help=f"{NAMES}: a file, a folder, or a URI")
    add_scoring(command)
    add = command.add_argument_group("output").add_argument
    add_json(add)
    add_html(add)
    add_gate(command)


def add_scoring(command: Parser) -> None:
    """Add the options on how a table is scored, for every command that scores one."""
    add = command.add_argument_group("columns").add_argument
    add_labels(add)
    add_predictions(add)
    add_second_table(add)
    add_rows(add, "report", "resampled and held out")
    add("--id", metavar="COL", help="names of the rows")

    add_text(command)

    add = command.add_argument_group("figures").add_argument
    add_unit(add, "entropies and losses")
    add("--floor", metavar="P", type=probability,
        help="also score with q(label) < P replaced by P")  # fmt: skip
    add_folds(add)
    add_intervals(
        add, "most surprising rows", 20, seed="folds, the intervals, the sample they are fitted on"
    )
    add("--code", action="store_true",
        help="also compress the labels with the model, and decode them again (two more passes; "
        "local engine only; weights do not count)")  # fmt: skip

    add = command.add_argument_group("where it runs").add_argument
    add("--engine", choices=["local", "dask"], default="local",
        help="this process's threads, or Dask's workers; the figures are the same to the last bit "
             "(default: local)")  # fmt: skip
    add("--scheduler", metavar="ADDRESS",
        help="address of a Dask cluster, tcp://host:port; without it, --engine dask starts a "
        "process per core here")  # fmt: skip


def check_scoring(arguments: argparse.Namespace) -> None:
    """Refuse options that do not go together."""
    if arguments.scheduler is not None and arguments.engine != "dask":
        arguments.usage_error("--scheduler goes with --engine dask")
    if arguments.code and arguments.engine != "local":
        arguments.usage_error("--code goes with --engine local: it codes row after row")


def _run(arguments: argparse.Namespace) -> int:
    check_gate(arguments)
    check_scoring(arguments)
    check_outputs(arguments, arguments.table)
    from plogq.reports.progress import ProgressBar
    from plogq.score import score

    with ProgressBar() as progress:
        result = score(arguments.table, **given(arguments, "table"), progress=progress)

    def print_report() -> None:
        from plogq.reports.terminal.score import print_report

        print_report(result)

    return deliver_guarded(result, arguments, "score", print_report)
