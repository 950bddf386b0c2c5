"""plogq demo: the main job on real input."""

import argparse
from pathlib import Path

from plogq.cli.options import count
from plogq.cli.parser import Commands, add_command

EXAMPLES = """
plogq demo                   # writes predictions.parquet here
plogq demo --lm --folder out
"""


def add(commands: Commands) -> None:
    """Add the command's arguments."""
    command = add_command(
        commands,
        "demo",
        _run,
        "train on handwritten digits under two losses, then score the model",
        takes="",
        more="Or, with --lm, do so for a language model.",
        examples=EXAMPLES,
    )
    add = command.add_argument
    add("--lm", action="store_true",
        help="train an 8-gram model of bytes on Python's standard library, and score it beside "
             "gzip, xz and zstd")  # fmt: skip
    add("--folder", metavar="DIR", type=Path, default=Path(),
        help="where predictions.parquet or tokens.parquet is written (default: here)")  # fmt: skip
    add("--seed", metavar="N", type=count, default=0,
        help="seed of the split and of the training on digits (default: 0)")  # fmt: skip


def _run(arguments: argparse.Namespace) -> None:
    if arguments.lm:
        from plogq.demo.language_model import run_language_model

        run_language_model(arguments.folder)
        return
    from plogq.demo import run_demo

    run_demo(arguments.folder, seed=arguments.seed)
