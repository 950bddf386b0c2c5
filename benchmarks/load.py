"""Sizes beyond those of tests: what comes out, against a second way, and the memory it takes.

Each case makes its input in one process and works on it in another, whose peak memory is its own.
Threads and forks are cases of their own. Prints a table, and writes it to
benchmarks/results/load.txt and into docs/reliability.md.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from _side_by_side import machine

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "load.txt"
PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- benchmarks/load.py -->\n```\n", "```\n<!-- end -->\n"
BLOCK = 1_000_000  # rows, which a longer table repeats: its means are those of one block
CLASSES = 1_000_000


def peak() -> int:
    """Return the most memory that this process has held, in bytes."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status)[1])  # type: ignore[index]


def close(found: float, expected: float, bound: float = 1e-12) -> str:
    """Return how far apart two numbers are, after holding that it is within a relative bound."""
    apart = abs(found - expected) / abs(expected)
    assert apart <= bound, (found, expected, apart)
    return f"apart by {apart:.0e}"


def lse(x: np.ndarray) -> np.ndarray:
    """Return log Σ exp of each row in float64, by the textbook."""
    x = x.astype(np.float64)
    top = x.max(1, keepdims=True)
    return top[:, 0] + np.log(np.exp(x - top).sum(1))


def block_of_rows(classes: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, rows)
    logits = rng.standard_normal((rows, classes), dtype=np.float32)
    logits[np.arange(rows), labels] += 1
    return labels, logits


def surprisal(labels: np.ndarray, logits: np.ndarray) -> float:
    """Return the mean of −log₂ q(y), in float64."""
    chosen = logits[np.arange(len(labels)), labels].astype(np.float64)
    return math.fsum(lse(logits) - chosen) / len(labels) / math.log(2)


def many_rows_input(folder: Path) -> None:
    labels, logits = block_of_rows(3, BLOCK)
    columns = {f"logit_{j}": logits[:, j] for j in range(3)}
    table = pa.table({"label": labels.astype(np.int8), **columns})
    with pq.ParquetWriter(folder / "rows.parquet", table.schema, use_dictionary=["label"]) as to:
        for _ in range(100):
            to.write_table(table)


def many_rows(folder: Path) -> str:
    from plogq.score import score

    result = score(folder / "rows.parquet")
    assert result.rows == 100 * BLOCK
    labels, logits = block_of_rows(3, BLOCK)
    assert result.accuracy == (logits.argmax(1) == labels).mean()
    return close(result.cross_entropy, surprisal(labels, logits))


def many_columns_input(folder: Path) -> None:
    labels, logits = block_of_rows(10, 100)
    others = {f"feature_{j}": np.zeros(100, np.int8) for j in range(100_000)}
    named = {f"logit_{j}": logits[:, j] for j in range(10)}
    pq.write_table(pa.table({"label": labels, **named, **others}), folder / "columns.parquet")


def many_columns(folder: Path) -> str:
    from plogq.score import score

    result = score(folder / "columns.parquet", label="label", logits="logit_*")
    return close(result.cross_entropy, surprisal(*block_of_rows(10, 100)))


def class_columns_input(folder: Path) -> None:
    labels, logits = block_of_rows(100_000, 50)
    named = {f"logit_{j}": logits[:, j] for j in range(100_000)}
    pq.write_table(pa.table({"label": labels, **named}), folder / "classes.parquet")


def class_columns(folder: Path) -> str:
    from plogq.score import score

    result = score(folder / "classes.parquet")
    return close(result.cross_entropy, surprisal(*block_of_rows(100_000, 50)))


def listed_classes_input(folder: Path) -> None:
    labels, logits = block_of_rows(CLASSES, 20)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(logits.ravel()), CLASSES)
    pq.write_table(pa.table({"label": labels, "logits": lists}), folder / "lists.parquet")


def listed_classes(folder: Path) -> str:
    from plogq.score import score

    result = score(folder / "lists.parquet")
    return close(result.cross_entropy, surprisal(*block_of_rows(CLASSES, 20)))


def nothing(folder: Path) -> None:
    """Make no input."""


def numpy_loss(folder: Path) -> str:
    from plogq.numpy import cross_entropy

    labels, logits = block_of_rows(CLASSES, 20)
    found = float(cross_entropy(logits, labels))
    return close(found, surprisal(labels, logits) * math.log(2), 1e-6)


def torch_loss(folder: Path) -> str:
    import torch

    from plogq.torch import cross_entropy

    labels, logits = block_of_rows(CLASSES, 20)
    x = torch.from_numpy(logits).requires_grad_()
    loss = cross_entropy(x, torch.from_numpy(labels))
    loss.backward()
    expected = np.exp(logits.astype(np.float64) - lse(logits)[:, None])
    expected[np.arange(20), labels] -= 1
    assert x.grad is not None
    apart = np.abs(x.grad.numpy() - expected / 20).max() / np.abs(expected / 20).max()
    assert apart < 1e-6, apart
    close(loss.item(), surprisal(labels, logits) * math.log(2), 1e-6)
    return f"gradient apart by {apart:.0e}"


def huffman(folder: Path) -> str:
    from plogq.codes import Code

    weights = 1 / np.arange(1, CLASSES + 1)
    code = Code.huffman(weights)
    drawn = np.random.default_rng(0).integers(0, CLASSES, 100_000)
    assert (code.decode_indices(code.encode_indices(drawn)) == drawn).all()
    p = weights / weights.sum()
    entropy, length = -math.fsum(p * np.log2(p)), code.expected_length(p)
    assert entropy <= length < entropy + 1
    return f"decoded; {length:.4f} bits a symbol, entropy {entropy:.4f}"


def coded_labels(folder: Path) -> str:
    from plogq.codes import compress, decompress

    labels, logits = block_of_rows(CLASSES, 20)
    data, _ = compress(labels, logits, kind="logits")
    assert (decompress(data, logits, kind="logits") == labels).all()
    return f"decoded; {len(data)} bytes, ideal {20 * surprisal(labels, logits) / 8:.1f}"


def documents_input(folder: Path) -> None:
    rng = np.random.default_rng(0)
    n = 10_000 * 1_000
    table = pa.table({
        "doc": pa.array(np.arange(n) // 1_000),
        "logprob": -rng.integers(1, 2**20, n) / 2**16,
        "bytes": rng.integers(1, 9, n),
    })  # fmt: skip
    pq.write_table(table, folder / "tokens.parquet", row_group_size=BLOCK)


def documents(folder: Path) -> str:
    from plogq.lm import score_tokens

    result = score_tokens(folder / "tokens.parquet")
    table = pq.read_table(folder / "tokens.parquet")
    cost = -math.fsum(table["logprob"].to_numpy())
    assert result.documents == 10_000
    expected = cost / table["bytes"].to_numpy().sum() / math.log(2)
    return close(result.cross_entropy_per_byte, expected)


def slices_input(folder: Path) -> None:
    labels, logits = block_of_rows(4, 200_000)
    rng = np.random.default_rng(1)
    named = {f"logit_{j}": logits[:, j] for j in range(4)}
    cut = {f"s{j}": rng.integers(0, 5, len(labels)) for j in range(200)}
    pq.write_table(pa.table({"label": labels, **named, **cut}), folder / "slices.parquet")


def slices(folder: Path) -> str:
    from plogq.score import score

    names = [f"s{j}" for j in range(200)]
    result = score(folder / "slices.parquet", label="label", logits="logit_*", slices=names)
    labels, logits = block_of_rows(4, 200_000)
    table = pq.read_table(folder / "slices.parquet", columns=names)
    assert sum(map(len, result.slices.values())) == 1_000
    for name in names:
        column = table[name].to_numpy()
        for value, found in result.slices[name].items():
            of = column == int(value)
            assert found.rows == of.sum()
            said = close(found.cross_entropy, surprisal(labels[of], logits[of]))
    return f"1,000 values of 200 columns, {said}"


def threads(folder: Path) -> str:
    import torch

    from plogq.torch import cross_entropy

    def gradient(seed: int) -> bytes:
        draw = torch.Generator().manual_seed(seed)
        x = torch.randn(2_000, 1_000, generator=draw).requires_grad_()
        y = torch.randint(0, 1_000, (2_000,), generator=draw)
        loss = cross_entropy(x, y, label_smoothing=0.1)
        loss.backward()
        assert x.grad is not None
        return loss.detach().numpy().tobytes() + x.grad.numpy().tobytes()

    alone = [gradient(seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(10):
            assert list(pool.map(gradient, range(8))) == alone
    return "80 backward passes, the bits of one thread"


def row_losses(seed: int) -> bytes:
    """Return the losses of many rows, computed by the kernels' threads."""
    from plogq.numpy import cross_entropy

    rng = np.random.default_rng(seed)
    x = rng.standard_normal((20_000, 100), dtype=np.float32)
    return cross_entropy(x, rng.integers(0, 100, len(x)), reduction="none").tobytes()


def processes(method: str) -> Callable[[Path], str]:
    def run(folder: Path) -> str:
        alone = [row_losses(seed) for seed in range(8)]  # the kernels' threads have run
        with multiprocessing.get_context(method).Pool(4) as pool:
            assert pool.map_async(row_losses, range(8)).get(120) == alone
        assert row_losses(0) == alone[0]
        return "4 processes, the bits of this one"

    return run


class Batches:
    """A dataset whose items are losses; DataLoader computes them in forked workers."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, item: int) -> bytes:
        return row_losses(item)


def loader(folder: Path) -> str:
    import torch

    from plogq.torch import cross_entropy

    alone = [row_losses(seed) for seed in range(8)]
    cross_entropy(torch.randn(2_000, 100), torch.zeros(2_000, dtype=torch.long))
    batches = torch.utils.data.DataLoader(
        Batches(), num_workers=2, batch_size=None, multiprocessing_context="fork", timeout=120
    )
    assert list(batches) == alone
    return "2 workers of a DataLoader, the bits of this one"


Case = tuple[Callable[[Path], None], Callable[[Path], str]]
CASES: dict[str, Case] = {
    "score, 10^5 columns, 10 of them logits": (many_columns_input, many_columns),
    "score, 50 rows × 10^5 columns of logits": (class_columns_input, class_columns),
    "score, 20 rows × 10^6 classes in lists": (listed_classes_input, listed_classes),
    "numpy cross_entropy, 20 × 10^6 classes": (nothing, numpy_loss),
    "torch cross_entropy, 20 × 10^6, backward": (nothing, torch_loss),
    "Huffman code of 10^6 symbols": (nothing, huffman),
    "labels coded under 10^6 classes": (nothing, coded_labels),
    "lm, 10^4 documents, 10^7 tokens": (documents_input, documents),
    "score, 200,000 rows, 200 slices": (slices_input, slices),
    "eight threads calling backward": (nothing, threads),
    "fork after use": (nothing, processes("fork")),
    "spawn after use": (nothing, processes("spawn")),
    "forked workers of torch's DataLoader": (nothing, loader),
    "score, 10^8 rows × 3 logits": (many_rows_input, many_rows),
}


def one(name: str, step: str, folder: Path) -> None:
    """Do one step of a case in this process, and print what came of it."""
    make, work = CASES[name]
    if step == "make":
        make(folder)
        return
    said = work(folder)
    seconds = sum(os.times()[:4])  # of the processor, for this process and those it started
    print(f"{name:42}{peak() / 1e6:9,.0f}{seconds:9.1f}  {said}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="cases whose names hold one of these")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(arguments.one[0], arguments.one[1], Path(arguments.one[2]))
        return
    lines = [
        machine("numpy", "pyarrow", "torch"), "",
        f"{'':42}{'peak, MB':>9}{'CPU, s':>9}  against a second way",
    ]  # fmt: skip
    print(*lines, sep="\n")
    failed = False
    for name in CASES:
        if arguments.only and not any(each in name for each in arguments.only):
            continue
        with tempfile.TemporaryDirectory() as folder:
            steps = [[sys.executable, __file__, "--one", name, step, folder]
                     for step in ("make", "work")]  # fmt: skip
            subprocess.run(steps[0], check=True)
            done = subprocess.run(steps[1], capture_output=True, text=True, check=False)
        if done.returncode:
            failed = True
            lines.append(f"{name:42} failed: {done.stderr.strip().splitlines()[-1][:300]}")
            print(done.stderr[-2000:], file=sys.stderr)
        else:
            lines.append(done.stdout.rstrip())
        print(lines[-1], flush=True)
    if not arguments.only:
        RESULTS.write_text("\n".join(lines) + "\n")
        before, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(before + BEGIN + RESULTS.read_text() + END + rest.partition(END)[2])
    sys.exit(failed)


if __name__ == "__main__":
    main()
