"""plogq demo: the main job on real input."""

from __future__ import annotations

import argparse
from pathlib import Path

from plogq.cli.arguments import Commands, count


def add(commands: Commands) -> None:
    """Add the command's arguments."""
    what = "train on handwritten digits under two losses, then score the model"
    command = commands.add_parser("demo", help=what, description=f"{what.capitalize()}.")
    command.set_defaults(run=_run)
    command.add_argument("--folder", metavar="DIR", type=Path, default=Path(),
                         help="where predictions.parquet is written (default: here)")  # fmt: skip
    command.add_argument("--seed", metavar="N", type=count, default=0,
                         help="of the split and of the training (default: 0)")  # fmt: skip


def _run(arguments: argparse.Namespace) -> None:
    from plogq.demo import run_demo

    run_demo(arguments.folder, seed=arguments.seed)
