"""What a page computes, on threads that nobody waits for once the server is to end."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from anyio.to_thread import run_sync

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")

_running: set[object] = set()  # a mark for each computation that has not ended


async def on_a_thread(
    compute: Callable[Arguments, Answer], *arguments: Arguments.args, **options: Arguments.kwargs
) -> Answer:
    """Give what `compute` gives. Who is cancelled while waiting for it leaves it to its thread."""
    mark = object()

    def marked() -> Answer:
        _running.add(mark)
        try:
            return compute(*arguments, **options)
        finally:
            _running.discard(mark)

    return await run_sync(marked, abandon_on_cancel=True)


def end_if_computing(status: int) -> None:
    """End the process with `status` where a thread is still computing: Python would wait for it."""
    if _running:
        os._exit(status)
