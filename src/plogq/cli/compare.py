"""plogq compare: two models on the same rows or documents."""

import argparse
import sys
from pathlib import Path

from plogq.cli.arguments import Commands, count, names

READS = """
A and B are tables of predictions, as plogq score reads them; or token logprobs,
as plogq lm does: JSON lines, or tables with the columns doc and logprob and no
label.

Rows are paired by --id, or else by their order; labels must agree, and classes
are matched by name. By order both tables stream; with --id the ids and the
figures of all rows are held, about 300 bytes a row. Documents are paired by
name, and each takes about 300 bytes.
"""


def add(commands: Commands) -> None:
    """Add the command's arguments."""
    what = "say which of two models costs less on the same rows, by how much, and where"
    command = commands.add_parser(
        "compare",
        help=what,
        description=f"{what.capitalize()}.",
        epilog=READS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=_run)
    command.add_argument("a", metavar="A", help="a table of predictions or of tokens: see below")
    command.add_argument("b", metavar="B", help="another, of the same rows or documents")

    add = command.add_argument_group("columns of both").add_argument
    add("--label", metavar="COL", default="label",
        help="class indices or names; lists: soft labels (default: label)")  # fmt: skip
    for kind in ("logits", "logprobs", "probs"):
        add(f"--{kind}", metavar="COL|PREFIX*", help=f"predictions as {kind}")
    add("--classes", metavar="A,B,...", type=names,
        help="class names in the order of the predictions")  # fmt: skip
    add("--annotators", action="store_true", help="labels are lists: a label of each annotator")
    add("--id", metavar="COL", help="names of the rows, to pair them by")

    add = command.add_argument_group("columns of A").add_argument
    add("--weight", metavar="COL", help="row weights")
    add("--slice", metavar="COL", action="append", default=[], dest="slices",
        help="compare each value of a column apart (repeatable)")  # fmt: skip
    add("--group", metavar="COL",
        help="rows of one value belong together (a patient, a document): they are resampled "
             "as one")  # fmt: skip

    add = command.add_argument_group("token logprobs").add_argument
    add("--part", choices=["prompt", "completion", "all"],
        help="of responses with logprobs of both a prompt and what followed it")  # fmt: skip

    add = command.add_argument_group("figures").add_argument
    add("--unit", choices=["bit", "nat", "hartley"], default="bit",
        help="unit of costs (default: bit)")  # fmt: skip
    add("--bootstrap", metavar="N", type=count, default=200,
        help="replicates of the 95 %% intervals; 0 for none (default: 200)")  # fmt: skip
    add("--top", metavar="N", type=count, default=10,
        help="how many of the largest differences to list, each way (default: 10)")  # fmt: skip
    add("--seed", metavar="N", type=count, default=0, help="of the intervals (default: 0)")
    add("--json", metavar="FILE", type=Path, help="write every figure; - for standard output")


def _run(arguments: argparse.Namespace) -> None:
    from plogq.compare import compare
    from plogq.reports.files import write_whole
    from plogq.reports.progress import ProgressBar

    options = {
        name: value for name, value in vars(arguments).items() if name not in ("run", "json")
    }
    with ProgressBar() as progress:
        result = compare(**options, progress=progress)
    if arguments.json == Path("-"):
        sys.stdout.write(result.to_json() + "\n")
        return
    from plogq.reports.terminal.compare import print_report

    print_report(result)
    if arguments.json is not None:
        write_whole(arguments.json, (result.to_json() + "\n").encode())
