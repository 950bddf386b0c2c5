"""`plogq score --engine dask` on one worker and on two, and what a row, a state and a merge cost.

Two Parquet files: many rows of 10 float32 logits, a column each, and fewer of 1,000 in lists. Each
is scored on clusters of one and two worker processes of one thread (started before the clock), and
by the local engine, in turns; every JSON must be the same. The costs of one row, state and merge
are measured in this process. Prints it all, with an estimate for a billion rows on 100 workers
that follows from it, and writes it to benchmarks/results/scaling.txt and into docs/scale.md.
"""

import argparse
import math
import pickle
import statistics
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from _side_by_side import machine, print_and_keep

from plogq.kernels.threads import default_threads
from plogq.score import score
from plogq.score.figures.all_figures import summarise
from plogq.score.job import Job
from plogq.score.workers import dask as engine
from plogq.score.workers.cluster import own_workers
from plogq.tables.batch import classes_of
from plogq.tables.columns import find_columns
from plogq.tables.labels import Labels
from plogq.tables.readers import open_table

WORKERS, ROWS = 100, 1_000_000_000
GIGABIT_10 = 10e9 / 8  # bytes a second between machines

RESULTS = Path(__file__).parent / "results" / "scaling.txt"
PAGE = Path(__file__).parents[1] / "docs" / "scale.md"
BEGIN, END = "<!-- benchmarks/scaling.py -->\n```\n", "```\n<!-- end -->\n"


def write(path: Path, rows: int, classes: int, group: int) -> None:
    rng = np.random.default_rng(0)
    writer = None
    for start in range(0, rows, group):
        n = min(group, rows - start)
        labels = rng.integers(0, classes, n)
        logits = rng.standard_normal((n, classes), dtype=np.float32) * 2
        logits[np.arange(n), labels] += 3
        if classes > 100:
            lists = pa.FixedSizeListArray.from_arrays(pa.array(logits.ravel()), classes)
            table = pa.table({"logits": lists, "label": labels})
        else:
            columns = {f"logit_{j}": logits[:, j] for j in range(classes)}
            table = pa.table(columns | {"label": labels})
        writer = writer or pq.ParquetWriter(path, table.schema, use_dictionary=["label"])
        writer.write_table(table)
    assert writer is not None
    writer.close()


def timed(path: Path, **options: object) -> tuple[float, float, str]:
    """Return the seconds of summing the rows, those of all else, and the JSON."""
    at: dict[str, float] = {"begin": time.perf_counter()}

    def first(done: int, total: int | None) -> None:
        if done == 0:  # the cluster is there
            at["start"] = time.perf_counter()

    def summarised(*arguments: object, **named: object) -> object:
        at["summary"] = time.perf_counter()
        return summarise(*arguments, **named)

    with mock.patch.object(import_module("plogq.score.score"), "summarise", summarised):
        result = score(path, progress=first, **options)
    summing = at["summary"] - at.get("start", at["begin"])
    return summing, time.perf_counter() - at["begin"] - summing, result.to_json()


def scaling(path: Path, rounds: int) -> Iterator[str]:
    rows = pq.ParquetFile(path).metadata.num_rows
    summing: dict[str, list[float]] = {}
    rest: dict[str, list[float]] = {}
    jsons = set()
    for _ in range(rounds):
        for workers in (1, 2, 0):  # 0 is the local engine
            if workers:
                with own_workers(workers) as cluster:
                    where = {"engine": "dask", "scheduler": cluster.scheduler_address}
                    score(path.with_name("warm.parquet"), **where)  # imports, on the workers
                    taken, other, text = timed(path, **where)
                name = f"dask, {workers} worker{'s' * (workers > 1)}"
            else:
                taken, other, text = timed(path)
                name = f"local, {default_threads()} threads"
            summing.setdefault(name, []).append(taken)
            rest.setdefault(name, []).append(other)
            jsons.add(text)
    assert len(jsons) == 1, "the engines differ"
    median = {name: statistics.median(each) for name, each in summing.items()}
    one = median["dask, 1 worker"]
    head = ("", "summing, s", "fastest", "M rows/s", "speedup", "the rest, s")
    yield "{:20}{:>11}{:>9}{:>10}{:>9}{:>13}".format(*head)
    for name, taken in median.items():
        yield (
            f"{name:20}{taken:11.2f}{min(summing[name]):9.2f}{rows / taken / 1e6:10.3f}"
            f"{one / taken:9.2f}{statistics.median(rest[name]):13.2f}"
        )
    yield "every JSON the same; the rest: connecting, opening, and the figures from the last state"


def costs(path: Path) -> tuple[dict[str, float], Iterator[str]]:
    """Measure a row, a state and a merge, on one thread."""
    table = open_table(path)
    columns = find_columns(table, label="label")
    first = next(table.parts(columns.read(), columns.types()))
    names = classes_of(first, columns)
    job = Job(columns, Labels(names, columns), None, 20, 0, table.rows)
    [file] = table.readers
    count = len(file.pieces("label"))
    half = [
        engine.Partition(type(file), file.system, str(path), file.text,
                         range(at, at + count // 2), 0, start, None)
        for at, start in ((0, 0), (count // 2, table.rows // 2))
    ]  # fmt: skip

    def clock(task: object) -> tuple[float, object]:
        begin = time.perf_counter()
        out = task()
        return time.perf_counter() - begin, out

    cpu = time.process_time()
    states = [engine._sum_run(job, [partition]) for partition in half]
    per_row = (time.process_time() - cpu) / sum(state.rows() for state in states)
    empty = statistics.median(clock(job.new_state)[0] for _ in range(5))
    merge = statistics.median(clock(lambda: engine._merge(job, states))[0] for _ in range(5)) / 2
    # As it is after half of these rows; with its cells all in use it is as large as in memory.
    sent, data = clock(lambda: pickle.dumps(states[0], 5))
    most = states[0].most_bytes()
    found = {"row": per_row, "merge": merge, "bytes": float(most)}
    lines = [
        f"a row, CPU time          {per_row * 1e9:10.0f} ns ({1e-6 / per_row:.3f} M rows/s)",
        f"an empty state           {empty * 1e3:10.2f} ms",
        f"merging a state          {merge * 1e3:10.2f} ms",
        f"its bytes, at most       {most / 1e6:10.2f} MB",
        f"as sent, here            {len(data) / 1e6:10.2f} MB",
        f"packing it               {sent * 1e3:10.2f} ms",
    ]
    return found, iter(lines)


def estimate(classes: int, cost: dict[str, float], file_bytes: float) -> Iterator[str]:
    """Say what a billion rows on 100 workers of one thread would take, by what was measured."""
    runs = engine.most_runs(ROWS * classes, WORKERS, int(cost["bytes"]))
    summing = ROWS * cost["row"] / WORKERS
    # A merge reads four states, three of them from other machines at worst.
    four = engine.MERGED_AT_ONCE * cost["merge"]
    four += (engine.MERGED_AT_ONCE - 1) * cost["bytes"] / GIGABIT_10
    merges = runs / (engine.MERGED_AT_ONCE - 1)
    beside = merges / WORKERS * four
    depth = math.ceil(math.log(runs, engine.MERGED_AT_ONCE))
    last = depth * four + cost["bytes"] / GIGABIT_10
    straggler = ROWS / runs * cost["row"]
    total = summing + beside + straggler + last
    yield f"{ROWS:,} rows × {classes:,} classes, {WORKERS} workers, {runs:,} runs"
    speed = ROWS * file_bytes / WORKERS / summing
    yield (
        f"  summing                {summing:9.1f} s   rows × cost per row / workers, if each can "
        f"read {speed / 1e6:.0f} MB/s"
    )
    yield f"  merging on the way     {beside:9.1f} s   {merges:,.0f} merges of four, 10 Gbit/s"
    yield f"  the last run           {straggler:9.1f} s   when the others have nothing left"
    yield f"  the last merges        {last:9.1f} s   {depth} levels, and the way to the client"
    yield f"  together               {total:9.1f} s   {summing / total:.0%} of it summing"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smoke run: fewer rows, one round")
    quick = parser.parse_args().quick
    print_and_keep(report(quick), None if quick else RESULTS)
    if not quick:
        before, _, rest = PAGE.read_text().partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(before + BEGIN + RESULTS.read_text() + END + after)


def report(quick: bool) -> Iterator[str]:
    yield machine("numpy", "pyarrow", "dask", "distributed")
    shapes = {10: (20_000_000, 1 << 18), 1_000: (200_000, 1 << 12)}
    with tempfile.TemporaryDirectory() as folder:
        for classes, (rows, group) in shapes.items():
            rows = rows // 40 if quick else rows
            path, warm = Path(folder) / f"{classes}.parquet", Path(folder) / "warm.parquet"
            write(path, rows, classes, group)
            write(warm, 1000, classes, group)
            yield ""
            yield f"{rows:,} rows × {classes:,} float32 logits, row groups of {group:,}"
            yield from scaling(path, 1 if quick else 3)
            cost, lines = costs(path)
            yield ""
            yield from lines
            yield ""
            yield from estimate(classes, cost, path.stat().st_size / rows)
            path.unlink()


if __name__ == "__main__":
    main()
