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
from pathlib import Path


def main() -> None:
    """Run the command line: 0 done, 1 bad input in one line, 2 usage, 130 interrupted."""
    try:
        if isinstance(sys.stdout, io.TextIOWrapper):
            codecs.register_error("plogq", _plain)
            sys.stdout.reconfigure(errors="plogq")
        arguments = _parser().parse_args()
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
    from plogq.score.errors import printable

    if isinstance(error, OSError) and error.strerror:
        return printable(f"{error.filename or 'standard output'}: {error.strerror}")
    return printable(" ".join(str(error).split()))


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Write what the encoding of standard output lacks as what is nearest."""
    assert isinstance(error, UnicodeEncodeError)
    nearest = {"━": "=", "│": "|", "×": "x", "…": "~"}
    missing = error.object[error.start : error.end]
    return "".join(nearest.get(c, "?") for c in missing), error.end


def _drop_stdout() -> None:
    """Let go of what could not be written, or Python complains of it once more at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _score(arguments: argparse.Namespace) -> None:
    from plogq.score import score
    from plogq.score.files import write_whole
    from plogq.score.progress import ProgressBar

    options = {
        name: value
        for name, value in vars(arguments).items()
        if name not in ("run", "table", "json")
    }
    with ProgressBar() as progress:
        result = score(arguments.table, **options, progress=progress)
    if arguments.json == Path("-"):
        sys.stdout.write(result.to_json() + "\n")
        return
    from plogq.score.report import print_report

    print_report(result)
    if arguments.json is not None:
        write_whole(arguments.json, (result.to_json() + "\n").encode())


def _demo(arguments: argparse.Namespace) -> None:
    from plogq.demo import run_demo

    run_demo(arguments.folder, seed=arguments.seed)


def _parser() -> argparse.ArgumentParser:
    from plogq import __version__

    parser = argparse.ArgumentParser(
        prog="plogq", description="Cross-entropy, exact, fast, explained and shown."
    )
    parser.add_argument("--version", action="version", version=f"plogq {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_score(commands)
    _add_demo(commands)
    return parser


def _add_score(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    what = "say what a table of predictions costs, and what that cross-entropy is made of"
    command = commands.add_parser("score", help=what, description=f"{what.capitalize()}.")
    command.set_defaults(run=_score)
    add = command.add_argument
    add("table", metavar="TABLE", help="Parquet, CSV, Arrow or NPZ: a file, a folder, or a URI")

    add = command.add_argument_group("columns").add_argument
    add("--label", metavar="COL", default="label",
        help="class indices or names; lists: soft labels (default: label)")  # fmt: skip
    for kind, of in (("logits", "logits"), ("logprobs", "natural log-probabilities"),
                     ("probs", "probabilities")):  # fmt: skip
        add(f"--{kind}", metavar="COL|PREFIX*",
            help=f"predictions as {of}: a list column, or a column per class")  # fmt: skip
    add("--classes", metavar="A,B,...", type=lambda names: names.split(","),
        help="class names in the order of the predictions")  # fmt: skip
    add("--annotators", action="store_true", help="labels are lists: a label of each annotator")
    add("--weight", metavar="COL", help="row weights")
    add("--slice", metavar="COL", action="append", default=[], dest="slices",
        help="report each value of a column apart (repeatable)")  # fmt: skip
    add("--id", metavar="COL", help="names of the rows")

    add = command.add_argument_group("figures").add_argument
    add("--unit", choices=["bit", "nat", "hartley"], default="bit",
        help="unit of entropies and losses (default: bit)")  # fmt: skip
    add("--floor", metavar="P", type=float, help="also score with q(label) < P replaced by P")
    add("--top", metavar="N", type=_count, default=20,
        help="how many of the most surprising rows to list (default: 20)")  # fmt: skip
    add("--seed", metavar="N", type=_count, default=0,
        help="of the sample that the temperature is fitted on (default: 0)")  # fmt: skip
    add("--json", metavar="FILE", type=Path, help="write every figure; - for standard output")


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    what = "train on handwritten digits under two losses, then score the model"
    command = commands.add_parser("demo", help=what, description=f"{what.capitalize()}.")
    command.set_defaults(run=_demo)
    command.add_argument("--folder", metavar="DIR", type=Path, default=Path(),
                         help="where predictions.parquet is written (default: here)")  # fmt: skip
    command.add_argument("--seed", metavar="N", type=_count, default=0,
                         help="of the split and of the training (default: 0)")  # fmt: skip


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be 0, 1, 2, …, not {text!r}")
    return int(text)
