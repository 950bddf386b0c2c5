"""`plogq demo --lm`: an n-gram model of Python source, and what it pays for files it has not seen.

It is trained and scored on the Python standard library that runs it.
"""

from __future__ import annotations

import hashlib
import platform
import shlex
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from plogq.demo import compressors
from plogq.demo.ngram import LONGEST, Floats, NGram
from plogq.demo.own_table import own_table
from plogq.errors import TableError
from plogq.files import write_whole
from plogq.lm import TokensResult, score_tokens
from plogq.reports.numbers import figure
from plogq.reports.terminal.lm import print_report
from plogq.reports.terminal.text import table

# There are many tests, of a kind of their own; generated tables are not program text.
LEFT_OUT = {"site-packages", "dist-packages", "test", "tests", "idle_test", "encodings",
            "pydoc_data"}  # fmt: skip
HELD_OUT = 32  # of 256: a file is held out if the first byte of its path's hash is lower
COLUMNS = ("doc", "logprob", "bytes", "words", "characters", "token")
SPACE = np.isin(np.arange(256), list(b" \t\n\r\x0b\x0c"))


class File(NamedTuple):
    """A source file, named by its path in the library."""

    name: str
    data: bytes


def read_library(root: Path) -> tuple[list[File], list[File]]:
    """Return the files to train on, and those held out; a file's path alone decides which it is."""
    training: list[File] = []
    held_out: list[File] = []
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if LEFT_OUT.isdisjoint(name.split("/")) and (data := path.read_bytes()):
            low = hashlib.sha256(name.encode()).digest()[0] < HELD_OUT
            (held_out if low else training).append(File(name, data))
    if not training or not held_out:
        raise TableError(f"{root}: too few .py files to train and score a model")
    return training, held_out


def run_language_model(
    folder: Path, *, root: Path | None = None, console: Console | None = None
) -> Path:
    """Train on most of the standard library's files, score the others, and report.

    Returns the path of the `tokens.parquet` that it writes into `folder`: a row for each byte of
    the held-out files, with `doc`, `logprob`, `bytes`, `words`, `characters` and `token`.
    """
    path = own_table(folder / "tokens.parquet", COLUMNS)
    console = console or Console(highlight=False)
    root = Path(sysconfig.get_paths()["stdlib"]) if root is None else root
    training, held_out = read_library(root)
    train, score = (b"".join(f.data for f in files) for files in (training, held_out))
    files, sizes = len(training) + len(held_out), [len(x) / 1e6 for x in (train, score)]
    console.print(
        f"[bold]plogq demo --lm[/]: the standard library of Python {platform.python_version()}, "
        f"{files} source files.\n{len(training)} ({sizes[0]:.1f} MB) to train on, "
        f"{len(held_out)} ({sizes[1]:.1f} MB) held out. The model: 8-grams of bytes,\n"
        "interpolated by modified Kneser-Ney smoothing.\n"
    )
    pool = ThreadPoolExecutor(2)
    try:
        jobs = compressors.start(pool, train, score)
        with _bar() as bar:
            task = bar.add_task("training", total=2 * LONGEST + len(jobs))
            model = NGram([f.data for f in training], progress=lambda: bar.advance(task))
            bar.update(task, description="scoring")
            documents = [f.data for f in held_out]
            surprisals = model.surprisals(documents, progress=lambda: bar.advance(task))
            _write(path, held_out, surprisals)
            bar.update(task, description="compressing")
            compressed = {}
            for name, job in jobs.items():
                compressed[name] = compressors.size(job)
                bar.advance(task)
    finally:
        pool.shutdown(cancel_futures=True)  # an interrupt waits only for jobs that have begun
    result = score_tokens(path, top=10)
    print_report(result, console)
    console.print()
    _beside(result, compressed, console)
    quoted = escape(shlex.quote(str(path)))
    console.print(
        "\n[bold]Next[/]\n"
        f"  plogq lm {quoted} --unit nat\n"
        f"  plogq lm {quoted} --json out.json\n"
        "  plogq lm --help                      your own model: which fields are read",
        soft_wrap=True,
    )
    return path


def _beside(
    result: TokensResult, sizes: dict[str, compressors.Compressed], console: Console
) -> None:
    assert result.bytes is not None
    shown = table("bits per byte", ("right", "alone"), ("right", "after the training text"))
    ends = result.intervals.get("cross_entropy_per_byte")
    interval = "" if ends is None else f" ({figure(ends[0])} to {figure(ends[1])})"
    shown.add_row("8-gram model", "", f"{figure(result.cross_entropy_per_byte)}{interval}")
    for name, size in sizes.items():
        bits = [figure(8 * n / result.bytes) for n in size]
        shown.add_row(name, *bits)
    console.print("[bold]The same held-out bytes, compressed[/]")
    console.print(shown)
    console.print(
        "The model learned from the training text and stands still: each file by itself,\n"
        "7 bytes back. A compressor learns as it goes, the held-out files as one stream:\n"
        "alone, or with the training text before them, its own bytes not counted. xz and\n"
        "zstd then look back over all of it, gzip over 32 KiB. What they send can be\n"
        "decoded; the model's figure is what an entropy coder would send with it.",
        style="dim",
    )


def _bar() -> Progress:
    terminal = Console(stderr=True)
    return Progress(
        TextColumn("{task.description:<11}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=terminal,
        transient=True,
        disable=not terminal.is_terminal,
    )


def _write(path: Path, files: list[File], surprisals: Floats) -> None:
    data = np.frombuffer(b"".join(f.data for f in files), np.uint8)
    lengths = [len(f.data) for f in files]
    last = np.zeros(len(data), bool)
    last[np.cumsum(lengths) - 1] = True
    space = SPACE[data]
    texts = [chr(byte) if byte < 128 else f"\\x{byte:02x}" for byte in range(256)]
    columns = [
        pa.DictionaryArray.from_arrays(
            pa.array(np.repeat(np.arange(len(files), dtype=np.int32), lengths)),
            pa.array([f.name for f in files]),
        ),
        -surprisals.astype(np.float32),
        np.ones(len(data), np.int8),
        (~space & (np.append(space[1:], True) | last)).astype(np.int8),
        ((data & 0xC0) != 0x80).astype(np.int8),
        pa.DictionaryArray.from_arrays(pa.array(data), pa.array(texts)),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(dict(zip(COLUMNS, columns, strict=True))), sink)
    write_whole(path, sink.getvalue().to_pybytes())
