"""plogq code: compress a file, or labels under a model, to few bytes; and decode them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from plogq.cli.options import (
    PREDICTIONS,
    STDOUT,
    TEXT,
    add_predictions,
    add_text,
    check_outputs,
    count,
)
from plogq.cli.parser import Commands, add_command

MODEL = (*PREDICTIONS, "exclude", "classes", "chosen", "normalise")
EXAMPLES = """
plogq code book.txt --out book.plq
plogq code book.plq --decode --out book.txt
plogq code predictions.parquet --label label --out labels.plq
plogq code labels.plq --decode --under predictions.parquet --out labels.csv
"""


def add(commands: Commands) -> None:
    """Add the command's arguments."""
    command = add_command(
        commands,
        "code",
        _run,
        "compress a file, or the labels of a table under its predictions, and show the size",
        takes="FILE|TABLE",
        examples=EXAMPLES,
    )
    command.add_argument("path", metavar="FILE|TABLE", help="any file; with --label, a table as "
                         "for plogq score; with --decode, what plogq code wrote")  # fmt: skip
    add = command.add_argument
    add("--out", metavar="FILE", type=Path,
        help="write the code; with --decode, what was coded (- for standard output)")  # fmt: skip
    add("--decode", action="store_true", help="give back what was coded")

    add = command.add_argument_group("a file").add_argument
    add("--order", metavar="K", type=count,
        help="how many previous bytes the model looks at, 0 to 6 (default: the best)")  # fmt: skip

    add = command.add_argument_group("labels under predictions").add_argument
    add("--label", metavar="COL", help="the column of class indices or names to code")
    add_predictions(add)
    add("--escape", action="store_true",
        help="code labels of probability 0 at 24 bits, instead of refusing them")  # fmt: skip
    add("--under", metavar="TABLE",
        help="with --decode: the predictions that the labels were coded under")  # fmt: skip
    add_text(command)


def _run(arguments: argparse.Namespace) -> None:
    _check(arguments)
    check_outputs(arguments, arguments.path, arguments.under)
    run = _decode if arguments.decode else _code
    run(arguments)


def _check(arguments: argparse.Namespace) -> None:
    """Refuse options that do not go together."""
    model = [f"--{name}" for name in (*MODEL, *TEXT) if getattr(arguments, name)]
    labels = arguments.under is not None if arguments.decode else arguments.label is not None
    wrong = {
        "--decode needs --out": arguments.decode and arguments.out is None,
        "--label goes without --decode": arguments.decode and arguments.label is not None,
        "--under goes with --decode": not arguments.decode and arguments.under is not None,
        f"{', '.join(model)} need{'s' if len(model) == 1 else ''} "
        f"{'--under' if arguments.decode else '--label'}": bool(model) and not labels,
        "--escape needs --label": arguments.escape and arguments.label is None,
        "--order goes with a file to code": arguments.order is not None
        and (arguments.decode or labels),
    }
    for message, is_so in wrong.items():
        if is_so:
            arguments.usage_error(message)


def _code(arguments: argparse.Namespace) -> None:
    from rich.console import Console

    from plogq.codes.files import BytesReport, LabelsReport, code_file, code_labels
    from plogq.files import write_whole
    from plogq.reports.progress import ProgressBar
    from plogq.reports.terminal import code as report

    unit = "bytes" if arguments.label is None else "rows"
    done: BytesReport | LabelsReport
    with ProgressBar("coding", unit) as progress:
        if arguments.label is None:
            done = code_file(Path(arguments.path), order=arguments.order, progress=progress)
        else:
            done = code_labels(
                arguments.path, label=arguments.label, escape=arguments.escape,
                progress=progress, **_model(arguments),
            )  # fmt: skip
    if arguments.out in STDOUT:
        sys.stdout.buffer.write(done.data)
        report.print_report(done, Console(stderr=True, highlight=False))
        return
    if arguments.out is not None:
        write_whole(arguments.out, done.data)
    report.print_report(done)


def _decode(arguments: argparse.Namespace) -> None:
    from plogq.codes.files import check_labels_path, decode_file, decode_labels, labels_table
    from plogq.files import write_whole
    from plogq.reports.progress import ProgressBar

    path = Path(arguments.path)
    if arguments.under is not None:
        check_labels_path(arguments.out)
    with ProgressBar("decoding", "bytes" if arguments.under is None else "rows") as progress:
        if arguments.under is None:
            data = decode_file(path, progress=progress)
        else:
            labels = decode_labels(
                path.read_bytes(), arguments.under, name=str(path), progress=progress,
                **_model(arguments),
            )  # fmt: skip
            data = labels_table(labels, arguments.out)
    if arguments.out in STDOUT:
        sys.stdout.buffer.write(data)
    else:
        write_whole(arguments.out, data)


def _model(arguments: argparse.Namespace) -> dict[str, Any]:
    from plogq.tables.formats.text_options import text_options

    text = text_options(*(getattr(arguments, name) for name in TEXT))
    return {"text": text} | {name: getattr(arguments, name) for name in MODEL}
