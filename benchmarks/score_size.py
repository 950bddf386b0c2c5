"""`plogq score` on tables larger than it may keep, against reading the same files: time and memory.

Two shapes of Parquet, with pyarrow's default settings (Snappy, which random numbers do not shrink):
files of 25 million rows × 10 float32 logits, and rows of 32,000 logits in one list column, float32
and float16. The lists of a file are 8 distinct row groups over and over, and further files are
further names of the first: what is read is all of them. Every run is a process of its own, timed
from its start to its end, in turns. Prints and writes benchmarks/results/score_size.txt.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from _side_by_side import machine, print_and_keep

WIDE = """
import sys, numpy as np, pyarrow as pa, pyarrow.parquet as pq
rows, seed, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
rng = np.random.default_rng(seed)
writer = None
for start in range(0, rows, 1 << 20):
    n = min(1 << 20, rows - start)
    labels = rng.integers(0, 10, n)
    logits = rng.standard_normal((10, n), dtype=np.float32) * 2
    logits[labels, np.arange(n)] += 3
    table = pa.table({f"logit_{j}": logits[j] for j in range(10)} | {"label": labels})
    writer = writer or pq.ParquetWriter(path, table.schema)
    writer.write_table(table)
writer.close()
"""

LISTS = """
import sys, numpy as np, pyarrow as pa, pyarrow.parquet as pq
rows, dtype, path = int(sys.argv[1]), sys.argv[2], sys.argv[3]
rng = np.random.default_rng(0)
group, classes, tables = 250, 32_000, []
for _ in range(min(8, rows // group)):
    labels = rng.integers(0, classes, group)
    logits = rng.standard_normal((group, classes), dtype=np.float32) * 2
    logits[np.arange(group), labels] += 9
    flat = pa.array(logits.astype(dtype).ravel())
    offsets = np.arange(0, (group + 1) * classes, classes, dtype=np.int32)
    tables.append(pa.table({"logits": pa.ListArray.from_arrays(offsets, flat), "label": labels}))
with pq.ParquetWriter(path, tables[0].schema) as writer:
    for i in range(rows // group):
        writer.write_table(tables[i % len(tables)])
"""

SCORE = """
import sys
from plogq.cli import main
sys.argv = ["plogq", "score", sys.argv[1], "--json", sys.argv[1] + ".json"]
main()
"""
READ_AS_IT_COMES = """
import pathlib, sys, pyarrow.parquet as pq
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    for batch in pq.ParquetFile(path).iter_batches():
        pass
"""
# A batch of the default 65,536 rows would be 8 GB of lists, and what is buffered is a row group.
READ_LITTLE = """
import pathlib, sys, pyarrow.parquet as pq
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    file = pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 17)
    for batch in file.iter_batches(batch_size=int(sys.argv[2])):
        pass
"""


class Run(NamedTuple):
    """What a process took."""

    seconds: float
    cpu: float
    peak: float  # MiB


def run(code: str, *arguments: object) -> Run:
    """Run a process of its own, and wait for it."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    start = time.perf_counter()
    process = os.posix_spawn(sys.executable, command, os.environ, file_actions=quiet)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"a contender failed:\n{code}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def folder_of(path: Path, times: int, name: str) -> Path:
    """Make a folder in which a file is found so many times."""
    folder = path.parent / name
    folder.mkdir()
    for i in range(times):
        os.link(path, folder / f"{i:03}.parquet")
    return folder


def compare(folder: Path, rows: int, batch: int, rounds: int, names: list[str]) -> Iterator[str]:
    """Let contenders take turns, and compare ours with the fastest of the others."""
    code = {
        "pyarrow, as it comes": (READ_AS_IT_COMES,),
        "pyarrow, little at a time": (READ_LITTLE, batch),
        "plogq score --json": (SCORE,),
    }
    runs: dict[str, list[Run]] = {name: [] for name in names}
    for number in range(rounds + 1):  # the first warms up files and memory
        for name in names:
            taken = run(code[name][0], folder, *code[name][1:])
            runs[name] += [taken] if number else []
    median = {name: statistics.median(r.seconds for r in each) for name, each in runs.items()}
    floor = min(seconds for name, seconds in median.items() if name.startswith("pyarrow"))
    yield f"{'':28}{'seconds':>9}{'CPU s':>8}{'peak MiB':>10}{'M rows/s':>10}{'of reading':>12}"
    for name, each in runs.items():
        cpu = statistics.median(r.cpu for r in each)
        share = f"{floor / median[name]:11.0%}" if name.startswith("plogq") else ""
        yield (
            f"{name:28}{median[name]:9.2f}{cpu:8.2f}{max(r.peak for r in each):10.0f}"
            f"{rows / median[name] / 1e6:10.3g}{share:>12}"
        )


def report(quick: bool, full: bool) -> Iterator[str]:
    yield machine("numpy", "pyarrow")
    with tempfile.TemporaryDirectory() as temporary:
        here = Path(temporary)
        quarter, rounds = (250_000, 1) if quick else (25_000_000, 3)
        both = ["pyarrow, as it comes", "pyarrow, little at a time", "plogq score --json"]
        files = [here / f"{i}.parquet" for i in range(4)]
        for i, path in enumerate(files):
            run(WIDE, quarter, i, path)
        yield f"\n{4 * quarter:,} rows × 10 float32 in 4 files, median of {rounds} rounds"
        folders = []
        for count in (1, 2, 4):
            folders.append(here / f"wide{count}")
            folders[-1].mkdir()
            for path in files[:count]:
                os.link(path, folders[-1] / path.name)
        yield from compare(folders[-1], 4 * quarter, 65_536, rounds, both)
        taken = [run(SCORE, folder) for folder in folders]
        yield "plogq score of so many rows: " + "; ".join(
            f"{count * quarter:,} in {r.seconds:.2f} s, {r.peak:.0f} MiB"
            for count, r in zip((1, 2, 4), taken, strict=True)
        )
        for path in here.glob("**/*.parquet"):
            path.unlink()

        rows = 500 if quick else 10_000
        for dtype in ("float32", "float16"):
            # pyarrow reads float16 five times slower than float32: a tenth of the rows will do.
            times = 20 if full and dtype == "float32" else 2
            path = here / f"{dtype}.parquet"
            run(LISTS, rows, dtype, path)
            folder = folder_of(path, times, f"lists_{dtype}")
            some = 1 if quick or times > 2 else 2
            yield f"\n{times * rows:,} rows × 32,000 {dtype} in lists, median of {some} rounds"
            yield from compare(folder, times * rows, 32, some, both[1:])
            for each in (*folder.iterdir(), path):
                each.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smoke run: few rows, one round")
    parser.add_argument("--full", action="store_true", help="200,000 rows of float32, not 20,000")
    options = parser.parse_args()
    results = Path(__file__).parent / "results" / "score_size.txt"
    print_and_keep(report(options.quick, options.full), None if options.quick else results)


if __name__ == "__main__":
    main()
