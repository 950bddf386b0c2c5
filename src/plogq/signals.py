"""A command that is told to end (SIGTERM, SIGHUP) ends as after Ctrl-C, and cleans up first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

# SIGTERM is sent by `kill`, containers and batch systems, SIGHUP by a terminal that is lost.
TOLD_TO_END = tuple(
    signal.Signals[name] for name in ("SIGTERM", "SIGHUP") if name in signal.Signals.__members__
)


class ToldToEnd(KeyboardInterrupt):
    """The command was told to end; whatever tidies up after Ctrl-C does so after this, too."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def status_of(interrupt: KeyboardInterrupt) -> int:
    """Return the exit status after an interrupt: 128 and the number of the signal."""
    return 128 + (interrupt.number if isinstance(interrupt, ToldToEnd) else signal.SIGINT)


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Raise `ToldToEnd` on the signals that would end the process at once, its files half-written.

    A signal that the caller ignores (`nohup`) or handles stays as it is. Outside of the main thread
    nothing is changed.
    """
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in TOLD_TO_END:
            if signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # told again, it goes on to tidy up
    raise ToldToEnd(number)


@contextmanager
def held_back() -> Iterator[None]:
    """Hold back Ctrl-C and its kin in this thread, and for good in what is started meanwhile.

    They go to all processes of a terminal. Here only the main thread receives them: threads and
    processes that start while they are held back never do, and are closed in order.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, *TOLD_TO_END})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
