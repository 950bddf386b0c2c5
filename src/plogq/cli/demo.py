"""plogq demo: the main job on real input."""

import argparse
from pathlib import Path

from plogq.cli.options import Commands, count


def add(commands: Commands) -> None:
    """Add the command's arguments."""
    what = "train on handwritten digits under two losses, then score the model"
    command = commands.add_parser(
        "demo", help=what, description=f"{what.capitalize()}; or do so for a language model."
    )
    command.set_defaults(run=_run)
    add = command.add_argument
    add("--lm", action="store_true",
        help="train an 8-gram model of bytes on Python's standard library, and score it beside "
             "gzip, xz and zstd")  # fmt: skip
    add("--folder", metavar="DIR", type=Path, default=Path(),
        help="where predictions.parquet or tokens.parquet is written (default: here)")  # fmt: skip
    add("--seed", metavar="N", type=count, default=0,
        help="of the split and the training on digits (default: 0)")  # fmt: skip


def _run(arguments: argparse.Namespace) -> None:
    if arguments.lm:
        from plogq.demo.language_model import run_language_model

        run_language_model(arguments.folder)
        return
    from plogq.demo import run_demo

    run_demo(arguments.folder, seed=arguments.seed)
