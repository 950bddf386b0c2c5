"""The instruction set and the number of threads with which the native code runs."""

from __future__ import annotations

import os
from operator import index

from plogq.errors import refuse
from plogq.kernels import _native

INSTRUCTION_SETS = tuple(_native.instruction_sets())  # of this processor, the best last
INSTRUCTION_SET = len(INSTRUCTION_SETS) - 1
WORTH_THREADS = 1 << 18  # elements: below that, one thread is used


def default_threads() -> int:
    """Return how many threads a call may use: one per CPU, at most OMP_NUM_THREADS.

    Examples
    --------
    >>> default_threads() >= 1
    True
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cpus = len(affinity(0)) if affinity else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return min(cpus, int(asked)) if asked.isdecimal() and int(asked) else cpus


def threads_for(asked: int | None, elements: int) -> int:
    """Return the number of threads that was asked for, or else one that suits the elements."""
    if asked is None:
        return default_threads() if elements >= WORTH_THREADS else 1
    if index(asked) < 1:
        refuse("threads", "be at least 1", asked)
    return asked
