"""What a page computes, on threads that nobody waits for once the server is to end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")

_threads = ThreadPoolExecutor(40)
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

    return await asyncio.get_running_loop().run_in_executor(_threads, marked)


def end_if_computing(status: int) -> None:
    """End the process with `status` where a thread is still computing: Python would wait for it."""
    if _running:
        os._exit(status)
