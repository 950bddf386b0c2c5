"""How the server reads JSON, and the sentences that it answers when something is wrong."""

from __future__ import annotations

import json
import traceback
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response


def refused(error: Exception) -> Response:
    """Answer bad input with the sentence that says what is wrong with it."""
    return JSONResponse({"error": str(error)}, status_code=400)


async def no_such_address(request: Request, error: Exception) -> Response:
    """Answer a request whose address or method no route takes."""
    assert isinstance(error, HTTPException)
    allowed = (error.headers or {}).get("Allow")
    sentence = f"This address takes only {allowed}." if allowed else "There is no such address."
    return JSONResponse({"error": sentence}, error.status_code, error.headers)


async def failed(request: Request, error: Exception) -> Response:
    """Answer a request that failed by a fault of the explorer, and print the error."""
    traceback.print_exception(error)
    sentence = "The explorer failed. The error is printed in the terminal where it was started."
    return JSONResponse({"error": sentence}, status_code=500)


async def read_json(request: Request, largest: int) -> Any:
    """Read a body of JSON.

    Raises
    ------
    ValueError
        If it is not called JSON, too large, or not JSON.
    """
    # A form of another site can send text, but not this type.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise ValueError("the body: expected content-type application/json")
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > largest:
                raise ValueError(f"the body: expected at most {largest} bytes")
    except ClientDisconnect:
        raise ValueError("the body: broke off, as the client left") from None
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the body: expected JSON, got {body[:40]!a}") from error
