"""plogq score: what a table of predictions costs, and why."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from plogq.cli.arguments import Commands, count, folds, names, probability


def add(commands: Commands) -> None:
    """Add the command's arguments."""
    what = "say what a table of predictions costs, and what that cross-entropy is made of"
    command = commands.add_parser("score", help=what, description=f"{what.capitalize()}.")
    command.set_defaults(run=_run, usage_error=command.error)
    add = command.add_argument
    add("table", metavar="TABLE", help="Parquet, CSV, Arrow or NPZ: a file, a folder, or a URI")

    add = command.add_argument_group("columns").add_argument
    add("--label", metavar="COL", default="label",
        help="class indices or names; lists: soft labels (default: label)")  # fmt: skip
    for kind, of in (("logits", "logits"), ("logprobs", "natural log-probabilities"),
                     ("probs", "probabilities")):  # fmt: skip
        add(f"--{kind}", metavar="COL|PREFIX*",
            help=f"predictions as {of}: a list column, or a column per class")  # fmt: skip
    add("--classes", metavar="A,B,...", type=names,
        help="class names in the order of the predictions")  # fmt: skip
    add("--annotators", action="store_true", help="labels are lists: a label of each annotator")
    add("--weight", metavar="COL", help="row weights")
    add("--slice", metavar="COL", action="append", default=[], dest="slices",
        help="report each value of a column apart (repeatable)")  # fmt: skip
    add("--group", metavar="COL",
        help="rows of one value belong together (a patient, a document): they are resampled and "
             "held out as one")  # fmt: skip
    add("--id", metavar="COL", help="names of the rows")

    add = command.add_argument_group("figures").add_argument
    add("--unit", choices=["bit", "nat", "hartley"], default="bit",
        help="unit of entropies and losses (default: bit)")  # fmt: skip
    add("--floor", metavar="P", type=probability,
        help="also score with q(label) < P replaced by P")  # fmt: skip
    add("--folds", metavar="N", type=folds, default=5,
        help="of the cross-fit that finds the miscalibration (default: 5)")  # fmt: skip
    add("--bootstrap", metavar="N", type=count, default=200,
        help="replicates of the 95 %% intervals; 0 for none (default: 200)")  # fmt: skip
    add("--top", metavar="N", type=count, default=20,
        help="how many of the most surprising rows to list (default: 20)")  # fmt: skip
    add("--seed", metavar="N", type=count, default=0,
        help="of the folds, the intervals, the sample they are fitted on (default: 0)")  # fmt: skip
    add("--code", action="store_true",
        help="also compress the labels with the model, really, and decode them again (two more "
             "passes; local engine only, weights are no part of it)")  # fmt: skip

    add = command.add_argument_group("where it runs").add_argument
    add("--engine", choices=["local", "dask"], default="local",
        help="this process's threads, or Dask's workers; the figures are the same to the last bit "
             "(default: local)")  # fmt: skip
    add("--scheduler", metavar="ADDRESS",
        help="of a Dask cluster, tcp://host:port; without it, --engine dask starts a process per "
             "core here")  # fmt: skip

    add = command.add_argument_group("output").add_argument
    add("--json", metavar="FILE", type=Path, help="write every figure; - for standard output")
    add("--html", metavar="FILE", type=Path, help="write a report with pictures, one file")


def _run(arguments: argparse.Namespace) -> None:
    if arguments.scheduler is not None and arguments.engine != "dask":
        arguments.usage_error("--scheduler goes with --engine dask")
    if arguments.code and arguments.engine != "local":
        arguments.usage_error("--code goes with --engine local: it codes row after row")
    from plogq.reports.files import write_whole
    from plogq.reports.progress import ProgressBar
    from plogq.score import score

    options = {
        name: value
        for name, value in vars(arguments).items()
        if name not in ("run", "usage_error", "table", "json", "html")
    }
    with ProgressBar() as progress:
        result = score(arguments.table, **options, progress=progress)
    if arguments.json == Path("-"):
        sys.stdout.write(result.to_json() + "\n")
    else:
        from plogq.reports.terminal.score import print_report

        print_report(result)
        if arguments.json is not None:
            write_whole(arguments.json, (result.to_json() + "\n").encode())
    if arguments.html is not None:
        from plogq.reports.html import write_report

        write_report(result, arguments.html)
