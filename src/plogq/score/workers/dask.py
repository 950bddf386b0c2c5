"""The engine of many processes or machines: Dask's workers sum runs of partitions, and merge.

The table is cut into runs of pieces (row groups, batches, files). A task sums a run in a state,
further tasks merge up to four states where they are, and only the last state comes back. Every
task can be done again on any worker, and states merge in any order to the same bits: so a lost
worker costs only time, and the result is the same as that of one process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from dask.sizeof import sizeof
from distributed import (
    CancelledError,
    Client,
    Future,
    KilledWorker,
    as_completed,
    get_worker,
)

from plogq.errors import TableError
from plogq.score.job import Job
from plogq.score.state.state import State
from plogq.score.workers import packing  # noqa: F401 (how states are pickled)
from plogq.score.workers.cluster import connect
from plogq.score.workers.threads import reuse_memory
from plogq.tables.partitions import Partition, Pieces, files_of, plan
from plogq.tables.readers import File, Table, open_file, reading

# Short runs lose less with a worker, show progress sooner, and keep workers from waiting for the
# last one. But for each run a state is made, sent and merged, which takes as long as summing half a
# number for each byte of the state (benchmarks/scaling.py): at most an eighth is spent on that.
RUNS_PER_THREAD = 8
NUMBERS_PER_STATE_BYTE = 4
NUMBERS_PER_RUN = 1 << 28
MERGED_AT_ONCE = 4

LOST = "the connection to the scheduler was lost"


def sum_on_workers(
    job: Job, table: Table, scheduler: str | None, done: Callable[[int], None]
) -> State | None:
    """Return the state of a table of files, summed on a cluster; None where there are no rows.

    `done` is told after each run how many rows are done. Without a scheduler's address, a cluster
    is started on this machine, and closed afterwards.
    """
    files = files_of(table)
    for file in files:
        table.check(file, job.columns.read(), job.columns.types())
    with connect(scheduler) as client:
        pieces = _count(client, files, job.columns.names[0])
        rows = sum(sum(each) for _, each in pieces if each is not None)
        threads = sum(client.nthreads().values())
        runs = most_runs(rows * len(job.labels.classes), threads, job.new_state().most_bytes())
        return _sum(client, job, plan(pieces, runs), done)


def most_runs(numbers: int, threads: int, state_bytes: int) -> int:
    """Return how many runs to cut a table of so many predictions into, for so many threads."""
    worth = numbers // (NUMBERS_PER_STATE_BYTE * state_bytes)
    return max(threads, min(RUNS_PER_THREAD * threads, worth), -(-numbers // NUMBERS_PER_RUN))


def _count(client: Client, files: Sequence[File], column: str) -> list[Pieces]:
    """Return the rows of each piece of each file; a last file of CSV need not be counted."""
    counts: list[Future[Any] | list[int] | None] = []
    for file in files:
        if file.rows is not None:
            counts.append(file.pieces(column))
        elif file is files[-1] and file.format == "CSV":
            counts.append(None)
        else:
            partition = plan([Pieces(file, None)], 1)[0][0]
            counts.append(client.submit(_rows_of_pieces, partition, column, key=_key("count")))
    return [
        Pieces(file, _result(each) if isinstance(each, Future) else each)
        for file, each in zip(files, counts, strict=True)
    ]


def _sum(
    client: Client, job: Job, runs: list[list[Partition]], done: Callable[[int], None]
) -> State | None:
    # The job is the result of a task: if it is lost, Dask makes it again; not so data sent to it.
    given = client.submit(_itself, job, key=_key("job"))
    sums = [client.submit(_sum_run, given, run, key=_key("sum")) for run in runs]
    number = {future.key: i for i, future in enumerate(sums)}
    rows = [sum(partition.rows or 0 for partition in run) for run in runs]
    working = as_completed(sums, loop=client.loop)
    del sums  # otherwise every state would be kept
    unfinished = set(range(len(runs)))
    failed: dict[int, Exception] = {}
    states: list[Future[Any]] = []
    counted, expected = 0, len(runs)
    done(0)
    for future in working:
        expected -= 1
        i = number.get(future.key)
        if i is not None:
            unfinished.discard(i)
        error = _error(future)
        if error is None:
            states.append(future)
            if i is not None:
                counted += rows[i]
                done(counted)
        elif i is None or not isinstance(error, TableError):
            raise error
        else:
            failed[i] = error
        if failed:
            # Where several rows are bad, the first is reported.
            if min(failed) < min(unfinished, default=len(runs)):
                raise failed[min(failed)]
        elif len(states) == MERGED_AT_ONCE or (expected == 0 and len(states) > 1):
            # States are merged before further runs are summed, so that few are in memory.
            merged = client.submit(_merge, given, states, key=_key("merge"), priority=1)
            states = []
            working.add(merged)
            expected += 1
    return _result(states[0]) if states else None


def _key(what: str) -> str:
    return f"plogq-{what}-{uuid4().hex}"


def _result(future: Future[Any]) -> Any:
    """Return what a task returned, or raise what it raised."""
    error = _error(future)
    if error is None:
        try:
            return future.result()
        except CancelledError:  # since then
            error = ConnectionError(LOST)
    raise error


def _error(future: Future[Any]) -> Exception | None:
    """Wait for a task, and return what went wrong."""
    error: Exception | None = future.exception()
    if future.cancelled():
        return ConnectionError(LOST)
    if isinstance(error, KilledWorker):
        return ConnectionError(
            f"{error.allowed_failures + 1} workers died one after the other over the same rows, "
            f"the last of them {error.last_worker.address}: out of memory?"
        )
    return error


# What the workers do. A task never changes what it is given: it may have to be done again.


def _itself(job: Job) -> Job:
    return job


def _rows_of_pieces(partition: Partition, column: str) -> list[int]:
    with _here():
        file = open_file(partition.kind, partition.system, partition.path, partition.text)
        with reading(file.path, file.format):
            return file.pieces(column)


def _sum_run(job: Job, run: list[Partition]) -> State:
    state = job.new_state()
    reuse_memory()
    with _here():
        for partition in run:
            for part in partition.parts(job.columns.read(), job.columns.types()):
                state.update(*job.figures(part))
    return state


def _merge(job: Job, states: list[State]) -> State:
    whole = job.new_state()
    for state in states:
        whole.merge(state)
    return whole


@contextmanager
def _here() -> Iterator[None]:
    """Add to an error over a missing file which worker does not see it."""
    try:
        yield
    except TableError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            hint = "every worker must reach the table by the same path"
            raise TableError(f"{error}, on worker {get_worker().address}: {hint}") from None
        raise


# Dask spills states to disk where memory is tight, but cannot tell by itself how large one is.
sizeof.register(State, State.most_bytes)
