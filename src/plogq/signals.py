"""A command that is told to end (Ctrl-C, SIGTERM, SIGHUP) tidies up first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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


@dataclass
class Told:
    """Which signal has told the command to end, if one has."""

    number: int | None = None

    def end(self, number: int, frame: FrameType | None) -> NoReturn:
        """Raise `ToldToEnd`; told again by anything but Ctrl-C, the command goes on to tidy up."""
        self.number = number
        if number != signal.SIGINT:
            signal.signal(number, signal.SIG_IGN)
        raise ToldToEnd(number)


@contextmanager
def ended_in_order() -> Iterator[Told]:
    """Raise `ToldToEnd` on Ctrl-C, and on the signals that would end the process at once.

    What is yielded knows of a signal that came, whatever a library has made of the exception: an
    import that it breaks off may end in an ImportError or a SyntaxError. A signal that the caller
    ignores (`nohup`) or handles stays as it is. Outside of the main thread nothing is changed.
    """
    told, before = Told(), {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, *TOLD_TO_END):
            handler = signal.getsignal(number)
            if handler in (signal.SIG_DFL, signal.default_int_handler):
                before[number] = handler
                signal.signal(number, told.end)
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def held_back() -> Iterator[None]:
    """Hold back Ctrl-C and its kin until the end, and for good in what is started meanwhile.

    A terminal sends them to all its processes. Threads and processes that start meanwhile never
    receive them, and are closed in order by the one that does.
    """
    held = {signal.SIGINT, *TOLD_TO_END}
    came: list[int] = []
    before = {}
    if threading.current_thread() is threading.main_thread():
        # A mask is of one thread: another may receive the signal, whose handler runs in this one.
        for number in held:
            if callable(signal.getsignal(number)):
                before[number] = signal.signal(number, lambda number, _: came.append(number))
    mask = None
    if hasattr(signal, "pthread_sigmask"):  # Windows has none
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        yield
    finally:
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


@contextmanager
def none_left_behind() -> Iterator[None]:
    """Kill, after an error, the processes that were started meanwhile: nobody waits for them.

    Python itself would, at its end, tell them to end (SIGTERM), which they may have held back.
    """
    from multiprocessing import active_children  # it takes long to load

    others = set(active_children())
    try:
        yield
    except BaseException:
        started = set(active_children()) - others
        for process in started:
            process.kill()
        for process in started:
            process.join(5)
        raise
