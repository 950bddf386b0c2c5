"""A progress bar for work that takes long."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

SECONDS_WITHOUT = 2.0


class ProgressBar:
    """A bar on a terminal's stderr from the third second on, removed when the work is done.

    `doing` is the word for the work, `unit` for what is counted.
    """

    def __init__(self, doing: str = "scoring", unit: str = "rows") -> None:
        self._doing, self._unit = doing, unit
        self._started = time.monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> ProgressBar:
        return self

    def __call__(self, done: int, total: int | None) -> None:
        """Show that so many rows are done."""
        if self._bar is None or self._task is None:
            if time.monotonic() - self._started < SECONDS_WITHOUT or not sys.stderr.isatty():
                return
            self._bar = _bar(self._unit)
            self._task = self._bar.add_task(self._doing)
            self._bar.start()
        self._bar.update(self._task, completed=done, total=total)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def _bar(unit: str) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,} " + unit),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
