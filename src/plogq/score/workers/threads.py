"""The engine of one process: its threads take runs of row groups, or parts as they are read."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event
from typing import NamedTuple, TypeVar

import numpy as np

from plogq.kernels.threads import default_threads
from plogq.score.job import Job
from plogq.score.state.state import State
from plogq.tables.formats.parquet import ParquetFile
from plogq.tables.readers import Part, Reader, Table, parts_of

STATE_BYTES = 256 << 20  # of all states together, unless one alone is larger
# A run of at least so many numbers is worth opening its file for. There must be enough runs for all
# threads to end at about the same time.
NUMBERS_PER_RUN = 1 << 22
RUNS_PER_THREAD = 4


Task = TypeVar("Task")
Done = TypeVar("Done")


class Run(NamedTuple):
    """Neighbouring row groups, which one thread reads and sums while they are in its cache."""

    reader: Reader
    pieces: range
    row: int  # the row in the file at which the first of them begins
    start: int  # the row in the table at which the first of them begins

    def parts(self, job: Job) -> Iterator[Part]:
        """Stream the rows."""
        columns, types = job.columns.read(), job.columns.types()
        where = {"row": self.row, "start": self.start}
        return parts_of(self.reader, columns, types, pieces=self.pieces, threads=False, **where)


def sum_on_threads(job: Job, table: Table, done: Callable[[int], None]) -> State:
    """Return the state of a table, summed by threads; `done` is told how many rows are done."""
    # Any number of states gives the same bits. Each thread has its own, unless they take too much.
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
    for count in in_order(work, tasks, threads, stopped):
        done(count)
    whole = states.pop()
    for state in states:
        whole.merge(state)
    return whole


def _runs(job: Job, table: Table) -> list[Run]:
    """Return runs of a table of Parquet files, which take long to decode; [] for any other."""
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


def in_order(
    work: Callable[[Task], Done],
    tasks: Iterable[Task],
    threads: int,
    stopped: Event,
) -> Iterator[Done]:
    """Yield what `work` returns for each task, in the order of the tasks; threads do the work.

    The order matters, so that of several bad rows the first is reported. At most one task more
    than there are threads is begun before what came of it is asked for. In the end `stopped` is
    set, which tells long tasks to end early.
    """
    pool = ThreadPoolExecutor(threads)
    try:
        waiting: deque[Future[Done]] = deque()
        for task in tasks:
            waiting.append(pool.submit(work, task))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        # After an error or Ctrl-C, only the batch that each thread has begun is waited for.
        stopped.set()
        pool.shutdown(cancel_futures=True)


def reuse_memory() -> None:
    """Make glibc keep what is freed for what is allocated next.

    glibc returns freed memory to the system beyond twice the largest block that was freed. Once
    this large block is freed, the memory of a batch's arrays is reused by the next batch, and need
    not be asked for and cleared again.
    """
    np.empty(31 << 20, np.uint8)
