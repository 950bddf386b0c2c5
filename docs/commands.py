"""Write what the commands print into the pages of `docs/commands/`: `make commands`.

A page is written by hand, but for what stands below a line of "$ …" in a block of `console`: that
line is run, and its output is put there. Of a shell there is what the pages need: `cat FILE`,
`echo $?`, and `| head -N` or `| tail -N` behind a command. The explorer, which runs on, is stopped.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from plogq.cli import main
from plogq.demo.run import COLUMNS, EPOCHS, TRAINING_ROWS, read_digits, run_demo
from plogq.demo.train import random_start, train
from plogq.numpy import squared_error

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "commands"
BLOCK = re.compile(r"^```console\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
FILES = (ROOT / "LICENSE", ROOT / "tests" / "lm" / "data" / "vllm_echo.jsonl")
ENVIRONMENT = {"COLUMNS": "80", "LINES": "40", "NO_COLOR": "1", "TERM": "dumb"}

TRAINING = """\
import torch
from torch import nn

model = nn.Sequential(nn.Linear(64, 10), nn.Softmax(dim=1))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters())


def step(x, y):
    optimizer.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    optimizer.step()
    return loss
"""


def prepare(folder: Path) -> None:
    """Write the files that the pages speak of."""
    for file in FILES:
        shutil.copy(file, folder)
    (folder / "train.py").write_text(TRAINING)
    predictions = run_demo(folder, console=Console(file=io.StringIO()))
    table = pq.read_table(predictions)
    squared = _squared()
    pq.write_table(squared, folder / "squared.parquet")
    pq.write_table(squared.slice(0, 300), folder / "valid.parquet")
    pq.write_table(squared.slice(300), folder / "test.parquet")
    labels = table["label"].to_numpy().copy()
    labels[::40] = (labels[::40] + 1) % 10
    mislabelled = table.set_column(1, "label", pa.array(labels))
    pq.write_table(mislabelled, folder / "mislabelled.parquet")


def _squared() -> pa.Table:
    """Return what the demo's second model, of squared error, predicts of the same rows."""
    digits = read_digits()
    rng = np.random.default_rng(0)
    order = rng.permutation(len(digits.labels))
    training, held_out = digits.take(order[:TRAINING_ROWS]), digits.take(order[TRAINING_ROWS:])
    loss = partial(squared_error, return_grad=True)
    start = random_start(digits.pixels.shape[1], 10, rng)
    epochs = train(start, training.pixels, training.labels, loss, np.random.default_rng(0))
    *_, last = islice(epochs, EPOCHS)
    logits = last.model.logits(held_out.pixels).astype(np.float32)
    columns = [held_out.ids, held_out.labels, *logits.T]
    return pa.table(dict(zip(COLUMNS, columns, strict=True)))


def page(text: str) -> str:
    """Return a page with what its commands print now; they run in the folder of this process."""
    return BLOCK.sub(lambda block: f"```console\n{session(block[1])}```\n", text)


def session(text: str) -> str:
    """Return the commands of a block, each with its output."""
    lines, status = [], 0
    for line in text.splitlines():
        if not line.startswith("$ "):
            continue
        printed, status = _run(line[2:], status)
        lines += [line, *(each.rstrip() for each in printed)]
    return "".join(f"{line}\n" for line in lines)


def _run(command: str, status: int) -> tuple[list[str], int]:
    """Return the lines that a command prints, and its exit status."""
    command, _, end = command.partition(" | ")
    match shlex.split(command, comments=True):
        case ["echo", "$?"]:
            return [str(status)], 0
        case ["cat", file]:
            lines = Path(file).read_text().splitlines()
        case ["plogq", "explore", *arguments]:
            lines = _address(arguments)
        case ["plogq", *arguments]:
            lines, status = _plogq(arguments)
        case words:
            raise ValueError(f"the pages' shell has no {words[0]}")
    if end:
        which, size = end.split()
        count = int(size)
        lines = lines[:-count] if which == "head" else lines[count:]
    return lines, status


def _address(arguments: list[str]) -> list[str]:
    """Return the line that the explorer prints as it begins to serve, whatever its port."""
    run = "import sys; from plogq.cli import main; sys.argv[0] = 'plogq'; main()"
    command = [sys.executable, "-c", run, "explore", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as explorer:
        assert explorer.stdout is not None
        line = explorer.stdout.readline()
        explorer.kill()
    return [re.sub(r":\d+/", ":PORT/", line)]


def _plogq(arguments: list[str]) -> tuple[list[str], int]:
    printed, status = io.StringIO(), 0
    with (
        patch.object(sys, "argv", ["plogq", *arguments]),
        patch.dict(os.environ, ENVIRONMENT),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        try:
            main()
        except SystemExit as ended:
            status = int(ended.code or 0)
    return printed.getvalue().splitlines(), status


def pages() -> Iterator[tuple[Path, str, str]]:
    """Yield each page's path, its text as it is, and with what the commands print now."""
    with TemporaryDirectory() as folder, contextlib.chdir(folder):
        prepare(Path())
        for path in sorted(FOLDER.glob("*.md")):
            text = path.read_text()
            yield path, text, page(text)


if __name__ == "__main__":
    for path, old, new in pages():
        if new != old:
            path.write_text(new)
            print(path.relative_to(ROOT))
