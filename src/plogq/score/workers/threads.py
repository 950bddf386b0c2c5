"""The engine of one process: its threads take runs of row groups, or parts as they are read."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event
from typing import NamedTuple

import numpy as np

from plogq.kernels.threads import default_threads
from plogq.score.job import Job
from plogq.score.state.state import State
from plogq.tables.formats.parquet import ParquetFile
from plogq.tables.readers import Part, Reader, Table, parts_of

STATE_BYTES = 256 << 20  # of all states together, if one is not larger by itself
# A run is worth opening its file for from so many numbers on, and there must be enough of them
# that the threads end about together.
NUMBERS_PER_RUN = 1 << 22
RUNS_PER_THREAD = 4


class Run(NamedTuple):
    """Neighbouring row groups, which one thread reads and folds while they are in its cache."""

    reader: Reader
    pieces: range
    row: int  # of the file, of the first of them
    start: int  # of the table, of the first of them

    def parts(self, job: Job) -> Iterator[Part]:
        """Stream the rows."""
        columns, types = job.columns.read(), job.columns.types()
        where = {"row": self.row, "start": self.start}
        return parts_of(self.reader, columns, types, pieces=self.pieces, threads=False, **where)


def fold_on_threads(job: Job, table: Table, done: Callable[[int], None]) -> State:
    """Fold the table, and tell `done` again and again how many rows are."""
    # Any number of states gives the same bits: each thread may have its own, as far as they fit.
    threads = default_threads()
    states = [job.new_state()]
    fit = STATE_BYTES // states[0].most_bytes()
    states += [job.new_state() for _ in range(1, min(threads, fit))]
    free: SimpleQueue[State] = SimpleQueue()
    for state in states:
        free.put(state)
    stopped = Event()

    def work(some: Iterable[Part]) -> int:
        end = 0
        for part in some:
            if stopped.is_set():
                break
            batch, rows = job.figures(part)
            state = free.get()
            try:
                state.update(batch, rows)
            finally:
                free.put(state)
            end = part.start + part.batch.num_rows
        return end

    reuse_memory()
    runs = _runs(job, table)
    by_run = len(runs) >= RUNS_PER_THREAD * threads
    parts = table.parts(job.columns.read(), job.columns.types())
    tasks = (run.parts(job) for run in runs) if by_run else ([part] for part in parts)
    for count in _in_order(work, tasks, threads, stopped):
        done(count)
    whole = states.pop()
    for state in states:
        whole.merge(state)
    return whole


def _runs(job: Job, table: Table) -> list[Run]:
    """Cut a table of Parquet files, of which decoding takes longest; none of any other."""
    if not all(isinstance(reader, ParquetFile) for reader in table.readers):
        return []
    rows_per_run = -(-NUMBERS_PER_RUN // len(job.labels.classes))
    runs, start = [], 0
    for reader in table.readers:
        assert isinstance(reader, ParquetFile)
        table.check(reader, job.columns.read(), job.columns.types())
        first = row = rows = 0
        groups = reader.pieces(job.columns.names[0])
        for i, n in enumerate(groups):
            rows += n
            if rows >= rows_per_run or i + 1 == len(groups):
                runs.append(Run(reader, range(first, i + 1), row, start + row))
                first, row, rows = i + 1, row + rows, 0
        start += row
    return runs


def _in_order(
    work: Callable[[Iterable[Part]], int],
    tasks: Iterable[Iterable[Part]],
    threads: int,
    stopped: Event,
) -> Iterator[int]:
    """Let the threads take the tasks, and give what `work` gives, in order.

    In order, so that of several bad rows it is the first that is reported.
    """
    pool = ThreadPoolExecutor(threads)
    try:
        waiting: deque[Future[int]] = deque()
        for task in tasks:
            waiting.append(pool.submit(work, task))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        # After an error or Ctrl-C only what has begun is waited for, a batch on each thread.
        stopped.set()
        pool.shutdown(cancel_futures=True)


def reuse_memory() -> None:
    """Make glibc keep what is freed for what is allocated next.

    It returns to the system what is freed above twice its largest freed block: after this one,
    the arrays of a batch are reused by the next and not asked for, and cleared, again.
    """
    np.empty(31 << 20, np.uint8)
