"""The training, step by step, as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from plogq.explorer.controls import Control, State, read_state, wrong
from plogq.explorer.pages.training import PAGE, event, settings_of
from plogq.explorer.pages.training_runs import LAST, run_of
from plogq.explorer.server.answers import refused
from plogq.explorer.server.threads import on_a_thread
from plogq.records import encoded

PAUSE = 1 / 30  # seconds between two steps: as fast as an eye can follow


async def training(request: Request) -> Response:
    """Go on from the step that the state is at, until the last step or until the client leaves."""
    try:
        state = read_state(PAGE.controls, from_query(PAGE.controls, request.query_params))
    except ValueError as error:
        return refused(error)
    return StreamingResponse(_steps(state), media_type="text/event-stream")


async def _steps(state: State) -> AsyncIterator[str]:
    # Starlette cancels this generator at its next await when the client has left.
    # The variable keeps the run: other streams may push it out of the cache, and then each step
    # would train from the start.
    run = await on_a_thread(run_of, settings_of(state))
    for step in range(state["steps"] + 1, LAST + 1):
        answer = await on_a_thread(event, run, step)
        yield f"data: {json.dumps(encoded(answer), allow_nan=False)}\n\n"
        await asyncio.sleep(PAUSE)
    yield "event: end\ndata: {}\n\n"


def from_query(controls: Mapping[str, Control], query: Mapping[str, str]) -> dict[str, Any]:
    """Read a query string's texts as the numbers that controls take.

    Raises
    ------
    ValueError
        If a number's text is none; names it.

    Examples
    --------
    >>> from_query(PAGE.controls, {"rate": "0.5", "units": "sigmoid"})
    {'rate': 0.5, 'units': 'sigmoid'}
    """
    state: dict[str, Any] = dict(query)
    for name, text in query.items():
        if name in controls and controls[name].spec()["kind"] in ("number", "whole"):
            try:
                state[name] = float(text)
            except ValueError:
                raise wrong(name, "a number", text) from None
    return state
