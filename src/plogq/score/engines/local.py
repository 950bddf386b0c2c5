"""The engine of one process: its threads take the parts of the table as they are read."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

import numpy as np

from plogq.kernels.cpu import default_threads
from plogq.score.job import Job
from plogq.score.readers import Part
from plogq.score.state import State

STATE_BYTES = 256 << 20  # of all states together, if one is not larger by itself


def fold_on_threads(job: Job, parts: Iterable[Part], done: Callable[[int], None]) -> State:
    """Fold the parts, and tell `done` after each how many rows that makes."""
    # Any number of states gives the same bits: each thread may have its own, as far as they fit.
    threads = default_threads()
    states = [job.new_state()]
    fit = STATE_BYTES // states[0].most_bytes()
    states += [job.new_state() for _ in range(1, min(threads, fit))]
    free: SimpleQueue[State] = SimpleQueue()
    for state in states:
        free.put(state)

    def work(part: Part) -> int:
        batch, rows = job.figures(part)
        state = free.get()
        try:
            state.update(batch, rows)
        finally:
            free.put(state)
        return part.start + len(batch.target)

    reuse_memory()
    for count in _in_order(work, parts, threads):
        done(count)
    whole = states.pop()
    for state in states:
        whole.merge(state)
    return whole


def _in_order(work: Callable[[Part], int], parts: Iterable[Part], threads: int) -> Iterator[int]:
    """Let the threads take the parts, and give what `work` gives, in order.

    In order, so that of several bad rows it is the first that is reported.
    """
    pool = ThreadPoolExecutor(threads)
    try:
        waiting: deque[Future[int]] = deque()
        for part in parts:
            waiting.append(pool.submit(work, part))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        # After an error or Ctrl-C only what has begun is waited for, a batch on each thread.
        pool.shutdown(cancel_futures=True)


def reuse_memory() -> None:
    """Make glibc keep what is freed for what is allocated next.

    It returns to the system what is freed above twice its largest freed block: after this one,
    the arrays of a batch are reused by the next and not asked for, and cleared, again.
    """
    np.empty(31 << 20, np.uint8)
