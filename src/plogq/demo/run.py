"""The demo: training, scoring, and what it prints on the terminal."""

from __future__ import annotations

import shlex
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from plogq.demo.own_table import own_table
from plogq.demo.train import Epoch, Floats, Linear, Loss, random_start, train
from plogq.files import write_whole
from plogq.formulas import from_nats
from plogq.numpy import cross_entropy, squared_error
from plogq.reports.numbers import count, figure, percent
from plogq.reports.terminal.score import print_report
from plogq.score import score
from plogq.tables.formats import NAMES

TRAINING_ROWS = 1200
EPOCHS = 100
MILESTONES = (1, 10, EPOCHS)
COLUMNS = ("id", "label", *(f"logit_{digit}" for digit in range(10)))


class Digits(NamedTuple):
    """Rows of pixels in [0, 1], the digit that each shows, and its number in the original file."""

    pixels: Floats
    labels: NDArray[np.int64]
    ids: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> Digits:
        """Return some of the rows."""
        return Digits(self.pixels[rows], self.labels[rows], self.ids[rows])


def read_digits() -> Digits:
    """Return the digits that come with the package."""
    with resources.as_file(resources.files("plogq.demo") / "digits.parquet") as file:
        table = pq.read_table(file)
    pixels = table["pixels"].combine_chunks().flatten().to_numpy().reshape(-1, 64) / 16
    return Digits(pixels, table["label"].to_numpy().astype(np.int64), np.arange(len(pixels)))


def run_demo(folder: Path, *, seed: int = 0, console: Console | None = None) -> Path:
    """Train under cross-entropy and under squared error, write the predictions, and score them.

    Returns the path of the `predictions.parquet` that it writes into `folder`: `id`, `label` and
    `logit_0` … `logit_9` of each held-out row. The same seed gives the same predictions.
    """
    path = own_table(folder / "predictions.parquet", COLUMNS)
    console = console or Console(highlight=False)
    digits = read_digits()
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(digits.labels))
    training, held_out = digits.take(order[:TRAINING_ROWS]), digits.take(order[TRAINING_ROWS:])
    start = random_start(digits.pixels.shape[1], 10, rng)
    console.print(
        f"[bold]plogq demo[/]: {len(order):,} images of handwritten digits, "
        f"{TRAINING_ROWS:,} to train on, {len(held_out.labels)} held out.\n"
        "Softmax regression, twice from the same start: random, sure of itself, wrong.\n"
    )
    losses: dict[str, Loss] = {
        "cross-entropy": partial(cross_entropy, return_grad=True),
        "squared error": partial(squared_error, return_grad=True),
    }
    runs = _train_side_by_side(start, training, losses, seed, console)
    console.print("[bold]Held-out rows, after so many epochs[/]")
    console.print(_comparison(runs, held_out))
    console.print(
        "\nCross-entropy pulls harder the more wrong a prediction is. The gradient of\n"
        "squared error fades where the softmax is sure, right or wrong: it learns late.\n"
    )

    _write_predictions(path, held_out, runs["cross-entropy"][-1].model)
    console.print(
        f"The first model's held-out logits: [bold]{escape(str(path))}[/]\nWhat are they worth?\n"
    )
    print_report(score(path, id="id"), console)
    quoted = escape(shlex.quote(str(path)))
    console.print(
        "\n[bold]Next[/]\n"
        f"  plogq score {quoted} --id id --unit nat     the same in nats\n"
        f"  plogq score {quoted} --id id --json out.json\n"
        f"  plogq score --help                        your own table: {NAMES}",
        soft_wrap=True,
    )
    return path


def _train_side_by_side(
    start: Linear, digits: Digits, losses: dict[str, Loss], seed: int, console: Console
) -> dict[str, list[Epoch]]:
    terminal = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("epoch {task.completed}/{task.total}"),
        TimeElapsedColumn(),
        console=terminal,
        transient=True,
        disable=not terminal.is_terminal,
    )
    with bar:
        return {
            name: list(
                bar.track(
                    train(
                        start,
                        digits.pixels,
                        digits.labels,
                        loss,
                        np.random.default_rng(seed),
                        epochs=EPOCHS,
                    ),
                    total=EPOCHS,
                    description=f"{name:<13}",
                )
            )
            for name, loss in losses.items()
        }


def _comparison(runs: dict[str, list[Epoch]], held_out: Digits) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    table.add_column("trained under")
    for column in ("epoch", "bits per row", "squared error", "accuracy", "gradient size"):
        table.add_column(column, justify="right")
    for name, epochs in runs.items():
        for number in MILESTONES:
            model, norm = epochs[number - 1]
            logits = model.logits(held_out.pixels)
            bits = from_nats(cross_entropy(logits, held_out.labels), "bit")
            brier = squared_error(logits, held_out.labels)
            accuracy = np.mean(logits.argmax(axis=1) == held_out.labels)
            table.add_row(
                name if number == MILESTONES[0] else "",
                count(number),
                figure(bits),
                figure(brier),
                percent(accuracy),
                figure(norm),
            )
    return table


def _write_predictions(path: Path, digits: Digits, model: Linear) -> None:
    logits = model.logits(digits.pixels).astype(np.float32)
    columns: list[NDArray[Any]] = [digits.ids, digits.labels, *logits.T]
    path.parent.mkdir(parents=True, exist_ok=True)
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(dict(zip(COLUMNS, columns, strict=True))), sink)
    write_whole(path, sink.getvalue().to_pybytes())
