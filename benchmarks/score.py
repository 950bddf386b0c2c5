"""`plogq score` against reading the same file, and against the usual way, as whole processes.

One Parquet file of 10 million rows × 10 float32 logits and an int64 label, with pyarrow's default
settings. Each contender is a process of its own, timed from its start to its end, in turns, with
its peak resident memory. Prints the medians and writes them to benchmarks/results/score.txt.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from _side_by_side import machine

GENERATE = """
import sys, numpy as np, pyarrow as pa, pyarrow.parquet as pq
rows, path = int(sys.argv[1]), sys.argv[2]
rng = np.random.default_rng(0)
writer = None
for start in range(0, rows, 1 << 20):  # the row groups of pyarrow's default
    n = min(1 << 20, rows - start)
    labels = rng.integers(0, 10, n)
    logits = rng.standard_normal((n, 10), dtype=np.float32) * 2
    logits[np.arange(n), labels] += 3
    table = pa.table({f"logit_{j}": logits[:, j] for j in range(10)} | {"label": labels})
    writer = writer or pq.ParquetWriter(path, table.schema)
    writer.write_table(table)
writer.close()
"""

LOG_LOSS = """
import numpy as np
from sklearn.metrics import log_loss
x = x.astype(np.float64)
p = np.exp(x - x.max(axis=1, keepdims=True))
p /= p.sum(axis=1, keepdims=True)
print(log_loss(y, p))
"""

CONTENDERS = {
    "read: pyarrow, whole table": """
import sys, pyarrow.parquet as pq
pq.read_table(sys.argv[1])
""",
    "read: pyarrow, batch by batch": """
import sys, pyarrow.parquet as pq
for batch in pq.ParquetFile(sys.argv[1]).iter_batches():
    pass
""",
    "plogq score --json": """
import sys
from plogq.cli import main
sys.argv = ["plogq", "score", sys.argv[1], "--json", sys.argv[1] + ".json"]
main()
""",
    "pandas + sklearn log_loss": """
import sys, pandas as pd
t = pd.read_parquet(sys.argv[1])
y, x = t["label"].to_numpy(), t.drop(columns="label").to_numpy()
"""
    + LOG_LOSS,
    "polars + sklearn log_loss": """
import sys, polars as pl
t = pl.read_parquet(sys.argv[1])
y, x = t["label"].to_numpy(), t.drop("label").to_numpy()
"""
    + LOG_LOSS,
}
OURS = "plogq score --json"


def run(code: str, *arguments: object) -> tuple[float, float]:
    """Give the seconds that a process takes, and its peak resident memory in MiB."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    start = time.perf_counter()
    process = os.posix_spawn(sys.executable, command, os.environ, file_actions=quiet)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"a contender failed:\n{code}")
    return seconds, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smoke run: fewer rows, one round")
    quick = parser.parse_args().quick
    sizes = [10_000, 30_000, 100_000] if quick else [1_000_000, 3_000_000, 10_000_000]
    rounds = {name: 1 if quick else 3 if "sklearn" in name else 9 for name in CONTENDERS}

    lines = [
        machine("numpy", "pyarrow", "pandas", "polars", "scikit-learn"),
        "",
        f"{sizes[-1]:,} rows × 10 float32 logits + int64 label in Parquet; whole processes, median "
        f"of {max(rounds.values())} rounds in turns",
        f"({min(rounds.values())} of the last two, which fill the memory), each the second of two "
        "runs",
        "",
        f"{'':32}{'seconds':>9}{'fastest':>9}{'× floor':>9}{'peak MiB':>10}",
    ]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{rows}.parquet" for rows in sizes]
        for rows, path in zip(sizes, paths, strict=True):
            run(GENERATE, rows, path)
        runs: dict[str, list[tuple[float, float]]] = {name: [] for name in CONTENDERS}
        for heavy in (False, True):
            for number in range(max(rounds.values())):
                for name, code in CONTENDERS.items():
                    if ("sklearn" in name) == heavy and number < rounds[name]:
                        run(code, paths[-1])  # warms up files, and memory the hypervisor took back
                        runs[name].append(run(code, paths[-1]))
        seconds = {name: [taken for taken, _ in each] for name, each in runs.items()}
        median = {name: statistics.median(each) for name, each in seconds.items()}
        floor = min(value for name, value in median.items() if name.startswith("read"))
        lines += [
            f"{name:32}{median[name]:9.2f}{min(seconds[name]):9.2f}{median[name] / floor:9.2f}"
            f"{max(peak for _, peak in runs[name]):10.0f}"
            for name in CONTENDERS
        ]
        peaks = [
            f"{rows:,} rows {run(CONTENDERS[OURS], path)[1]:.0f} MiB"
            for rows, path in zip(sizes, paths, strict=True)
        ]
        lines += ["", "peak memory of plogq score: " + ", ".join(peaks)]
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if not quick:
        results = Path(__file__).parent / "results"
        results.mkdir(exist_ok=True)
        (results / "score.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
